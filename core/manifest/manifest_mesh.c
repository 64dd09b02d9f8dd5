#include "manifest_reading.h"

#include <stdlib.h>
#include <string.h>

/* "mesh": each key is checked by the table, as everywhere, and what they mean to each other here. The whole is
 * handed to the plugin as one JSON text, files made absolute; of the network nothing is known here. */

/* ---- addresses ---- */

int iris__manifest_is_node(const char *s)
{
    size_t n = strspn(s, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.-");
    return n && n <= 255 && !s[n];
}

static const char *without_scheme(const char *s)
{
    return strncmp(s, "tcp://", 6) ? s : s + 6;
}

int iris__manifest_is_address(const char *text)
{
    const char *s = without_scheme(text), *colon = strrchr(s, ':');
    size_t digits = colon ? strspn(colon + 1, "0123456789") : 0,
           n = colon ? (size_t)(colon - s) : 0;
    if (!digits || digits > 5 || colon[1 + digits] || atoi(colon + 1) > 65535 || !n || n > 255)
        return 0;
    return *s == '[' ? n > 2 && s[n - 1] == ']' : !memchr(s, ':', n);
}

/* Numbers of this machine alone, before a port or a path. */
static int is_loopback(const char *s)
{
    size_t n = strcspn(s, ":/");
    if (!strncmp(s, "[::1]", 5))
        return !s[5] || strchr(":/", s[5]);
    return (!strncmp(s, "127.", 4) && strspn(s, "0123456789.") == n) ||
           (n == strlen("localhost") && !strncmp(s, "localhost", n));
}

static void read_one(struct reading *r, const struct manifest_key *key, json_t *v)
{
    struct manifest_key element = *key;
    element.types = MANIFEST_ADDRESS;
    if (json_is_object(v))
        iris__manifest_object(r, key->child, v, NULL);
    else if (json_is_string(v))
        iris__manifest_text(r, &element, v);
    else
        iris__manifest_wrong_kind(r, &element, v);
}

void iris__manifest_addresses(struct reading *r, const struct manifest_key *key, json_t *v,
                              void *base)
{
    (void)base;
    for (size_t i = 0; i < json_array_size(v); i++) {
        size_t back = iris__pointer_index(&r->pointer, i);
        read_one(r, key, json_array_get(v, i));
        iris__pointer_back(&r->pointer, back);
    }
}

/* ---- what keys mean to each other ---- */

static int is_safe(const json_t *mesh)
{
    return json_object_get(mesh, "tls") ||
           (json_object_get(mesh, "cookie") && json_is_true(json_object_get(mesh, "insecure")));
}

/* With the compat wire nobody proves anything; that is said there. */
static void check_open(struct reading *r, const json_t *mesh, const json_t *v)
{
    const json_t *address = json_is_object(v) ? json_object_get(v, "address") : v;
    const char *s = json_string_value(address);
    if (!s || !iris__manifest_is_address(s) || is_loopback(without_scheme(s)) || is_safe(mesh) ||
        json_object_get(v, "compat"))
        return;
    struct problem *p = iris__manifest_problem(
        r, "mesh", "%s is not a loopback address: others can listen in, or pretend to be a node",
        s);
    iris__problem_hint(p,
                       json_object_get(mesh, "cookie")
                           ? "give the mesh \"tls\", or say \"insecure\": true"
                           : "give the mesh \"tls\", or a \"cookie\" file and \"insecure\": true");
}

static void check_addresses(struct reading *r, const json_t *mesh, const char *key)
{
    const json_t *v = json_object_get(mesh, key);
    size_t back = iris__pointer_key(&r->pointer, key, strlen(key));
    if (v && !json_is_array(v))
        check_open(r, mesh, v);
    for (size_t i = 0; i < json_array_size(v); i++) {
        size_t at = iris__pointer_index(&r->pointer, i);
        check_open(r, mesh, json_array_get(v, i));
        iris__pointer_back(&r->pointer, at);
    }
    iris__pointer_back(&r->pointer, back);
}

static int64_t time_of(const json_t *v, int64_t otherwise)
{
    int64_t ns = otherwise;
    if (json_is_integer(v))
        iris__duration_ms(json_integer_value(v), &ns);
    else if (json_is_string(v))
        iris__duration(json_string_value(v), &ns);
    return ns;
}

static void check_heartbeat(struct reading *r, const json_t *mesh)
{
    const json_t *beat = json_object_get(mesh, "heartbeat");
    int64_t interval = time_of(json_object_get(beat, "interval"), 1000000000);
    int64_t timeout = time_of(json_object_get(beat, "timeout"), INT64_C(4000000000));
    if (timeout >= 2 * interval)
        return;
    size_t back = iris__pointer_key(&r->pointer, "heartbeat", strlen("heartbeat"));
    iris__manifest_problem(r, "mesh",
                           "\"timeout\" (%.3f s) is shorter than twice the \"interval\" (%.3f s)",
                           (double)timeout / 1e9, (double)interval / 1e9);
    iris__pointer_back(&r->pointer, back);
}

/* A user has a key of his own: in a URL he would be read by everybody. */
static int is_url(const char *s)
{
    return (!strncmp(s, "http://", 7) || !strncmp(s, "https://", 8)) && !strchr(s, '@');
}

static void check_url(struct reading *r, const json_t *mesh, const char *s)
{
    if (!is_url(s))
        iris__manifest_problem(r, "mesh",
                               "found \"%s\"; expected URLs, such as http://127.0.0.1:2379", s);
    else if (s[4] == ':' && !is_loopback(s + strlen("http://")) &&
             !json_is_true(json_object_get(mesh, "insecure")))
        iris__problem_hint(
            iris__manifest_problem(
                r, "mesh",
                "%s is not of this machine: others can listen in, or pretend to be the engine", s),
            "%s", "use https, or say \"insecure\": true in \"mesh\"");
}

static void check_engine(struct reading *r, const json_t *mesh)
{
    const json_t *engine = json_object_get(mesh, "engine"), *urls = json_object_get(engine, "etcd");
    int64_t ttl = time_of(json_object_get(engine, "ttl"), INT64_C(10000000000));
    size_t back = iris__pointer_key(&r->pointer, "engine", strlen("engine"));
    if (ttl < INT64_C(2000000000) || ttl > INT64_C(3600000000000))
        iris__manifest_problem(r, "mesh", "\"ttl\" is %.3f s; expected a duration from 2s to 1h",
                               (double)ttl / 1e9);
    iris__pointer_key(&r->pointer, "etcd", strlen("etcd"));
    for (size_t i = 0; i < json_array_size(urls); i++) {
        size_t at = iris__pointer_index(&r->pointer, i);
        check_url(r, mesh, json_string_value(json_array_get(urls, i)));
        iris__pointer_back(&r->pointer, at);
    }
    iris__pointer_back(&r->pointer, back);
}

/* ---- what the plugin gets ---- */

static void make_absolute(struct reading *r, json_t *object, const char *key)
{
    const char *s = json_string_value(json_object_get(object, key));
    const char *path = s && *s ? iris__manifest_relative(r, s, strlen(s)) : NULL;
    if (path)
        json_object_set_new(object, key, json_string(path));
}

static void keep(struct reading *r, const struct manifest_key *key, const json_t *mesh, void *base)
{
    json_t *all = json_deep_copy(mesh);
    make_absolute(r, json_object_get(all, "cookie"), "file");
    json_t *tls = json_object_get(all, "tls");
    make_absolute(r, tls, "cert");
    make_absolute(r, tls, "key");
    make_absolute(r, tls, "crl");
    make_absolute(r, tls, "ca");
    json_t *engine = json_object_get(all, "engine"), *files = json_object_get(engine, "tls");
    make_absolute(r, json_object_get(engine, "password"), "file");
    make_absolute(r, json_object_get(engine, "token"), "file");
    make_absolute(r, files, "cert");
    make_absolute(r, files, "key");
    make_absolute(r, files, "ca");
    iris__manifest_keep_json(r, key, all, base);
    json_decref(all);
}

void iris__manifest_mesh(struct reading *r, const struct manifest_key *key, json_t *v, void *base)
{
    size_t before = iris__problems_count(r->problems);
    iris__manifest_object(r, key->child, v, NULL);
    if (iris__problems_count(r->problems) != before)
        return;
    check_addresses(r, v, "listen");
    check_addresses(r, v, "peers");
    check_heartbeat(r, v);
    check_engine(r, v);
    keep(r, key, v, base);
}

/* ---- actors of other nodes ---- */

static void say_remote(struct reading *r, const char *key, const char *words, const char *hint)
{
    size_t back = iris__pointer_key(&r->pointer, key, strlen(key));
    struct problem *p = iris__manifest_problem(r, "remote", "%s", words);
    iris__problem_hint(p, "%s", hint);
    iris__pointer_back(&r->pointer, back);
}

static void split(struct reading *r, struct manifest_actor *a)
{
    const char *at = strrchr(a->remote, '@');
    a->remote_at = at + 1;
    a->remote_name = iris__manifest_copy(r, a->remote, (size_t)(at - a->remote));
}

static void put_together(struct reading *r, struct manifest_actor *a)
{
    struct text both = {0};
    iris__text_addf(&both, "%s@%s", a->remote_name, a->remote_at);
    a->remote = iris__manifest_copy(r, both.data ? both.data : "", both.len);
    iris__text_finish(&both);
}

static void pass_on(struct reading *r, struct manifest_actor *a)
{
    static const struct manifest_key at = {.at = offsetof(struct manifest_actor, args) + 1};
    static const char *const restarts[] = {"always", "on-failure", "never"};
    json_t *args = json_pack("{s:s, s:s, s:s}", "at", a->remote_at, "name", a->remote_name,
                             "on_loss", a->on_loss ? "stay" : "down");
    if (a->supervise)
        json_object_set_new(args, "supervise", json_string(restarts[a->restart]));
    iris__manifest_keep_json(r, &at, args, a);
    json_decref(args);
    a->handler = a->handler_text = a->remote;
    a->host = "mesh";
}

void iris__manifest_remote(struct reading *r, const json_t *actor, struct manifest_actor *a)
{
    const json_t *v = json_object_get(actor, "remote");
    if (!v) {
        static const char *const only[] = {"on_loss", "supervise"};
        for (int i = 0; i < 2; i++)
            if (json_object_get(actor, only[i]))
                say_remote(r, only[i], "is of actors that are \"remote\"; this one has a handler",
                           "leave it out");
        return;
    }
    if (json_object_get(actor, "handler") || json_object_get(actor, "args"))
        say_remote(r, "remote", "stands in place of a handler and its args",
                   "leave \"handler\" and \"args\" out, or \"remote\"");
    else if (a->remote)
        split(r, a);
    else if (json_is_object(v) && !a->remote_at)
        say_remote(r, "remote", "found neither \"node\" nor \"address\"; expected one of them",
                   "as {\"node\": \"b\", \"name\": \"payments\"}");
    if (!a->remote_at || !a->remote_name)
        return;
    if (!json_object_get(r->root, "mesh"))
        say_remote(r, "remote", "needs a \"mesh\": there are no other nodes",
                   "as \"mesh\": {\"node\": \"a\", \"peers\": [\"127.0.0.1:9001\"]}");
    put_together(r, a);
    pass_on(r, a);
}
