/* A router: the actor at a path behind which several of the same kind stand. Each message goes on to one of
 * them (or to all) as it came: with its sender, and with the question's place for the answer, which so goes
 * straight to who asked.
 *
 *   sender -> [mailbox of the router] -> its turn: choose, post_if -> [mailbox of an instance]
 *
 * Where all that may get it are full it begins no other message until one has room, so that what comes
 * meanwhile meets the router's own mailbox and its policy. Instances that have ended for good are passed over;
 * one between two incarnations is not: its mail waits for it. */
#ifndef IRIS_ACTOR_ROUTER_H
#define IRIS_ACTOR_ROUTER_H

#include "behaviour.h"

enum router_way {                       /* in the order of the manifest's words */
                  ROUTER_ROUND_ROBIN,   /* one after the other */
                  ROUTER_LEAST_MAILBOX, /* where the fewest messages wait */
                  ROUTER_HASH, /* the same one for the same sender; from outside is one sender */
                  ROUTER_BROADCAST /* all of them; a question is one only for the first */
};

/* Its behaviour, for one actor: instances are local pids, at least one; copied. IRIS_OK or IRIS_FAIL. */
int iris__router_define(struct world *, enum router_way, const uint64_t *instances, uint32_t n,
                        iris_version **out);

#endif
