#include "own.h"

#include "app.h"

#include <stdlib.h>

static int by_pid(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return (x > y) - (x < y);
}

int iris__own_open(const struct app *a, struct own *out)
{
    *out = (struct own){.pids = malloc((a->manifest->nactors + 1) * sizeof *out->pids)};
    return out->pids ? 0 : -1;
}

void iris__own_add(struct own *own, uint64_t pid)
{
    own->pids[own->n++] = pid;
}

void iris__own_close(struct own *own)
{
    if (own->n)
        qsort(own->pids, own->n, sizeof *own->pids, by_pid);
}

int iris__own_take(const struct app *a, struct own *out)
{
    if (iris__own_open(a, out))
        return -1;
    for (size_t i = 0; i < a->manifest->nactors; i++)
        iris__own_add(out, atomic_load(&a->actors[i].pid));
    iris__own_close(out);
    return 0;
}

const struct manifest_actor *iris__own_actor(const struct app *a, uint64_t pid)
{
    for (size_t i = 0; a->actors && i < a->manifest->nactors; i++)
        if (atomic_load(&a->actors[i].pid) == pid)
            return &a->manifest->actors[i];
    return NULL;
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
