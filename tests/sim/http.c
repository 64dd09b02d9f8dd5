/* mesh/etcd/http.h over a simulated way. A request and its answer are each late, or lost; some come twice, as a proxy in
 * between makes them; what lies on a way that is cut arrives when it is whole again, or never. Who asked gives up after
 * his time, and what he asked for may be done later all the same. */
#include "http.h"

#include "engine.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PATIENCE (5 * SEC) /* of the engine, with what it cannot agree on */

struct http {
    struct node *node;
    void (*rang)(void *);
    void *rang_ctx;
    uint64_t alarm;
    struct http_call *calls;
};

struct http_call {
    struct http_call *next;
    struct request *request;
    uint64_t number;
    http_line *line;
    http_done *done;
    void *ctx;
    struct http *http;
};

static event_run arrives, comes, ends, line_comes, flows, rings;

/* ---- the clock ---- */

int64_t http_now(const struct http *h)
{
    return node_local(h->node, h->node->sim->now);
}

int64_t http_slept(const struct http *h)
{
    (void)h;
    return 0;
}

static void rings(struct sim *s, int node, void *what, uint64_t a)
{
    struct node *n = &s->nodes[node];
    (void)what;
    if (!n->http || n->http->alarm != a)
        return;
    s->engine->dirty = 1;
    IN(n, n->http->rang(n->http->rang_ctx));
}

void http_on_alarm(struct http *h, void (*rang)(void *), void *ctx)
{
    h->rang = rang;
    h->rang_ctx = ctx;
}

void http_alarm(struct http *h, int64_t at)
{
    struct sim *s = h->node->sim;
    h->alarm = ++s->engine->calls;
    if (at)
        sim_at(s, node_world(h->node, at) + sim_between(s, 0, 10 * MS), h->node->number, rings,
               NULL, h->alarm);
}

/* ---- the way ---- */

static struct to_engine *way_of(struct sim *s, const struct request *r)
{
    return &s->engine->ways[r->node][r->part];
}

static int64_t later(struct sim *s, const struct request *r)
{
    return s->now + sim_between(s, 100 * US, way_of(s, r)->delay);
}

/* The call of a request, if who asked still waits. */
static struct http_call *waits(struct sim *s, const struct request *r)
{
    const struct node *n = &s->nodes[r->node];
    if (n->state != ALIVE || n->life != r->life || !n->http)
        return NULL;
    struct http_call *c = n->http->calls;
    while (c && c->number != r->call)
        c = c->next;
    return c;
}

static void take_out(struct http_call *c)
{
    struct http_call **at = &c->http->calls;
    while (*at != c)
        at = &(*at)->next;
    *at = c->next;
}

static void finish(struct sim *s, struct request *r, const char *why)
{
    struct http_call *c = waits(s, r);
    struct node *n = &s->nodes[r->node];
    if (!c)
        return;
    take_out(c);
    r->next = 0;
    s->engine->dirty = 1;
    s->tally.answers++;
    sim_trace(s, r->node, why ? "call %llu fails" : "call %llu is answered", c->number, 0, 0);
    if (s->loud)
        printf("                  (%s: %s)\n", r->path, why ? why : r->answer);
    if (why)
        IN(n, c->done(c->ctx, 0, NULL, 0, why));
    else
        IN(n, c->done(c->ctx, r->status, r->answer, strlen(r->answer), ""));
    free(c);
}

static void ends(struct sim *s, int node, void *what, uint64_t a)
{
    static const char *const why[] = {"Connection refused", "Connection reset by peer",
                                      "Timeout was reached"};
    (void)node;
    finish(s, what, why[a]);
}

/* Its last piece is there: what was lost by a cut is sent again when that is over. */
static void comes(struct sim *s, int node, void *what, uint64_t a)
{
    struct request *r = what;
    (void)a;
    if (way_of(s, r)->cut)
        sim_at(s, s->now + sim_between(s, 100 * MS, SEC), node, comes, r, 0);
    else
        finish(s, r, NULL);
}

