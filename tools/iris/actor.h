/* An actor, as `ps` answers with it, and how its members are said. */
#ifndef IRIS_TOOL_ACTOR_H
#define IRIS_TOOL_ACTOR_H

#include "term.h"

#include <jansson.h>

struct actor_row { /* texts are the answer's */
    const char *path, *host, *handler, *behaviour, *version, *of, *state;
    json_int_t pid, rev, mailbox, capacity, handled, restarts, uptime_ms, stuck_ms, backoff_ms;
    json_int_t dead_letters, overflows; /* overflows: messages that met a full mailbox */
    double rate, dead_letter_rate, overflow_rate;
};
void read_actor(json_t *, struct actor_row *);

enum { STATE_ROOM = 128 };
/* "v3 (=v1) 2.1.0": the third version that this actor runs, the same code as the first. "": none yet. */
const char *actor_version(char *room, const struct actor_row *);
/* "stuck 3.2 s": for so long in one message. "backoff 3.2 s": so long until it begins. */
const char *actor_state(char *room, const struct actor_row *);

#endif
