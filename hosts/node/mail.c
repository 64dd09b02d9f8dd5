/* Calls of a runtime: messages, timers, questions. */
#include "host.h"

#include <stdlib.h>
#include <string.h>

/* Undefined: it is accepted, which costs no call of the engine; or false. */
static inline napi_value send_as(napi_env env, napi_callback_info info, int is_bytes)
{
    napi_value argv[2];
    uint64_t pid;
    struct host *h = iris__begin(env, info, 2, argv);
    if (!h || iris__pid(env, argv[0], &pid))
        return NULL;
    int result = is_bytes ? iris__send_bytes(h, iris__caller(h), pid, argv[1])
                          : iris__send_value(h, iris__caller(h), pid, argv[1], 0);
    if (h->current && iris__api->due(h->current) == IRIS_AGAIN)
        h->desc[AT_DUE] = 1; /* it waits at a full mailbox: no other message is begun */
    return result == IRIS_OK || result == -2 ? NULL : iris__boolean(env, 0);
}

static napi_value send_call(napi_env env, napi_callback_info info)
{
    return send_as(env, info, 0);
}

/* sendBytes(pid, data): data is a Uint8Array, as far as JavaScript can tell. */
static napi_value send_bytes(napi_env env, napi_callback_info info)
{
    return send_as(env, info, 1);
}

static napi_value send_many(napi_env env, napi_callback_info info)
{
    napi_value argv[2], item;
    uint64_t pid;
    uint32_t n = 0, accepted = 0;
    struct host *h = iris__begin(env, info, 2, argv);
    if (!h || iris__pid(env, argv[0], &pid))
        return NULL;
    if (napi_get_array_length(env, argv[1], &n) != napi_ok) {
        napi_throw_type_error(env, NULL, "sendMany() takes an array of messages");
        return NULL;
    }
    for (uint32_t i = 0; i < n; i++) {
        napi_handle_scope scope;
        napi_open_handle_scope(env, &scope);
        int result = napi_get_element(env, argv[1], i, &item) == napi_ok
                         ? iris__send_value(h, iris__caller(h), pid, item, 0)
                         : -2;
        napi_close_handle_scope(env, scope);
        if (result == -2)
            return NULL;
        accepted += result == IRIS_OK;
    }
    return iris__number(env, accepted);
}

static napi_value send_named(napi_env env, napi_callback_info info)
{
    napi_value argv[2];
    struct host *h = iris__begin(env, info, 2, argv);
    char *name = h ? iris__word(env, argv[0], "a name") : NULL;
    if (!name)
        return NULL;
    uint64_t pid = iris__ext.name->find(h->self, name);
    int result = pid ? iris__send_value(h, iris__caller(h), pid, argv[1], 0) : IRIS_DEAD;
    free(name);
    return result == -2 ? NULL : iris__boolean(env, result == IRIS_OK);
}

/* policy(pid, policy, fallback) */
static napi_value set_policy(napi_env env, napi_callback_info info)
{
    napi_value argv[3];
    uint64_t pid, fallback;
    int64_t policy;
    struct host *h = iris__begin(env, info, 3, argv);
    if (!h || iris__pid(env, argv[0], &pid) ||
        iris__int(env, argv[1], "policy", 0, IRIS_SPILL, &policy) ||
        iris__pid(env, argv[2], &fallback))
        return NULL;
    iris__ext.mailbox->policy(h->self, pid, (uint32_t)policy, fallback, 0);
    return NULL; /* unbounded ones stay so */
}

/* ---- timers ---- */

