#include "sets.h"

#include "fail.h"

#include <iris/plugin.h>

#include <stdlib.h>
#include <string.h>

static size_t keys_room(const char *const *args, uint32_t n)
{
    size_t room = 1;
    for (uint32_t i = 0; i < n; i++)
        room += strlen(args[i]) + 1;
    return room;
}

static int split(struct sets *s, char **room, const char *arg)
{
    size_t key = strcspn(arg, "=");
    if (!key || !arg[key])
        return iris__fail("--set %s: expected KEY=VALUE\nhint: as in: --set env.LOG=/var/log/x",
                          arg);
    memcpy(*room, arg, key);
    s->items[s->n++] = (struct manifest_set){*room, arg + key + 1};
    *room += key + 1; /* it was zeroed */
    return IRIS_OK;
}

int iris__sets_parse(struct sets *s, const char *const *args, uint32_t n)
{
    *s = (struct sets){.items = calloc(n + 1, sizeof *s->items),
                       .text = calloc(1, keys_room(args, n))};
    char *room = s->text;
    int failed = IRIS_OK;
    if (!s->items || !room)
        return iris__sets_finish(s), iris__fail("--set: no memory");
    for (uint32_t i = 0; i < n && !failed; i++)
        failed = split(s, &room, args[i]);
    if (failed)
        iris__sets_finish(s);
    return failed;
}

void iris__sets_finish(struct sets *s)
{
    free(s->items);
    free(s->text);
    *s = (struct sets){0};
}
