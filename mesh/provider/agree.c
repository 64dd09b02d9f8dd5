#include "agree.h"

#include "members.h"

#include <iris/iris.h>

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#define HASH_NONFATAL_OOM 1
#include <uthash.h>

#define RESIGNED (5 * IRIS_SECOND) /* until a node that has resigned claims it again */

struct owner {
    UT_hash_handle hh;
    int fresh; /* told since the last RESYNC */
    uint64_t pid, token;
    int64_t since;
    char node[256], id[40], name[];
};

struct wanted { /* a name that is unique */
    struct agree *agree;
    const char *name;
    uint64_t pid;     /* of our actor, for which it is claimed */
    uint64_t token;   /* 0: it is not ours */
    int64_t since;    /* ms since 1970 */
    int64_t again;    /* when to claim it */
    int claiming;     /* the answer comes */
    uint64_t denied;  /* the actor that was told that it does not have it */
    uint64_t gone;    /* the latest token with which another had it, or it was deleted */
    uint64_t had;     /* the latest with which it was ours */
    uint64_t waits;   /* the actor that was told that nobody can say now whose it is */
    int stands;       /* of a singleton: whoever has it here */
    int64_t resigned; /* until then others may have it */
};

struct agree {
    struct agree_seam seam;
    const struct provider *calls;
    void *engine; /* NULL: it is only beginning */
    enum provider_health health;
    int heard; /* from the engine, be it that it does not answer */
    int64_t health_since;
    char why[160];
    struct members members;
    struct owner *owners;
    struct wanted *wanted;
    size_t nwanted;
    int demote;
    char id[40], node[256];
};

static int64_t now(const struct agree *c)
{
    return c->seam.now(c->seam.ctx);
}

static void wake(const struct agree *c, int64_t at)
{
    c->seam.wake(c->seam.ctx, at);
}

/* ---- who is told ---- */

