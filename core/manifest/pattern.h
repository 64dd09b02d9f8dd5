/* Patterns of paths, such as "/svc/pay" with two stars behind it. A star stands for one level, whatever its name; two
 * for any number of levels, also none. */
#ifndef IRIS_MANIFEST_PATTERN_H
#define IRIS_MANIFEST_PATTERN_H

#define PATTERN_MAX 255

/* IRIS_OK, or IRIS_FAIL with the reason: it can be no path's. */
int iris__pattern_check(const char *pattern);
int iris__path_matches(const char *pattern, const char *path);

#endif
