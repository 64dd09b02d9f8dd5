#include "behaviour.h"

#include "fail.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Who waits for mail needs something to wait on. */
static int check_kind(const iris_behaviour *b)
{
    uint32_t own = b->flags & (IRIS_OWN_STACK | IRIS_OWN_THREAD);
    if (b->flags & IRIS_PULL && own != IRIS_OWN_STACK && own != IRIS_OWN_THREAD)
        return iris__fail(
            "behaviour \"%s\": a pull actor (IRIS_PULL) waits on a stack or on a thread "
            "of its own; add IRIS_OWN_STACK or IRIS_OWN_THREAD, one of both",
            b->name);
    if (own & IRIS_OWN_STACK && !(b->flags & IRIS_PULL))
        return iris__fail("behaviour \"%s\": IRIS_OWN_STACK is for pull actors; add IRIS_PULL",
                          b->name);
    if (own & IRIS_OWN_STACK && b->executor)
        return iris__fail("behaviour \"%s\": a coroutine (IRIS_OWN_STACK) runs on the core's pool; "
                          "leave .executor NULL",
                          b->name);
    return IRIS_OK;
}

/* Of one that only migrates. */
static int handle_nothing(const iris_behaviour *b, iris_actor *self, void *state,
                          const iris_message *const *messages, int n)
{
    (void)self, (void)state, (void)messages, (void)n;
    return iris__fail("\"%s\" migrates the state of others, and handles no messages", b->name);
}

static int check(const iris_behaviour *b)
{
    if (b->abi != IRIS_ABI)
        return iris__fail("behaviour: it was built for ABI %u, this core speaks ABI %u; rebuild it "
                          "with this core's iris/plugin.h",
                          b->abi, IRIS_ABI);
    if (!IRIS_HAS(b, name))
        return iris__fail("behaviour: it has no name; set .name");
    if (!IRIS_HAS(b, handle) && !IRIS_HAS(b, migrate))
        return iris__fail("behaviour \"%s\": it has no handle(); set .handle", b->name);
    if (check_kind(b))
        return IRIS_FAIL;
    return IRIS_OK;
}

static char *copy(const char *text)
{
    return text ? strdup(text) : NULL;
}

struct label iris__behaviour_label(const iris_behaviour *b)
{
    struct label l;
    snprintf(l.text, sizeof l.text, "\"%s\"%s%s", b->name, *b->version ? " " : "", b->version);
    return l;
}

int iris__version_define(struct world *w, const iris_behaviour *b, void *library, const void *host,
                         const char *host_name, const char *handler, iris_version **out)
{
    if (check(b))
        return IRIS_FAIL;
    iris_version *v = aligned_alloc(64, sizeof *v);
    if (!v)
        return iris__fail("behaviour \"%s\": no memory", b->name);
    memset(v, 0, sizeof *v);
    memcpy(&v->b, b, b->size < sizeof v->b ? b->size : sizeof v->b);
    v->b.size = sizeof v->b;
    v->b.handle = v->b.handle ? v->b.handle : handle_nothing;
    v->b.name = copy(v->b.name);
    v->b.version = copy(v->b.version ? v->b.version : "0");
    v->refs = 1;
    v->world = w;
    v->library = library;
    v->host = host;
    v->host_name = copy(host_name ? host_name : "native");
    v->handler = copy(handler);
    atomic_fetch_add(&w->versions, 1);
    *out = v;
    return IRIS_OK;
}

int iris__version_retain(iris_version *v)
{
    unsigned refs = atomic_load_explicit(&v->refs, memory_order_relaxed);
    do
        if (!refs)
            return IRIS_DEAD;
    while (!atomic_compare_exchange_weak(&v->refs, &refs, refs + 1));
    return IRIS_OK;
}

int iris__version_handles(const iris_version *v)
{
    return v->b.handle != handle_nothing;
}

static void destroy(iris_job *job)
{
    iris_version *v = (iris_version *)((char *)job - offsetof(iris_version, free_job));
    struct world *w = v->world;
    void *library = v->library;
    if (v->b.free)
        v->b.free(&v->b);
    atomic_fetch_sub(&w->versions, 1);
    free((char *)v->b.name);
    free((char *)v->b.version);
    free(v->host_name);
    free(v->handler);
    free(v->file);
    free(v->symbol);
    for (uint32_t i = 0; i < v->nuses; i++)
        free(v->uses[i]);
    free(v->uses);
    free(v);
    if (library && w->hooks.unload)
        w->hooks.unload(w, library);
}

static int has_use(const iris_version *v, const char *file)
{
    for (uint32_t i = 0; i < v->nuses; i++)
        if (strcmp(v->uses[i], file) == 0)
            return 1;
    return 0;
}

static int add_use(iris_version *v, const char *file)
{
    char **list = realloc(v->uses, (v->nuses + 1) * sizeof *list);
    if (!list)
        return IRIS_FAIL;
    v->uses = list;
    list[v->nuses] = strdup(file);
    if (!list[v->nuses])
        return IRIS_FAIL;
    v->nuses++;
    return IRIS_OK;
}

int iris__version_uses(iris_version *v, const char *file)
{
    iris__facts_hold(v->world);
    int result = has_use(v, file) ? IRIS_OK : add_use(v, file);
    iris__facts_release(v->world);
    return result ? iris__fail("%s: no memory to note that it is used", file) : IRIS_OK;
}

void iris__version_release(iris_version *v)
{
    if (!v || atomic_fetch_sub(&v->refs, 1) > 1)
        return;
    /* At once: its host may have stopped when this one's executor comes to destroy(). */
    iris__version_release(v->migration);
    v->free_job.run = destroy;
    if (v->b.executor) /* a language frees its things on its own thread */
        iris__executor_post(v->b.executor, &v->free_job);
    else
        destroy(&v->free_job);
}
