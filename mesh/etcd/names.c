#include "etcd.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Names: a key that is made only where there is none, under our lease. What a claim whose answer was lost has made is
 * known by the lease when it is claimed again. */

int names_read(const json_t *kv, const char *name, struct provider_name *out, json_t **value)
{
    char *text = etcd_unbase64(json_object_get(kv, "value"));
    json_t *v = text ? json_loads(text, 0, NULL) : NULL;
    json_int_t pid = 0, since = 0;
    free(text);
    *out = (struct provider_name){.name = name, .token = (uint64_t)etcd_number(kv, "mod_revision")};
    if (json_unpack(v, "{s:s, s:s, s:I, s:I}", "node", &out->node, "id", &out->id, "pid", &pid,
                    "since", &since)) {
        json_decref(v);
        return -1;
    }
    out->pid = (uint64_t)pid;
    out->since = since;
    *value = v;
    return 0;
}

static void end(struct claim *c, int result, const struct provider_name *owner, const char *why)
{
    *c->at = c->next;
    if (c->next)
        c->next->at = c->at;
    c->claimed(c->ctx, result, owner, why);
    free(c);
}

/* ---- the answer ---- */

/* Whoever wants it back looks whether it was done. */
static void released(void *ctx, int status, const char *text, size_t n, const char *why)
{
    struct etcd *e = ctx;
    char words[160];
    json_t *answer = etcd_answer(status, text, n, why, words, sizeof words);
    if (!answer)
        lease_failed(e, words);
    json_decref(answer);
    etcd_look(e);
}

static void owned(struct claim *c, const json_t *kv)
{
    struct provider_name owner;
    json_t *value = NULL;
    const char *lease = json_string_value(json_object_get(kv, "lease"));
    int ours = lease && !strcmp(lease, c->etcd->lease);
    if (names_read(kv, c->name, &owner, &value)) {
        end(c, IRIS_EMPTY, NULL, "what stands under this name in the engine is no owner");
        return;
    }
    if (ours && owner.pid == c->pid)
        end(c, IRIS_OK, &owner, "");
    else if (ours) { /* of an actor of ours that was: it is claimed again */
        names_release(c->etcd, c->name, owner.token);
        end(c, IRIS_EMPTY, NULL, "an earlier actor of this node is only now giving it back");
    } else
        end(c, IRIS_DEAD, &owner, "");
    json_decref(value);
}

static void ours(struct claim *c, uint64_t token)
{
    const struct etcd *e = c->etcd;
    const struct provider_name owner = {
        .name = c->name, .node = e->self.node, .id = e->self.id, .pid = c->pid, .token = token};
    end(c, IRIS_OK, &owner, "");
}

static void answered(void *ctx, int status, const char *text, size_t n, const char *why)
{
    struct claim *c = ctx;
    struct etcd *e = c->etcd;
    char words[160];
    c->call = NULL;
    json_t *answer = etcd_answer(status, text, n, why, words, sizeof words);
    const json_t *found =
        json_object_get(json_array_get(json_object_get(answer, "responses"), 0), "response_range");
    const json_t *kv = json_array_get(json_object_get(found, "kvs"), 0);
    if (!answer) {
        end(c, IRIS_EMPTY, NULL, words);
        lease_failed(e, words);
    } else if (json_is_true(json_object_get(answer, "succeeded")))
        ours(c, (uint64_t)etcd_number(json_object_get(answer, "header"), "revision"));
    else if (kv)
        owned(c, kv);
    else
        end(c, IRIS_EMPTY, NULL, "it was given back this moment");
    json_decref(answer);
    etcd_look(e);
}

/* ---- requests ---- */

static json_t *value_of(const struct etcd *e, uint64_t pid, int64_t since)
{
    json_t *v = json_pack("{s:s, s:s, s:I, s:I}", "node", e->self.node, "id", e->self.id, "pid",
                          (json_int_t)pid, "since", (json_int_t)since);
    char *text = v ? json_dumps(v, JSON_COMPACT) : NULL;
    json_t *out = text ? etcd_base64(text, strlen(text)) : NULL;
    json_decref(v);
    free(text);
    return out;
}

static json_t *claim_of(const struct etcd *e, const char *name, uint64_t pid, int64_t since)
{
    return json_pack("{s:[{s:s, s:s, s:o, s:s}], s:[{s:{s:o, s:o, s:s}}], s:[{s:{s:o}}]}",
                     "compare", "target", "CREATE", "result", "EQUAL", "key",
                     etcd_key(e, "name/", name), "create_revision", "0", "success", "request_put",
                     "key", etcd_key(e, "name/", name), "value", value_of(e, pid, since), "lease",
                     e->lease, "failure", "request_range", "key", etcd_key(e, "name/", name));
}

int names_claim(struct etcd *e, const char *name, uint64_t pid, int64_t since,
                provider_claimed *claimed, void *ctx)
{
    size_t len = strlen(name) + 1;
    for (const struct claim *c = e->claims; c; c = c->next)
        if (!strcmp(c->name, name))
            return IRIS_FAIL;
    if (!lease_is_ours(e) || !e->joined) {
        claimed(ctx, IRIS_EMPTY, NULL, *e->why ? e->why : "this node has no lease yet");
        return IRIS_OK;
    }
    struct claim *c = calloc(1, sizeof *c + len);
    if (!c)
        return IRIS_FAIL;
    *c = (struct claim){.etcd = e, .claimed = claimed, .ctx = ctx, .pid = pid, .next = e->claims};
    memcpy(c->name, name, len);
    c->at = &e->claims;
    if (c->next)
        c->next->at = &c->next;
    e->claims = c;
    c->call = etcd_post(e, "/v3/kv/txn", claim_of(e, name, pid, since), NULL, answered, c);
    if (!c->call)
        end(c, IRIS_EMPTY, NULL, "no memory");
    return IRIS_OK;
}

/* Only what was ours: another one's claim has a higher token. */
void names_release(struct etcd *e, const char *name, uint64_t token)
{
    char revision[24];
    snprintf(revision, sizeof revision, "%llu", (unsigned long long)token);
    etcd_post(e, "/v3/kv/txn",
              json_pack("{s:[{s:s, s:s, s:o, s:s}], s:[{s:{s:o}}]}", "compare", "target", "MOD",
                        "result", "EQUAL", "key", etcd_key(e, "name/", name), "mod_revision",
                        revision, "success", "request_delete_range", "key",
                        etcd_key(e, "name/", name)),
              NULL, released, e);
}

void names_refuse_all(struct etcd *e, const char *why)
{
    while (e->claims) {
        struct claim *c = e->claims;
        if (c->call)
            http_cancel(c->call);
        end(c, IRIS_EMPTY, NULL, why);
    }
}

void names_finish(struct etcd *e)
{
    for (struct claim *c = e->claims, *next; c; c = next) {
        next = c->next;
        free(c); /* its call goes with the rest */
    }
    e->claims = NULL;
}
