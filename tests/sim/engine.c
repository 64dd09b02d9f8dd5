#include "engine.h"

#include "count.h"
#undef malloc
#undef calloc
#undef realloc
#undef free
#undef strdup

#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define EXTENDS (1 * SEC) /* an election: a new leader gives each lease as much more */

static char *copy(const char *text)
{
    char *out = strdup(text);
    if (!out)
        abort();
    return out;
}

char *engine_decode(const char *text)
{
    size_t n = strlen(text);
    char *out = malloc(n / 4 * 3 + 4);
    if (!out)
        abort();
    int len = EVP_DecodeBlock((unsigned char *)out, (const unsigned char *)text, (int)n);
    for (size_t i = n; len > 0 && i && text[i - 1] == '='; i--)
        len--;
    out[len > 0 ? len : 0] = '\0';
    return out;
}

/* ---- what it keeps ---- */

static struct key copy_key(const struct key *k)
{
    struct key out = *k;
    out.name = copy(k->name);
    out.text = copy(k->text);
    out.value = copy(k->value);
    return out;
}

static void free_key(struct key *k)
{
    free(k->name);
    free(k->text);
    free(k->value);
}

const struct key *engine_key(const struct engine *e, const char *name)
{
    for (size_t i = 0; i < e->nkeys; i++)
        if (!strcmp(e->keys[i].name, name))
            return &e->keys[i];
    return NULL;
}

static void remember(struct sim *s, const struct key *k, int deletes)
{
    struct engine *e = s->engine;
    e->history = sim_grow(e->history, &e->room, e->n, sizeof *e->history);
    e->history[e->n++] = (struct change){
        .at = s->now, .revision = e->revision, .deletes = deletes, .key = copy_key(k)};
    e->history[e->n - 1].key.changed = e->revision;
    sim_trace(s, -1,
              deletes ? "engine: revision %llu deletes (lease %llx)"
                      : "engine: revision %llu (lease %llx)",
              e->revision, k->lease, 0);
    if (s->loud)
        printf("                  (%s)\n", k->name);
}

void engine_put(struct sim *s, const char *text, const char *value, uint64_t lease)
{
    struct engine *e = s->engine;
    char *name = engine_decode(text);
    struct key *k = (struct key *)engine_key(e, name);
    e->revision++;
    if (!k) {
        e->keys = sim_grow(e->keys, &e->keys_room, e->nkeys, sizeof *e->keys);
        k = &e->keys[e->nkeys++];
        *k = (struct key){.name = copy(name), .text = copy(text), .created = e->revision};
    }
    free(name);
    free(k->value);
    k->value = copy(value);
    k->changed = e->revision;
    k->lease = lease;
    remember(s, k, 0);
}

static void delete_at(struct sim *s, size_t i)
{
    struct engine *e = s->engine;
    remember(s, &e->keys[i], 1);
    free_key(&e->keys[i]);
    e->keys[i] = e->keys[--e->nkeys];
}

void engine_delete(struct sim *s, const char *name)
{
    const struct key *k = engine_key(s->engine, name);
    if (!k)
        return;
    s->engine->revision++;
    delete_at(s, (size_t)(k - s->engine->keys));
}

/* ---- leases ---- */

struct granted *engine_lease(struct engine *e, uint64_t id)
{
    for (size_t i = 0; i < e->nleases; i++)
        if (e->leases[i].id == id && !e->leases[i].gone)
            return &e->leases[i];
    return NULL;
}

void engine_revoke(struct sim *s, struct granted *l)
{
    struct engine *e = s->engine;
    uint64_t revision = e->revision + 1; /* one for all its keys */
    l->gone = 1;
    sim_trace(s, -1, "engine: lease %llx has ended", l->id, 0, 0);
    for (size_t i = e->nkeys; i-- > 0;)
        if (e->keys[i].lease == l->id) {
            e->revision = revision;
            delete_at(s, i);
        }
}

void engine_renew_all(struct sim *s, int64_t more)
{
    struct engine *e = s->engine;
    for (size_t i = 0; i < e->nleases; i++)
        e->leases[i].ends = s->now + e->leases[i].ttl + more;
}

/* A leader looks for leases that have ended, not at once. */
static void look(struct sim *s, int node, void *what, uint64_t a)
{
    struct engine *e = s->engine;
    int quorum = 0;
    (void)node, (void)what, (void)a;
    for (int i = 0; i < e->nparts; i++)
        quorum += !e->parts[i].down && !e->parts[i].apart;
    if (quorum * 2 <= e->nparts) {
        e->headless = e->headless > s->now + 300 * MS ? e->headless : s->now + 300 * MS;
        e->watched = 1;
    }
    if (e->watched && s->now >= e->headless) {
        sim_trace(s, -1, "engine: a new leader", 0, 0, 0);
        engine_renew_all(s, EXTENDS);
        e->watched = 0;
    }
    for (size_t i = 0; !e->watched && i < e->nleases; i++)
        if (!e->leases[i].gone && e->leases[i].ends <= s->now && sim_chance(s, 70))
            engine_revoke(s, &e->leases[i]);
    sim_at(s, s->now + sim_between(s, 20 * MS, 300 * MS), -1, look, NULL, 0);
}

/* ---- its members ---- */

int engine_agrees(const struct sim *s, int part)
{
    const struct part *p = &s->engine->parts[part];
    return !p->down && !p->apart && !s->engine->watched;
}

uint64_t engine_sees(const struct sim *s, int part)
{
    const struct engine *e = s->engine;
    const struct part *p = &e->parts[part];
    int64_t at = s->now - p->lag;
    if (p->apart && p->since < at)
        at = p->since;
    for (size_t i = e->n; i-- > 0;)
        if (e->history[i].at <= at)
            return e->history[i].revision;
    return 1;
}

/* ---- all of it ---- */

void engine_begin(struct sim *s)
{
    struct engine *e = calloc(1, sizeof *e);
    if (!e)
        abort();
    s->engine = e;
    *e = (struct engine){.revision = 1,
                         .nparts = sim_chance(s, 50) ? 3 : 1,
                         .ttl = (2 + (int64_t)sim_below(s, 4)) * SEC,
                         .demote = sim_chance(s, 60)};
    for (int i = 0; i < NODES; i++)
        for (int k = 0; k < PARTS; k++)
            e->ways[i][k].delay = 4 * MS;
    for (int i = 0; i < UNIQUE; i++)
        e->last[i].node = -1;
    sim_at(s, 0, -1, look, NULL, 0);
}

void engine_finish(struct sim *s)
{
    struct engine *e = s->engine;
    for (size_t i = 0; i < e->n; i++)
        free_key(&e->history[i].key);
    for (size_t i = 0; i < e->nkeys; i++)
        free_key(&e->keys[i]);
    for (size_t i = 0; i < e->nrequests; i++) {
        free(e->requests[i]->path);
        free(e->requests[i]->text);
        json_decref(e->requests[i]->body);
        sim_free(e->requests[i]->answer);
        free(e->requests[i]);
    }
    for (size_t i = 0; i < e->nlines; i++) {
        sim_free(e->lines[i]->text);
        free(e->lines[i]);
    }
    free(e->history);
    free(e->keys);
    free(e->leases);
    free(e->requests);
    free(e->lines);
    free(e);
    s->engine = NULL;
}