static void answered(struct sim *s, struct request *r)
{
    if (sim_chance(s, s->engine->lossy))
        sim_at(s, later(s, r), r->node, ends, r, 1);
    else
        sim_at(s, later(s, r), r->node, comes, r, 0);
}

/* ---- a request ---- */

static int may(struct sim *s, const struct request *r)
{
    const struct engine *e = s->engine;
    const json_t *stale = json_object_get(r->body, "serializable");
    if (engine_agrees(s, r->part) || json_is_true(stale))
        return 1;
    return e->watched && !e->parts[r->part].apart && s->now < e->headless_from + SEC &&
           !strcmp(r->path, "/v3/lease/keepalive");
}

/* It is carried out, though he who asked may have gone; or it waits for a leader. */
static void carry_out(struct sim *s, int node, void *what, uint64_t again)
{
    struct request *r = what;
    if (s->engine->parts[r->part].down)
        return;
    if (may(s, r)) {
        sim_trace(s, -1, "engine: member %llu does call %llu", (uint64_t)r->part, r->call, 0);
        answer_request(s, r);
        if (!again) /* of the second time nobody hears */
            answered(s, r);
    } else if (s->now - r->came < PATIENCE)
        sim_at(s, s->now + sim_between(s, 20 * MS, 200 * MS), node, carry_out, r, again);
    else if (!again) {
        answer_refusal(r, "etcdserver: request timed out");
        answered(s, r);
    }
}

static void arrives(struct sim *s, int node, void *what, uint64_t again)
{
    struct request *r = what;
    const struct to_engine *w = way_of(s, r);
    if (w->cut)
        return sim_at(s, s->now + sim_between(s, 100 * MS, SEC), node, arrives, r, again);
    if (s->engine->parts[r->part].down)
        return again ? (void)0 : sim_at(s, later(s, r), r->node, ends, r, 0);
    if (s->engine->freezes && !again) {
        fault_freeze(s, r->node, s->engine->freezes);
        s->engine->freezes = 0;
    }
    r->came = s->now;
    if (!r->body) /* now: it is not the node's memory */
        r->body = json_loads(r->text, 0, NULL);
    if (!strcmp(r->path, "/v3/watch"))
        return flows(s, -1, r, 0);
    if (!again && sim_chance(s, s->engine->twice))
        sim_at(s, s->now + sim_between(s, 0, 4 * SEC), -1, arrives, r, 1);
    carry_out(s, -1, r, again);
}

/* ---- a watch ---- */

static void line_comes(struct sim *s, int node, void *what, uint64_t a)
{
    const struct line *l = what;
    struct http_call *c = waits(s, l->request);
    struct node *n = &s->nodes[node];
    (void)a;
    if (!c)
        return;
    s->engine->dirty = 1;
    if (s->loud)
        printf("%12.6f n%d  (watch: %s)\n", (double)s->now / 1e9, node, l->text);
    IN(n, c->line(c->ctx, l->text, strlen(l->text)));
}

static void send_line(struct sim *s, struct request *r, char *text)
{
    struct engine *e = s->engine;
    struct line *l = calloc(1, sizeof *l);
    int64_t at = later(s, r);
    if (!l)
        abort();
    *l = (struct line){r, text};
    e->lines = sim_grow(e->lines, &e->lines_room, e->nlines, sizeof *e->lines);
    e->lines[e->nlines++] = l;
    r->last = at > r->last ? at : r->last;
    sim_at(s, r->last, r->node, line_comes, l, 0);
}

static void flows(struct sim *s, int node, void *what, uint64_t a)
{
    struct request *r = what;
    char *text;
    (void)node, (void)a;
    if (!waits(s, r) || r->silent)
        return;
    if (s->engine->parts[r->part].down)
        return sim_at(s, later(s, r), r->node, ends, r, 1);
    if (!way_of(s, r)->cut && (text = answer_watch(s, r)))
        send_line(s, r, text);
    sim_at(s, s->now + sim_between(s, MS, 60 * MS), -1, flows, r, 0);
}

