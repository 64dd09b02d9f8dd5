/* replay.c - main() of a fuzz target where there is no libFuzzer: feeds it the files of a corpus. */
#include <dirent.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int feed(const char *path)
{
    FILE *file = fopen(path, "rb");
    struct stat st;
    if (!file || fstat(fileno(file), &st) < 0)
        return perror(path), 1;
    // Of the exact size, so that a sanitizer sees each byte read too far.
    uint8_t *data = malloc(st.st_size ? st.st_size : 1);
    size_t size = fread(data, 1, st.st_size, file);
    fclose(file);
    LLVMFuzzerTestOneInput(data, size);
    free(data);
    return 0;
}

int main(int argc, char **argv)
{
    struct dirent **files;
    int n = argc == 2 ? scandir(argv[1], &files, NULL, alphasort) : -1;
    int fed = 0;
    if (n < 0)
        return fprintf(stderr, "usage: %s CORPUS-DIRECTORY\n", argv[0]), 2;
    for (int i = 0; i < n; i++) {
        char path[4096];
        snprintf(path, sizeof path, "%s/%s", argv[1], files[i]->d_name);
        if (files[i]->d_name[0] != '.' && ++fed && feed(path))
            return 1;
        free(files[i]);
    }
    free(files);
    printf("%d inputs of %s\n", fed, argv[1]);
    return fed == 0; // an empty corpus tests nothing
}
