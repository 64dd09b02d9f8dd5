#include "actor.h"

#include "client.h"

#include <string.h>

static double rate_of(const json_t *of, const char *key)
{
    return json_number_value(json_object_get(of, key));
}

/* By name: json_unpack notes for each object which of its members it has read, which takes three times as long. */
void read_actor(json_t *actor, struct actor_row *r)
{
    const json_t *rates = json_object_get(actor, "rates");
    *r = (struct actor_row){
        .path = text_of(actor, "path"),
        .host = text_of(actor, "host"),
        .handler = text_of(actor, "handler"),
        .behaviour = text_of(actor, "behaviour"),
        .version = text_of(actor, "version"),
        .of = text_of(actor, "of"),
        .state = text_of(actor, "state"),
        .pid = number_of(actor, "pid"),
        .rev = number_of(actor, "rev"),
        .mailbox = number_of(actor, "mailbox"),
        .capacity = number_of(actor, "capacity"),
        .handled = number_of(actor, "handled"),
        .restarts = number_of(actor, "restarts"),
        .uptime_ms = number_of(actor, "uptime_ms"),
        .stuck_ms = number_of(actor, "stuck_ms"),
        .backoff_ms = number_of(actor, "backoff_ms"),
        .dead_letters = number_of(actor, "dead_letters"),
        .overflows = number_of(actor, "refused") + number_of(actor, "dropped") +
                     number_of(actor, "redirected") + number_of(actor, "spilled") +
                     number_of(actor, "waited"),
        .rate = rate_of(rates, "messages"),
        .dead_letter_rate = rate_of(rates, "dead_letters"),
        .overflow_rate = rate_of(rates, "overflows"),
    };
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
