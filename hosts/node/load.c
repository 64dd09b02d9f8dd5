/* A handler file becomes a module of its own each time it is loaded: iris/load.js does that, on the
 * environment's thread, and the loader waits. */
#include "host.h"

#include <stdlib.h>
#include <string.h>

struct loading {
    struct errand errand;
    const iris_source *source;
    pthread_mutex_t lock;
    pthread_cond_t changed;
    int is_done;
    iris_version *version;
    char *why;
};

static void finish(struct loading *l, iris_version *v, char *why)
{
    pthread_mutex_lock(&l->lock);
    l->version = v;
    l->why = why;
    l->is_done = 1;
    pthread_cond_signal(&l->changed);
    pthread_mutex_unlock(&l->lock);
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

static void begin(struct host *h, struct errand *e)
{
    struct loading *l = (struct loading *)e;
    const iris_source *s = l->source;
    napi_handle_scope scope;
    napi_value argv[5];
    void **both = malloc(2 * sizeof *both);
    if (!h->may_run || !both || napi_open_handle_scope(h->env, &scope) != napi_ok) {
        free(both);
        finish(l, NULL, strdup("the environment of Node has ended"));
        return;
    }
    both[0] = h;
    both[1] = l;
    argv[0] = text_or_null(h->env, s->file);
    argv[1] = text_or_null(h->env, s->symbol);
    argv[2] = iris__string(h->env, s->code.data, s->code.len);
    argv[3] = text_or_null(h->env, s->config);
    if (napi_create_function(h->env, "told", NAPI_AUTO_LENGTH, told, both, &argv[4]) == napi_ok)
        napi_add_finalizer(h->env, argv[4], both, free_both, NULL, NULL);
    if (!iris__hook(h, HOOK_LOAD, 5, argv) && both[1]) {
        both[1] = NULL;
        finish(l, NULL, strdup(iris__door_reason()));
    }
    h->settles = 1;
    napi_close_handle_scope(h->env, scope);
}

int iris__load(struct host *h, const iris_source *source, iris_version **out)
{
    struct loading l = {.errand.run = begin,
                        .source = source,
                        .lock = PTHREAD_MUTEX_INITIALIZER,
                        .changed = PTHREAD_COND_INITIALIZER};
    iris__post(h, &l.errand);
    pthread_mutex_lock(&l.lock);
    while (!l.is_done)
        pthread_cond_wait(&l.changed, &l.lock);
    pthread_mutex_unlock(&l.lock);
    *out = l.version;
    if (l.version)
        return IRIS_OK;
    iris__api->fail("%s", l.why ? l.why : "no reason was given");
    free(l.why);
    return IRIS_FAIL;
}
