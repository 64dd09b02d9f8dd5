#include "host.h"

#include <stdlib.h>
#include <string.h>

/* States are engine.js's; the core has their numbers, from 1. */

static int note_actor(struct host *h, uint32_t state, iris_actor *self)
{
    if (state >= h->nactors) {
        uint32_t n = h->nactors ? h->nactors * 2 : 64;
        while (n <= state)
            n *= 2;
        iris_actor **actors = realloc(h->actors, n * sizeof(iris_actor *));
        if (!actors)
            return iris__api->fail("node: no memory for a state");
        memset(actors + h->nactors, 0, (n - h->nactors) * sizeof(iris_actor *));
        h->actors = actors;
        h->nactors = n;
    }
    h->actors[state] = self;
    return IRIS_OK;
}

/* Calls a hook that gives a state's number, and notes it. */
static int state_by(struct host *h, enum hook hook, iris_actor *self, size_t argc,
                    const napi_value *argv, void **state)
{
    uint32_t number = 0;
    h->current = self;
    napi_value made = iris__hook(h, hook, argc, argv);
    h->current = NULL;
    if (!made)
        return IRIS_FAIL;
    napi_get_value_uint32(h->env, made, &number);
    *state = (void *)(uintptr_t)number;
    return number ? note_actor(h, number, self) : IRIS_OK;
}

int iris__state_init(const iris_behaviour *b, iris_actor *self, iris_bytes args, void **state)
{
    const struct script *s = b->data;
    struct host *h = s->host;
    napi_handle_scope scope;
    if (!h->may_run)
        return iris__api->fail("the environment of Node ends");
    napi_open_handle_scope(h->env, &scope);
    napi_value argv[] = {iris__number(h->env, s->number),
                         args.len ? iris__string(h->env, args.data, args.len)
                                  : iris__undefined(h->env),
                         iris__number(h->env, (double)iris__api->pid(self))};
    int result = state_by(h, HOOK_INIT, self, 3, argv, state);
    h->settles |= s->kind == KIND_PULL;
    napi_close_handle_scope(h->env, scope);
    return result;
}

void iris__state_fini(const iris_behaviour *b, iris_actor *self, void *state)
{
    const struct script *s = b->data;
    struct host *h = s->host;
    uint32_t number = (uint32_t)(uintptr_t)state;
    napi_handle_scope scope;
    if (!pthread_equal(h->thread, pthread_self()))
        return;
    if (number && number < h->nactors)
        h->actors[number] = NULL;
    if (!h->may_run)
        return;
    napi_open_handle_scope(h->env, &scope);
    napi_value argv[] = {iris__number(h->env, s->number), iris__number(h->env, number),
                         iris__number(h->env, (double)iris__api->pid(self))};
    iris__hook(h, HOOK_FINI, 3, argv);
    h->settles |= s->kind == KIND_PULL;
    napi_close_handle_scope(h->env, scope);
}

/* ---- as bytes ---- */

/* Calls a hook that gives bytes, or nothing where a function has none. */
static int bytes_by(struct host *h, enum hook hook, iris_actor *self, const napi_value *argv,
                    iris_sink *sink)
{
    napi_valuetype type = napi_undefined;
    const void *data;
    size_t len;
    char *own = NULL;
    h->current = self;
    napi_value saved = iris__hook(h, hook, 3, argv);
    h->current = NULL;
    if (!saved)
        return IRIS_FAIL;
    napi_typeof(h->env, saved, &type);
    if (type == napi_undefined || type == napi_null)
        return IRIS_OK;
    if (iris__bytes_of(h, saved, &data, &len, &own))
        return iris__fail_pending(h);
    int result = sink->write(sink, data, len);
    free(own);
    return result;
}

/* save(script, state, to); to -1: its own version. */
static int write_state(const struct script *s, iris_actor *self, const void *state, double to,
                       iris_sink *sink)
{
    struct host *h = s->host;
    napi_value argv[] = {iris__number(h->env, s->number),
                         iris__number(h->env, (double)(uintptr_t)state), iris__number(h->env, to)};
    return bytes_by(h, HOOK_SAVE, self, argv, sink);
}

