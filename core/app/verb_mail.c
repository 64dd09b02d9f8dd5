#include "api.h"
#include "ask.h"
#include "fail.h"
#include "send.h"
#include "verbs.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Messages from outside: send and ask. */

/* What send() says, in words; the caller has handled IRIS_OK. */
static void refuse(struct app *a, struct control_reply *reply, const char *target, int result,
                   const iris_info *i, size_t len)
{
    char count[COUNT_ROOM], room[COUNT_ROOM], held[COUNT_ROOM];
    int is_heavy = i->bytes && (i->held + len > i->bytes || !i->capacity);
    /* As the limit counts: with those that are handled, or were put off. i->mailbox only waits. */
    uint64_t taken = i->capacity;
    if (result == IRIS_DEAD && i->pid >> 43)
        iris__control_error(reply, "no-such-target", "which nodes are up: iris mesh",
                            "%s: its node has gone", target);
    else if (result == IRIS_FULL && i->pid >> 43)
        iris__control_error(reply, "mailbox-full", "wait; how much there is: iris mesh",
                            "%s: too much waits for its node", target);
    else if (result == IRIS_DEAD)
        iris__verb_gone(a, reply, target);
    else if (result == IRIS_FULL && is_heavy)
        iris__control_error(reply, "mailbox-full", "wait, or give its \"mailbox\" more \"bytes\"",
                            "%s: its mailbox is full: %s bytes wait, and %s more are above its "
                            "limit of %s",
                            target, iris__count(held, i->held), iris__count(count, len),
                            iris__count(room, i->bytes));
    else if (result == IRIS_LARGE && i->bytes && len > i->bytes)
        iris__control_error(reply, "too-large", "give its \"mailbox\" more \"bytes\"",
                            "%s: %s bytes are more than may wait in its mailbox: %s", target,
                            iris__count(count, len), iris__count(room, i->bytes));
    else if (result == IRIS_FULL && !i->capacity)
        iris__control_error(reply, "failed", NULL, "%s: no memory for another message", target);
    else if (result == IRIS_FULL)
        iris__control_error(reply, "mailbox-full", "wait, or give it a larger \"mailbox\"",
                            "%s: its mailbox is full: %s of %s messages", target,
                            iris__count(count, taken), iris__count(room, i->capacity));
    else if (result == IRIS_LARGE)
        iris__control_error(reply, "too-large", NULL,
                            "%s: %s bytes are more than a message may have", target,
                            iris__count(count, len));
    else
        iris__control_error(reply, "failed", NULL, "%s: %s", target, iris__reason());
}

static void carry_send(struct call *c)
{
    const struct verb_args *args = &c->args;
    int result = iris__send(iris_self(c->app->runtime), c->info.pid, args->data, args->len, 0);
    if (result == IRIS_OK)
        iris__control_reply(c->reply, 200, json_pack("{s:s}", "target", args->target));
    else
        refuse(c->app, c->reply, args->target, result, &c->info, args->len);
}

void iris__verb_send(void *app, const struct control_request *r, struct control_reply *reply)
{
    iris__verb_reach(app, r, reply, carry_send);
}

/* ---- ask ---- */

struct question {
    struct order order;
    iris_answer answer;
};

/* Text where it is text, without what JSON has to write as an escape that many readers stop at. */
int iris__verb_put_data(json_t *body, const char *key, const char *base64_key, const void *data,
                        size_t len)
{
    json_t *text = len && memchr(data, '\0', len) ? NULL : json_stringn(len ? data : "", len);
    if (text)
        return json_object_set_new(body, key, text);
    char *encoded = malloc(IRIS_BASE64_ROOM(len));
    if (!encoded)
        return -1;
    iris_base64_encode(encoded, data, len);
    int failed = json_object_set_new(body, base64_key, json_string(encoded));
    free(encoded);
    return failed;
}

static void reply_answer(struct question *q, struct control_reply *reply)
{
    struct order *o = &q->order;
    const iris_message *m = q->answer.message;
    iris_info i = {.size = sizeof i, .abi = IRIS_ABI};
    iris__info(&o->app->runtime->world, o->pid, &i);
    json_t *body = json_pack("{s:s, s:I, s:o}", "target", o->target, "ns",
                             (json_int_t)(iris__order_now(o) - o->began), "version",
                             json_sprintf("v%u", i.rev));
    if (body && iris__verb_put_data(body, "reply", "reply_base64", m->data, m->len)) {
        json_decref(body);
        body = NULL;
    }
    iris__control_reply(reply, 200, body);
}

/* The runtime's words for it begin with how it ended. */
static void reply_dead(const struct order *o, const iris_message *m, struct control_reply *reply)
{
    static const char crash[] = "crash: ", node[] = "node: ";
    size_t n = sizeof crash - 1;
    int crashed = m && m->len >= n && !memcmp(m->data, crash, n);
    char hint[300];
    snprintf(hint, sizeof hint, "what followed: iris explain %s",
             *o->target == '/' ? o->target : "PATH");
    if (crashed)
        iris__control_error(reply, "failed", hint, "%s: it crashed on this message: %.*s",
                            o->target, (int)(m->len - n), (const char *)m->data + n);
    else if (m && m->len >= sizeof node - 1 && !memcmp(m->data, node, sizeof node - 1))
        iris__control_error(reply, "failed", "which nodes are up: iris mesh", "%s: %.*s", o->target,
                            (int)m->len, (const char *)m->data);
    else
        iris__control_error(reply, "failed", "the app's output says why; see also: iris ps",
                            "%s: it ended before it answered", o->target);
}

static void reply_none(struct question *q, struct control_reply *reply)
{
    struct order *o = &q->order;
    int short_one = o->timeout < IRIS_SECOND;
    if (q->answer.result == IRIS_EMPTY)
        iris__control_error(reply, "timeout", "does it answer at all? wait longer with --timeout",
                            "%s: no answer within %.*f %s", o->target, !short_one,
                            (double)o->timeout / (short_one ? 1e6 : 1e9), short_one ? "ms" : "s");
    else
        reply_dead(o, q->answer.message, reply);
}

static void answered(iris_job *job)
{
    struct question *q = (struct question *)((char *)job - offsetof(struct question, answer));
    struct control_reply *reply = iris__order_take(&q->order);
    if (q->answer.result == IRIS_OK) {
        reply_answer(q, reply);
    } else {
        reply_none(q, reply);
    }
    if (q->answer.message)
        iris__api_drop(q->answer.message);
    iris__order_drop(&q->order);
}

static void carry_ask(struct call *c)
{
    const struct verb_args *args = &c->args;
    struct question *q = iris__order_open(c->app, sizeof *q, c->reply, args->target, c->info.pid);
    if (!q)
        return;
    q->answer.job.run = answered;
    q->order.timeout = args->timeout;
    int result = iris__ask(iris_self(c->app->runtime), c->info.pid, args->data, args->len,
                           args->timeout, &q->answer);
    if (result == IRIS_OK)
        return; /* q may be gone by now */
    refuse(c->app, iris__order_take(&q->order), args->target, result, &c->info, args->len);
    iris__order_drop(&q->order);
}

void iris__verb_ask(void *app, const struct control_request *r, struct control_reply *reply)
{
    iris__verb_reach(app, r, reply, carry_ask);
}
