/* No plugin at all, and it must not run: its constructor would be seen. */
#include <stdlib.h>

__attribute__((constructor)) static void construct(void)
{
    setenv("IRIS_TEST_CONSTRUCTED", "1", 1);
}

__attribute__((visibility("default"))) int some_function(void);

int some_function(void)
{
    return 1;
}
