#include "own.h"

#include "app.h"

#include <stdlib.h>

static int by_pid(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return (x > y) - (x < y);
}

int iris__own_take(const struct app *a, struct own *out)
{
    size_t n = a->manifest->nactors;
    *out = (struct own){.pids = malloc((n + 1) * sizeof *out->pids)};
    if (!out->pids)
        return -1;
    for (; out->n < n; out->n++)
        out->pids[out->n] = atomic_load(&a->actors[out->n].pid);
    if (n)
        qsort(out->pids, n, sizeof *out->pids, by_pid);
    return 0;
}

int iris__own_has(const struct own *own, uint64_t pid)
{
    return own->n && bsearch(&pid, own->pids, own->n, sizeof *own->pids, by_pid);
}

void iris__own_finish(struct own *own)
{
    free(own->pids);
    *own = (struct own){0};
}
