/* main.h - what a unit test file starts and ends with.
 *
 *   static void counts_to_one(void **state) { ... assert_int_equal(count(), 1); }
 *
 *   static const struct CMUnitTest tests[] = {
 *       IRIS_TEST("p1.counts_to_one", counts_to_one),
 *       IRIS_TEST_WITH("p1.counts_to_two", counts_to_two, setup, teardown),
 *   };
 *   IRIS_MAIN(tests)
 *
 * Each IRIS_TEST("name" of the source is a ctest case of its own (the build reads them), run in a
 * process of its own. `./x_test` runs all, `./x_test NAME` one, `./x_test --list` names them. */
#ifndef IRIS_TESTS_MAIN_H
#define IRIS_TESTS_MAIN_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

/* clang-format off */
#define IRIS_SOAK(name, fn)                       {name, fn, NULL, NULL, NULL} /* no ctest case: tests/soak/X.sh runs it */
#define IRIS_TEST(name, fn)                       {name, fn, NULL, NULL, NULL}
#define IRIS_TEST_WITH(name, fn, setup, teardown) {name, fn, setup, teardown, NULL}
/* clang-format on */

#define IRIS_MAIN(tests)                                                    \
    int main(int argc, char **argv)                                         \
    {                                                                       \
        return main_run(argc, argv, tests, sizeof tests / sizeof tests[0]); \
    }

static int main_run(int argc, char **argv, const struct CMUnitTest *tests, size_t n)
{
    int known = 0;
    for (size_t i = 0; i < n; i++) {
        if (argc > 1 && !strcmp(argv[1], "--list"))
            puts(tests[i].name);
        known |= argc > 1 && !strcmp(argv[1], tests[i].name);
    }
    if (argc > 1 && !strcmp(argv[1], "--list"))
        return 0;
    if (argc > 1 && !known)
        return fprintf(stderr, "%s: no test named %s (see --list)\n", argv[0], argv[1]), 2;
    if (argc > 1)
        cmocka_set_test_filter(argv[1]);
    return _cmocka_run_group_tests(argv[0], tests, n, NULL, NULL);
}

#endif
