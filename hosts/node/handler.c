#include "host.h"

#include <stdlib.h>
#include <string.h>

/* A batch becomes one call into JavaScript: run(script, state, n) of iris/engine.js. Where each message
 * lies stands in host.desc, which both see; the bytes lie in a slab that is filled once and left to the
 * garbage collector, so a Buffer that a handler keeps stays what it is. */

int iris__fail_pending(struct host *h)
{
    napi_value error = NULL, text;
    bool is = false;
    char *words = NULL;
    napi_is_exception_pending(h->env, &is);
    if (is)
        napi_get_and_clear_last_exception(h->env, &error);
    if (error && napi_coerce_to_string(h->env, error, &text) == napi_ok)
        words = iris__text(h->env, text, "an error");
    napi_is_exception_pending(h->env, &is);
    if (is)
        napi_get_and_clear_last_exception(h->env, &error);
    iris__api->fail("%s", words ? words : "the code of Node's side could not be called");
    free(words);
    return IRIS_FAIL;
}

napi_value iris__hook(struct host *h, enum hook hook, size_t argc, const napi_value *argv)
{
    napi_value function, result, undefined = iris__undefined(h->env);
    if (!h->may_run) {
        iris__api->fail("the environment of Node ends");
        return NULL;
    }
    if (napi_get_reference_value(h->env, h->hooks[hook], &function) == napi_ok &&
        napi_call_function(h->env, undefined, function, argc, argv, &result) == napi_ok)
        return result;
    iris__fail_pending(h);
    return NULL;
}

/* ---- where messages lie ---- */

static int fresh_slab(struct host *h)
{
    napi_value slab;
    void *data;
    if (napi_create_arraybuffer(h->env, SLAB, &data, &slab) != napi_ok ||
        !iris__hook(h, HOOK_SLAB, 1, &slab))
        return -1;
    h->slab = data;
    h->used = 0;
    return 0;
}

/* Those that do not lie in the slab: large ones, and signals. */
static int put_aside(struct host *h, const iris_message *m, uint32_t i)
{
    napi_value large,
        object = m->kind == IRIS_USER ? iris__message_take(h, m) : iris__signal_object(h, m);
    h->desc[i * DESC + 1] = -1;
    return !object || napi_get_reference_value(h->env, h->large_ref, &large) != napi_ok ||
           napi_set_element(h->env, large, i, object) != napi_ok;
}

/* 1: this slab has no room for it. */
static int put_in_slab(struct host *h, const iris_message *m, uint32_t i)
{
    size_t at = (h->used + 7) & ~(size_t)7;
    if (at + m->len > SLAB)
        return 1;
    memcpy(h->slab + at, m->data, m->len);
    h->used = at + m->len;
    h->desc[i * DESC] = (int32_t)at;
    h->desc[i * DESC + 1] = (int32_t)m->len;
    return 0;
}

static void put_in_place(struct host *h, const iris_message *m, uint32_t i)
{
    memcpy(h->places + (size_t)i * PLACE, m->data, m->len);
    h->desc[i * DESC] = (int32_t)(i * PLACE);
    h->desc[i * DESC + 1] = (int32_t)m->len;
}

/* How many are laid out; below 0: none could be. */
static int lay_out(struct host *h, const struct script *s, const iris_message *const *m, int n)
{
    uint32_t i = 0, borrow = s->flags & SCRIPT_BORROW;
    for (; i < (uint32_t)n; i++) {
        h->desc[i * DESC + 2] = m[i]->ref ? MESSAGE_ASKED : 0;
        if (m[i]->kind != IRIS_USER || m[i]->len > INLINE_MAX || (borrow && m[i]->len > PLACE)) {
            if (put_aside(h, m[i], i))
                break;
        } else if (borrow)
            put_in_place(h, m[i], i);
        else if (!h->slab || put_in_slab(h, m[i], i)) {
            if (i) /* a batch lies in one slab */
                break;
            if (fresh_slab(h) || put_in_slab(h, m[i], i))
                break;
        }
    }
    return i ? (int)i : iris__fail_pending(h);
}

/* ---- the call ---- */

