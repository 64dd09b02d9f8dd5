/* A handler file becomes a module of its own each time it is loaded: iris/load.js does that, on the
 * environment's thread, and the loader waits. */
#include "host.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define GRACE INT64_C(2000000000) /* ns beyond the limit, in which JavaScript says so itself */

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

static void free_both(napi_env env, void *data, void *hint)
{
    (void)env, (void)hint;
    free(data);
}

static napi_value text_or_null(napi_env env, const char *text)
{
    return text ? iris__string(env, text, strlen(text)) : iris__null(env);
}

static int64_t limit_of(const iris_source *s)
{
    return IRIS_HAS(s, limit) ? s->limit : 0;
}

/* file, symbol, code, config, ms that it may take; the loader waits, unless it has given up. */
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
    }
    pthread_mutex_unlock(&l->lock);
    return is_abandoned;
}

static void begin(struct host *h, struct errand *e)
{
    struct loading *l = (struct loading *)e;
    napi_handle_scope scope;
    napi_value argv[6];
    void **both = malloc(2 * sizeof *both);
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
    if (napi_create_function(h->env, "told", NAPI_AUTO_LENGTH, told, both, &argv[5]) == napi_ok)
        napi_add_finalizer(h->env, argv[5], both, free_both, NULL, NULL);
    if (!iris__hook(h, HOOK_LOAD, 6, argv) && both[1]) {
        both[1] = NULL;
        finish(l, NULL, strdup(iris__door_reason()));
    }
    h->settles = 1;
    napi_close_handle_scope(h->env, scope);
}

/* 1: it is done. */
static int wait_for(struct loading *l, int64_t limit)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    t.tv_sec += (limit + GRACE) / 1000000000;
    pthread_mutex_lock(&l->lock);
    for (int late = 0; !l->is_done && !late;)
        late = limit ? pthread_cond_timedwait(&l->changed, &l->lock, &t) == ETIMEDOUT
                     : pthread_cond_wait(&l->changed, &l->lock) != 0;
    l->is_abandoned = !l->is_done;
    int is_done = l->is_done;
    pthread_mutex_unlock(&l->lock);
    return is_done;
}

int iris__load(struct host *h, const iris_source *source, iris_version **out)
{
    int64_t limit = limit_of(source);
    struct loading *l = create(source);
    if (!l)
        return iris__api->fail("%s: no memory", source->file);
    l->errand.run = begin;
    iris__post(h, &l->errand);
    if (!wait_for(l, limit))
        return iris__api->fail(
            "%s: the environment of Node has not come to it within %g s: a handler "
            "of another actor does not return, perhaps",
            source->file, (double)limit / 1e9);
    *out = l->version;
    int result =
        l->version ? IRIS_OK : iris__api->fail("%s", l->why ? l->why : "no reason was given");
    destroy(l);
    return result;
}