/* A timer's id; 0: no such actor; below 0: see reason(). */
static napi_value start_timer(napi_env env, napi_callback_info info, int repeats)
{
    napi_value argv[3];
    uint64_t pid, id = 0;
    int64_t ns;
    const void *data;
    size_t len;
    char *own;
    struct host *h = iris__begin(env, info, 3, argv);
    if (!h || iris__pid(env, argv[0], &pid) || iris__milliseconds(env, argv[1], &ns) ||
        iris__bytes_of(h, argv[2], &data, &len, &own))
        return NULL;
    iris_actor *self = iris__caller(h);
    const iris_timer_api *timer = iris__ext.timer; /* the original's intervals fire first at once */
    int result = repeats ? timer->every_from(self, pid, 0, ns ? ns : 1, data, len, &id)
                         : timer->after(self, pid, ns, data, len, &id);
    free(own);
    if (result == IRIS_OK || result == IRIS_DEAD)
        return iris__number(env, result == IRIS_OK ? (double)id : 0);
    return iris__number(env, REFUSED - result);
}

static napi_value send_after(napi_env env, napi_callback_info info)
{
    return start_timer(env, info, 0);
}

static napi_value send_interval(napi_env env, napi_callback_info info)
{
    return start_timer(env, info, 1);
}

static napi_value cancel_timer(napi_env env, napi_callback_info info)
{
    napi_value argv[1];
    uint64_t id;
    struct host *h = iris__begin(env, info, 1, argv);
    if (!h || iris__pid(env, argv[0], &id))
        return NULL;
    return iris__boolean(env, iris__ext.timer->cancel(iris__caller(h), id) == IRIS_OK);
}

/* ---- questions: settle(token, result, what) when there is an answer ---- */

struct question {
    iris_answer answer;
    struct host *host;
    double token;
};

/* In a drain; or as the runtime ends, by who ends it. */
static void on_answer(iris_job *job)
{
    struct question *q = (struct question *)job;
    struct host *h = q->host;
    const iris_message *m = q->answer.message;
    napi_handle_scope scope;
    if (pthread_equal(h->thread, pthread_self()) && h->bell)
        iris__keep_alive(h, 0);
    if (pthread_equal(h->thread, pthread_self()) && h->may_run &&
        napi_open_handle_scope(h->env, &scope) == napi_ok) {
        napi_value what = !m                            ? iris__undefined(h->env)
                          : q->answer.result == IRIS_OK ? iris__message_take(h, m)
                                                        : iris__string(h->env, m->data, m->len);
        napi_value argv[] = {iris__number(h->env, q->token), iris__number(h->env, q->answer.result),
                             what};
        iris__hook(h, HOOK_SETTLE, 3, argv);
        napi_close_handle_scope(h->env, scope);
        h->settles = 1;
    }
    if (m)
        iris__api->drop(m);
    iris__host_release(h);
    free(q);
}

static struct question *question_of(struct host *h, napi_value token)
{
    struct question *q = calloc(1, sizeof *q);
    if (!q) {
        napi_throw_error(h->env, NULL, "no memory for a question");
        return NULL;
    }
    q->answer.job.run = on_answer;
    q->answer.on = h->executor;
    q->host = h;
    napi_get_value_double(h->env, token, &q->token);
    iris__host_retain(h);
    iris__keep_alive(h, 1);
    return q;
}

static void forget(struct question *q)
{
    iris__keep_alive(q->host, 0);
    iris__host_release(q->host);
    free(q);
}

/* The arguments of a call that is answered later: (pid, data, ms, token). */
struct wanted {
    uint64_t pid;
    int64_t ns;
    const void *data;
    size_t len;
    char *own; /* free() it */
};

/* NULL: something was thrown, nothing is to be freed. */
static struct question *question_with(napi_env env, napi_callback_info info, struct wanted *w)
{
    napi_value argv[4];
    struct host *h = iris__begin(env, info, 4, argv);
    if (!h || iris__pid(env, argv[0], &w->pid) || iris__milliseconds(env, argv[2], &w->ns) ||
        iris__bytes_of(h, argv[1], &w->data, &w->len, &w->own))
        return NULL;
    struct question *q = question_of(h, argv[3]);
    if (!q)
        free(w->own);
    return q;
}