static int save_as(const iris_behaviour *b, iris_actor *self, const void *state, double to,
                   iris_sink *sink)
{
    const struct script *s = b->data;
    napi_handle_scope scope;
    if (!s->host->may_run)
        return iris__api->fail("the environment of Node ends");
    napi_open_handle_scope(s->host->env, &scope);
    int result = write_state(s, self, state, to, sink);
    napi_close_handle_scope(s->host->env, scope);
    return result;
}

int iris__state_save(const iris_behaviour *b, iris_actor *self, const void *state, iris_sink *sink)
{
    return save_as(b, self, state, -1, sink);
}

int iris__state_downgrade(const iris_behaviour *b, iris_actor *self, const void *state, uint32_t to,
                          iris_sink *sink)
{
    return save_as(b, self, state, to, sink);
}

/* A scope, for the caller to close, with the saved bytes in it. */
static int open_saved(struct host *h, iris_bytes saved, napi_handle_scope *scope, napi_value *bytes)
{
    if (!h->may_run)
        return iris__api->fail("the environment of Node ends");
    napi_open_handle_scope(h->env, scope);
    if (napi_create_buffer_copy(h->env, saved.len, saved.data, NULL, bytes) == napi_ok)
        return IRIS_OK;
    napi_close_handle_scope(h->env, *scope);
    return IRIS_FAIL;
}

int iris__state_upgrade(const iris_behaviour *b, iris_actor *self, uint32_t from, iris_bytes saved,
                        void **state)
{
    const struct script *s = b->data;
    struct host *h = s->host;
    napi_handle_scope scope;
    napi_value bytes;
    if (open_saved(h, saved, &scope, &bytes) != IRIS_OK)
        return IRIS_FAIL;
    napi_value argv[] = {iris__number(h->env, s->number), iris__number(h->env, from), bytes,
                         iris__number(h->env, (double)iris__api->pid(self))};
    int result = state_by(h, HOOK_UPGRADE, self, 4, argv, state);
    napi_close_handle_scope(h->env, scope);
    return result;
}

int iris__state_migrate(const iris_behaviour *b, iris_actor *self, uint32_t from, iris_bytes saved,
                        iris_sink *sink)
{
    const struct script *s = b->data;
    struct host *h = s->host;
    napi_handle_scope scope;
    napi_value bytes;
    if (open_saved(h, saved, &scope, &bytes) != IRIS_OK)
        return IRIS_FAIL;
    napi_value argv[] = {iris__number(h->env, s->number), bytes, iris__number(h->env, from)};
    int result = bytes_by(h, HOOK_MIGRATE, self, argv, sink);
    napi_close_handle_scope(h->env, scope);
    return result;
}

/* adopt(new, old, state): 0: it is the new one's; 1: by bytes. */
int iris__state_adopt(const iris_behaviour *b, iris_actor *self, const iris_behaviour *old,
                      void **state)
{
    const struct script *s = b->data, *before = old->data;
    struct host *h = s->host;
    napi_handle_scope scope;
    int32_t result = IRIS_FAIL;
    if ((before->kind == KIND_PULL) != (s->kind == KIND_PULL))
        return iris__api->fail(
            "one of \"%s\" and \"%s\" is a pull handler and the other is none; stop the "
            "actor and start the new one",
            old->name, b->name);
    if (s->kind == KIND_CALL && before->kind == KIND_CALL &&
        !((s->flags | before->flags) & (SCRIPT_SAVES | SCRIPT_BORROW)))
        return IRIS_OK; /* functions have no state */
    if (!h->may_run || napi_open_handle_scope(h->env, &scope) != napi_ok)
        return IRIS_FAIL;
    napi_value argv[] = {iris__number(h->env, s->number), iris__number(h->env, before->number),
                         iris__number(h->env, (double)(uintptr_t)*state)};
    h->current = self;
    napi_value answer = iris__hook(h, HOOK_ADOPT, 3, argv);
    h->current = NULL;
    if (answer)
        napi_get_value_int32(h->env, answer, &result);
    h->settles |= s->kind == KIND_PULL;
    napi_close_handle_scope(h->env, scope);
    return result;
}
