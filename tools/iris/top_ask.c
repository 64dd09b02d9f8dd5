#include "top.h"

#include <errno.h>
#include <stdarg.h>
#include <string.h>

enum { LOOK_MS = 2000, ORDER_MS = 30000 };

void top_say(struct top *t, int is_bad, const char *fmt, ...)
{
    va_list args;
    va_start(args, fmt);
    vsnprintf(t->message, sizeof t->message, fmt, args);
    va_end(args);
    t->is_bad = is_bad;
}

/* ---- a look ---- */

json_t *top_request(const struct top *t, size_t limit)
{
    return json_pack("{s:s, s:b, s:I, s:I, s:b, s:s*}", "sort", t->sort, "reversed", t->reversed,
                     "limit", (json_int_t)limit, "offset", (json_int_t)t->skip, "nameless", 1,
                     "filter", *t->filter ? t->filter : NULL);
}

static void forget(struct top *t)
{
    json_decref(t->answer);
    t->answer = NULL;
    t->n = 0;
}

static void say_lost(struct top *t, json_t *answer)
{
    const char *why = text_of(json_object_get(answer, "error"), "message");
    forget(t);
    if (answer)
        top_say(t, 1, "%s", *why ? why : "the app's answer is not understood");
    else if (errno == ENOENT || errno == ECONNREFUSED || errno == ENODATA)
        top_say(t, 1, "the app has ended; q quits, and if it begins again it is shown");
    else
        top_say(t, 1, "no answer: %s; asking again", strerror(errno));
    json_decref(answer);
}

/* Who was chosen stays so, wherever it stands now. */
static void choose(struct top *t)
{
    for (size_t i = 0; i < t->n; i++)
        if (t->rows[i].pid == t->pid)
            t->chosen = i;
    if (t->chosen >= t->n)
        t->chosen = t->n ? t->n - 1 : 0;
    t->pid = t->n ? t->rows[t->chosen].pid : 0;
}

void top_refresh(struct top *t, size_t limit)
{
    json_t *answer, *body = top_request(t, limit < TOP_ROWS ? limit : TOP_ROWS);
    int lost = client_fetch(t->socket, LOOK_MS, "POST", "/v1/ps", body, &answer);
    json_t *actors = lost ? NULL : json_object_get(answer, "actors");
    int was_lost = !t->answer;
    json_decref(body);
    if (!json_is_array(actors)) {
        say_lost(t, lost ? NULL : answer);
        return;
    }
    forget(t);
    if (was_lost)
        *t->message = '\0';
    t->answer = answer;
    for (size_t i = 0; i < json_array_size(actors) && i < TOP_ROWS; i++)
        read_actor(json_array_get(actors, i), &t->rows[t->n++]);
    choose(t);
}

/* ---- an order ---- */

const char *top_verb_word(enum top_verb verb)
{
    static const char *const words[] = {"restart", "swap", "rollback"};
    return words[verb];
}

static void *carry(void *arg)
{
    struct top_order *o = arg;
    char path[32];
    json_t *body = json_pack("{s:s, s:i}", "target", o->target, "timeout_ms", ORDER_MS);
    snprintf(path, sizeof path, "/v1/%s", top_verb_word(o->verb));
    if (o->verb == TOP_SWAP && *o->file)
        put_handler(body, "handler", o->file);
    if (client_fetch(o->socket, ORDER_MS, "POST", path, body, &o->answer))
        o->answer = NULL;
    json_decref(body);
    atomic_store(&o->state, TOP_DONE);
    return NULL;
}

void top_order_begin(struct top *t)
{
    struct top_order *o = &t->order;
    memcpy(o->socket, t->socket, sizeof o->socket);
    o->answer = NULL;
    atomic_store(&o->state, TOP_BUSY);
    if (pthread_create(&o->thread, NULL, carry, o)) {
        atomic_store(&o->state, TOP_IDLE);
        top_say(t, 1, "no thread for it");
        return;
    }
    top_say(t, 0, "%s %s ..", top_verb_word(o->verb), o->target);
}

static void say_done(struct top *t, const json_t *answer)
{
    const char *from = text_of(answer, "from"), *to = text_of(answer, "to");
    const char *word = top_verb_word(t->order.verb);
    if (*to)
        top_say(t, 0, "%s %s: %s -> %s", word, t->order.target, from, to);
    else
        top_say(t, 0, "%s %s: done", word, t->order.target);
}

void top_order_look(struct top *t)
{
    struct top_order *o = &t->order;
    if (atomic_load(&o->state) != TOP_DONE)
        return;
    pthread_join(o->thread, NULL);
    const json_t *error = json_object_get(o->answer, "error");
    if (!o->answer)
        top_say(t, 1, "%s %s: no answer came", top_verb_word(o->verb), o->target);
    else if (error)
        top_say(t, 1, "%s: %s", top_verb_word(o->verb), text_of(error, "message"));
    else
        say_done(t, o->answer);
    json_decref(o->answer);
    o->answer = NULL;
    atomic_store(&o->state, TOP_IDLE);
}
