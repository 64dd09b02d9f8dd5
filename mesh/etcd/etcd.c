#include "etcd.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- how it is ---- */

void etcd_health(struct etcd *e, enum provider_health health, const char *why)
{
    char words[sizeof e->why];
    snprintf(words, sizeof words, "%s", why);
    if (health == PROVIDER_DEGRADED && e->health == PROVIDER_LEASE_LOST)
        health = PROVIDER_LEASE_LOST; /* until there is another */
    if (health == e->health && !strcmp(words, e->why))
        return;
    memcpy(e->why, words, sizeof e->why);
    e->health = health;
    e->hooks.health(e->hooks.ctx, health, e->why);
}

int64_t etcd_timeout_ms(const struct etcd *e)
{
    int64_t ms = e->ttl / 6 / 1000000;
    return ms < 500 ? 500 : ms > 3000 ? 3000 : ms;
}

int64_t etcd_pause(struct etcd *e)
{
    int64_t pause = ETCD_SECOND / 10,
            most = e->ttl / 6 < 5 * ETCD_SECOND ? e->ttl / 6 : 5 * ETCD_SECOND;
    for (uint32_t i = 1; i < e->failures && pause < most; i++)
        pause *= 2;
    pause = pause > most ? most : pause;
    e->chance = e->chance * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return pause / 2 + (int64_t)((e->chance >> 33) % (uint64_t)(pause / 2 + 1));
}

/* It is not known any more ("invalid auth token"): it has its time, and an engine that began again knows none. Or it is
 * one that says what its user may, and of before a role was changed ("revision of auth store is old"). */
static int is_of_token(const char *why)
{
    return strstr(why, "auth token") || strstr(why, "auth store");
}

/* 1: another is asked for at once, of the same endpoint, and nothing else is wrong. */
static int renew_token(struct etcd *e, const char *why)
{
    if (!e->user || !e->token || !is_of_token(why))
        return 0;
    free(e->token);
    e->token = NULL;
    if (e->failures)
        return 0;
    e->failures = 1; /* until all is well with it */
    e->renewed = 0;
    e->again = e->watch_again = http_now(e->http);
    if (e->renew > e->again) /* soon all is known to be well: the next one is no second failure */
        e->renew = e->again;
    return 1;
}

/* All is asked of one endpoint: one that is cut off, alone or with a minority, would answer the watch with silence. */
void etcd_failed(struct etcd *e, const char *why)
{
    char words[160];
    if (renew_token(e, why))
        return;
    e->failures++;
    e->renewed = 0;
    e->again = http_now(e->http) + etcd_pause(e);
    snprintf(words, sizeof words, "%.60s: %.90s", e->endpoints[e->at], why);
    e->at = (e->at + 1) % e->nendpoints;
    e->watch_again = e->again;
    if (e->renew > e->again) /* so it is soon known how it is */
        e->renew = e->again;
    watch_restart(e);
    etcd_health(e, PROVIDER_DEGRADED, words);
}

void etcd_look(struct etcd *e)
{
    int64_t now = http_now(e->http);
    lease_look(e, now);
    watch_look(e, now);
    if (*e->lease && e->joined && e->renewed && e->watch_lives) {
        e->failures = 0;
        etcd_health(e, PROVIDER_OK, "");
    }
    int64_t due = lease_due(e), at = watch_due(e);
    due = at < due ? at : due;
    http_alarm(e->http, due == INT64_MAX ? 0 : due < 1 ? 1 : due);
}

/* ---- the provider ---- */

static void rang(void *ctx)
{
    etcd_look(ctx);
}

static void destroy(struct etcd *e)
{
    names_finish(e);
    if (e->http)
        http_destroy(e->http);
    for (size_t i = 0; i < e->nendpoints; i++)
        free(e->endpoints[i]);
    free(e->user);
    free(e->password);
    free(e->token);
    free((char *)e->self.id);
    free((char *)e->self.node);
    free((char *)e->self.address);
    free(e);
}

static int copy_self(struct etcd *e, const struct provider_node *self)
{
    e->self = *self;
    e->self.id = strdup(self->id);
    e->self.node = strdup(self->node);
    e->self.address = strdup(self->address);
    return e->self.id && e->self.node && e->self.address ? 0 : -1;
}

static void *start(struct uv_loop_s *loop, const char *settings, const struct provider_node *self,
                   const struct provider_hooks *hooks, char *why, size_t room)
{
    struct etcd *e = calloc(1, sizeof *e);
    struct http_files files = {0};
    json_t *keep = NULL;
    snprintf(why, room, "no memory");
    if (!e)
        return NULL;
    e->hooks = *hooks;
    e->health = PROVIDER_DEGRADED;
    if (copy_self(e, self) || settings_read(e, settings, &files, &keep, why, room) ||
        !(e->http = http_create(loop, &files, hooks->touch, hooks->ctx))) {
        json_decref(keep);
        destroy(e);
        return NULL;
    }
    json_decref(keep);
    e->chance = self->creation ^ (uint64_t)http_now(e->http);
    http_on_alarm(e->http, rang, e);
    etcd_look(e);
    return e;
}

static void stop(void *provider)
{
    struct etcd *e = provider;
    lease_leave(e);
    destroy(e);
}

static int claim(void *provider, const char *name, uint64_t pid, int64_t since,
                 provider_claimed *claimed, void *ctx)
{
    return names_claim(provider, name, pid, since, claimed, ctx);
}

static void release(void *provider, const char *name, uint64_t token)
{
    names_release(provider, name, token);
}

static int64_t holds(void *provider)
{
    return lease_fence(provider);
}

static void announce(void *provider, const char *address)
{
    struct etcd *e = provider;
    char *copy = strdup(address);
    if (!copy)
        return;
    free((char *)e->self.address);
    e->self.address = copy;
    e->joined = 0;
    e->moved = e->joining != NULL;
    etcd_look(e);
}

const struct provider etcd_calls = {.size = sizeof etcd_calls,
                                    .abi = IRIS_ABI,
                                    .kind = "etcd",
                                    .start = start,
                                    .stop = stop,
                                    .claim = claim,
                                    .release = release,
                                    .holds = holds,
                                    .announce = announce};
