#include "similar.h"

#include <string.h>

#define LONGEST 63 /* of longer words none is near */

static int least(int a, int b)
{
    return a < b ? a : b;
}

/* Edit distance with transpositions of neighbours (optimal string alignment), a row at a time. */
static int distance(const char *a, int n, const char *b, int m)
{
    int rows[3][LONGEST + 1];
    int *before = rows[0], *last = rows[1], *row = rows[2];
    for (int j = 0; j <= m; j++)
        row[j] = j;
    for (int i = 1; i <= n; i++) {
        int *oldest = before;
        before = last, last = row, row = oldest;
        row[0] = i;
        for (int j = 1; j <= m; j++) {
            row[j] = least(least(last[j], row[j - 1]) + 1, last[j - 1] + (a[i - 1] != b[j - 1]));
            if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
                row[j] = least(row[j], before[j - 2] + 1);
        }
    }
    return row[m];
}

void iris__similar_try(struct similar *s, const char *known)
{
    size_t n = strlen(s->word), m = strlen(known);
    if (n > LONGEST || m > LONGEST)
        return;
    int d = distance(s->word, (int)n, known, (int)m);
    if (d > 1 + (int)n / 4 || d >= (int)n || (s->best && d >= s->distance))
        return;
    s->best = known;
    s->distance = d;
}