/* ask(pid, data, ms, token): the id that cancelAsk() wants; below 0: no answer comes, REFUSED - result. */
static napi_value ask_call(napi_env env, napi_callback_info info)
{
    struct wanted w;
    uint64_t id = 0;
    struct question *q = question_with(env, info, &w);
    if (!q)
        return NULL;
    int result = iris__ext.ask->ask_id(iris__caller(q->host), w.pid, w.data, w.len,
                                       w.ns < 0 ? INT64_MAX / 4 : w.ns, &q->answer, &id);
    free(w.own);
    if (result == IRIS_OK)
        return iris__number(env, (double)id);
    forget(q);
    return iris__number(env, REFUSED - result);
}

static napi_value cancel_ask(napi_env env, napi_callback_info info)
{
    napi_value argv[1];
    uint64_t id;
    struct host *h = iris__begin(env, info, 1, argv);
    if (h && iris__pid(env, argv[0], &id) == 0)
        iris__ext.ask->cancel(iris__caller(h), id);
    return NULL;
}

/* sendWait(pid, data, ms, token): the id that cancelSend() wants; below 0: REFUSED - result. */
static napi_value send_wait(napi_env env, napi_callback_info info)
{
    struct wanted w;
    struct question *q = question_with(env, info, &w);
    if (!q)
        return NULL;
    int result = iris__ext.mailbox->send_told(iris__caller(q->host), w.pid, w.data, w.len, 0, w.ns,
                                              &q->answer);
    free(w.own);
    if (result == IRIS_OK)
        return iris__number(env, (double)(uintptr_t)q); /* below 2^53, as addresses are */
    forget(q);
    return iris__number(env, REFUSED - result);
}

/* cancelSend(pid, id): while it has not been told, which is on this thread. */
static napi_value cancel_send(napi_env env, napi_callback_info info)
{
    napi_value argv[2];
    uint64_t pid, id;
    struct host *h = iris__begin(env, info, 2, argv);
    if (h && !iris__pid(env, argv[0], &pid) && !iris__pid(env, argv[1], &id))
        iris__ext.mailbox->send_cancel(iris__caller(h), pid,
                                       &((struct question *)(uintptr_t)id)->answer);
    return NULL;
}

/* ended(pid, ms, token): 0, or REFUSED - result. */
static napi_value ended_call(napi_env env, napi_callback_info info)
{
    napi_value argv[3];
    uint64_t pid;
    int64_t ns;
    struct host *h = iris__begin(env, info, 3, argv);
    if (!h || iris__pid(env, argv[0], &pid) || iris__milliseconds(env, argv[1], &ns))
        return NULL;
    struct question *q = question_of(h, argv[2]);
    if (!q)
        return NULL;
    int result = iris__ext.watch->ended(h->self, pid, ns, &q->answer);
    if (result == IRIS_OK)
        return iris__number(env, 0);
    forget(q);
    return iris__number(env, REFUSED - result);
}

/* arrived(pid, from, ms, token): of an observed actor. 0, or REFUSED - result. */
static napi_value arrived_call(napi_env env, napi_callback_info info)
{
    napi_value argv[4];
    uint64_t pid, from;
    int64_t ns;
    struct host *h = iris__begin(env, info, 4, argv);
    if (!h || iris__pid(env, argv[0], &pid) || iris__pid(env, argv[1], &from) ||
        iris__milliseconds(env, argv[2], &ns))
        return NULL;
    struct question *q = question_of(h, argv[3]);
    if (!q)
        return NULL;
    int result = iris__ext.observe->arrived(h->self, pid, from, ns, &q->answer);
    if (result == IRIS_OK)
        return iris__number(env, 0);
    forget(q);
    return iris__number(env, REFUSED - result);
}

const struct call iris__mail_calls[] = {{"send", send_call},
                                        {"sendBytes", send_bytes},
                                        {"sendMany", send_many},
                                        {"sendNamed", send_named},
                                        {"policy", set_policy},
                                        {"sendAfter", send_after},
                                        {"sendInterval", send_interval},
                                        {"cancelTimer", cancel_timer},
                                        {"ask", ask_call},
                                        {"cancelAsk", cancel_ask},
                                        {"sendWait", send_wait},
                                        {"cancelSend", cancel_send},
                                        {"ended", ended_call},
                                        {"arrived", arrived_call},
                                        {NULL, NULL}};