static int call(struct host *h, const struct script *s, void *state, int n)
{
    napi_env env = h->env;
    napi_value run, argv[3], result, undefined = iris__undefined(env);
    int32_t handled = -1;
    h->desc[AT] = 0;
    napi_get_reference_value(env, h->hooks[HOOK_RUN], &run);
    napi_create_uint32(env, s->number, &argv[0]);
    napi_create_uint32(env, (uint32_t)(uintptr_t)state, &argv[1]);
    napi_create_int32(env, n, &argv[2]);
    iris__turn_begins(h);
    napi_status status = napi_call_function(env, undefined, run, 3, argv, &result);
    if (__builtin_expect(iris__turn_ends(h), 0)) {
        napi_value error;
        napi_get_and_clear_last_exception(env, &error);
        iris__api->fail("interrupted: the handler has not returned in time");
        return ~h->desc[AT];
    }
    if (__builtin_expect(status != napi_ok, 0)) {
        iris__fail_pending(h);
        return ~h->desc[AT];
    }
    napi_get_value_int32(env, result, &handled);
    return handled;
}

static int handle_some(struct host *h, const struct script *s, iris_actor *self, void *state,
                       const iris_message *const *m, int n)
{
    napi_handle_scope scope;
    napi_open_handle_scope(h->env, &scope);
    h->current = h->batch_actor = self;
    h->batch = m;
    h->batch_pushes = s->kind != KIND_PULL;
    int laid = h->batch_count = lay_out(h, s, m, n);
    int result = laid > 0 ? call(h, s, state, laid) : ~0;
    h->current = h->batch_actor = NULL;
    h->batch = NULL;
    napi_close_handle_scope(h->env, scope);
    return result;
}

/* What is laid out and not taken was laid out for nothing: a handler that awaits takes one at a time. */
static int reach_of(const struct script *s, int n)
{
    return n < (int)s->reach ? n : (int)s->reach;
}

static void learn_reach(struct script *s, int handled, int reach)
{
    if (handled < reach)
        s->reach = handled > 1 ? (unsigned)handled : 1;
    else if (s->reach < BATCH)
        s->reach *= 2;
}

/* [turn] What is not taken stays where it is, and the actor is called again. */
int iris__handle(const iris_behaviour *b, iris_actor *self, void *state,
                 const iris_message *const *m, int n)
{
    struct script *s = b->data;
    struct host *h = s->host;
    int at = 0;
    if (__builtin_expect(!h->may_run, 0))
        return 0;
    h->desc[AT_DUE] = 0;
    while (at < n && !h->desc[AT_DUE]) {
        int reach = reach_of(s, n - at), handled = handle_some(h, s, self, state, m + at, reach);
        if (handled < 0)
            return ~(at + ~handled);
        learn_reach(s, handled, h->batch_count);
        at += handled;
        if (handled < h->batch_count && iris__api->due(self) == IRIS_AGAIN)
            break;
    }
    return at;
}

/* [turn] It has ended while messages were put off. */
void iris__cancel(const iris_behaviour *b, iris_actor *self, void *state)
{
    const struct script *s = b->data;
    struct host *h = s->host;
    napi_handle_scope scope;
    if (!h->may_run)
        return;
    napi_open_handle_scope(h->env, &scope);
    napi_value argv[] = {iris__number(h->env, s->number),
                         iris__number(h->env, (double)(uintptr_t)state),
                         iris__number(h->env, (double)iris__api->pid(self))};
    iris__hook(h, HOOK_CANCEL, 3, argv);
    h->settles = 1;
    napi_close_handle_scope(h->env, scope);
}

/* ---- what run() calls ---- */

static const iris_message *message_of(struct host *h, napi_value number)
{
    int32_t i = -1;
    napi_get_value_int32(h->env, number, &i);
    return h->batch && i >= 0 && i < h->batch_count ? h->batch[i] : NULL;
}

/* fail(text): why the handler threw. */
static napi_value fail_call(napi_env env, napi_callback_info info)
{
    napi_value argv[1];
    iris__begin_closed(env, info, 1, argv);
    char *text = iris__text(env, argv[0], "an error");
    if (text)
        iris__api->fail("%s", text);
    free(text);
    return NULL;
}

