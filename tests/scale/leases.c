/* Many nodes with a lease each: mesh/etcd/ as it is, over an engine that does so many requests a second, in the order in
 * which they came, also those that nobody waits for any more. */
#include "etcd.h"
#include "scale.h"

#include "secret_file.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define AWAY_FROM (60 * SEC)

struct asked { /* what waits at the engine */
    struct asked *next;
    struct http_call *call; /* NULL: who asked has gone */
    int64_t at;
};

struct http_call {
    struct http_call *next;
    struct http *http;
    struct asked *asked;
    const char *answer; /* of all the same */
    http_line *line;
    http_done *done;
    void *ctx;
    int64_t deadline; /* 0: none */
    int refused, flows;
};

struct http { /* of a node */
    struct leases *all;
    void (*rang)(void *);
    void *rang_ctx;
    int64_t alarm;
    struct http_call *calls;
    void *engine;
    enum provider_health health;
    int was_ok;
};

struct leases {
    int64_t now, gone, back;
    struct asked *first, **last;
    struct spread asks;
    int64_t waited,
        waited_after; /* the longest that one did: before the engine was away, and after */
    int n, ok, lost;
    struct http *nodes;
    char granted[100]; /* an answer about a lease, to all the same */
};

/* ---- http.h ---- */

int64_t http_now(const struct http *h)
{
    return h->all->now;
}

int64_t http_slept(const struct http *h)
{
    (void)h;
    return 0;
}

void http_on_alarm(struct http *h, void (*rang)(void *), void *ctx)
{
    h->rang = rang;
    h->rang_ctx = ctx;
}

void http_alarm(struct http *h, int64_t at)
{
    h->alarm = at ? at : INT64_MAX;
}

struct http *http_create(struct uv_loop_s *loop, const struct http_files *files,
                         void (*touch)(void *), void *ctx)
{
    (void)files, (void)touch, (void)ctx;
    return (struct http *)loop;
}

void http_cancel(struct http_call *c)
{
    struct http_call **at = &c->http->calls;
    while (*at != c)
        at = &(*at)->next;
    *at = c->next;
    if (c->asked)
        c->asked->call = NULL;
    free(c);
}

void http_destroy(struct http *h)
{
    while (h->calls)
        http_cancel(h->calls);
}

static const char *answer_to(const struct leases *s, const char *url)
{
    if (strstr(url, "/v3/lease/") && !strstr(url, "revoke"))
        return s->granted;
    return strstr(url, "/v3/watch")
               ? "{\"result\": {\"created\": true, \"header\": {\"revision\": \"9\"}}}"
               : "{\"header\": {\"revision\": \"9\"}}";
}

struct http_call *http_post(struct http *h, const char *url, const char *body,
                            const char *authorization, int64_t timeout_ms, http_line *line,
                            http_done *done, void *ctx)
{
    struct leases *s = h->all;
    struct http_call *c = calloc(1, sizeof *c);
    struct asked *a = calloc(1, sizeof *a);
    (void)authorization, (void)body;
    if (!c || !a)
        abort();
    *c = (struct http_call){.next = h->calls,
                            .http = h,
                            .answer = answer_to(s, url),
                            .line = line,
                            .done = done,
                            .ctx = ctx,
                            .deadline = timeout_ms ? s->now + timeout_ms * MS : 0,
                            .refused = s->now >= s->gone && s->now < s->back};
    h->calls = c;
    spread_add(&s->asks, s->now);
    if (c->refused) {
        free(a);
        return c;
    }
    *a = (struct asked){.call = c, .at = s->now};
    c->asked = a;
    *s->last = a;
    s->last = &a->next;
    return c;
}

void http_post_now(struct http *h, const char *url, const char *body, const char *authorization,
                   int64_t timeout_ms)
{
    (void)h, (void)url, (void)body, (void)authorization, (void)timeout_ms;
}

char *secret_file_read(const char *path, enum secrecy kind, size_t most, size_t *n, char *why,
                       size_t room)
{
    (void)path, (void)kind, (void)most, (void)n;
    snprintf(why, room, "there are no files here");
    return NULL;
}

/* ---- a node ---- */

static int on_node(void *ctx, enum provider_change change, const struct provider_node *n)
{
    (void)ctx, (void)change, (void)n;
    return 0;
}

static void on_name(void *ctx, enum provider_change change, const struct provider_name *n)
{
    (void)ctx, (void)change, (void)n;
}

static void on_health(void *ctx, enum provider_health health, const char *why)
{
    struct http *h = ctx;
    (void)why;
    h->all->ok += (health == PROVIDER_OK) - (h->health == PROVIDER_OK);
    h->all->lost += health == PROVIDER_LEASE_LOST && h->health != health;
    h->health = health;
}

static void on_touch(void *ctx)
{
    (void)ctx;
}

