/* What the engine of a cluster tells (provider.h), and what this node makes of it: members are dialled; names that are
 * unique over the cluster are claimed for the actors that have them here, and let go before the lease can end. */
#include "cluster.h"

#include "provider_static.h"

#include <iris/ext/name.h>
#include <iris/ext/plugin.h>
#include <iris/iris.h>

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <uthash.h>

#define LOOK (250 * IRIS_MILLISECOND) /* how often names of actors are looked at */

struct member {
    UT_hash_handle hh;
    int fresh; /* told since the last RESYNC */
    char id[40], node[256], address[280];
};

struct owner {
    UT_hash_handle hh;
    int fresh;
    uint64_t pid, token;
    int64_t since;
    char node[256], id[40], name[];
};

struct wanted { /* a name of "names" */
    struct hub *hub;
    const char *name;
    uint64_t pid;    /* of our actor, for which it is claimed */
    uint64_t token;  /* 0: it is not ours */
    int64_t since;   /* ms since 1970 */
    int64_t again;   /* when to claim it */
    int claiming;    /* the answer comes */
    uint64_t denied; /* the actor that was told that it does not have it */
};

struct cluster {
    const struct provider *calls;
    void *engine; /* NULL: not begun */
    enum provider_health health;
    int64_t health_since;
    char why[160];
    struct member *members;
    struct owner *owners;
    struct wanted *wanted;
    size_t nwanted;
    char id[40];
};

/* ---- who is told ---- */