/* due(): the others want their turn. */
static napi_value due_call(napi_env env, napi_callback_info info)
{
    struct host *h = iris__begin_closed(env, info, 0, NULL);
    return iris__boolean(env, h->current && iris__api->due(h->current) == IRIS_AGAIN);
}

static void throw_no_answer(struct host *h)
{
    napi_value error;
    napi_get_and_clear_last_exception(h->env, &error);
    napi_throw_type_error(
        h->env, NULL,
        "what the handler gave is no answer; expected a Buffer, any other typed array or "
        "ArrayBuffer, a string, or nothing; make text of anything else, as with JSON.stringify()");
}

/* What a handler has returned. -1: an exception. Who asked may have gone. */
static int answer(struct host *h, iris_actor *self, const iris_message *m, napi_value value)
{
    int result = iris__send_value(h, self, m->ref, value, 0);
    if (result == -2)
        throw_no_answer(h);
    if (result == IRIS_FULL || result == IRIS_DEAD)
        iris__ext.ask->dropped(self, m->ref);
    if (result == IRIS_LARGE)
        napi_throw_range_error(h->env, NULL, "the answer is above the limit of a message");
    return result == IRIS_LARGE || result == -2 ? -1 : 0;
}

/* reply(i, data): the answer to the i-th message of this batch. */
static napi_value reply_call(napi_env env, napi_callback_info info)
{
    napi_value argv[2];
    struct host *h = iris__begin_closed(env, info, 2, argv);
    const iris_message *m = message_of(h, argv[0]);
    if (m && m->ref)
        answer(h, h->batch_actor, m, argv[1]);
    return NULL;
}

/* ---- messages that are put off ---- */

static int grow_tokens(struct host *h)
{
    uint32_t n = h->ntokens ? h->ntokens * 2 : 256;
    const iris_message **tokens = realloc(h->tokens, n * sizeof *tokens);
    if (tokens)
        h->tokens = tokens;
    uint32_t *next = tokens ? realloc(h->token_next, n * sizeof *next) : NULL;
    if (!next)
        return -1;
    h->token_next = next;
    for (uint32_t i = h->ntokens; i < n; i++)
        next[i] = i + 1 < n ? i + 1 : UINT32_MAX;
    h->free_token = h->ntokens;
    h->ntokens = n;
    return 0;
}

/* later(i): its token. */
static napi_value later_call(napi_env env, napi_callback_info info)
{
    napi_value argv[1];
    struct host *h = iris__begin_closed(env, info, 1, argv);
    const iris_message *m = message_of(h, argv[0]);
    if (!m || (h->free_token == UINT32_MAX && grow_tokens(h)) ||
        iris__api->later(h->batch_actor, m)) {
        napi_throw_error(env, NULL, "no memory to put a message off");
        return NULL;
    }
    uint32_t token = h->free_token;
    h->free_token = h->token_next[token];
    h->tokens[token] = m;
    h->settles = 1;
    if (h->batch_pushes)
        h->desc[AT_DUE] = 1;
    return iris__number(env, token);
}

static const iris_message *take_token(struct host *h, napi_value value)
{
    uint32_t token = UINT32_MAX;
    napi_get_value_uint32(h->env, value, &token);
    if (token >= h->ntokens || !h->tokens[token])
        return NULL;
    const iris_message *m = h->tokens[token];
    h->tokens[token] = NULL;
    h->token_next[token] = h->free_token;
    h->free_token = token;
    return m;
}

/* done(token, result, answer): result as of api->done; answer: undefined, or what it answers. */
static napi_value done_call(napi_env env, napi_callback_info info)
{
    napi_value argv[3];
    napi_valuetype type = napi_undefined;
    int32_t result = 0;
    struct host *h = iris__begin_closed(env, info, 3, argv);
    const iris_message *m = h->is_closed ? NULL : take_token(h, argv[0]);
    if (!m)
        return NULL;
    napi_get_value_int32(env, argv[1], &result);
    napi_typeof(env, argv[2], &type);
    if (type != napi_undefined && m->ref && answer(h, h->self, m, argv[2]))
        result = iris__fail_pending(h);
    iris__api->done(m, result);
    return NULL;
}

