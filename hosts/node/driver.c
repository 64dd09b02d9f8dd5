#include "host.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* Timers, sockets and all else in the loop wait for us no longer than twice this, or as long as they kept us
 * waiting themselves. */
#define SLICE INT64_C(1000000) /* ns; of a round of turns, and of all rounds together */
#define MOST (20 * SLICE)      /* of all rounds together, behind a loop that was busy for as long */

static int64_t now_ns(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

/* ---- who has it ---- */

void iris__host_retain(struct host *h)
{
    atomic_fetch_add(&h->refs, 1);
}

void iris__host_release(struct host *h)
{
    if (atomic_fetch_sub(&h->refs, 1) != 1)
        return;
    pthread_mutex_destroy(&h->draining);
    pthread_mutex_destroy(&h->lock);
    pthread_cond_destroy(&h->changed);
    pthread_cond_destroy(&h->measured);
    for (uint32_t i = 0; i < h->nscripts; i++)
        if (((uintptr_t)h->scripts[i] & 1) == 0)
            free(h->scripts[i]);
    free(h->scripts);
    free(h->actors);
    free(h->tokens);
    free(h->token_next);
    free(h);
}

/* ---- errands and the bell ---- */

void iris__ring(struct host *h)
{
    pthread_mutex_lock(&h->lock);
    h->is_rung = 1;
    pthread_cond_signal(&h->changed);
    if (h->bell)
        uv_async_send(h->bell);
    pthread_mutex_unlock(&h->lock);
}

void iris__post(struct host *h, struct errand *e)
{
    iris__host_retain(h);
    pthread_mutex_lock(&h->lock);
    int is_there = h->bell != NULL;
    e->next = NULL;
    if (is_there) {
        *h->last = e;
        h->last = &e->next;
    }
    pthread_mutex_unlock(&h->lock);
    if (is_there) {
        iris__ring(h);
        return;
    }
    e->run(h, e); /* its environment has gone: it only frees */
    iris__host_release(h);
}

static void run_errands(struct host *h)
{
    pthread_mutex_lock(&h->lock);
    struct errand *e = h->first;
    h->first = NULL;
    h->last = &h->first;
    h->is_rung = 0;
    pthread_mutex_unlock(&h->lock);
    for (struct errand *next; e; e = next) {
        next = e->next;
        e->run(h, e);
        iris__host_release(h);
    }
}

void iris__keep_alive(struct host *h, int on)
{
    h->waits += on ? 1 : (unsigned)-1;
    if (h->bell && h->waits == (unsigned)(on != 0)) {
        if (on)
            uv_ref((uv_handle_t *)h->bell);
        else
            uv_unref((uv_handle_t *)h->bell);
    }
}

/* ---- who is busy keeps the process ----
 *
 * Calls of a program may make work: from then on the loop stays, until a look finds the runtime idle. Under
 * `iris run` the loop stays anyhow. */

enum { FIRST_LOOK = 1, LAST_LOOK = 20 }; /* ms */

static int has_errands(struct host *h)
{
    pthread_mutex_lock(&h->lock);
    int has = h->first != NULL;
    pthread_mutex_unlock(&h->lock);
    return has;
}

static void look(uv_timer_t *timer)
{
    struct host *h = timer->data;
    if (!h->is_closing && (has_errands(h) || !iris__door_is_idle(h))) {
        h->next_look = h->next_look < LAST_LOOK ? h->next_look * 2 : LAST_LOOK;
        uv_timer_start(timer, look, h->next_look, 0);
    } else
        h->is_busy = 0; /* the timer is over, and with it what kept the loop */
}

void iris__begin_busy(struct host *h)
{
    h->is_busy = 1;
    if (!h->timer)
        return;
    h->next_look = FIRST_LOOK;
    uv_timer_start(h->timer, look, FIRST_LOOK, 0);
}

/* ---- draining ---- */

/* Turns until the slice is over, or a promise wants to be looked at. */
static int drain(struct host *h)
{
    int64_t end = now_ns() + SLICE;
    int more = IRIS_OK;
    h->settles = 0;
    while (h->executor && (more = iris__api->drain(h->executor, 0)) == IRIS_AGAIN && !h->settles &&
           now_ns() < end)
        ;
    return more;
}

/* With a callback scope: at its end promises and process.nextTick() have their turn. */
static int drain_scoped(struct host *h)
{
    napi_callback_scope scope;
    napi_value resource;
    int more = IRIS_OK;
    if (napi_get_reference_value(h->env, h->resource, &resource) != napi_ok ||
        napi_open_callback_scope(h->env, resource, h->context, &scope) != napi_ok)
        return IRIS_OK;
    pthread_mutex_lock(&h->draining);
    h->is_draining = 1;
    run_errands(h);
    more = drain(h);
    napi_close_callback_scope(h->env, scope);
    h->is_draining = 0;
    pthread_mutex_unlock(&h->draining);
    return more;
}

/* Promises that had their turn have made work. */
static int is_rung(struct host *h)
{
    pthread_mutex_lock(&h->lock);
    int is = h->is_rung;
    pthread_mutex_unlock(&h->lock);
    return is;
}

/* Actors that wait get as much of the thread as the rest of the loop has just taken: a program that sends from
 * its timers and callbacks, with no pause, would else be served ever later. It has not slept since: it was rung. */
static int64_t share(const struct host *h, int64_t now)
{
    int64_t taken = h->left_waiting ? now - h->left_waiting : 0;
    return taken < SLICE ? SLICE : taken < MOST ? taken : MOST;
}

static void on_bell(uv_async_t *bell)
{
    struct host *h = bell->data;
    napi_env env = h->env;
    napi_handle_scope scope;
    int64_t now = now_ns(), end = now + share(h, now);
    int more;
    if (napi_open_handle_scope(env, &scope) != napi_ok)
        return;
    iris__host_retain(h);
    do
        more = drain_scoped(h);
    while ((more == IRIS_AGAIN || is_rung(h)) && (now = now_ns()) < end);
    h->left_waiting = more == IRIS_AGAIN ? now : 0;
    if (more == IRIS_AGAIN)
        iris__ring(h);
    if (h->depart)
        h->depart(h);
    iris__host_release(h);
    napi_close_handle_scope(env, scope);
}

/* No JavaScript runs here: the environment ends, or waits. */
void iris__wait_loop(struct host *h, int (*is_over)(void *), void *ctx)
{
    int more = IRIS_AGAIN;
    while (!is_over(ctx)) {
        pthread_mutex_lock(&h->lock);
        if (more != IRIS_AGAIN && !h->is_rung)
            pthread_cond_wait(&h->changed, &h->lock);
        h->is_rung = 0;
        pthread_mutex_unlock(&h->lock);
        run_errands(h);
        pthread_mutex_lock(&h->draining);
        h->is_draining = 1;
        more = drain(h);
        h->is_draining = 0;
        pthread_mutex_unlock(&h->draining);
    }
}

/* ---- the executor ---- */

/* [any] */
static void wake(const iris_driver *pub)
{
    iris__ring(pub->data);
}

int iris__driver_open(struct host *h)
{
    char name[24] = "node";
    if (h->number)
        snprintf(name, sizeof name, "node-%u", h->number + 1);
    iris_driver pub = {.size = sizeof pub,
                       .abi = IRIS_ABI,
                       .name = name,
                       .data = h,
                       .wake = wake,
                       .interrupt = iris__interrupt};
    if (iris__api->open(h->self, &pub, &h->executor))
        return IRIS_FAIL;
    iris__host_retain(h); /* the core's */
    return IRIS_OK;
}

void iris__driver_close(struct host *h)
{
    pthread_mutex_lock(&h->draining); /* no drain is under way, and none begins */
    iris__api->drain(h->executor, 0); /* jobs that nobody waits for */
    iris__api->close(h->executor);
    h->executor = NULL;
    h->is_closed = 1;
    pthread_mutex_unlock(&h->draining);
    iris__ring(h);
    iris__host_release(h);
}

/* ---- birth and death ---- */

static const char *const hook_names[HOOKS] = {
    "run",  "slab",   "init",   "fini", "save",  "upgrade", "migrate",  "adopt", "cancel",
    "stay", "forget", "settle", "make", "event", "load",    "endLoads", "quit"};

static int take_numbers(struct host *h, napi_value hooks)
{
    napi_value desc, places;
    void *data;
    if (napi_get_named_property(h->env, hooks, "desc", &desc) != napi_ok ||
        napi_create_reference(h->env, desc, 1, &h->desc_ref) != napi_ok ||
        napi_get_typedarray_info(h->env, desc, NULL, NULL, &data, NULL, NULL) != napi_ok)
        return -1;
    h->desc = data;
    if (napi_get_named_property(h->env, hooks, "places", &places) != napi_ok ||
        napi_get_typedarray_info(h->env, places, NULL, NULL, &data, NULL, NULL) != napi_ok)
        return -1; /* desc keeps it: see engine.js */
    h->places = data;
    return 0;
}

static int take_hooks(struct host *h, napi_value hooks)
{
    napi_value value;
    for (int i = 0; i < HOOKS; i++)
        if (napi_get_named_property(h->env, hooks, hook_names[i], &value) != napi_ok ||
            napi_create_reference(h->env, value, 1, &h->hooks[i]) != napi_ok)
            return -1;
    return napi_get_named_property(h->env, hooks, "large", &value) != napi_ok ||
           napi_create_reference(h->env, value, 1, &h->large_ref) != napi_ok ||
           take_numbers(h, hooks);
}

static int open_scope(struct host *h)
{
    napi_value name, resource;
    return napi_create_string_utf8(h->env, "iris", NAPI_AUTO_LENGTH, &name) != napi_ok ||
           napi_create_object(h->env, &resource) != napi_ok ||
           napi_create_reference(h->env, resource, 1, &h->resource) != napi_ok ||
           napi_async_init(h->env, resource, name, &h->context) != napi_ok;
}

static int open_bell(struct host *h)
{
    uv_loop_t *loop;
    uv_async_t *bell = calloc(1, sizeof *bell);
    uv_timer_t *timer = calloc(1, sizeof *timer);
    if (!bell || !timer || napi_get_uv_event_loop(h->env, &loop) != napi_ok ||
        uv_async_init(loop, bell, on_bell)) {
        free(bell);
        free(timer);
        return -1;
    }
    uv_timer_init(loop, timer);
    uv_unref((uv_handle_t *)bell);
    bell->data = timer->data = h;
    h->bell = bell;
    h->timer = timer;
    return 0;
}

static void free_handle(uv_handle_t *handle)
{
    free(handle);
}

void iris__host_leave(struct host *h)
{
    pthread_mutex_lock(&h->lock);
    uv_async_t *bell = h->bell;
    h->bell = NULL;
    h->may_run = 0;
    pthread_mutex_unlock(&h->lock);
    if (!bell)
        return;
    run_errands(h);
    uv_close((uv_handle_t *)bell, free_handle);
    uv_close((uv_handle_t *)h->timer, free_handle);
    h->timer = NULL;
    for (int i = 0; i < HOOKS; i++)
        if (h->hooks[i])
            napi_delete_reference(h->env, h->hooks[i]);
    napi_ref others[] = {h->resource, h->desc_ref, h->large_ref};
    for (size_t i = 0; i < sizeof others / sizeof *others; i++)
        if (others[i])
            napi_delete_reference(h->env, others[i]);
    if (h->context)
        napi_async_destroy(h->env, h->context);
    iris__host_release(h);
}

struct host *iris__host_create(napi_env env, napi_value hooks)
{
    struct host *h = calloc(1, sizeof *h);
    if (!h) {
        napi_throw_error(env, NULL, "no memory for a runtime");
        return NULL;
    }
    *h = (struct host){.env = env,
                       .thread = pthread_self(),
                       .refs = 1,
                       .last = &h->first,
                       .may_run = 1,
                       .used = SLAB,
                       .free_script = UINT32_MAX,
                       .free_token = UINT32_MAX};
    pthread_mutex_init(&h->draining, NULL);
    pthread_mutex_init(&h->lock, NULL);
    pthread_cond_init(&h->changed, NULL);
    pthread_cond_init(&h->measured, NULL);
    iris__interrupt_ready(h);
    if (take_hooks(h, hooks) || open_scope(h) || open_bell(h)) {
        iris__host_release(h);
        napi_throw_error(env, NULL, "the runtime finds no event loop, or no memory");
        return NULL;
    }
    return h;
}
