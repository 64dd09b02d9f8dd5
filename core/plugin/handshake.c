#include "handshake.h"

#include "fail.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MOST 4096 /* behaviours of one plugin: a list longer than that has no end */

struct head {
    uint32_t size, abi; /* how every struct that crosses begins */
};

/* ---- one struct ---- */

/* Copies the smaller of both sizes and zeroes the rest. what: "iris_plugin", "behaviour 2". */
static int take(void *to, size_t room, const void *from, const char *file, const char *what)
{
    struct head head;
    memcpy(&head, from, sizeof head);
    if (head.abi != IRIS_ABI)
        return iris__fail("%s: its %s speaks ABI %" PRIu32
                          "; this Iris speaks ABI %d; build it again "
                          "with the <iris/plugin.h> of this Iris",
                          file, what, head.abi, IRIS_ABI);
    if (head.size < sizeof head)
        return iris__fail("%s: its %s says that it has %" PRIu32
                          " bytes; expected size = sizeof of the "
                          "struct",
                          file, what, head.size);
    memset(to, 0, room);
    memcpy(to, from, head.size < room ? head.size : room);
    head.size = (uint32_t)room; /* the rest is there now, too: as zeroes */
    memcpy(to, &head, sizeof head);
    return 0;
}

static int missing(const char *file, const char *what, const char *member)
{
    return iris__fail("%s: its %s has no %s; every %s must set it", file, what, member,
                      strncmp(what, "behaviour", 9) != 0 ? what : "iris_behaviour");
}

/* ---- behaviours ---- */

static int check_behaviour(const struct taken *t, int i, const char *file, const char *what)
{
    const iris_behaviour *b = &t->copies[i];
    if (!b->name || !*b->name)
        return missing(file, what, "name");
    if (!b->handle && !b->migrate) /* one that only migrates needs none */
        return iris__fail(
            "%s: its behaviour \"%s\" has no handle; every iris_behaviour must set it", file,
            b->name);
    for (int k = 0; k < i; k++)
        if (!strcmp(t->copies[k].name, b->name))
            return iris__fail("%s: two of its behaviours are named \"%s\"; expected each name once",
                              file, b->name);
    return 0;
}

static int take_behaviours(struct taken *t, const char *file, const iris_behaviour *const *from)
{
    int n = 0;
    while (from && n <= MOST && from[n])
        n++;
    if (n > MOST)
        return iris__fail(
            "%s: its list of behaviours is longer than %d; expected NULL behind the last", file,
            MOST);
    t->copies = calloc((size_t)n + 1, sizeof *t->copies);
    t->list = calloc((size_t)n + 1, sizeof(void *));
    if (!t->copies || !t->list)
        return iris__fail("%s: no memory for its %d behaviours", file, n);
    t->n = n;
    for (int i = 0; i < n; i++) {
        char what[32];
        snprintf(what, sizeof what, "behaviour %d", i + 1);
        t->list[i] = &t->copies[i];
        if (take(&t->copies[i], sizeof *t->copies, from[i], file, what) ||
            check_behaviour(t, i, file, what))
            return -1;
    }
    return 0;
}

/* ---- the rest ---- */

static int take_host(struct taken *t, const char *file, const iris_host *from)
{
    if (!from)
        return 0;
    if (take(&t->host, sizeof t->host, from, file, "iris_host"))
        return -1;
    if (!t->host.start)
        return missing(file, "iris_host", "start");
    if (!t->host.load)
        return missing(file, "iris_host", "load");
    return 0;
}

static int check_needs(const char *file, const char *const *needs, const iris_api *api)
{
    for (int i = 0; needs && needs[i]; i++)
        if (!api->extension(needs[i]))
            return iris__fail(
                "%s needs the extension \"%s\", which this Iris (%s) does not have; use an "
                "Iris that has it, or a plugin that does without",
                file, needs[i], api->version ? api->version : "no version");
    return 0;
}

static int take_all(struct taken *t, const char *file, const iris_plugin *from, const iris_api *api)
{
    if (take(&t->plugin, sizeof t->plugin, from, file, "iris_plugin"))
        return -1;
    if (!t->plugin.name || !*t->plugin.name)
        return missing(file, "iris_plugin", "name");
    if (check_needs(file, t->plugin.needs, api) || take_behaviours(t, file, t->plugin.behaviours) ||
        take_host(t, file, t->plugin.host))
        return -1;
    if (t->n == 0 && !t->plugin.host)
        return iris__fail(
            "%s: its iris_plugin has neither behaviours nor a host; expected at least one "
            "of them",
            file);
    return 0;
}

int iris__handshake(struct taken *t, const char *file, const iris_plugin *from, const iris_api *api)
{
    *t = (struct taken){0};
    if (take_all(t, file, from, api)) {
        iris__handshake_undo(t);
        return -1;
    }
    t->plugin.behaviours = t->list;
    t->plugin.host = t->plugin.host ? &t->host : NULL;
    return 0;
}

void iris__handshake_undo(struct taken *t)
{
    free(t->copies);
    free(t->list);
    *t = (struct taken){0};
}
