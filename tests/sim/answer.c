#include "engine.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The gateway of etcd 3.4 and later, as far as mesh/etcd/ asks: numbers of 64 bits are texts, and what is 0 or false is
 * left out. */

static json_t *number(uint64_t n)
{
    char text[24];
    snprintf(text, sizeof text, "%llu", (unsigned long long)n);
    return json_string(text);
}

static json_t *header(uint64_t revision)
{
    return json_pack("{s:s, s:o}", "cluster_id", "1", "revision", number(revision));
}

static const char *text_of(const json_t *o, const char *key)
{
    const char *text = json_string_value(json_object_get(o, key));
    return text ? text : "";
}

static uint64_t number_of(const json_t *o, const char *key)
{
    return strtoull(text_of(o, key), NULL, 10);
}

static void say(struct request *r, json_t *answer)
{
    r->status = 200;
    if (!r->answer) /* what came twice was answered */
        r->answer = json_dumps(answer, JSON_COMPACT);
    json_decref(answer);
}

/* Since 3.6 it has no "error". */
void answer_refusal(struct request *r, const char *word)
{
    const char *error = r->call % 2 ? word : NULL;
    say(r, json_pack("{s:s*, s:s, s:i}", "error", error, "message", word, "code", 5));
    r->status = 404;
}

static json_t *kv_of(const struct key *k)
{
    json_t *kv = json_pack("{s:s, s:o, s:o, s:s, s:s}", "key", k->text, "create_revision",
                           number(k->created), "mod_revision", number(k->changed), "version", "1",
                           "value", k->value);
    if (k->lease)
        json_object_set_new(kv, "lease", number(k->lease));
    return kv;
}

/* ---- leases ---- */

static void grant(struct sim *s, struct request *r)
{
    struct engine *e = s->engine;
    uint64_t id = (iris__random(&s->random) >> 2) + 1;
    int64_t ttl = (int64_t)number_of(r->body, "TTL") * SEC;
    e->leases = sim_grow(e->leases, &e->leases_room, e->nleases, sizeof *e->leases);
    e->leases[e->nleases++] = (struct granted){.id = id, .ttl = ttl, .ends = s->now + ttl};
    say(r, json_pack("{s:o, s:o, s:o}", "header", header(e->revision), "ID", number(id), "TTL",
                     number((uint64_t)(ttl / SEC))));
}

static void renew(struct sim *s, struct request *r)
{
    struct engine *e = s->engine;
    uint64_t id = number_of(r->body, "ID");
    struct granted *l = engine_lease(e, id);
    json_t *result = json_pack("{s:o, s:o}", "header", header(e->revision), "ID", number(id));
    if (l && (l->ends > s->now || e->watched)) {
        if (!e->watched) /* a leader that is none any more says so, too: the next one extends it */
            l->ends = s->now + l->ttl;
        json_object_set_new(result, "TTL", number((uint64_t)(l->ttl / SEC)));
    }
    say(r, json_pack("{s:o}", "result", result));
}

static void revoke(struct sim *s, struct request *r)
{
    struct granted *l = engine_lease(s->engine, number_of(r->body, "ID"));
    if (!l)
        return answer_refusal(r, "etcdserver: requested lease not found");
    engine_revoke(s, l);
    say(r, json_pack("{s:o}", "header", header(s->engine->revision)));
}

/* ---- keys ---- */

static int put(struct sim *s, struct request *r, const json_t *o)
{
    uint64_t lease = number_of(o, "lease");
    if (lease && !engine_lease(s->engine, lease)) {
        answer_refusal(r, "etcdserver: requested lease not found");
        return -1;
    }
    engine_put(s, text_of(o, "key"), text_of(o, "value"), lease);
    return 0;
}

static const struct key *key_at(struct sim *s, const json_t *o)
{
    char *name = engine_decode(text_of(o, "key"));
    const struct key *k = engine_key(s->engine, name);
    free(name);
    return k;
}

/* One comparison, and one deed or look: mesh/etcd/ has no other ones. */
static int is_so(struct sim *s, const json_t *compare)
{
    const struct key *k = key_at(s, compare);
    if (!strcmp(text_of(compare, "target"), "CREATE"))
        return (k ? k->created : 0) == number_of(compare, "create_revision");
    return (k ? k->changed : 0) == number_of(compare, "mod_revision");
}

static json_t *look_up(struct sim *s, const json_t *range)
{
    const struct key *k = key_at(s, range);
    json_t *found = json_pack("{s:o}", "header", header(s->engine->revision));
    if (k)
        json_object_set_new(found, "kvs", json_pack("[o]", kv_of(k)));
    return json_pack("{s:o}", "response_range", found);
}

