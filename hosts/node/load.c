/* A handler file becomes a module of its own each time it is loaded: iris/load.js does that, on the
 * environment's thread, and the loader waits. */
#include "host.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define GRACE INT64_C(2000000000)   /* ns beyond the limit, in which JavaScript says so itself */
#define PATIENCE INT64_C(500000000) /* the same where all loads are ended */
#define ENDED "its load was ended: the app is stopping"

/* The loader's and the environment's; whoever comes last frees it. */
struct loading {
    struct errand errand;
    const iris_source *source; /* until the loader has given up */
    pthread_mutex_t lock;
    pthread_cond_t changed;
    int is_done, is_abandoned;
    iris_version *version;
    char *why;
};

static struct loading *create(const iris_source *source)
{
    pthread_condattr_t attr;
    struct loading *l = calloc(1, sizeof *l);
    if (!l)
        return NULL;
    l->source = source;
    pthread_mutex_init(&l->lock, NULL);
    pthread_condattr_init(&attr);
    pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
    pthread_cond_init(&l->changed, &attr);
    pthread_condattr_destroy(&attr);
    return l;
}

static void destroy(struct loading *l)
{
    pthread_mutex_destroy(&l->lock);
    pthread_cond_destroy(&l->changed);
    free(l->why);
    free(l);
}

static void finish(struct loading *l, iris_version *v, char *why)
{
    pthread_mutex_lock(&l->lock);
    int is_abandoned = l->is_abandoned;
    l->version = v;
    l->why = why;
    l->is_done = 1;
    pthread_cond_signal(&l->changed);
    pthread_mutex_unlock(&l->lock);
    if (!is_abandoned)
        return;
    if (v)
        iris__api->release(v);
    destroy(l);
}

/* told(number) or told(-1, why) */
static napi_value told(napi_env env, napi_callback_info info)
{
    napi_value argv[2];
    size_t argc = 2;
    void *data;
    int32_t number = -1;
    if (napi_get_cb_info(env, info, &argc, argv, NULL, &data) != napi_ok)
        return NULL;
    void **both = data;
    struct host *h = both[0];
    struct loading *l = both[1];
    if (!l)
        return NULL;
    both[1] = NULL;
    napi_get_value_int32(env, argv[0], &number);
    if (number >= 0 && (uint32_t)number < h->nscripts)
        finish(l, h->scripts[number]->version, NULL); /* its own reference becomes the caller's */
    else
        finish(l, NULL, iris__text(env, argv[1], "an error"));
    return NULL;
}

/* Nobody can tell any more: what it was to be told of never came. */
static void free_both(napi_env env, void *data, void *hint)
{
    void **both = data;
    (void)env, (void)hint;
    if (both[1])
        finish(both[1], NULL, NULL);
    free(both);
}

static napi_value text_or_null(napi_env env, const char *text)
{
    return text ? iris__string(env, text, strlen(text)) : iris__null(env);
}

static int64_t limit_of(const iris_source *s)
{
    return IRIS_HAS(s, limit) ? s->limit : 0;
}

/* file, symbol, code, config, ms that it may take, whether it is a migration; the loader waits, unless it has given up. */
static int copy_source(struct host *h, struct loading *l, napi_value *argv)
{
    const iris_source *s = l->source;
    pthread_mutex_lock(&l->lock);
    int is_abandoned = l->is_abandoned;
    if (!is_abandoned) {
        argv[0] = text_or_null(h->env, s->file);
        argv[1] = text_or_null(h->env, s->symbol);
        argv[2] = iris__string(h->env, s->code.data, s->code.len);
        argv[3] = text_or_null(h->env, s->config);
        int64_t ms = limit_of(s) / 1000000;
        argv[4] = iris__number(h->env, (double)(ms < INT32_MAX ? ms : INT32_MAX));
        argv[5] = iris__boolean(h->env, IRIS_HAS(s, wanted) && s->wanted == IRIS_MIGRATION);
    }
    pthread_mutex_unlock(&l->lock);
    return is_abandoned;
}

