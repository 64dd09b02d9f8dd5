#include "provider_static.h"

#include "hostport.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct listed {
    struct listed *next;
    char address[280];
    int compat;
};

struct provider_static {
    uv_loop_t *loop;
    struct provider_hooks hooks;
    struct listed *list;
};

struct provider_search {
    uv_getaddrinfo_t request;
    provider_located *located; /* NULL: nobody waits any more */
    void *arg;
};

/* ---- the list ---- */

static struct listed **find(struct provider_static *p, const char *address)
{
    struct listed **at = &p->list;
    while (*at && strcmp((*at)->address, address) != 0)
        at = &(*at)->next;
    return at;
}

static int tell(const struct provider_static *p, enum provider_change change,
                const struct listed *e)
{
    const struct provider_node n = {
        .id = e->address, .node = "", .address = e->address, .compat = e->compat};
    return p->hooks.node(p->hooks.ctx, change, &n);
}

int provider_static_add(struct provider_static *p, const char *address, int compat)
{
    struct listed **at = find(p, address);
    if (strlen(address) >= sizeof(*at)->address)
        return -1;
    if (!*at && !(*at = calloc(1, sizeof **at)))
        return -1;
    snprintf((*at)->address, sizeof(*at)->address, "%s", address);
    (*at)->compat = compat;
    return tell(p, PROVIDER_PUT, *at);
}

int provider_static_remove(struct provider_static *p, const char *address)
{
    struct listed **at = find(p, address), *e = *at;
    if (!e)
        return -1;
    *at = e->next;
    tell(p, PROVIDER_DELETE, e);
    free(e);
    return 0;
}

int provider_static_compat(const struct provider_static *p, const char *address)
{
    const struct listed *e = *find((struct provider_static *)p, address);
    return e ? e->compat : 0;
}

int provider_static_has(const struct provider_static *p, const char *address)
{
    return *find((struct provider_static *)p, address) != NULL;
}

/* ---- DNS ---- */

static void on_found(uv_getaddrinfo_t *request, int status, struct addrinfo *found)
{
    struct provider_search *s = (struct provider_search *)request;
    provider_located *located = s->located;
    void *arg = s->arg;
    free(s);
    if (located)
        located(arg, status, found);
    else
        uv_freeaddrinfo(found);
}

struct provider_search *provider_static_locate(struct provider_static *p, const struct hostport *a,
                                               provider_located *located, void *arg, char *why,
                                               size_t room)
{
    struct addrinfo hints = {.ai_socktype = SOCK_STREAM};
    struct provider_search *s = calloc(1, sizeof *s);
    int error =
        s ? uv_getaddrinfo(p->loop, &s->request, on_found, a->host, a->port, &hints) : UV_ENOMEM;
    if (error) {
        snprintf(why, room, "%s", uv_strerror(error));
        free(s);
        return NULL;
    }
    s->located = located;
    s->arg = arg;
    return s;
}

void provider_static_forget(struct provider_search *s)
{
    s->located = NULL;
    uv_cancel((uv_req_t *)&s->request);
}

/* ---- the provider ---- */

static void *start(uv_loop_t *loop, const char *settings, const struct provider_node *self,
                   const struct provider_hooks *hooks, char *why, size_t room)
{
    struct provider_static *p = calloc(1, sizeof *p);
    (void)settings, (void)self;
    if (!p) {
        snprintf(why, room, "no memory");
        return NULL;
    }
    p->loop = loop;
    p->hooks = *hooks;
    return p;
}

static void stop(void *provider)
{
    struct provider_static *p = provider;
    for (struct listed *e = p->list, *next; e; e = next) {
        next = e->next;
        free(e);
    }
    free(p);
}

static int claim(void *provider, const char *name, uint64_t pid, int64_t since,
                 provider_claimed *claimed, void *ctx)
{
    (void)provider, (void)name, (void)pid, (void)since;
    claimed(ctx, IRIS_EMPTY, NULL,
            "names are unique only with an \"engine\"; without one say NAME@NODE");
    return IRIS_OK;
}

static void release(void *provider, const char *name, uint64_t token)
{
    (void)provider, (void)name, (void)token;
}

static void announce(void *provider, const char *address)
{
    (void)provider, (void)address;
}

static int64_t holds(void *provider)
{
    (void)provider;
    return 0;
}

const struct provider provider_static = {.size = sizeof provider_static,
                                         .abi = IRIS_ABI,
                                         .kind = "static",
                                         .start = start,
                                         .stop = stop,
                                         .claim = claim,
                                         .release = release,
                                         .announce = announce,
                                         .holds = holds};