static void end_call(struct http_call *c, const char *why)
{
    http_done *done = c->done;
    void *ctx = c->ctx;
    const char *answer = c->answer;
    http_cancel(c);
    if (why)
        done(ctx, 0, NULL, 0, why);
    else
        done(ctx, 200, answer, strlen(answer), "");
}

static void step(struct leases *s, struct http *h)
{
    for (struct http_call *c = h->calls, *next; c; c = next) {
        next = c->next;
        int dies = c->flows && s->now >= s->gone && s->now < s->back;
        if (!c->refused && !dies && !(c->deadline && s->now >= c->deadline))
            continue;
        end_call(c, c->refused || dies ? "Connection refused" : "Timeout was reached");
        next = h->calls; /* the end of one may begin or end others: those of now are not due yet */
        if (next && next->refused)
            break;
    }
    if (h->alarm <= s->now) {
        h->alarm = INT64_MAX;
        h->rang(h->rang_ctx);
    }
}

/* ---- the engine ---- */

static void serve(struct leases *s)
{
    struct asked *a = s->first;
    struct http_call *c = a->call;
    int64_t *waited = s->now < s->gone ? &s->waited : &s->waited_after;
    s->first = a->next;
    if (!s->first)
        s->last = &s->first;
    *waited = c && s->now - a->at > *waited ? s->now - a->at : *waited;
    free(a);
    if (!c)
        return;
    c->asked = NULL;
    if (!c->line)
        return end_call(c, NULL);
    c->flows = 1;
    c->line(c->ctx, c->answer, strlen(c->answer));
}

static void go_away(struct leases *s) /* what waits at it ends, too */
{
    while (s->first) {
        struct asked *a = s->first;
        s->first = a->next;
        if (a->call) {
            a->call->asked = NULL;
            a->call->refused = 1;
        }
        free(a);
    }
    s->last = &s->first;
}

static void begin(struct leases *s, int i, int ttl)
{
    char why[200], json[200], id[16];
    struct http *h = &s->nodes[i];
    const struct provider_hooks hooks = {
        .ctx = h, .node = on_node, .name = on_name, .health = on_health, .touch = on_touch};
    snprintf(json, sizeof json, "{\"etcd\": [\"http://engine\"], \"ttl_ms\": %d}", ttl * 1000);
    snprintf(id, sizeof id, "%d", i);
    const struct provider_node self = {
        .id = id, .node = id, .address = "h:9000", .creation = (uint64_t)i * 7919 + 1};
    *h = (struct http){.all = s, .alarm = INT64_MAX, .health = PROVIDER_DEGRADED};
    h->engine = etcd_calls.start((struct uv_loop_s *)h, json, &self, &hooks, why, sizeof why);
    if (!h->engine)
        abort();
}

static void tick(struct leases *s, int begun, int rate, double *due)
{
    if (s->now == s->gone)
        go_away(s);
    for (int i = 0; i < begun; i++)
        step(s, &s->nodes[i]);
    if (s->now >= s->gone && s->now < s->back)
        return;
    for (*due += rate * (STEP / 1e9); *due >= 1 && s->first; --*due)
        serve(s);
    *due = *due < 1 ? *due : 1;
}

void leases(int nodes, int ttl, int rate, int away)
{
    struct leases s = {.now = SEC, .gone = AWAY_FROM, .back = AWAY_FROM + away * SEC, .n = nodes};
    uint64_t before = 0;
    int begun = 0;
    int64_t all_ok = 0;
    double due = 0;
    s.last = &s.first;
    snprintf(s.granted, sizeof s.granted,
             "{\"ID\": \"7\", \"TTL\": \"%d\", \"result\": {\"TTL\": \"%d\"}}", ttl, ttl);
    s.nodes = calloc((size_t)nodes, sizeof *s.nodes);
    for (; s.now < s.back + 60 * SEC; s.now += STEP) {
        for (; begun < nodes && s.now > SEC + begun * 20 * SEC / nodes; begun++)
            begin(&s, begun, ttl); /* over 20 s */
        tick(&s, begun, rate, &due);
        if (s.now == 40 * SEC)
            before = s.asks.all;
        if (s.now == s.gone)
            before = s.asks.all - before;
        if (s.now < s.back || s.ok < s.n)
            all_ok = s.now < s.back || all_ok == 0 ? 0 : all_ok;
        else if (!all_ok)
            all_ok = s.now - s.back;
    }
    printf("%-6d %2d s  %2d s %14.0f %4lld ms %8u %7lld ms %5d  ", nodes, ttl, away,
           (double)before / 20, (long long)(s.waited / MS), spread_most(&s.asks, s.back),
           (long long)(s.waited_after / MS), s.lost);
    if (all_ok)
        printf("%5.1f s\n", (double)all_ok / 1e9);
    else
        printf("only %d\n", s.ok);
    for (int i = 0; i < nodes; i++)
        etcd_calls.stop(s.nodes[i].engine);
    go_away(&s);
    free(s.asks.counts);
    free(s.nodes);
}