static void note(const struct agree *c, int bad, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

static void note(const struct agree *c, int bad, const char *fmt, ...)
{
    char text[256];
    va_list args;
    va_start(args, fmt);
    vsnprintf(text, sizeof text, fmt, args);
    va_end(args);
    c->seam.note(c->seam.ctx, bad, text);
}

static struct owner *owner_of(const struct agree *c, const char *name);

/* Who has it, if that is another node. Not one of before it was ours: the watch may be behind our claims. */
static const struct owner *other_of(const struct agree *c, const struct wanted *w, const char *name)
{
    const struct owner *o = owner_of(c, name);
    return o && strcmp(o->id, c->id) != 0 && (!w || o->token > w->had) ? o : NULL;
}

static void tell_stood_as(const struct wanted *w, uint64_t token)
{
    const struct agree *c = w->agree;
    const struct owner *other = other_of(c, w, w->name);
    c->seam.stood(c->seam.ctx, w->name, token, other ? other->node : "");
}

static void tell_stood(const struct wanted *w)
{
    tell_stood_as(w, w->token);
}

static void tell_owned(const struct wanted *w)
{
    const struct agree *c = w->agree;
    char words[400];
    if (w->stands) {
        tell_stood(w);
        return;
    }
    snprintf(words, sizeof words, "name_owned (name=%s, token=%llu)", w->name,
             (unsigned long long)w->token);
    c->seam.tell(c->seam.ctx, w->pid, words);
    note(c, 0, "name %s is this node's (token %llu)", w->name, (unsigned long long)w->token);
}

static const char *const health_words[] = {"OK", "DEGRADED", "LEASE LOST"};

/* It has the name as soon as the engine is back, if nobody else has it then. */
static void tell_waits(struct wanted *w, uint64_t pid)
{
    const struct agree *c = w->agree;
    char words[800];
    if (w->waits == pid || w->denied == pid)
        return;
    w->waits = pid;
    snprintf(words, sizeof words, "name_refused (name=%s): engine %s: %s: %s", w->name,
             c->calls->kind, health_words[c->health], c->why);
    c->seam.tell(c->seam.ctx, pid, words);
    note(c, 1, "name %s cannot be claimed: the engine is %s; its actor %llu waits", w->name,
         health_words[c->health], (unsigned long long)pid);
}

/* The actor lives on without the name, or not at all. node: who has it now, or NULL. */
static void tell_lost(const struct wanted *w, uint64_t pid, const char *node, const char *why)
{
    const struct agree *c = w->agree;
    char words[800];
    if (w->stands) {
        tell_stood(w);
        return;
    }
    snprintf(words, sizeof words,
             node ? "name_lost (name=%s, node=%s): %s" : "name_lost (name=%s%s): %s", w->name,
             node ? node : "", why);
    c->seam.tell(c->seam.ctx, pid, words);
    note(c, 1, "name %s is not this node's: %s%s%s; its actor %llu %s", w->name, why,
         node ? " " : "", node ? node : "", (unsigned long long)pid,
         c->demote ? "is told" : "is ended");
    if (!c->demote)
        c->seam.kill(c->seam.ctx, pid);
}

/* ---- names ---- */

static struct owner *owner_of(const struct agree *c, const char *name)
{
    struct owner *o;
    HASH_FIND(hh, c->owners, name, strlen(name), o);
    return o;
}

static struct wanted *wanted_of(const struct agree *c, const char *name)
{
    for (size_t i = 0; i < c->nwanted; i++)
        if (!strcmp(c->wanted[i].name, name))
            return &c->wanted[i];
    return NULL;
}

static int holds(const struct agree *c)
{
    return c->engine && c->health != PROVIDER_LEASE_LOST && now(c) < c->calls->holds(c->engine);
}

static int is_ours(const struct agree *c, const struct wanted *w)
{
    return w->token && holds(c);
}

static void drop(struct wanted *w, const char *node, const char *why)
{
    uint64_t pid = w->pid;
    w->token = 0;
    w->denied = pid;
    w->again = now(w->agree);
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
    const struct agree *c = w->agree;
    w->claiming = 0;
    w->again = now(c) + IRIS_SECOND;
    if (result == IRIS_OK && owner->token > w->gone && holds(c)) {
        w->token = w->had = owner->token;
        w->denied = w->waits = 0;
        tell_owned(w);
    } else if (result == IRIS_DEAD)
        deny(w, w->pid, owner->node);
    else if (c->health == PROVIDER_OK)
        note(c, 0, "name %s cannot be claimed now: %s", w->name, why);
    wake(c, w->again);
}

static void claim(struct agree *c, struct wanted *w, uint64_t pid)
{
    w->pid = pid;
    w->since = c->seam.date(c->seam.ctx);
    w->claiming = 1;
    if (c->calls->claim(c->engine, w->name, pid, w->since, on_claimed, w)) {
        w->claiming = 0;
        w->again = now(c) + IRIS_SECOND;
    }
}

/* Whatever happened to the actor or to the engine: what should be is compared with what is. */
static void look_at(struct agree *c, struct wanted *w)
{
    const struct owner *o = owner_of(c, w->name), *other;
    uint64_t pid = c->seam.find(c->seam.ctx, w->name);
    int was_ours = o && !strcmp(o->id, c->id);
    if (w->token && !holds(c))
        drop(w, NULL, "the lease is lost");
    if (w->token && pid != w->pid && !w->stands) { /* its actor has ended */
        c->calls->release(c->engine, w->name, w->token);
        w->token = 0;
        w->again =
            pid ? now(c) : now(c) + IRIS_SECOND; /* then it is seen whether it was given back */
    }
    if (pid && !w->token && c->heard && c->health != PROVIDER_OK)
        tell_waits(w, pid);
    if (w->token || w->claiming || !holds(c) || now(c) < w->again || now(c) < w->resigned ||
        c->health != PROVIDER_OK)
        return;
    int is_left = was_ours && (!pid || (w->stands && pid != o->pid));
    if (is_left) /* a claim whose answer was lost, or a lease that was thought to be */
        c->calls->release(c->engine, w->name, o->token);
    else if (pid && (other = other_of(c, w, w->name)))
        deny(w, pid, other->node);
    else if (pid)
        claim(c, w, pid);
    if (is_left)
        w->again = now(c) + IRIS_SECOND;
}

/* When it is looked at again although nothing has come. */
static int64_t due(const struct agree *c, const struct wanted *w)
{
    if (w->token)
        return c->calls->holds(c->engine);
    int64_t at = w->again > w->resigned ? w->again : w->resigned;
    if (at > now(c))
        return at;
    /* Over the fence, and the answer to a renewal is on its way: that all is well then is told to nobody. */
    return c->health == PROVIDER_OK && c->heard && !w->claiming && !holds(c) ? now(c) + IRIS_SECOND
                                                                             : INT64_MAX;
}

void agree_look(struct agree *c)
{
    int64_t next = INT64_MAX;
    for (size_t i = 0; i < c->nwanted; i++) {
        look_at(c, &c->wanted[i]);
        int64_t at = due(c, &c->wanted[i]);
        next = at < next ? at : next;
    }
    if (next != INT64_MAX)
        wake(c, next);
}

static void forget_owner(struct agree *c, struct owner *o)
{
    HASH_DEL(c->owners, o);
    free(o);
}

static struct owner *make_owner(struct agree *c, const char *name)
{
    size_t len = strlen(name);
    struct owner *o = calloc(1, sizeof *o + len + 1);
    if (!o)
        return NULL;
    memcpy(o->name, name, len + 1);
    HASH_ADD_KEYPTR(hh, c->owners, o->name, len, o);
    if (o->hh.tbl)
        return o;
    free(o); /* no memory to keep it */
    return NULL;
}

static void keep_owner(struct agree *c, const struct provider_name *n)
{
    struct owner *o = owner_of(c, n->name);
    if (!o && !(o = make_owner(c, n->name)))
        return;
    o->fresh = 1;
    o->pid = n->pid;
    o->token = n->token;
    o->since = n->since;
    snprintf(o->node, sizeof o->node, "%s", n->node);
    snprintf(o->id, sizeof o->id, "%s", n->id);
}

/* It is not in the list. What this node knew of it is older than the list, so if it was ours it is not any more. */
static void sweep_owner(struct agree *c, struct owner *o)
{
    struct wanted *w = wanted_of(c, o->name);
    uint64_t token = o->token;
    int was_ours = !strcmp(o->id, c->id);
    forget_owner(c, o);
    if (w && was_ours && w->token && w->token == token)
        drop(w, NULL, "the engine gave it away");
}

static void sweep_owners(struct agree *c, int begins)
{
    struct owner *o, *next;
    HASH_ITER (hh, c->owners, o, next) {
        if (begins)
            o->fresh = 0;
        else if (!o->fresh)
            sweep_owner(c, o);
    }
}

/* Ours is taken away by an operator, or by a lease that ended though we do not know yet. */
static void look_at_ours(struct agree *c, enum provider_change change,
                         const struct provider_name *n)
{
    struct wanted *w = wanted_of(c, n->name);
    int theirs = change == PROVIDER_DELETE || strcmp(n->id, c->id) != 0;
    if (w && theirs && n->token > w->gone)
        w->gone = n->token; /* a claim's answer that is older says nothing */
    if (w && w->token && n->token > w->token && theirs)
        drop(w, change == PROVIDER_PUT ? n->node : NULL, "the engine gave it away");
    if (w && !w->token && change == PROVIDER_DELETE)
        w->again = now(c);
}

/* Who stands by hears whose it is. */
static void look_at_stands(const struct agree *c, const char *name)
{
    const struct wanted *w = wanted_of(c, name);
    if (w && w->stands && !w->token)
        tell_stood(w);
}

static void on_name(void *ctx, enum provider_change change, const struct provider_name *n)
{
    struct agree *c = ctx;
    struct owner *o = n ? owner_of(c, n->name) : NULL;
    if (!n)
        sweep_owners(c, change == PROVIDER_RESYNC);
    else if (change == PROVIDER_PUT)
        keep_owner(c, n);
    else if (o)
        forget_owner(c, o);
    if (n) {
        look_at_ours(c, change, n);
        look_at_stands(c, n->name);
    }
    wake(c, now(c));
}

/* ---- how the engine is ---- */

static int on_node(void *ctx, enum provider_change change, const struct provider_node *n)
{
    return members_told(&((struct agree *)ctx)->members, change, n);
}

static void on_health(void *ctx, enum provider_health health, const char *why)
{
    struct agree *c = ctx;
    c->heard = 1;
    if (c->health != health) {
        c->health_since = now(c);
        note(c, health != PROVIDER_OK, "engine %s: %s%s%s", c->calls->kind, health_words[health],
             *why ? ": " : "", why);
    }
    c->health = health;
    snprintf(c->why, sizeof c->why, "%s", why);
    for (size_t i = 0; health == PROVIDER_LEASE_LOST && i < c->nwanted; i++)
        if (c->wanted[i].token)
            drop(&c->wanted[i], NULL, "the lease is lost");
    wake(c, now(c));
}

static void on_touch(void *ctx)
{
    const struct agree *c = ctx;
    c->seam.touch(c->seam.ctx);
}

/* ---- beginning and end ---- */

static int want_names(struct agree *c, const struct agree_config *config)
{
    size_t n = config->nnames + config->nstands;
    c->wanted = calloc(n + 1, sizeof *c->wanted);
    for (size_t i = 0; c->wanted && i < n; i++) {
        size_t stand = i < config->nnames ? 0 : i - config->nnames + 1;
        c->wanted[i] = (struct wanted){.agree = c,
                                       .name = stand ? config->stands[stand - 1] : config->names[i],
                                       .stands = stand != 0};
    }
    c->nwanted = c->wanted ? n : 0;
    return c->wanted ? 0 : -1;
}

static struct agree *make(const struct agree_config *config, const struct agree_seam *seam)
{
    struct agree *c = calloc(1, sizeof *c);
    if (!c)
        return NULL;
    c->seam = *seam;
    c->calls = config->calls;
    c->demote = config->demote;
    c->health = PROVIDER_DEGRADED;
    c->health_since = now(c);
    snprintf(c->why, sizeof c->why, "it has not answered yet");
    snprintf(c->id, sizeof c->id, "%s", config->self.id);
    snprintf(c->node, sizeof c->node, "%s", config->self.node);
    c->members.seam = &c->seam;
    c->members.id = c->id;
    snprintf(c->members.address, sizeof c->members.address, "%s", config->self.address);
    return c;
}

struct agree *agree_begin(const struct agree_config *config, const struct agree_seam *seam,
                          struct uv_loop_s *loop, char *why, size_t room)
{
    struct agree *c = make(config, seam);
    snprintf(why, room, "engine: no memory");
    if (!c)
        return NULL;
    const struct provider_hooks hooks = {
        .ctx = c, .node = on_node, .name = on_name, .health = on_health, .touch = on_touch};
    if (!want_names(c, config))
        c->engine = c->calls->start(loop, config->settings, &config->self, &hooks, why, room);
    if (c->engine) {
        wake(c, now(c));
        return c;
    }
    agree_end(c);
    return NULL;
}

void agree_announce(struct agree *c, const char *address)
{
    snprintf(c->members.address, sizeof c->members.address, "%s", address);
    c->calls->announce(c->engine, address);
}

void agree_end(struct agree *c)
{
    struct owner *o, *next;
    if (c->engine)
        c->calls->stop(c->engine);
    members_finish(&c->members);
    HASH_ITER (hh, c->owners, o, next)
        forget_owner(c, o);
    free(c->wanted);
    free(c);
}

int agree_resign(struct agree *c, const char *name)
{
    struct wanted *w = wanted_of(c, name);
    if (!w || !w->stands || !w->token)
        return IRIS_DEAD;
    c->calls->release(c->engine, name, w->token);
    w->token = 0;
    w->resigned = now(c) + RESIGNED;
    tell_stood(w);
    return IRIS_OK;
}

void agree_stood(const struct agree *c, const char *name)
{
    const struct wanted *w = wanted_of(c, name);
    if (w && w->stands)
        tell_stood_as(w, is_ours(c, w) ? w->token : 0);
}

/* ---- who asks ---- */

int agree_may_answer(const struct agree *c, const char *name)
{
    const struct wanted *w = wanted_of(c, name);
    return !w || is_ours(c, w);
}

static int owned(iris_mesh_owner *out, const char *node, uint64_t pid, uint64_t token,
                 int64_t since)
{
    snprintf(out->node, sizeof out->node, "%s", node);
    out->pid = pid;
    out->token = token;
    out->since = since;
    return IRIS_OK;
}

int agree_owner(const struct agree *c, const char *name, iris_mesh_owner *out)
{
    const struct wanted *w = wanted_of(c, name);
    const struct owner *other = other_of(c, w, name);
    memset(out, 0, sizeof *out);
    if (w && is_ours(c, w)) {
        uint64_t pid = w->stands ? c->seam.find(c->seam.ctx, name) : w->pid;
        out->here = 1;
        return owned(out, c->node, pid, w->token, w->since);
    }
    if (other)
        return owned(out, other->node, other->pid, other->token, other->since);
    return w || owner_of(c, name) ? IRIS_DEAD : IRIS_EMPTY;
}

void agree_nobody(const struct agree *c, char *why, size_t room)
{
    snprintf(why, room, "it is unique over the cluster, and ");
    size_t n = strlen(why);
    if (c->health == PROVIDER_OK)
        snprintf(why + n, room - n, "nobody has it");
    else
        snprintf(why + n, room - n, "engine %s does not say whose it is: %s: %s", c->calls->kind,
                 health_words[c->health], c->why);
}

const char *agree_node_at(const struct agree *c, const char *address)
{
    return members_at(&c->members, address);
}

int agree_has(const struct agree *c, const char *node)
{
    return members_has(&c->members, node);
}

void agree_health(const struct agree *c, iris_mesh_engine *out)
{
    snprintf(out->kind, sizeof out->kind, "%s", c->calls->kind);
    out->health = c->health;
    out->since = now(c) - c->health_since;
    out->members = members_count(&c->members);
    snprintf(out->why, sizeof out->why, "%s", c->why);
}
