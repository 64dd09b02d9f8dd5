#include "etcd.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* All keys of the cluster: listed once, then watched from the list's revision on, in one answer that does not end. It is
 * taken up again where it broke off; what the engine has forgotten by then (compaction) is listed anew. */

/* ---- one key ---- */

static void tell_node(struct etcd *e, const json_t *kv, const char *id, int gone)
{
    char *text = gone ? NULL : etcd_unbase64(json_object_get(kv, "value"));
    json_t *v = text ? json_loads(text, 0, NULL) : NULL;
    struct provider_node n = {.id = id, .node = "", .address = ""};
    json_int_t creation = 0;
    if (gone)
        e->hooks.node(e->hooks.ctx, PROVIDER_DELETE, &n);
    else if (!json_unpack(v, "{s:s, s:I, s:s}", "node", &n.node, "creation", &creation, "address",
                          &n.address)) {
        n.creation = (uint64_t)creation;
        e->hooks.node(e->hooks.ctx, PROVIDER_PUT, &n);
    }
    json_decref(v);
    free(text);
}

static void tell_name(struct etcd *e, const json_t *kv, const char *name, int gone)
{
    struct provider_name n = {.name = name, .token = (uint64_t)etcd_number(kv, "mod_revision")};
    json_t *value = NULL;
    if (gone)
        e->hooks.name(e->hooks.ctx, PROVIDER_DELETE, &n);
    else if (!names_read(kv, name, &n, &value)) {
        e->hooks.name(e->hooks.ctx, PROVIDER_PUT, &n);
        json_decref(value);
    }
}

/* Keys of others, and values that are none of ours, are passed over. */
static void tell(struct etcd *e, const json_t *kv, int gone)
{
    char *key = etcd_unbase64(json_object_get(kv, "key"));
    size_t prefix = strlen("/iris/") + strlen(e->cluster) + 1;
    const char *kind = key && strlen(key) > prefix ? key + prefix : "";
    if (!strncmp(kind, "node/", 5) && kind[5])
        tell_node(e, kv, kind + 5, gone);
    else if (!strncmp(kind, "name/", 5) && kind[5])
        tell_name(e, kv, kind + 5, gone);
    free(key);
}

static json_t *first_key(const struct etcd *e)
{
    return etcd_key(e, "", "");
}

static json_t *last_key(const struct etcd *e) /* "/" + 1 is "0" */
{
    char key[ETCD_KEY];
    int n = snprintf(key, sizeof key, "/iris/%s0", e->cluster);
    return etcd_base64(key, (size_t)n);
}

/* ---- the list ---- */

static void listed(void *ctx, int status, const char *text, size_t n, const char *why)
{
    struct etcd *e = ctx;
    char words[160];
    size_t i;
    json_t *kv, *answer = etcd_answer(status, text, n, why, words, sizeof words);
    e->listing = NULL;
    if (answer) {
        e->hooks.node(e->hooks.ctx, PROVIDER_RESYNC, NULL);
        e->hooks.name(e->hooks.ctx, PROVIDER_RESYNC, NULL);
        json_array_foreach(json_object_get(answer, "kvs"), i, kv) tell(e, kv, 0);
        e->hooks.node(e->hooks.ctx, PROVIDER_SYNCED, NULL);
        e->hooks.name(e->hooks.ctx, PROVIDER_SYNCED, NULL);
        e->revision = etcd_number(json_object_get(answer, "header"), "revision");
    } else
        etcd_failed(e, words);
    json_decref(answer);
    etcd_look(e);
}

/* ---- what changes ---- */

/* What is told is what the events say: a watch that is behind gets them in parts, each with the revision of the whole
 * in its header. */
static void tell_events(struct etcd *e, const json_t *result)
{
    size_t i;
    json_t *event;
    json_array_foreach(json_object_get(result, "events"), i, event)
    {
        const char *type = json_string_value(json_object_get(event, "type"));
        const json_t *kv = json_object_get(event, "kv");
        int64_t revision = etcd_number(kv, "mod_revision");
        tell(e, kv, type && !strcmp(type, "DELETE"));
        if (revision > e->revision)
            e->revision = revision;
    }
}

/* An end of the watch: of what it wants to go on from the engine has forgotten the beginning, or why not. */
static void refused(struct etcd *e, const json_t *line, const json_t *result)
{
    const char *error = etcd_error(line),
               *why = error ? error : json_string_value(json_object_get(result, "cancel_reason"));
    int compacted = etcd_number(result, "compact_revision") > 0;
    e->watch_ends = 1;
    e->revision = compacted ? 0 : e->revision;
    snprintf(e->watch_why, sizeof e->watch_why, "%s",
             compacted ? ""
             : why     ? why
                       : "it ended the watch");
}

/* From within curl: what is to be ended is ended on the next look. */
static void on_line(void *ctx, const char *text, size_t n)
{
    struct etcd *e = ctx;
    json_t *line = json_loadb(text, n, 0, NULL);
    const json_t *result = json_object_get(line, "result");
    int64_t revision = etcd_number(json_object_get(result, "header"), "revision");
    if (!result || json_is_true(json_object_get(result, "canceled")))
        refused(e, line, result);
    else if (json_is_true(json_object_get(result, "created")) && revision < e->revision) {
        e->revision = 0; /* another engine, or one that was set back: what we know is of no use */
        e->watch_ends = 1;
        e->watch_why[0] = '\0';
    } else {
        e->watch_lives = 1;
        tell_events(e, result);
    }
    json_decref(line);
    http_alarm(e->http, 1);
}

static void ended(void *ctx, int status, const char *text, size_t n, const char *why)
{
    struct etcd *e = ctx;
    char words[160] = "it ended the watch";
    e->watching = NULL;
    e->watch_lives = 0;
    json_decref(
        etcd_answer(status, text && n ? text : NULL, n, *why ? why : words, words, sizeof words));
    if (!e->watch_ends) /* else it has said itself why, and that counts once */
        etcd_failed(e, words);
    etcd_look(e);
}

static void begin(struct etcd *e)
{
    char from[24];
    snprintf(from, sizeof from, "%lld", (long long)e->revision + 1);
    e->watching = etcd_post(e, "/v3/watch",
                            json_pack("{s:{s:o, s:o, s:s}}", "create_request", "key", first_key(e),
                                      "range_end", last_key(e), "start_revision", from),
                            on_line, ended, e);
}

/* ---- what is next ---- */

void watch_restart(struct etcd *e)
{
    if (e->listing)
        http_cancel(e->listing);
    if (e->watching)
        http_cancel(e->watching);
    e->listing = e->watching = NULL;
    e->watch_lives = 0;
}

void watch_look(struct etcd *e, int64_t now)
{
    if (e->watch_ends) {
        watch_restart(e);
        e->watch_ends = 0;
        if (*e->watch_why)
            etcd_failed(e, e->watch_why);
    }
    if (e->listing || e->watching || now < e->watch_again || (e->user && !e->token))
        return;
    if (e->revision)
        begin(e);
    else
        e->listing =
            etcd_post(e, "/v3/kv/range",
                      json_pack("{s:o, s:o}", "key", first_key(e), "range_end", last_key(e)), NULL,
                      listed, e);
}

int64_t watch_due(const struct etcd *e)
{
    return e->listing || e->watching ? INT64_MAX : e->watch_again;
}
