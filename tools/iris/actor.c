#include "actor.h"

#include <string.h>

static double number(json_t *of, const char *key)
{
    return json_number_value(json_object_get(of, key));
}

void read_actor(json_t *actor, struct actor_row *r)
{
    json_int_t refused = 0, dropped = 0, redirected = 0, spilled = 0, waited = 0;
    json_t *rates = json_object_get(actor, "rates");
    *r = (struct actor_row){.path = "", .host = "", .handler = "", .behaviour = ""};
    r->version = r->of = r->state = "";
    json_unpack(actor, "{s?s, s?s, s?s, s?s, s?s, s?s, s?s, s?I, s?I, s?I, s?I, s?I, s?I, s?I}",
                "path", &r->path, "host", &r->host, "handler", &r->handler, "behaviour",
                &r->behaviour, "version", &r->version, "of", &r->of, "state", &r->state, "pid",
                &r->pid, "rev", &r->rev, "mailbox", &r->mailbox, "capacity", &r->capacity,
                "handled", &r->handled, "restarts", &r->restarts, "uptime_ms", &r->uptime_ms);
    json_unpack(actor, "{s?I, s?I, s?I, s?I, s?I, s?I, s?I, s?I}", "stuck_ms", &r->stuck_ms,
                "backoff_ms", &r->backoff_ms, "refused", &refused, "dropped", &dropped,
                "redirected", &redirected, "spilled", &spilled, "waited", &waited, "dead_letters",
                &r->dead_letters);
    r->overflows = refused + dropped + redirected + spilled + waited;
    r->rate = number(rates, "messages");
    r->dead_letter_rate = number(rates, "dead_letters");
    r->overflow_rate = number(rates, "overflows");
}

const char *actor_version(char *room, const struct actor_row *r)
{
    *room = '\0';
    if (r->rev)
        snprintf(room, STATE_ROOM, "v%lld%s%s%s%s%s", (long long)r->rev, *r->of ? " (" : "", r->of,
                 *r->of ? ")" : "", *r->version ? " " : "", r->version);
    return room;
}

const char *actor_state(char *room, const struct actor_row *r)
{
    char span[SPAN_ROOM] = "";
    json_int_t ms = !strcmp(r->state, "stuck")     ? r->stuck_ms
                    : !strcmp(r->state, "backoff") ? r->backoff_ms
                                                   : 0;
    snprintf(room, STATE_ROOM, "%s%s%s", r->state, ms > 0 ? " " : "",
             ms > 0 ? span_text(span, ms * 1000000) : "");
    return room;
}