/* ---- the end of an actor, by itself ---- */

struct leaving {
    iris_job job;
    struct host *host;
    iris_actor *actor;
    uint32_t state;
    char *reason;
};

/* [exec] In a drain, where an actor may be told to leave. */
static void leave_now(iris_job *job)
{
    struct leaving *l = (struct leaving *)job;
    struct host *h = l->host;
    if (l->state < h->nactors && h->actors[l->state] == l->actor)
        iris__api->exit(l->actor, l->reason);
    free(l->reason);
    free(l);
    iris__host_release(h);
}

/* leave(state, reason): of an actor that pulls; reason null: normal. */
static napi_value leave_call(napi_env env, napi_callback_info info)
{
    napi_value argv[2];
    uint32_t state = 0;
    napi_valuetype type;
    struct host *h = iris__begin_closed(env, info, 2, argv);
    napi_get_value_uint32(env, argv[0], &state);
    if (h->is_closed || state >= h->nactors || !h->actors[state])
        return NULL;
    struct leaving *l = calloc(1, sizeof *l);
    if (!l)
        return NULL;
    napi_typeof(env, argv[1], &type);
    *l = (struct leaving){.job.run = leave_now,
                          .host = h,
                          .actor = h->actors[state],
                          .state = state,
                          .reason =
                              type == napi_string ? iris__text(env, argv[1], "a reason") : NULL};
    iris__host_retain(h);
    iris__api->post(h->executor, &l->job);
    return NULL;
}

/* ---- a pull handler that has returned for a swap ---- */

struct returned {
    iris_job job;
    struct host *host;
    iris_actor *actor;
    uint32_t state;
};

/* [exec] In a drain. Refused meanwhile, it begins again: stay(state). */
static void hand_over(iris_job *job)
{
    struct returned *r = (struct returned *)job;
    struct host *h = r->host;
    napi_handle_scope scope;
    int is_there = r->state < h->nactors && h->actors[r->state] == r->actor;
    if (is_there && iris__ext.reader->handover(r->actor) != IRIS_OK && h->may_run &&
        napi_open_handle_scope(h->env, &scope) == napi_ok) {
        napi_value state = iris__number(h->env, r->state);
        iris__hook(h, HOOK_STAY, 1, &state);
        h->settles = 1;
        napi_close_handle_scope(h->env, scope);
    }
    free(r);
    iris__host_release(h);
}

/* handOver(state): stay(state), or adopt(), is the answer. */
static napi_value hand_over_call(napi_env env, napi_callback_info info)
{
    napi_value argv[1];
    uint32_t state = 0;
    struct host *h = iris__begin_closed(env, info, 1, argv);
    napi_get_value_uint32(env, argv[0], &state);
    if (h->is_closed || state >= h->nactors || !h->actors[state])
        return NULL;
    struct returned *r = calloc(1, sizeof *r);
    if (!r) {
        napi_throw_error(env, NULL, "no memory for a swap");
        return NULL;
    }
    *r = (struct returned){
        .job.run = hand_over, .host = h, .actor = h->actors[state], .state = state};
    iris__host_retain(h);
    iris__api->post(h->executor, &r->job);
    return NULL;
}

/* exit(reason): of the actor whose handler this is; reason null: normal. */
static napi_value exit_call(napi_env env, napi_callback_info info)
{
    napi_value argv[1];
    napi_valuetype type;
    struct host *h = iris__begin(env, info, 1, argv);
    if (!h || !h->current)
        return h ? iris__boolean(env, 0) : NULL;
    napi_typeof(env, argv[0], &type);
    char *reason = type == napi_string ? iris__text(env, argv[0], "a reason") : NULL;
    iris__api->exit(h->current, reason);
    free(reason);
    return iris__boolean(env, 1);
}

const struct call iris__turn_calls[] = {
    {"fail", fail_call}, {"due", due_call},     {"reply", reply_call}, {"later", later_call},
    {"done", done_call}, {"leave", leave_call}, {"exit", exit_call},   {"handOver", hand_over_call},
    {NULL, NULL}};