static void begin(struct host *h, struct errand *e)
{
    struct loading *l = (struct loading *)e;
    napi_handle_scope scope;
    napi_value argv[7];
    void **both = malloc(2 * sizeof *both);
    if (atomic_load(&h->ends_loads)) {
        free(both);
        finish(l, NULL, strdup(ENDED));
        return;
    }
    if (!h->may_run || !both || napi_open_handle_scope(h->env, &scope) != napi_ok) {
        free(both);
        finish(l, NULL, strdup("the environment of Node has ended"));
        return;
    }
    both[0] = h;
    both[1] = l;
    if (copy_source(h, l, argv)) {
        napi_close_handle_scope(h->env, scope);
        free(both);
        destroy(l);
        return;
    }
    if (napi_create_function(h->env, "told", NAPI_AUTO_LENGTH, told, both, &argv[6]) == napi_ok)
        napi_add_finalizer(h->env, argv[6], both, free_both, NULL, NULL);
    if (!iris__hook(h, HOOK_LOAD, 7, argv) && both[1]) {
        both[1] = NULL;
        finish(l, NULL, strdup(iris__door_reason()));
    }
    h->settles = 1;
    napi_close_handle_scope(h->env, scope);
}

static int64_t now_ns(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

/* Under its lock. 1: it is time. */
static int wait_until(struct loading *l, int64_t end)
{
    struct timespec t = {end / 1000000000, end % 1000000000};
    if (end == INT64_MAX)
        return pthread_cond_wait(&l->changed, &l->lock) != 0;
    return pthread_cond_timedwait(&l->changed, &l->lock, &t) == ETIMEDOUT;
}

/* 1: it is done. */
static int wait_for(struct host *h, struct loading *l, int64_t limit)
{
    int64_t now = now_ns();
    int64_t end = limit && limit < INT64_MAX - GRACE - now ? now + limit + GRACE : INT64_MAX;
    int ends = 0;
    pthread_mutex_lock(&l->lock);
    for (int late = 0; !l->is_done && !late; late = wait_until(l, end))
        if (!ends && atomic_load(&h->ends_loads)) {
            ends = 1;
            end = now_ns() + PATIENCE;
        }
    l->is_abandoned = !l->is_done;
    int is_done = l->is_done;
    pthread_mutex_unlock(&l->lock);
    return is_done;
}

static void note(struct host *h, struct loading *l)
{
    pthread_mutex_lock(&h->lock);
    h->loading = l;
    pthread_mutex_unlock(&h->lock);
}

static int give_up(struct host *h, const iris_source *source)
{
    if (!atomic_load(&h->ends_loads))
        return iris__api->fail(
            "%s: the environment of Node has not come to it within %g s: a handler "
            "of another actor does not return, perhaps",
            source->file, (double)limit_of(source) / 1e9);
    return iris__api->fail("%s: " ENDED, source->file);
}

int iris__load(struct host *h, const iris_source *source, iris_version **out)
{
    struct loading *l = create(source);
    if (!l)
        return iris__api->fail("%s: no memory", source->file);
    l->errand.run = begin;
    note(h, l);
    iris__post(h, &l->errand);
    int is_done = wait_for(h, l, limit_of(source));
    note(h, NULL);
    if (!is_done)
        return give_up(h, source);
    *out = l->version;
    int result =
        l->version ? IRIS_OK : iris__api->fail("%s", l->why ? l->why : "no reason was given");
    destroy(l);
    return result;
}

/* ---- the end ---- */

static void end_waiting(struct host *h, struct errand *e)
{
    napi_handle_scope scope;
    free(e);
    if (!h->may_run || napi_open_handle_scope(h->env, &scope) != napi_ok)
        return;
    iris__hook(h, HOOK_END_LOADS, 0, NULL);
    h->settles = 1;
    napi_close_handle_scope(h->env, scope);
}

/* Code that runs is terminated, what it awaits is given up, and who waits for either is told to look. */
void iris__end_loads(struct host *h)
{
    struct errand *e = atomic_exchange(&h->ends_loads, 1) ? NULL : calloc(1, sizeof *e);
    iris__interrupt_load(h);
    pthread_mutex_lock(&h->lock);
    if (h->loading) {
        pthread_mutex_lock(&h->loading->lock);
        pthread_cond_signal(&h->loading->changed);
        pthread_mutex_unlock(&h->loading->lock);
    }
    pthread_mutex_unlock(&h->lock);
    if (!e)
        return;
    e->run = end_waiting;
    iris__post(h, e);
}
