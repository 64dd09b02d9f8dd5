#include "pattern.h"

#include "fail.h"

#include <iris/iris.h>

#include <string.h>

static int is_level(const char *at, size_t n, const char *name)
{
    return n == strlen(name) && !strncmp(at, name, n);
}

/* From a '/' to before the next one. */
static int check_level(const char *pattern, const char *level, size_t n)
{
    int is_root = n == 1 && !pattern[1];
    if (n == 1 && !is_root)
        return iris__fail("\"%s\": expected a name between two \"/\", and behind the last",
                          pattern);
    if (memchr(level, '*', n) && !is_level(level, n, "/*") && !is_level(level, n, "/**"))
        return iris__fail("\"%s\": a star stands for a whole level, two for all below; expected "
                          "\"/*\" or \"/**\", found \"%.*s\"",
                          pattern, (int)n, level);
    return IRIS_OK;
}

int iris__pattern_check(const char *pattern)
{
    if (*pattern != '/' || strlen(pattern) > PATTERN_MAX)
        return iris__fail("\"%s\": expected a path, where a star stands for one level and two for "
                          "all below: \"/svc/**\"",
                          pattern);
    for (const char *at = pattern; *at;) {
        size_t n = strcspn(at + 1, "/") + 1;
        if (check_level(pattern, at, n))
            return IRIS_FAIL;
        at += n;
    }
    return IRIS_OK;
}

static size_t level(const char *at)
{
    return strcspn(at + 1, "/") + 1;
}

static int is_any(const char *pattern)
{
    return is_level(pattern, level(pattern), "/**");
}

static int takes(const char *pattern, const char *path)
{
    size_t n = level(pattern), m = level(path);
    return is_level(pattern, n, "/*") || (n == m && !strncmp(pattern, path, n));
}

/* What follows two stars is looked for from ever further down: only the last two stars need that, so it is no
 * more than levels times levels. */
int iris__path_matches(const char *pattern, const char *path)
{
    const char *behind = NULL, *from = NULL;
    while (*path) {
        if (*pattern && is_any(pattern)) {
            behind = pattern += level(pattern);
            from = path;
        } else if (*pattern && takes(pattern, path)) {
            pattern += level(pattern);
            path += level(path);
        } else if (behind) {
            path = from += level(from);
            pattern = behind;
        } else {
            return 0;
        }
    }
    while (*pattern && is_any(pattern))
        pattern += level(pattern);
    return !*pattern;
}
