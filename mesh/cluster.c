/* The seam of agree.h: the hub's net, its actors and its protocol. */
#include "cluster.h"

#include "agree.h"
#include "provider_static.h"

#include <iris/ext/name.h>
#include <iris/ext/plugin.h>
#include <iris/iris.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

struct cluster {
    const struct provider *calls;
    struct agree *agree; /* NULL: not begun */
    char id[40];
};

/* ---- the seam ---- */

static int64_t on_now(void *ctx)
{
    (void)ctx;
    return net_now();
}

static int64_t on_date(void *ctx)
{
    struct timespec t;
    (void)ctx;
    clock_gettime(CLOCK_REALTIME, &t);
    return t.tv_sec * INT64_C(1000) + t.tv_nsec / 1000000;
}

static void on_wake(void *ctx, int64_t at)
{
    net_alarm(((struct hub *)ctx)->net, at);
}

static void on_touch(void *ctx)
{
    net_touch(((struct hub *)ctx)->net);
}

static uint64_t on_find(void *ctx, const char *name)
{
    struct hub *h = ctx;
    const iris_name *names = h->api->extension(IRIS_NAME);
    return names->find(h->self, name);
}

static void on_tell(void *ctx, uint64_t pid, const char *words)
{
    struct hub *h = ctx;
    iris_message m = {.kind = IRIS_PING, .len = (uint32_t)strlen(words), .to = pid, .data = words};
    const iris_message *one = &m;
    int taken;
    h->route->deliver(h->self, &one, 1, &taken);
}

static void on_kill(void *ctx, uint64_t pid)
{
    struct hub *h = ctx;
    h->watch->kill(h->self, pid);
}

static void on_note(void *ctx, int bad, const char *text)
{
    watchers_note(ctx, bad ? NOTE_ENGINE_BAD : NOTE_ENGINE, "", 0, text);
}

static void on_stood(void *ctx, const char *name, uint64_t token, const char *node)
{
    const struct hub *h = ctx;
    for (const struct stand *s = h->stands; s; s = s->next)
        if (!strcmp(s->name, name))
            s->stood(s->ctx, token, node);
}

static int on_want(void *ctx, const char *address)
{
    return mesh_want(((struct hub *)ctx)->mesh, address, MESH_OURS);
}

static void on_let_go(void *ctx, const char *address)
{
    mesh_let_go(((struct hub *)ctx)->mesh, address);
}

static int on_wanted(void *ctx, const char *address)
{
    return provider_static_has(((struct hub *)ctx)->peers, address);
}

static struct agree_seam seam_of(struct hub *h)
{
    return (struct agree_seam){.ctx = h,
                               .now = on_now,
                               .date = on_date,
                               .wake = on_wake,
                               .touch = on_touch,
                               .find = on_find,
                               .tell = on_tell,
                               .kill = on_kill,
                               .note = on_note,
                               .stood = on_stood,
                               .want = on_want,
                               .let_go = on_let_go,
                               .wanted = on_wanted,
                               .is_address = net_is_address};
}

/* ---- beginning and end ---- */

int cluster_load(struct hub *h)
{
    const void *table;
    void *host;
    if (!h->options.engine || h->cluster)
        return IRIS_OK;
    const iris_plugins *plugins = h->api->extension(IRIS_PLUGIN);
    if (plugins->use(h->self, "etcd", MESH_PROVIDER, &table, &host))
        return h->api->fail("engine.etcd: %s", h->api->reason());
    if (!(h->cluster = calloc(1, sizeof *h->cluster)))
        return h->api->fail("engine: no memory");
    h->cluster->calls = table;
    return IRIS_OK;
}

