#include "manifest_reading.h"

#include <ctype.h>
#include <string.h>

#define LONGEST_MS (100LL * 365 * 24 * 3600 * 1000) /* a century: beyond is a slip */

struct unit {
    const char *name;
    int64_t worth;
};

static const struct unit durations[] = {{"us", 1000},       {"ms", 1000000},      {"s", 1000000000},
                                        {"m", 60000000000}, {"h", 3600000000000}, {NULL, 0}};
static const struct unit sizes[] = {{"B", 1},         {"kB", 1000},     {"KiB", 1024},
                                    {"MB", 1000000},  {"MiB", 1 << 20}, {"GB", 1000000000},
                                    {"GiB", 1 << 30}, {NULL, 0}};

/* Reads digits into *out; beyond `most` of them, they are read and dropped. Returns how many
 * counted. */
static int digits(const char **s, int most, int64_t *out)
{
    int n = 0;
    for (*out = 0; isdigit((unsigned char)**s); ++*s)
        if (n < most) {
            *out = *out * 10 + (**s - '0');
            n++;
        }
    return n;
}

/* Digits, perhaps a point and more digits, a unit, nothing else. In integers: 0.1s is exact. */
static int quantity(const char *s, const struct unit *units, int64_t *out)
{
    int64_t whole, part = 0, scale = 1;
    const char *start = s;
    if (!digits(&s, 15, &whole) || s - start > 15)
        return -1;
    if (*s == '.') {
        s++;
        int n = digits(&s, 6, &part);
        if (n == 0)
            return -1;
        while (n-- > 0)
            scale *= 10;
    }
    while (units->name && strcmp(s, units->name))
        units++;
    if (!units->name || __builtin_mul_overflow(whole, units->worth, out))
        return -1;
    return __builtin_add_overflow(*out, part * units->worth / scale, out) ? -1 : 0;
}

int iris__duration(const char *text, int64_t *ns)
{
    if (quantity(text, durations, ns) || *ns / 1000000 > LONGEST_MS)
        return -1;
    return 0;
}

int iris__duration_ms(int64_t ms, int64_t *ns)
{
    if (ms < 0 || ms > LONGEST_MS)
        return -1;
    *ns = ms * 1000000;
    return 0;
}

int iris__size(const char *text, int64_t *bytes)
{
    return quantity(text, sizes, bytes);
}
