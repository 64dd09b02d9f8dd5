#include "loader_fixture.h"

#include "fail.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

/* ---- a core of two functions ---- */

static int fake_fail(const char *fmt, ...)
{
    va_list args;
    va_start(args, fmt);
    int result = iris__vfail(fmt, args);
    va_end(args);
    return result;
}

static const void *fake_extension(const char *id)
{
    return strcmp(id, "iris.known/1") ? NULL : "known";
}

static void note_warning(void *ctx, const char *sentence)
{
    struct loader_fixture *f = ctx;
    f->warnings++;
    snprintf(f->warning, sizeof f->warning, "%s", sentence);
}

int loader_setup(void **state)
{
    struct loader_fixture *f = calloc(1, sizeof *f);
    strcpy(f->dir, "/tmp/iris-loader-test-XXXXXX");
    if (!mkdtemp(f->dir))
        return -1;
    f->api = (iris_api){.size = sizeof f->api,
                        .abi = IRIS_ABI,
                        .version = "0.0.0",
                        .fail = fake_fail,
                        .extension = fake_extension};
    setenv("IRIS_STATE_DIR", loader_path(f, "state"), 1);
    iris__loader_init(&f->loader);
    f->loader.warn = note_warning;
    f->loader.ctx = f;
    *state = f;
    return 0;
}

int loader_teardown(void **state)
{
    struct loader_fixture *f = *state;
    char command[128];
    iris__loader_finish(&f->loader);
    iris__forget();
    snprintf(command, sizeof command, "rm -rf '%s'", f->dir);
    int result = chdir("/") || system(command);
    free(f);
    return result;
}

/* ---- files ---- */

static char *next_path(void)
{
    static char paths[8][512];
    static int next;
    return paths[next++ % 8];
}

const char *loader_path(const struct loader_fixture *f, const char *name)
{
    char *path = next_path();
    snprintf(path, 512, "%s/%s", f->dir, name);
    return path;
}

const char *loader_sample_in(const char *build, const char *name)
{
    char *path = next_path();
    snprintf(path, 512, "%s/tests/behaviours/loader/%s.so", build, name);
    return path;
}

char *loader_slurp(const char *file, size_t *len)
{
    struct stat st;
    int fd = open(file, O_RDONLY | O_CLOEXEC);
    if (fd < 0 || fstat(fd, &st) < 0)
        fail_msg("%s is missing: was it built?", file);
    char *data = malloc((size_t)st.st_size + 1);
    assert_int_equal(read(fd, data, (size_t)st.st_size), st.st_size);
    close(fd);
    *len = (size_t)st.st_size;
    return data;
}

const char *loader_put_bytes(const struct loader_fixture *f, const char *name, const void *data,
                             size_t len)
{
    const char *new = loader_path(f, "being-written"), *path = loader_path(f, name);
    int fd = open(new, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0755);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, data, len), len);
    assert_int_equal(fchmod(fd, 0755), 0);
    close(fd);
    assert_int_equal(rename(new, path), 0);
    return path;
}

const char *loader_put_file(const struct loader_fixture *f, const char *name, const char *file)
{
    size_t len;
    char *data = loader_slurp(file, &len);
    const char *path = loader_put_bytes(f, name, data, len);
    free(data);
    return path;
}

void loader_patch(const char *file, const char *from, const char *to)
{
    size_t len, n = strlen(from);
    char *data = loader_slurp(file, &len);
    int found = 0;
    for (char *at = data; (at = memmem(at, len - (size_t)(at - data), from, n)); at += n, found++)
        strncpy(at, to, n);
    assert_true(found > 0);
    int fd = open(file, O_WRONLY | O_TRUNC | O_CLOEXEC);
    assert_int_equal(write(fd, data, len), len);
    close(fd);
    free(data);
}

int loader_exists(const char *path)
{
    return access(path, F_OK) == 0;
}

int loader_mapped(const char *part)
{
    char line[1024];
    int n = 0;
    FILE *maps = fopen("/proc/self/maps", "re");
    while (fgets(line, sizeof line, maps))
        n += strstr(line, part) != NULL;
    fclose(maps);
    return n;
}

/* ---- libraries ---- */

struct library *loader_load(struct loader_fixture *f, const char *file)
{
    struct library *lib = NULL;
    if (iris__loader_open(&f->loader, file, &f->api, &lib))
        fail_msg("%s", iris__reason());
    assert_non_null(lib);
    return lib;
}

int loader_call(const struct library *lib, int n)
{
    const iris_behaviour *b = iris__library_behaviour(lib, NULL);
    assert_non_null(b);
    return b->handle(b, NULL, NULL, NULL, n);
}

void loader_refuse(struct loader_fixture *f, const char *file, const char *sentence)
{
    struct library *lib = NULL;
    char expected[2048], *out = expected;
    for (const char *c = sentence; *c; c++)
        if (c[0] == '%' && c[1] == 's')
            out += sprintf(out, "%s", file), c++;
        else
            *out++ = *c;
    *out = '\0';
    assert_int_equal(iris__loader_open(&f->loader, file, &f->api, &lib), -1);
    assert_null(lib);
    assert_string_equal(iris__reason(), expected);
}