/* Silently: its ends find out when the kernel's probes were not answered. */
void http_watches(struct sim *s, int part, int silently, uint32_t percent)
{
    struct engine *e = s->engine;
    for (size_t i = 0; i < e->nrequests; i++) {
        struct request *r = e->requests[i];
        int64_t at = s->now + (silently ? sim_between(s, 5 * SEC, 23 * SEC) : 0);
        if (r->part != part || strcmp(r->path, "/v3/watch") != 0 || !waits(s, r) || r->silent ||
            !sim_chance(s, percent))
            continue;
        sim_trace(s, r->node, silently ? "watch %llu is dead" : "watch %llu is reset", r->call, 0,
                  0);
        r->silent = 1;
        sim_at(s, at, r->node, ends, r, 1);
    }
}

/* Each end is asked by its kernel, within that time, whether the other one is there. */
void http_noticed(struct sim *s)
{
    for (size_t i = 0; i < s->engine->nrequests; i++)
        if (s->engine->requests[i]->silent)
            sim_at(s, s->now + sim_between(s, 0, 5 * SEC), s->engine->requests[i]->node, ends,
                   s->engine->requests[i], 1);
}

/* ---- http.h ---- */

struct http *http_create(struct uv_loop_s *loop, const struct http_files *files,
                         void (*touch)(void *), void *ctx)
{
    struct http *h = calloc(1, sizeof *h);
    (void)files, (void)touch, (void)ctx;
    if (!h)
        abort();
    h->node = (struct node *)loop;
    h->node->http = h;
    return h;
}

void http_destroy(struct http *h)
{
    while (h->calls)
        http_cancel(h->calls);
    h->node->http = NULL;
    free(h);
}

/* "http://engine2/v3/..": of member 2 */
static struct request *request_of(struct node *n, const char *url, const char *body)
{
    struct engine *e = n->sim->engine;
    struct request *r = calloc(1, sizeof *r);
    const char *path = strstr(url, "/v3/");
    if (!r || !path || !(r->path = strdup(path)) || !(r->text = strdup(body)))
        abort();
    r->node = n->number;
    r->life = n->life;
    r->part = path[-1] - '0';
    r->call = ++e->calls;
    e->requests = sim_grow(e->requests, &e->requests_room, e->nrequests, sizeof *e->requests);
    e->requests[e->nrequests++] = r;
    return r;
}

struct http_call *http_post(struct http *h, const char *url, const char *body,
                            const char *authorization, int64_t timeout_ms, http_line *line,
                            http_done *done, void *ctx)
{
    struct node *n = h->node;
    struct sim *s = n->sim;
    struct request *r = request_of(n, url, body);
    struct http_call *c = calloc(1, sizeof *c);
    (void)authorization;
    if (!c)
        abort();
    *c = (struct http_call){.next = h->calls,
                            .request = r,
                            .number = r->call,
                            .line = line,
                            .done = done,
                            .ctx = ctx,
                            .http = h};
    h->calls = c;
    sim_trace(s, n->number, "call %llu to member %llu", r->call, (uint64_t)r->part, 0);
    if (s->loud)
        printf("                  (%s: %s)\n", r->path, body);
    sim_at(s, later(s, r), -1, arrives, r, 0);
    if (timeout_ms)
        sim_at(s, s->now + timeout_ms * MS, n->number, ends, r, 2);
    return c;
}

void http_cancel(struct http_call *c)
{
    take_out(c);
    free(c);
}

void http_post_now(struct http *h, const char *url, const char *body, const char *authorization,
                   int64_t timeout_ms)
{
    struct node *n = h->node;
    (void)authorization, (void)timeout_ms;
    if (n->state == ALIVE) { /* else it was killed */
        struct request *r = request_of(n, url, body);
        sim_at(n->sim, later(n->sim, r), -1, arrives, r, 0);
    }
}
