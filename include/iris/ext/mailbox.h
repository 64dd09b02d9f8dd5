/* "iris.mailbox/1": what bounded mailboxes do when they are full, seen and changed while they are used,
 * and how those wait who are no actor.
 *
 * An actor that sends to a full mailbox with IRIS_BLOCK is told IRIS_OK: its message waits at the door,
 * in one queue with those of all other senders, and gets a place as soon as one is free. Until all of
 * its waiting messages are in, the sender begins no other message (api->due() says IRIS_AGAIN: give the
 * rest of the batch back); a pull actor with a thread of its own waits inside send(). It can be stopped
 * and killed as ever. If the receiver ends first, what waits becomes dead letters and the sender goes on.
 * IRIS_FULL is said where waiting would never end: to itself, and in a ring of actors that wait for each
 * other. Threads from outside, hosts and other nodes are never suspended: send() says IRIS_FULL to them
 * at once, as with IRIS_DROP_NEW; send_wait() and room() are for them. A timer's message waits.
 *
 * With a limit of bytes (iris_spawn.bytes) a mailbox is full, too, when one more message would be too much
 * for that. The policy is the same; IRIS_DROP_OLD evicts as many of the oldest as it takes. What counts is
 * the data of messages that are accepted and not begun (one that a handler gave back has been begun). A
 * message that is larger than the limit is IRIS_LARGE at once, whatever the policy. Such an actor is
 * handed one message at a time. A pull actor cannot have both a limit of bytes and IRIS_DROP_OLD. */
#ifndef IRIS_EXT_MAILBOX_H
#define IRIS_EXT_MAILBOX_H

#include <iris/plugin.h>

#define IRIS_MAILBOX "iris.mailbox/1"

struct iris_answer;

enum { /* iris_mailbox_look.counts: messages, since the actor began (a restart in place goes on) */
       IRIS_MAILBOX_REFUSED = 0,    /* send() said IRIS_FULL */
       IRIS_MAILBOX_DROPPED = 1,    /* accepted, and evicted by a newer one */
       IRIS_MAILBOX_REDIRECTED = 2, /* the fallback took it instead */
       IRIS_MAILBOX_SPILLED = 3,    /* the fallback took a copy */
       IRIS_MAILBOX_WAITED = 4,     /* waited at the door */
       IRIS_MAILBOX_WARNED = 5,     /* warnings: IRIS_EVENT_HIGH_WATER */
       IRIS_MAILBOX_COUNTS = 6
};

typedef struct iris_mailbox_look {
    uint32_t size, abi;
    uint32_t policy, capacity, warn_at; /* capacity 0: unbounded */
    uint32_t mailbox;                   /* accepted and not yet begun */
    uint32_t undone;                    /* what counts against the capacity: accepted and not yet done */
    uint32_t waiting;                   /* at the door */
    uint64_t fallback;
    uint64_t counts[8]; /* IRIS_MAILBOX_REFUSED .. */
    uint64_t bytes;     /* iris_spawn.bytes; 0: no limit */
    uint64_t held;      /* bytes in `mailbox`; 0 where there is no limit */
} iris_mailbox_look;

typedef struct iris_mailbox {
    uint32_t size, abi;
    /* Send, and where the mailbox is full (whatever its policy, but IRIS_DROP_OLD and a fallback that
     * takes it) wait in the queue at its door. Blocks the calling thread, so not inside a turn: there
     * it is an IRIS_FAIL. timeout in ns, below 0: for ever. IRIS_OK, IRIS_EMPTY (not in time, and not
     * sent), IRIS_DEAD (it ended first; not sent), IRIS_LARGE, IRIS_FULL (no memory; or the link to its node takes
     * no more: that is told at once, for a node may be away for long). [any] */
    int (*send_wait)(iris_actor *self, uint64_t to, const void *data, size_t len, uint64_t ref,
                     int64_t timeout);
    /* For who must not block: job runs once, on the thread of `on` (NULL: on whichever), as soon as the
     * mailbox has room, perhaps at once, or its actor has ended. Others may be faster: ask again.
     * IRIS_OK, or job does not run: IRIS_DEAD, IRIS_FAIL (no memory). [any] */
    int (*room)(iris_actor *self, uint64_t to, iris_job *job, iris_executor *on);
    /* Change a bounded mailbox from now on; fallback: of IRIS_REDIRECT and IRIS_SPILL only; capacity 0:
     * as it is. What was accepted stays accepted: with IRIS_DROP_OLD those that wait come in at the
     * cost of the oldest, and a smaller capacity takes effect as places get free. IRIS_DEAD, or
     * IRIS_FAIL: unbounded ones stay so. [any] */
    int (*policy)(iris_actor *self, uint64_t pid, uint32_t policy, uint64_t fallback,
                  uint32_t capacity);
    int (*look)(iris_actor *self, uint64_t pid, iris_mailbox_look *); /* IRIS_OK or IRIS_DEAD. [any] */
    /* Another limit of bytes from now on; what was accepted stays accepted. IRIS_DEAD, or IRIS_FAIL: it is
     * 0, or the actor was spawned without one. [any] */
    int (*bytes)(iris_actor *self, uint64_t pid, uint64_t limit);
    /* send_wait() for who must not block: whoever waits hears by answer->job (ext/ask.h), once, also if there was room at
     * once. answer->result: IRIS_OK: it is in; IRIS_EMPTY or IRIS_DEAD (or IRIS_CLOSED): it was not sent, and `message` is NULL.
     * A result other than IRIS_OK: nothing was sent and nothing is told: IRIS_DEAD, IRIS_LARGE,
     * IRIS_FULL (no memory, or the link to its node takes no more). By an actor [exec], by a host [any] */
    int (*send_told)(iris_actor *self, uint64_t to, const void *data, size_t len, uint64_t ref,
                     int64_t timeout, struct iris_answer *answer);
    /* Take back what waits by send_told() of this answer, to the same pid. IRIS_OK: it is not sent, and the answer is
     * told IRIS_CLOSED; IRIS_DEAD: too late, it is told as it went. The answer must not be told and gone yet: to be
     * called on the thread that it is told on. [any] */
    int (*send_cancel)(iris_actor *self, uint64_t to, const struct iris_answer *answer);
} iris_mailbox;

#endif