int cluster_begin(struct hub *h, const struct node_id *id, uint64_t creation)
{
    const struct agree_seam seam = seam_of(h);
    struct cluster *c = h->cluster;
    char why[400];
    if (!c)
        return h->options.engine ? h->api->fail("engine: its plugin was not loaded") : IRIS_OK;
    for (size_t i = 0; i < sizeof id->bytes; i++)
        snprintf(c->id + 2 * i, 3, "%02x", id->bytes[i]);
    const struct agree_config config = {
        .calls = c->calls,
        .settings = h->options.engine,
        .self = {.id = c->id, .node = h->node, .address = h->bound, .creation = creation},
        .names = (const char *const *)h->options.names.items,
        .nnames = h->options.names.n,
        .stands = (const char *const *)h->options.singletons.items,
        .nstands = h->options.singletons.n,
        .demote = h->options.demote};
    c->agree = agree_begin(&config, &seam, net_loop(h->net), why, sizeof why);
    return c->agree ? IRIS_OK : h->api->fail("%s", why);
}

void cluster_announce(struct hub *h)
{
    if (h->cluster && h->cluster->agree)
        agree_announce(h->cluster->agree, h->bound);
}

void cluster_watch(struct hub *h)
{
    const iris_name *names = h->api->extension(IRIS_NAME);
    const struct options_list *unique[] = {&h->options.names, &h->options.singletons};
    for (int k = 0; k < 2; k++)
        for (size_t i = 0; h->cluster && i < unique[k]->n; i++)
            names->watch(h->self, unique[k]->items[i], h->actor);
}

void cluster_look(struct hub *h)
{
    if (h->cluster && h->cluster->agree && !h->closed)
        agree_look(h->cluster->agree);
}

void cluster_end(struct hub *h)
{
    if (!h->cluster)
        return;
    if (h->cluster->agree)
        agree_end(h->cluster->agree);
    h->cluster->agree = NULL;
}

void cluster_free(struct hub *h)
{
    cluster_end(h);
    for (struct stand *s = h->stands, *next; s; s = next) {
        next = s->next;
        free(s);
    }
    h->stands = NULL;
    free(h->cluster);
    h->cluster = NULL;
}

/* ---- singletons ---- */

int cluster_stand(struct hub *h, const char *name, iris_mesh_stood *stood, void *ctx)
{
    size_t len = strlen(name);
    struct stand *s = NULL;
    for (size_t i = 0; i < h->options.singletons.n; i++)
        if (!strcmp(h->options.singletons.items[i], name))
            s = malloc(sizeof *s + len + 1);
    if (!s)
        return IRIS_FAIL;
    *s = (struct stand){.next = h->stands, .stood = stood, .ctx = ctx};
    memcpy(s->name, name, len + 1);
    h->stands = s;
    if (h->cluster && h->cluster->agree)
        agree_stood(h->cluster->agree, name);
    return IRIS_OK;
}

int cluster_resign(struct hub *h, const char *name)
{
    return h->cluster && h->cluster->agree ? agree_resign(h->cluster->agree, name) : IRIS_DEAD;
}

/* ---- who asks ---- */

static const struct agree *agreed(const struct hub *h)
{
    return h->cluster ? h->cluster->agree : NULL;
}

int cluster_may_answer(const struct hub *h, const char *name)
{
    return !agreed(h) || agree_may_answer(agreed(h), name);
}

int cluster_owner(const struct hub *h, const char *name, iris_mesh_owner *out)
{
    if (agreed(h))
        return agree_owner(agreed(h), name, out);
    memset(out, 0, sizeof *out);
    return IRIS_EMPTY;
}

void cluster_nobody(const struct hub *h, char *why, size_t room)
{
    if (agreed(h))
        agree_nobody(agreed(h), why, room);
}

const char *cluster_node_at(const struct hub *h, const char *address)
{
    return agreed(h) ? agree_node_at(agreed(h), address) : "";
}

int cluster_has(const struct hub *h, const char *node)
{
    return agreed(h) && agree_has(agreed(h), node);
}

int cluster_health(const struct hub *h, iris_mesh_engine *out)
{
    if (agreed(h))
        agree_health(agreed(h), out);
    else if (h->cluster)
        hub_cut(out->kind, sizeof out->kind, h->cluster->calls->kind);
    return h->cluster != NULL;
}
