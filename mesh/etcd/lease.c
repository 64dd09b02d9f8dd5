#include "etcd.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The lease. Until when it is ours is counted from when the request went, by our own clock, so it is never longer here
 * than at the engine; etcd may keep it longer (a new leader does), never shorter. */

/* A moment before it can end there is left to those who have names, before another can have them; and to clocks that do
 * not go alike. While this machine was suspended its clock stood still, and the engine's did not. */
int64_t lease_fence(const struct etcd *e)
{
    int64_t moment = e->ttl / 5 < ETCD_SECOND ? e->ttl / 5 : ETCD_SECOND;
    int64_t slept = http_slept(e->http) - e->slept;
    return *e->lease ? e->holds - moment - slept : 0;
}

int lease_is_ours(const struct etcd *e)
{
    return http_now(e->http) < lease_fence(e);
}

void lease_lost(struct etcd *e, const char *why)
{
    memcpy(e->old, e->lease, sizeof e->old);
    *e->lease = '\0';
    e->joined = 0;
    e->holds = 0;
    if (e->leasing)
        http_cancel(e->leasing);
    if (e->joining)
        http_cancel(e->joining);
    e->leasing = e->joining = NULL;
    e->again = http_now(e->http);
    names_refuse_all(e, "the lease is lost");
    etcd_health(e, PROVIDER_LEASE_LOST, why);
}

/* ---- one request at a time ---- */

static void on_leased(void *ctx, int status, const char *text, size_t n, const char *why)
{
    struct etcd *e = ctx;
    char words[160] = "";
    e->leasing = NULL;
    json_t *answer = etcd_answer(status, text, n, why, words, sizeof words);
    e->leased(e, answer, words);
    json_decref(answer);
    etcd_look(e);
}

static void ask(struct etcd *e, const char *path, json_t *body, etcd_leased *leased)
{
    e->leased = leased;
    e->leasing = etcd_post(e, path, body, NULL, on_leased, e);
}

/* What is under the lease was refused. */
void lease_failed(struct etcd *e, const char *why)
{
    if (strstr(why, "lease not found"))
        lease_lost(e, "the engine has ended it");
    else
        etcd_failed(e, why);
}

/* ---- who we are ---- */

static void authenticated(struct etcd *e, const json_t *answer, const char *words)
{
    const char *token = json_string_value(json_object_get(answer, "token"));
    if (token)
        e->token = strdup(token);
    else
        etcd_failed(e, answer ? "user: it gave no token" : words);
}

static void authenticate(struct etcd *e)
{
    ask(e, "/v3/auth/authenticate",
        json_pack("{s:s, s:s}", "name", e->user, "password", e->password), authenticated);
}

/* ---- the lease ---- */

/* TTL of an answer: no TTL, or one below 1, says that the lease is gone, though it is no error. */
static int take_ttl(struct etcd *e, const json_t *lease)
{
    int64_t ttl = etcd_number(lease, "TTL");
    if (ttl < 1)
        return -1;
    if (ttl > 86400)
        ttl = 86400;
    e->holds = e->asked + ttl * ETCD_SECOND;
    e->slept = e->slept_asked;
    e->renew = e->asked + ttl * ETCD_SECOND / 3;
    e->renewed = 1;
    return 0;
}

static void granted(struct etcd *e, const json_t *answer, const char *words)
{
    const char *id = json_string_value(json_object_get(answer, "ID"));
    if (!answer)
        etcd_failed(e, words);
    else if (!id || strlen(id) >= sizeof e->lease || take_ttl(e, answer))
        etcd_failed(e, "it gave no lease");
    else {
        snprintf(e->lease, sizeof e->lease, "%s", id);
        e->joined = 0;
    }
}

static void note_time(struct etcd *e)
{
    e->slept_asked = http_slept(e->http);
    e->asked = http_now(e->http);
}

static void grant(struct etcd *e)
{
    char ttl[24];
    snprintf(ttl, sizeof ttl, "%lld", (long long)((e->ttl + ETCD_SECOND - 1) / ETCD_SECOND));
    note_time(e);
    ask(e, "/v3/lease/grant", json_pack("{s:s}", "TTL", ttl), granted);
}

static void renewed(struct etcd *e, const json_t *answer, const char *words)
{
    if (!answer)
        etcd_failed(e, words);
    else if (take_ttl(e, json_object_get(answer, "result")))
        lease_lost(e, "the engine has ended it");
}

static void renew(struct etcd *e)
{
    note_time(e);
    ask(e, "/v3/lease/keepalive", json_pack("{s:s}", "ID", e->lease), renewed);
}

static void revoked(struct etcd *e, const json_t *answer, const char *words)
{
    if (answer || strstr(words, "not found"))
        *e->old = '\0';
    else
        etcd_failed(e, words);
}

/* What a lost lease still holds is let go before another is asked for. */
static void revoke_old(struct etcd *e)
{
    ask(e, "/v3/lease/revoke", json_pack("{s:s}", "ID", e->old), revoked);
}

/* ---- our own key ---- */

static void joined(void *ctx, int status, const char *text, size_t n, const char *why)
{
    struct etcd *e = ctx;
    char words[160];
    e->joining = NULL;
    json_t *answer = etcd_answer(status, text, n, why, words, sizeof words);
    if (answer)
        e->joined = !e->moved; /* else with an address of before */
    else
        lease_failed(e, words);
    e->moved = 0;
    json_decref(answer);
    etcd_look(e);
}

static void join(struct etcd *e)
{
    json_t *value = json_pack("{s:s, s:I, s:s}", "node", e->self.node, "creation",
                              (json_int_t)e->self.creation, "address", e->self.address);
    char *text = value ? json_dumps(value, JSON_COMPACT) : NULL;
    json_decref(value);
    if (text)
        e->joining =
            etcd_post(e, "/v3/kv/put",
                      json_pack("{s:o, s:o, s:s}", "key", etcd_key(e, "node/", e->self.id), "value",
                                etcd_base64(text, strlen(text)), "lease", e->lease),
                      NULL, joined, e);
    free(text);
}

/* ---- what is next ---- */

void lease_look(struct etcd *e, int64_t now)
{
    if (*e->lease && now >= lease_fence(e))
        lease_lost(e, *e->why ? e->why : "the engine was not heard of for so long");
    if (e->leasing || now < e->again)
        return;
    if (e->user && !e->token)
        authenticate(e);
    else if (*e->old)
        revoke_old(e);
    else if (!*e->lease)
        grant(e);
    else if (now >= e->renew)
        renew(e);
    if (*e->lease && !e->joined && !e->joining && now >= e->again)
        join(e);
}

int64_t lease_due(const struct etcd *e)
{
    int64_t due = *e->lease ? lease_fence(e) : INT64_MAX;
    if (!e->leasing && (!*e->lease || (!e->joined && !e->joining)))
        due = e->again < due ? e->again : due;
    if (!e->leasing && *e->lease) {
        int64_t at = e->renew > e->again ? e->renew : e->again;
        due = at < due ? at : due;
    }
    return due;
}

void lease_leave(struct etcd *e)
{
    char url[600], body[64];
    const char *id = *e->lease ? e->lease : e->old;
    if (!*id)
        return;
    etcd_url(e, "/v3/lease/revoke", url);
    snprintf(body, sizeof body, "{\"ID\":\"%s\"}", id);
    http_post_now(e->http, url, body, e->token, 1000);
}
