#include "etcd.h"

#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- base64 ---- */

json_t *etcd_base64(const void *bytes, size_t n)
{
    unsigned char *out = malloc((n + 2) / 3 * 4 + 1);
    if (!out)
        return NULL;
    int len = EVP_EncodeBlock(out, bytes, (int)n);
    json_t *text = json_stringn((const char *)out, (size_t)len);
    free(out);
    return text;
}

char *etcd_unbase64(const json_t *v)
{
    const char *in = json_string_value(v);
    size_t n = in ? json_string_length(v) : 0;
    char *out = in ? malloc(n / 4 * 3 + 4) : NULL;
    int len = out ? EVP_DecodeBlock((unsigned char *)out, (const unsigned char *)in, (int)n) : -1;
    if (len < 0) {
        free(out);
        return NULL;
    }
    for (size_t i = n; len && i && in[i - 1] == '='; i--)
        len--; /* it counts what stands for nothing */
    out[len] = '\0';
    return out;
}

/* ---- JSON ---- */

int64_t etcd_number(const json_t *object, const char *key)
{
    const json_t *v = json_object_get(object, key);
    const char *text = json_string_value(v);
    return text ? strtoll(text, NULL, 10) : json_integer_value(v);
}

json_t *etcd_key(const struct etcd *e, const char *kind, const char *name)
{
    char key[ETCD_KEY];
    int n = snprintf(key, sizeof key, "/iris/%s/%s%s", e->cluster, kind, name);
    return n < 0 || n >= (int)sizeof key ? NULL : etcd_base64(key, (size_t)n);
}

/* {"error": ".."} until 3.5, {"code", "message"} since 3.6; of an answer that does not end {"error": {"message"}}. */
const char *etcd_error(const json_t *answer)
{
    const json_t *error = json_object_get(answer, "error");
    const char *said =
        json_string_value(json_is_object(error) ? json_object_get(error, "message") : error);
    return said ? said : json_string_value(json_object_get(answer, "message"));
}

json_t *etcd_answer(int status, const char *text, size_t n, const char *why, char *out, size_t room)
{
    json_t *answer = text ? json_loadb(text, n, 0, NULL) : NULL;
    const char *said = etcd_error(answer);
    if (status == 200 && json_is_object(answer) && !json_object_get(answer, "error"))
        return answer;
    snprintf(out, room, "%s",
             said    ? said
             : !text ? why
                     : "it does not answer as etcd does (v3.4 or later is expected)");
    json_decref(answer);
    return NULL;
}

/* ---- requests ---- */

void etcd_url(const struct etcd *e, const char *path, char out[600])
{
    snprintf(out, 600, "%s%s", e->endpoints[e->at], path);
}

static int64_t patience(const struct etcd *e, const char *path)
{
    int hashes = !*e->lease && strstr(path, "authenticate"); /* that is slow on purpose */
    return hashes ? 3000 : etcd_timeout_ms(e);
}

struct http_call *etcd_post(struct etcd *e, const char *path, json_t *body, http_line *line,
                            http_done *done, void *ctx)
{
    char url[600], *text = body ? json_dumps(body, JSON_COMPACT) : NULL;
    json_decref(body);
    if (!text)
        return NULL;
    etcd_url(e, path, url);
    struct http_call *c =
        http_post(e->http, url, text, e->token, line ? 0 : patience(e, path), line, done, ctx);
    free(text);
    return c;
}
