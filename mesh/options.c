#include "options.h"

#include "net.h"

#include <jansson.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct reading {
    struct options *o;
    char *why;
    size_t room;
};

static int wrong(struct reading *r, const char *key, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

static int wrong(struct reading *r, const char *key, const char *fmt, ...)
{
    int n = snprintf(r->why, r->room, "%s: ", key);
    va_list args;
    va_start(args, fmt);
    if (n > 0 && (size_t)n < r->room)
        vsnprintf(r->why + n, r->room - (size_t)n, fmt, args);
    va_end(args);
    return -1;
}

/* ---- values ---- */

static const struct unit {
    const char *name;
    double factor;
} times[] = {{"us", 1e3}, {"ms", 1e6}, {"s", 1e9}, {"m", 60e9}, {"h", 3600e9}, {NULL, 0}},
  sizes[] = {{"B", 1},    {"KiB", 1024}, {"MiB", 1048576}, {"GiB", 1073741824.0},
             {"kB", 1e3}, {"MB", 1e6},   {"GB", 1e9},      {NULL, 0}};

/* "1.5s". -1: it is none. */
static int with_unit(const json_t *v, const struct unit *units, double plain, double *out)
{
    if (json_is_integer(v)) {
        *out = (double)json_integer_value(v) * plain;
        return *out < 0 ? -1 : 0;
    }
    char *end;
    const char *text = json_string_value(v);
    if (!text || *text < '0' || *text > '9')
        return -1;
    *out = strtod(text, &end);
    if (!*end)
        return *out *= plain, 0;
    for (; units->name; units++)
        if (!strcmp(end, units->name))
            return *out *= units->factor, 0;
    return -1;
}

static int duration(struct reading *r, const char *key, const json_t *v, int64_t *out)
{
    double ns;
    if (with_unit(v, times, 1e6, &ns) || ns < 1e6 || ns > 1e17)
        return wrong(r, key, "expected a duration of 1ms or more, as \"5s\"");
    *out = (int64_t)ns;
    return 0;
}

static int size(struct reading *r, const char *key, const json_t *v, double least, uint32_t *out)
{
    double bytes;
    if (with_unit(v, sizes, 1, &bytes) || bytes < least || bytes > 4e9)
        return wrong(r, key, "expected a size from %.0f bytes to 4 GB, as \"1MiB\"", least);
    *out = (uint32_t)bytes;
    return 0;
}

static int text(struct reading *r, const char *key, const json_t *v, char *out, size_t room)
{
    const char *s = json_string_value(v);
    if (!s || !*s || strlen(s) >= room)
        return wrong(r, key, "expected a text of 1 to %zu bytes", room - 1);
    snprintf(out, room, "%s", s);
    return 0;
}

/* As of actors' names: letters, digits and _ . - */
static int node_name(struct reading *r, const char *key, const json_t *v)
{
    if (text(r, key, v, r->o->node, sizeof r->o->node))
        return -1;
    if (strspn(r->o->node, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.-") !=
        strlen(r->o->node))
        return wrong(r, key, "found \"%s\"; expected letters, digits and _ . -", r->o->node);
    return 0;
}

static void finish_list(struct options_list *l)
{
    for (size_t i = 0; i < l->n; i++)
        free(l->items[i]);
    free(l->items);
    *l = (struct options_list){0};
}

static int list(struct reading *r, const char *key, const json_t *v, struct options_list *out)
{
    size_t n = json_array_size(v), i;
    json_t *each;
    if (!json_is_array(v))
        return wrong(r, key, "expected a list of texts");
    struct options_list l = {.items = calloc(n + 1, sizeof(char *))};
    json_array_foreach(v, i, each)
    {
        if (!l.items || !json_is_string(each) || !(l.items[i] = strdup(json_string_value(each)))) {
            finish_list(&l);
            return wrong(r, key, "expected a list of texts");
        }
        l.n = i + 1;
    }
    finish_list(out);
    *out = l;
    return l.items ? 0 : wrong(r, key, "no memory");
}

/* ---- addresses ---- */

static int compat(struct reading *r, const char *key, const json_t *v, enum mesh_compat *out)
{
    const char *s = json_string_value(v);
    *out = s && !strcmp(s, "iris-0.3") ? MESH_COMPAT_BYTE
           : s && !strcmp(s, "table")  ? MESH_COMPAT_TABLE
                                       : MESH_OURS;
    return *out != MESH_OURS
               ? 0
               : wrong(r, key, "expected \"iris-0.3\" (a version byte leads) or \"table\" (none)");
}

static int one_address(struct reading *r, const char *key, const json_t *v,
                       struct options_address *out)
{
    const json_t *address = json_is_object(v) ? json_object_get(v, "address") : v;
    const json_t *wire = json_object_get(v, "compat");
    *out = (struct options_address){0};
    if (text(r, key, address, out->address, sizeof out->address))
        return -1;
    if (!strncmp(out->address, "tcp://", 6))
        memmove(out->address, out->address + 6, strlen(out->address + 6) + 1);
    if (!net_is_address(out->address))
        return wrong(r, key, "found \"%s\"; expected HOST:PORT, as 127.0.0.1:9000", out->address);
    return wire ? compat(r, key, wire, &out->compat) : 0;
}

static int addresses(struct reading *r, const char *key, const json_t *v,
                     struct options_address **out, size_t *n)
{
    size_t count = json_is_array(v) ? json_array_size(v) : 1;
    struct options_address *list = calloc(count + 1, sizeof *list);
    if (!list)
        return wrong(r, key, "no memory");
    for (size_t i = 0; i < count; i++) {
        char at[64];
        snprintf(at, sizeof at, json_is_array(v) ? "%s[%zu]" : "%s", key, i);
        if (one_address(r, at, json_is_array(v) ? json_array_get(v, i) : v, &list[i])) {
            free(list);
            return -1;
        }
    }
    free(*out);
    *out = list;
    *n = count;
    return 0;
}

/* ---- keys ---- */

typedef int take_key(struct reading *, const char *key, const json_t *);

#define TIME_KEY(function, member)                                           \
    static int function(struct reading *r, const char *key, const json_t *v) \
    {                                                                        \
        return duration(r, key, v, &r->o->limits.member);                    \
    }
#define SIZE_KEY(function, member, least)                                    \
    static int function(struct reading *r, const char *key, const json_t *v) \
    {                                                                        \
        return size(r, key, v, least, &r->o->limits.member);                 \
    }

TIME_KEY(take_interval, beat)
TIME_KEY(take_silence, silence)
TIME_KEY(take_connect, connect)
TIME_KEY(take_resolve, resolve)
TIME_KEY(take_probe, probe)
TIME_KEY(take_send, send)
TIME_KEY(take_hello, hello)
TIME_KEY(take_frame, frame)
TIME_KEY(take_redial, redial)
TIME_KEY(take_redial_max, redial_max)
TIME_KEY(take_stuck, stuck)
SIZE_KEY(take_payload, payload, 1)
SIZE_KEY(take_name, name, 1)
SIZE_KEY(take_queue, queue, 4096)
SIZE_KEY(take_window, window, 4096)
SIZE_KEY(take_links, links, 1)

static int take_advertise(struct reading *r, const char *key, const json_t *v)
{
    struct options_address a;
    if (one_address(r, key, v, &a))
        return -1;
    memcpy(r->o->advertise, a.address, sizeof r->o->advertise);
    return 0;
}

static int take_cookie(struct reading *r, const char *key, const json_t *v)
{
    const json_t *file = json_object_get(v, "file");
    if (!file)
        return wrong(r, key, "expected {\"file\": \"..\"}: a secret does not stand in settings");
    return text(r, key, file, r->o->cookie, sizeof r->o->cookie);
}

static int take_insecure(struct reading *r, const char *key, const json_t *v)
{
    if (!json_is_boolean(v))
        return wrong(r, key, "expected true or false");
    r->o->insecure = json_is_true(v);
    return 0;
}

static int take_tls(struct reading *r, const char *key, const json_t *v)
{
    const json_t *allow = json_object_get(v, "allow");
    if (!json_is_object(v) ||
        text(r, "tls.cert", json_object_get(v, "cert"), r->o->cert, sizeof r->o->cert) ||
        text(r, "tls.key", json_object_get(v, "key"), r->o->key, sizeof r->o->key) ||
        text(r, "tls.ca", json_object_get(v, "ca"), r->o->ca, sizeof r->o->ca))
        return json_is_object(v) ? -1 : wrong(r, key, "expected an object: cert, key, ca");
    const json_t *warn = json_object_get(v, "warn"), *crl = json_object_get(v, "crl");
    r->o->has_tls = 1;
    if (crl && text(r, "tls.crl", crl, r->o->crl, sizeof r->o->crl))
        return -1;
    if (warn && duration(r, "tls.warn", warn, &r->o->warn))
        return -1;
    return allow ? list(r, "tls.allow", allow, &r->o->allow_peers) : 0;
}

static int take_may_supervise(struct reading *r, const char *key, const json_t *v)
{
    return list(r, key, v, &r->o->may_supervise);
}

static int take_may_stop(struct reading *r, const char *key, const json_t *v)
{
    return list(r, key, v, &r->o->may_stop);
}

static int take_export(struct reading *r, const char *key, const json_t *v)
{
    return list(r, key, v, &r->o->export);
}

static int take_listen(struct reading *r, const char *key, const json_t *v)
{
    return addresses(r, key, v, &r->o->listen, &r->o->nlisten);
}

static int take_peers(struct reading *r, const char *key, const json_t *v)
{
    return addresses(r, key, v, &r->o->peers, &r->o->npeers);
}

/* Its other keys are for the plugin to look at. */
static int take_engine(struct reading *r, const char *key, const json_t *v)
{
    const json_t *ttl = json_object_get(v, "ttl"), *names = json_object_get(v, "names");
    const json_t *loss = json_object_get(v, "on_loss");
    const json_t *singletons = json_object_get(v, "singletons");
    const char *word = loss ? json_string_value(loss) : "exit";
    int64_t ns = INT64_C(10000000000);
    if (!json_array_size(json_object_get(v, "etcd")))
        return wrong(r, key, "expected {\"etcd\": [\"http://127.0.0.1:2379\"], ..}");
    if ((ttl && duration(r, "engine.ttl", ttl, &ns)) ||
        (names && list(r, "engine.names", names, &r->o->names)) ||
        (singletons && list(r, "engine.singletons", singletons, &r->o->singletons)))
        return -1;
    if (ns < INT64_C(2000000000) || ns > INT64_C(3600000000000))
        return wrong(r, "engine.ttl", "expected a duration from 2s to 1h");
    if (!word || (strcmp(word, "exit") != 0 && strcmp(word, "demote") != 0))
        return wrong(r, "engine.on_loss", "expected \"exit\" or \"demote\"");
    json_t *all = json_copy((json_t *)v);
    json_object_set_new(all, "ttl_ms", json_integer(ns / 1000000));
    free(r->o->engine);
    r->o->engine = json_dumps(all, JSON_COMPACT);
    r->o->demote = !strcmp(word, "demote");
    json_decref(all);
    return r->o->engine ? 0 : wrong(r, key, "no memory");
}

static const struct key {
    const char *name; /* "heartbeat.interval": inside of an object */
    take_key *take;
} keys[] = {{"node", node_name},
            {"listen", take_listen},
            {"advertise", take_advertise},
            {"peers", take_peers},
            {"engine", take_engine},
            {"cookie", take_cookie},
            {"insecure", take_insecure},
            {"tls", take_tls},
            {"heartbeat.interval", take_interval},
            {"heartbeat.timeout", take_silence},
            {"max_payload", take_payload},
            {"max_name", take_name},
            {"queue", take_queue},
            {"window", take_window},
            {"links", take_links},
            {"stuck", take_stuck},
            {"timeouts.connect", take_connect},
            {"timeouts.resolve", take_resolve},
            {"timeouts.probe", take_probe},
            {"timeouts.send", take_send},
            {"timeouts.hello", take_hello},
            {"timeouts.frame", take_frame},
            {"timeouts.redial", take_redial},
            {"timeouts.redial_max", take_redial_max},
            {"allow.stop", take_may_stop},
            {"allow.supervise", take_may_supervise},
            {"export", take_export}};

static int is_prefix(const char *key)
{
    return !strcmp(key, "heartbeat") || !strcmp(key, "timeouts") || !strcmp(key, "allow");
}

static int take(struct reading *r, const char *prefix, json_t *object)
{
    const char *name;
    json_t *v;
    json_object_foreach(object, name, v)
    {
        char key[64];
        size_t i = 0;
        snprintf(key, sizeof key, "%s%s%s", prefix, *prefix ? "." : "", name);
        if (!strncmp(name, "//", 2) || !strncmp(name, "x-", 2))
            continue;
        if (!*prefix && is_prefix(name)) {
            if (!json_is_object(v))
                return wrong(r, name, "expected an object");
            if (take(r, name, v))
                return -1;
            continue;
        }
        while (i < sizeof keys / sizeof *keys && strcmp(keys[i].name, key) != 0)
            i++;
        if (i == sizeof keys / sizeof *keys)
            return wrong(r, key, "there is no such setting of the mesh");
        if (keys[i].take(r, key, v))
            return -1;
    }
    return 0;
}

/* https, or of this machine. */
static int is_safe_url(const char *url)
{
    char at[300];
    const char *host = strncmp(url, "http://", 7) ? "" : url + 7;
    size_t n = strcspn(host, "/");
    if (!*host || n >= 256)
        return !*host;
    snprintf(at, sizeof at, "%.*s", (int)n, host);
    if (!net_is_address(at))
        snprintf(at + n, sizeof at - n, ":80");
    return net_is_loopback(at);
}

static int check_engine(struct reading *r)
{
    size_t i;
    json_t *url, *all = r->o->engine ? json_loads(r->o->engine, 0, NULL) : NULL;
    int result = 0;
    json_array_foreach(json_object_get(all, "etcd"), i, url)
    {
        const char *s = json_string_value(url);
        if (s && !result && !r->o->insecure && !is_safe_url(s))
            result =
                wrong(r, "engine.etcd",
                      "%.200s is not of this machine; expected https, or \"insecure\": true", s);
    }
    json_decref(all);
    return result;
}

static int check(struct reading *r)
{
    const struct mesh_limits *l = &r->o->limits;
    int64_t beat = l->beat ? l->beat : INT64_C(1000000000);
    if (l->silence && l->silence < 2 * beat)
        return wrong(r, "heartbeat.timeout", "expected twice the interval or more");
    uint32_t payload = l->payload ? l->payload : 1u << 20;
    if (payload > UINT32_MAX / 2 - 4096 || (l->queue ? l->queue : 4u << 20) < 2 * (payload + 4096))
        return wrong(r, l->queue ? "queue" : "max_payload",
                     "a queue holds two messages of max_payload at least, and 8 KiB");
    return check_engine(r);
}

static int copy_list(const struct options_list *from, struct options_list *to)
{
    *to = (struct options_list){.n = from->n};
    if (!from->items)
        return 0;
    to->items = calloc(from->n + 1, sizeof(char *));
    for (size_t i = 0; to->items && i < from->n; i++)
        to->items[i] = strdup(from->items[i]);
    return to->items ? 0 : -1;
}

static struct options_address *copy_addresses(const struct options_address *from, size_t n)
{
    struct options_address *to = n ? malloc(n * sizeof *to) : NULL;
    if (to)
        memcpy(to, from, n * sizeof *to);
    return to;
}

/* So that nothing changes where something is wrong. */
static int copy(const struct options *from, struct options *to)
{
    *to = *from;
    to->listen = copy_addresses(from->listen, from->nlisten);
    to->peers = copy_addresses(from->peers, from->npeers);
    to->engine = from->engine ? strdup(from->engine) : NULL;
    return copy_list(&from->names, &to->names) | copy_list(&from->singletons, &to->singletons) |
           copy_list(&from->allow_peers, &to->allow_peers) | copy_list(&from->export, &to->export) |
           copy_list(&from->may_stop, &to->may_stop) |
           copy_list(&from->may_supervise, &to->may_supervise);
}

int options_read(struct options *o, const char *json, char *why, size_t room)
{
    struct options changed;
    struct reading r = {.o = &changed, .why = why, .room = room};
    json_error_t error;
    json_t *root = json_loads(json, 0, &error);
    if (!json_is_object(root)) {
        json_decref(root);
        snprintf(why, room, "settings of the mesh: expected the JSON text of an object");
        return -1;
    }
    int result = copy(o, &changed) ? wrong(&r, "mesh", "no memory") : take(&r, "", root);
    json_decref(root);
    if (!result)
        result = check(&r);
    options_finish(result ? &changed : o);
    if (!result)
        *o = changed;
    return result;
}

void options_finish(struct options *o)
{
    finish_list(&o->allow_peers);
    finish_list(&o->export);
    finish_list(&o->may_stop);
    finish_list(&o->may_supervise);
    finish_list(&o->names);
    finish_list(&o->singletons);
    free(o->engine);
    o->engine = NULL;
    free(o->listen);
    free(o->peers);
    o->listen = o->peers = NULL;
}

int options_compat(const char *json, enum mesh_compat *out, char *why, size_t room)
{
    struct reading r = {.why = why, .room = room};
    *out = MESH_OURS;
    if (!json || !*json)
        return 0;
    json_t *root = json_loads(json, 0, NULL);
    const json_t *wire = json_object_get(root, "compat");
    int result = !json_is_object(root) ? wrong(&r, "options", "expected the JSON text of an object")
                 : json_object_size(root) > (wire != NULL)
                     ? wrong(&r, "options", "expected no other key than \"compat\"")
                 : wire ? compat(&r, "compat", wire, out)
                        : 0;
    json_decref(root);
    return result;
}
