#include "nearest.h"

#include <stdint.h>
#include <string.h>

#define LONGEST 96

static size_t least(size_t a, size_t b)
{
    return a < b ? a : b;
}

size_t iris__edits(const char *a, size_t na, const char *b, size_t nb)
{
    size_t rows[3][LONGEST + 1]; /* of the usual matrix: two back, one back, this */
    if (na > LONGEST || nb > LONGEST)
        return SIZE_MAX;
    for (size_t j = 0; j <= nb; j++)
        rows[0][j] = j;
    for (size_t i = 1; i <= na; i++) {
        size_t *now = rows[i % 3], *back = rows[(i + 2) % 3], *two = rows[(i + 1) % 3];
        now[0] = i;
        for (size_t j = 1; j <= nb; j++) {
            now[j] = least(back[j - 1] + (a[i - 1] != b[j - 1]), least(back[j], now[j - 1]) + 1);
            if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
                now[j] = least(now[j], two[j - 2] + 1);
        }
    }
    return rows[na % 3][nb];
}

void iris__nearest_try(struct nearest *n, const char *candidate, size_t len)
{
    size_t enough = len / 3 ? len / 3 : 1;
    size_t edits = iris__edits(n->word, strlen(n->word), candidate, len);
    if (edits > enough || (n->best && edits >= n->edits))
        return;
    n->best = candidate;
    n->len = len;
    n->edits = edits;
}

void iris__nearest_words(struct nearest *n, const char *words)
{
    for (size_t len; words && *words; words += len + 1) {
        len = strcspn(words, " ");
        iris__nearest_try(n, words, len);
    }
}
