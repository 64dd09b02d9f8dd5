#include "manifest_reading.h"

#include <string.h>

/* A string is sent as its bytes are, without its quotes. */
static void take_string(struct reading *r, struct manifest_timer *t)
{
    json_t *v = json_loads(t->send, JSON_DECODE_ANY | JSON_ALLOW_NUL, NULL);
    t->len = strlen(t->send);
    if (json_is_string(v)) {
        t->len = json_string_length(v);
        t->send = iris__manifest_copy(r, json_string_value(v), t->len);
    }
    json_decref(v);
}

/* Whoever misspelt a key is told that, and enough. */
static int has_unknown_keys(json_t *object)
{
    const char *name;
    json_t *v;
    json_object_foreach(object, name, v)
    {
        if (!iris__manifest_is_free(name) && !iris__manifest_key("actors[].timers[]", name))
            return 1;
    }
    return 0;
}

void iris__manifest_timer(struct reading *r, json_t *object, struct manifest_timer *t)
{
    int every = json_object_get(object, "every") != NULL;
    int after = json_object_get(object, "after") != NULL;
    if (t->send)
        take_string(r, t);
    if (!json_is_object(object) || every != after || (!every && has_unknown_keys(object)))
        return;
    struct problem *p =
        iris__manifest_problem(r, "bad-value", "found %s; expected one of \"every\" and \"after\"",
                               every ? "both" : "neither");
    iris__problem_hint(p, "\"every\": \"30s\" sends again and again, \"after\": \"5s\" once");
}

static void refuse_key(struct reading *r, const char *key, const char *why, const char *hint)
{
    size_t back = iris__pointer_key(&r->pointer, key, strlen(key));
    struct problem *p = iris__manifest_problem(r, "bad-value", "%s", why);
    iris__manifest_at_key(p);
    iris__problem_hint(p, "%s", hint);
    iris__pointer_back(&r->pointer, back);
}

void iris__manifest_begins(struct reading *r, const struct manifest_actor *a)
{
    if (a->idle_ns && a->start != MANIFEST_LAZY)
        refuse_key(r, "idle_timeout",
                   "an actor that is not lazy does not rest: nothing would begin it again",
                   "add \"start\": \"lazy\", or leave it out");
    if (a->ready == MANIFEST_NOTIFY && a->start == MANIFEST_LAZY)
        refuse_key(r, "ready",
                   "a lazy actor begins with its first message, and nobody waits for it",
                   "leave it out, or leave out \"start\": \"lazy\"");
    if (a->ready == MANIFEST_NOTIFY && a->remote)
        refuse_key(r, "ready", "an actor of another node has no handler here that could say so",
                   "leave it out");
}
