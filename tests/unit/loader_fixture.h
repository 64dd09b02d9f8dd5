/* What the loader's tests start from: a directory of their own, a loader, a core of two
 * functions. */
#ifndef IRIS_TESTS_LOADER_FIXTURE_H
#define IRIS_TESTS_LOADER_FIXTURE_H

#include "loader.h"

#include <stddef.h>

struct loader_fixture {
    char dir[64];         /* for files; removed at the end */
    struct loader loader; /* its private directory is dir/state/... */
    char warning[512];    /* the last one, and how many there were */
    int warnings;
    iris_api api; /* fail, extension ("iris.known/1") */
};

int loader_setup(void **state);
int loader_teardown(void **state);

/* A name in dir; holds until the eighth call after. */
const char *loader_path(const struct loader_fixture *, const char *name);
/* A built sample, likewise. (A macro, since only the tests themselves know where the build is.) */
#define loader_sample(name) loader_sample_in(IRIS_BUILD_DIR, name)
const char *loader_sample_in(const char *build, const char *name);

/* Makes dir/name out of the sample as an installer would: under another name first, then
 * renamed. */
#define loader_put(f, name, sample_name) loader_put_file(f, name, loader_sample(sample_name))
const char *loader_put_file(const struct loader_fixture *, const char *name, const char *file);
const char *loader_put_bytes(const struct loader_fixture *, const char *name, const void *data,
                             size_t len);
/* All of a file; the caller frees it. */
char *loader_slurp(const char *file, size_t *len);
/* Every occurrence of `from` in dir/name becomes `to`, which is not longer. */
void loader_patch(const char *file, const char *from, const char *to);

/* Open it, or fail the test with the reason. */
struct library *loader_load(struct loader_fixture *, const char *file);
/* handle() of its first behaviour; the samples say what n means. */
int loader_call(const struct library *, int n);
/* Opening fails, with this sentence ("%s" stands for the file). */
void loader_refuse(struct loader_fixture *, const char *file, const char *sentence);

/* How many mappings this process has of files with that in their name. */
int loader_mapped(const char *part);
int loader_exists(const char *path);

#define IRIS_TEST_LOADER(name, fn) IRIS_TEST_WITH(name, fn, loader_setup, loader_teardown)

#endif
