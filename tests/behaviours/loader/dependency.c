/* What dependent.c needs. */
__attribute__((visibility("default"))) int loader_dependency(void);

int loader_dependency(void)
{
    return 77;
}