static void tell_log(struct hub *h, int what, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

static void tell_log(struct hub *h, int what, const char *fmt, ...)
{
    char text[256];
    va_list args;
    va_start(args, fmt);
    vsnprintf(text, sizeof text, fmt, args);
    va_end(args);
    watchers_note(h, what, "", 0, text);
}

static void signal_actor(struct hub *h, uint64_t pid, const char *words)
{
    iris_message m = {.kind = IRIS_PING, .len = (uint32_t)strlen(words), .to = pid, .data = words};
    const iris_message *one = &m;
    int taken;
    h->route->deliver(h->self, &one, 1, &taken);
}

static void tell_owned(const struct wanted *w)
{
    char words[400];
    snprintf(words, sizeof words, "name_owned (name=%s, token=%llu)", w->name,
             (unsigned long long)w->token);
    signal_actor(w->hub, w->pid, words);
    tell_log(w->hub, NOTE_ENGINE, "name %s is this node's (token %llu)", w->name,
             (unsigned long long)w->token);
}

/* The actor lives on without the name, or not at all. node: who has it now, or NULL. */
static void tell_lost(const struct wanted *w, uint64_t pid, const char *node, const char *why)
{
    struct hub *h = w->hub;
    char words[800];
    snprintf(words, sizeof words,
             node ? "name_lost (name=%s, node=%s): %s" : "name_lost (name=%s%s): %s", w->name,
             node ? node : "", why);
    signal_actor(h, pid, words);
    tell_log(h, NOTE_ENGINE_BAD, "name %s is not this node's: %s%s%s; its actor %llu %s", w->name,
             why, node ? " " : "", node ? node : "", (unsigned long long)pid,
             h->options.demote ? "is told" : "is ended");
    if (!h->options.demote)
        h->watch->kill(h->self, pid);
}

/* ---- names ---- */

static struct owner *owner_of(const struct cluster *c, const char *name)
{
    struct owner *o;
    HASH_FIND(hh, c->owners, name, strlen(name), o);
    return o;
}

static struct wanted *wanted_of(const struct cluster *c, const char *name)
{
    for (size_t i = 0; i < c->nwanted; i++)
        if (!strcmp(c->wanted[i].name, name))
            return &c->wanted[i];
    return NULL;
}

static int holds(const struct cluster *c)
{
    return c->engine && c->health != PROVIDER_LEASE_LOST && net_now() < c->calls->holds(c->engine);
}

static int is_ours(const struct cluster *c, const struct wanted *w)
{
    return w->token && holds(c);
}

static void drop(struct wanted *w, const char *node, const char *why)
{
    uint64_t pid = w->pid;
    w->token = 0;
    w->denied = pid;
    w->again = net_now();
    tell_lost(w, pid, node, why);
}

static void deny(struct wanted *w, uint64_t pid, const char *node)
{
    if (w->denied == pid)
        return;
    w->denied = pid;
    tell_lost(w, pid, node, "it belongs to node");
}

static void on_claimed(void *ctx, int result, const struct provider_name *owner, const char *why)
{
    struct wanted *w = ctx;
    struct cluster *c = w->hub->cluster;
    w->claiming = 0;
    w->again = net_now() + IRIS_SECOND;
    if (result == IRIS_OK && holds(c)) {
        w->token = owner->token;
        w->denied = 0;
        tell_owned(w);
    } else if (result == IRIS_DEAD)
        deny(w, w->pid, owner->node);
    else if (c->health == PROVIDER_OK)
        tell_log(w->hub, NOTE_ENGINE, "name %s cannot be claimed now: %s", w->name, why);
}

static void claim(struct cluster *c, struct wanted *w, uint64_t pid)
{
    struct timespec t;
    clock_gettime(CLOCK_REALTIME, &t);
    w->pid = pid;
    w->since = t.tv_sec * INT64_C(1000) + t.tv_nsec / 1000000;
    w->claiming = 1;
    if (c->calls->claim(c->engine, w->name, pid, w->since, on_claimed, w)) {
        w->claiming = 0;
        w->again = net_now() + IRIS_SECOND;
    }
}

/* Whatever happened to the actor or to the engine: what should be is compared with what is. */
static void look_at(struct cluster *c, struct wanted *w)
{
    const struct hub *h = w->hub;
    const iris_name *names = h->api->extension(IRIS_NAME);
    const struct owner *o = owner_of(c, w->name);
    uint64_t pid = names->find(h->self, w->name);
    int was_ours = o && !strcmp(o->id, c->id);
    if (w->token && !holds(c))
        drop(w, NULL, "the lease is lost");
    if (w->token && pid != w->pid) { /* its actor has ended */
        c->calls->release(c->engine, w->name, w->token);
        w->token = 0;
        w->again = net_now();
    }
    if (w->token || w->claiming || !holds(c) || net_now() < w->again)
        return;
    if (!pid && was_ours) /* a claim whose answer was lost */
        c->calls->release(c->engine, w->name, o->token);
    else if (pid && o && !was_ours)
        deny(w, pid, o->node);
    else if (pid)
        claim(c, w, pid);
    if (!pid && was_ours)
        w->again = net_now() + IRIS_SECOND;
}

void cluster_look(struct hub *h)
{
    struct cluster *c = h->cluster;
    if (!c || !c->engine || h->closed)
        return;
    for (size_t i = 0; i < c->nwanted; i++)
        look_at(c, &c->wanted[i]);
    if (c->nwanted)
        net_alarm(h->net, net_now() + LOOK);
}

static void forget_owner(struct cluster *c, struct owner *o)
{
    HASH_DEL(c->owners, o);
    free(o);
}

static void keep_owner(struct cluster *c, const struct provider_name *n)
{
    struct owner *o = owner_of(c, n->name);
    size_t len = strlen(n->name);
    if (!o) {
        if (!(o = calloc(1, sizeof *o + len + 1)))
            return;
        memcpy(o->name, n->name, len + 1);
        HASH_ADD_KEYPTR(hh, c->owners, o->name, len, o);
    }
    o->fresh = 1;
    o->pid = n->pid;
    o->token = n->token;
    o->since = n->since;
    hub_cut(o->node, sizeof o->node, n->node);
    hub_cut(o->id, sizeof o->id, n->id);
}

static void sweep_owners(struct cluster *c, int begins)
{
    struct owner *o, *next;
    HASH_ITER (hh, c->owners, o, next) {
        if (begins)
            o->fresh = 0;
        else if (!o->fresh)
            forget_owner(c, o);
    }
}

/* Ours is taken away by an operator, or by a lease that ended though we do not know yet. */
static void look_at_ours(struct cluster *c, enum provider_change change,
                         const struct provider_name *n)
{
    struct wanted *w = wanted_of(c, n->name);
    int theirs = change == PROVIDER_DELETE || strcmp(n->id, c->id) != 0;
    if (w && w->token && n->token > w->token && theirs)
        drop(w, change == PROVIDER_PUT ? n->node : NULL, "the engine gave it away");
    if (w && !w->token && change == PROVIDER_DELETE)
        w->again = net_now();
}

static void on_name(void *ctx, enum provider_change change, const struct provider_name *n)
{
    struct hub *h = ctx;
    struct cluster *c = h->cluster;
    struct owner *o = n ? owner_of(c, n->name) : NULL;
    if (!n)
        sweep_owners(c, change == PROVIDER_RESYNC);
    else if (change == PROVIDER_PUT)
        keep_owner(c, n);
    else if (o)
        forget_owner(c, o);
    if (n)
        look_at_ours(c, change, n);
    net_alarm(h->net, net_now());
}

/* ---- members ---- */

static int is_wanted_too(const struct hub *h, const struct member *but)
{
    struct member *m, *next;
    if (provider_static_has(h->peers, but->address))
        return 1;
    HASH_ITER (hh, h->cluster->members, m, next)
        if (m != but && !strcmp(m->address, but->address))
            return 1;
    return 0;
}

/* The link stays as long as it lives: a node may have lost its lease and nothing else. */
static void forget_member(struct hub *h, struct member *m)
{
    if (*m->address && !is_wanted_too(h, m))
        mesh_let_go(h->mesh, m->address);
    HASH_DEL(h->cluster->members, m);
    free(m);
}

static int keep_member(struct hub *h, const struct provider_node *n)
{
    struct cluster *c = h->cluster;
    struct member *m;
    if (strlen(n->id) >= sizeof m->id || (*n->address && !net_is_address(n->address)))
        return 0;
    HASH_FIND_STR(c->members, n->id, m);
    if (m && strcmp(m->address, n->address) != 0) {
        forget_member(h, m);
        m = NULL;
    }
    if (!m) {
        if (!(m = calloc(1, sizeof *m)))
            return -1;
        hub_cut(m->id, sizeof m->id, n->id);
        HASH_ADD_STR(c->members, id, m);
    }
    m->fresh = 1;
    hub_cut(m->node, sizeof m->node, n->node);
    hub_cut(m->address, sizeof m->address, n->address);
    return *m->address && strcmp(m->address, h->bound) != 0 &&
                   mesh_want(h->mesh, m->address, MESH_OURS)
               ? -1
               : 0;
}

static void sweep_members(struct hub *h, int begins)
{
    struct member *m, *next;
    HASH_ITER (hh, h->cluster->members, m, next) {
        if (begins)
            m->fresh = 0;
        else if (!m->fresh)
            forget_member(h, m);
    }
}

static int on_node(void *ctx, enum provider_change change, const struct provider_node *n)
{
    struct hub *h = ctx;
    struct member *m;
    if (!n)
        sweep_members(h, change == PROVIDER_RESYNC);
    else if (change == PROVIDER_PUT)
        return strcmp(n->id, h->cluster->id) != 0 ? keep_member(h, n) : 0;
    else {
        HASH_FIND_STR(h->cluster->members, n->id, m);
        if (m)
            forget_member(h, m);
    }
    return 0;
}

/* ---- how the engine is ---- */

static void on_health(void *ctx, enum provider_health health, const char *why)
{
    static const char *const words[] = {"OK", "DEGRADED", "LEASE LOST"};
    struct hub *h = ctx;
    struct cluster *c = h->cluster;
    if (c->health != health) {
        c->health_since = net_now();
        tell_log(h, health == PROVIDER_OK ? NOTE_ENGINE : NOTE_ENGINE_BAD, "engine %s: %s%s%s",
                 c->calls->kind, words[health], *why ? ": " : "", why);
    }
    c->health = health;
    hub_cut(c->why, sizeof c->why, why);
    for (size_t i = 0; health == PROVIDER_LEASE_LOST && i < c->nwanted; i++)
        if (c->wanted[i].token)
            drop(&c->wanted[i], NULL, "the lease is lost");
    net_alarm(h->net, net_now());
}

static void on_touch(void *ctx)
{
    net_touch(((struct hub *)ctx)->net);
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

static int want_names(struct hub *h)
{
    const struct options_list *names = &h->options.names;
    struct cluster *c = h->cluster;
    c->wanted = calloc(names->n + 1, sizeof *c->wanted);
    for (size_t i = 0; c->wanted && i < names->n; i++)
        c->wanted[i] = (struct wanted){.hub = h, .name = names->items[i]};
    c->nwanted = c->wanted ? names->n : 0;
    return c->wanted ? 0 : -1;
}

int cluster_begin(struct hub *h, const struct node_id *id, uint64_t creation)
{
    const struct provider_hooks hooks = {
        .ctx = h, .node = on_node, .name = on_name, .health = on_health, .touch = on_touch};
    struct cluster *c = h->cluster;
    char why[400];
    if (!c)
        return h->options.engine ? h->api->fail("engine: its plugin was not loaded") : IRIS_OK;
    for (size_t i = 0; i < sizeof id->bytes; i++)
        snprintf(c->id + 2 * i, 3, "%02x", id->bytes[i]);
    const struct provider_node self = {
        .id = c->id, .node = h->node, .address = h->bound, .creation = creation};
    c->health = PROVIDER_DEGRADED;
    c->health_since = net_now();
    hub_cut(c->why, sizeof c->why, "it has not answered yet");
    if (want_names(h))
        return h->api->fail("engine: no memory");
    c->engine =
        c->calls->start(net_loop(h->net), h->options.engine, &self, &hooks, why, sizeof why);
    if (!c->engine)
        return h->api->fail("%s", why);
    net_alarm(h->net, net_now() + LOOK);
    return IRIS_OK;
}

void cluster_announce(struct hub *h)
{
    if (h->cluster && h->cluster->engine)
        h->cluster->calls->announce(h->cluster->engine, h->bound);
}

void cluster_end(struct hub *h)
{
    struct cluster *c = h->cluster;
    struct member *m, *next_member;
    struct owner *o, *next_owner;
    if (!c)
        return;
    if (c->engine)
        c->calls->stop(c->engine);
    HASH_ITER (hh, c->members, m, next_member) {
        HASH_DEL(c->members, m);
        free(m);
    }
    HASH_ITER (hh, c->owners, o, next_owner)
        forget_owner(c, o);
    free(c->wanted);
    free(c);
    h->cluster = NULL;
}

/* ---- who asks ---- */

int cluster_may_answer(const struct hub *h, const char *name)
{
    const struct wanted *w = h->cluster ? wanted_of(h->cluster, name) : NULL;
    return !w || is_ours(h->cluster, w);
}

int cluster_owner(const struct hub *h, const char *name, iris_mesh_owner *out)
{
    const struct cluster *c = h->cluster;
    const struct wanted *w = c ? wanted_of(c, name) : NULL;
    const struct owner *o = c ? owner_of(c, name) : NULL;
    memset(out, 0, sizeof *out);
    if (w && is_ours(c, w)) {
        hub_cut(out->node, sizeof out->node, h->node);
        out->here = 1;
        out->pid = w->pid;
        out->token = w->token;
        out->since = w->since;
        return IRIS_OK;
    }
    if (o && strcmp(o->id, c->id) != 0) {
        hub_cut(out->node, sizeof out->node, o->node);
        out->pid = o->pid;
        out->token = o->token;
        out->since = o->since;
        return IRIS_OK;
    }
    return w || o ? IRIS_DEAD : IRIS_EMPTY;
}

const char *cluster_node_at(const struct hub *h, const char *address)
{
    struct member *m, *next;
    if (h->cluster && *address)
        HASH_ITER (hh, h->cluster->members, m, next)
            if (!strcmp(m->address, address))
                return m->node;
    return "";
}

int cluster_has(const struct hub *h, const char *node)
{
    struct member *m, *next;
    if (h->cluster && *node)
        HASH_ITER (hh, h->cluster->members, m, next)
            if (!strcmp(m->node, node))
                return 1;
    return 0;
}

int cluster_health(const struct hub *h, iris_mesh_engine *out)
{
    const struct cluster *c = h->cluster;
    if (!c)
        return 0;
    hub_cut(out->kind, sizeof out->kind, c->calls->kind);
    out->health = c->health;
    out->since = c->engine ? net_now() - c->health_since : 0;
    out->members = HASH_COUNT(c->members);
    hub_cut(out->why, sizeof out->why, c->why);
    return 1;
}