static void transact(struct sim *s, struct request *r)
{
    const json_t *compare = json_array_get(json_object_get(r->body, "compare"), 0);
    int yes = !json_array_size(json_object_get(r->body, "compare")) || is_so(s, compare);
    const json_t *deed = json_array_get(json_object_get(r->body, yes ? "success" : "failure"), 0);
    const json_t *puts = json_object_get(deed, "request_put");
    const json_t *deletes = json_object_get(deed, "request_delete_range");
    const json_t *range = json_object_get(deed, "request_range");
    const struct key *k = deletes ? key_at(s, deletes) : NULL;
    if (puts && put(s, r, puts))
        return;
    if (k) {
        char *name = engine_decode(k->text);
        engine_delete(s, name);
        free(name);
    }
    json_t *answer = json_pack("{s:o}", "header", header(s->engine->revision));
    if (yes)
        json_object_set_new(answer, "succeeded", json_true());
    if (deed)
        json_object_set_new(answer, "responses",
                            json_pack("[o]", range ? look_up(s, range) : json_object()));
    say(r, answer);
}

/* All keys, as they were at this revision. */
static void list(struct sim *s, struct request *r, uint64_t revision)
{
    const struct engine *e = s->engine;
    json_t *kvs = json_array();
    for (size_t i = 0; i < e->n && e->history[i].revision <= revision; i++) {
        const struct change *c = &e->history[i];
        int last = !c->deletes;
        for (size_t k = i + 1; last && k < e->n && e->history[k].revision <= revision; k++)
            last = strcmp(e->history[k].key.name, c->key.name) != 0;
        if (last)
            json_array_append_new(kvs, kv_of(&c->key));
    }
    say(r, json_pack("{s:o, s:o}", "header", header(revision), "kvs", kvs));
}

void answer_request(struct sim *s, struct request *r)
{
    const char *path = r->path;
    if (!strcmp(path, "/v3/lease/grant"))
        grant(s, r);
    else if (!strcmp(path, "/v3/lease/keepalive"))
        renew(s, r);
    else if (!strcmp(path, "/v3/lease/revoke"))
        revoke(s, r);
    else if (!strcmp(path, "/v3/kv/txn"))
        transact(s, r);
    else if (!strcmp(path, "/v3/kv/range"))
        list(s, r,
             json_is_true(json_object_get(r->body, "serializable")) ? engine_sees(s, r->part)
                                                                    : s->engine->revision);
    else if (strcmp(path, "/v3/kv/put") != 0)
        sim_fail(s, "engine", "n%d asks for %s", r->node, path);
    else if (!put(s, r, r->body))
        say(r, json_pack("{s:o}", "header", header(s->engine->revision)));
}

/* ---- watches ---- */

static char *line_of(json_t *result)
{
    json_t *line = json_pack("{s:o}", "result", result);
    char *text = json_dumps(line, JSON_COMPACT);
    json_decref(line);
    return text;
}

static json_t *event_of(const struct change *c)
{
    if (c->deletes)
        return json_pack("{s:s, s:{s:s, s:o}}", "type", "DELETE", "kv", "key", c->key.text,
                         "mod_revision", number(c->revision));
    return json_pack("{s:o}", "kv", kv_of(&c->key));
}

/* One that is behind gets so many revisions at a time; what it says of the revision is that of the member. */
static char *tell(struct sim *s, struct request *r, uint64_t sees)
{
    const struct engine *e = s->engine;
    uint64_t until = r->next + BATCH <= sees ? r->next + BATCH - 1 : sees;
    json_t *events = json_array();
    for (size_t i = 0; i < e->n; i++)
        if (e->history[i].revision >= r->next && e->history[i].revision <= until)
            json_array_append_new(events, event_of(&e->history[i]));
    r->next = until + 1;
    return line_of(json_pack("{s:o, s:o}", "header", header(sees), "events", events));
}

char *answer_watch(struct sim *s, struct request *r)
{
    const json_t *create = json_object_get(r->body, "create_request");
    uint64_t sees = engine_sees(s, r->part);
    if (!r->done) {
        r->done = 1;
        r->next = number_of(create, "start_revision");
        return line_of(json_pack("{s:o, s:b}", "header", header(sees), "created", 1));
    }
    if (r->next <= s->engine->compacted) {
        uint64_t from = s->engine->compacted;
        r->next = UINT64_MAX;
        return line_of(json_pack("{s:o, s:b, s:o}", "header", header(sees), "canceled", 1,
                                 "compact_revision", number(from + 1)));
    }
    return r->next <= sees ? tell(s, r, sees) : NULL;
}
