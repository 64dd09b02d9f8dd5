#include "secret_file.h"
#include "etcd.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* What mesh.engine says. Its times, "names" and "on_loss" are the mesh's, which has looked at them. */

enum { SECRET_MAX = 1024 };

struct words {
    char *why;
    size_t room;
};

static int wrong(const struct words *w, const char *key, const char *what)
{
    snprintf(w->why, w->room, "engine.%s: %s", key, what);
    return -1;
}

/* {"file": ".."}: its first line. */
static int secret(const struct words *w, const char *key, const json_t *v, char **out)
{
    const char *file = json_string_value(json_object_get(v, "file"));
    char why[300];
    size_t n = 0;
    if (!v)
        return 0;
    if (!file || json_object_size(v) != 1)
        return wrong(w, key, "expected {\"file\": \"..\"}: a secret does not stand in settings");
    char *text = secret_file_read(file, SECRET_COOKIE, SECRET_MAX, &n, why, sizeof why);
    if (!text)
        return wrong(w, key, why);
    text[n] = '\0'; /* there is room: it is one byte larger than the most that may be read */
    text[strcspn(text, "\r\n")] = '\0';
    *out = text;
    return *text ? 0 : wrong(w, key, "the file is empty");
}

static int endpoints(struct etcd *e, const struct words *w, const json_t *list)
{
    size_t i;
    json_t *each;
    json_array_foreach(list, i, each)
    {
        const char *url = json_string_value(each);
        size_t n = url ? strlen(url) : 0;
        if (n < 9 || n > 500 || (strncmp(url, "http://", 7) && strncmp(url, "https://", 8)))
            return wrong(w, "etcd", "expected URLs, as \"http://127.0.0.1:2379\"");
        if (e->nendpoints == ETCD_ENDPOINTS)
            return wrong(w, "etcd", "expected 16 URLs at most");
        if (!(e->endpoints[e->nendpoints] = strndup(url, url[n - 1] == '/' ? n - 1 : n)))
            return wrong(w, "etcd", "no memory");
        e->nendpoints++;
    }
    return e->nendpoints ? 0 : wrong(w, "etcd", "expected a list of URLs");
}

static int files(const struct words *w, const json_t *tls, struct http_files *out)
{
    if (!tls)
        return 0;
    if (json_unpack((json_t *)tls, "{s?s, s?s, s?s !}", "ca", &out->ca, "cert", &out->cert, "key",
                    &out->key))
        return wrong(w, "tls", "expected an object of files: ca, cert, key");
    return !out->cert == !out->key ? 0 : wrong(w, "tls", "a \"cert\" has a \"key\"");
}

static int known(const struct words *w, const json_t *all)
{
    static const char *const keys[] = {"etcd",  "ttl",     "ttl_ms",    "cluster",
                                       "names", "on_loss", "user",      "password",
                                       "token", "tls",     "singletons"};
    const char *name;
    json_t *v;
    json_object_foreach((json_t *)all, name, v)
    {
        size_t i = 0;
        while (i < sizeof keys / sizeof *keys && strcmp(keys[i], name) != 0)
            i++;
        if (i == sizeof keys / sizeof *keys && strncmp(name, "//", 2) != 0 &&
            strncmp(name, "x-", 2) != 0)
            return wrong(w, name, "there is no such setting");
    }
    return 0;
}

static int read_all(struct etcd *e, const struct words *w, const json_t *all,
                    struct http_files *out)
{
    const char *cluster = json_string_value(json_object_get(all, "cluster"));
    const char *user = json_string_value(json_object_get(all, "user"));
    e->ttl = json_integer_value(json_object_get(all, "ttl_ms")) * 1000000;
    if (snprintf(e->cluster, sizeof e->cluster, "%s", cluster ? cluster : "default") >=
            (int)sizeof e->cluster ||
        !*e->cluster || strchr(e->cluster, '/'))
        return wrong(w, "cluster", "expected a name of 255 bytes at most, without \"/\"");
    if (known(w, all) || endpoints(e, w, json_object_get(all, "etcd")) ||
        secret(w, "password", json_object_get(all, "password"), &e->password) ||
        secret(w, "token", json_object_get(all, "token"), &e->token) ||
        files(w, json_object_get(all, "tls"), out))
        return -1;
    if (!user != !e->password || (user && e->token))
        return wrong(w, "user",
                     "expected a \"user\" with a \"password\", or a \"token\", or neither");
    if (user && !(e->user = strdup(user)))
        return wrong(w, "user", "no memory");
    return 0;
}

int settings_read(struct etcd *e, const char *json, struct http_files *out, json_t **keep,
                  char *why, size_t room)
{
    const struct words w = {why, room};
    json_t *all = json_loads(json, 0, NULL);
    *keep = all; /* what out points to is in it */
    return json_is_object(all) ? read_all(e, &w, all, out) : wrong(&w, "etcd", "no JSON");
}
