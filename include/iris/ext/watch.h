/* "iris.watch/1": being told when another actor ends, and ending with it.
 *
 * Monitor: a one-way look: one IRIS_DOWN when the other ends. Link: both ways: one that ends abnormally
 * (with any reason but "normal") ends the other too, with the same reason and a key from=PID. Who traps
 * (trap(), IRIS_SPAWN_TRAP) is not ended: it gets one IRIS_EXIT, from whom, with the reason, also when
 * that is "normal". So a host that promises "one EXIT for each link, and links never kill" traps in each
 * of its actors. A behaviour without IRIS_SIGNALS that traps sees nothing and lives on.
 *
 * A restart in place is an end to everybody else: monitors get their DOWN, links fire and are gone.
 * When a DOWN or EXIT comes, the actor that it is about has no name, takes no mail and is_alive no more
 * (but where it began again in place).
 *
 * Children (iris_spawn.parent): when an actor ends, or begins again in place, its children are told to end
 * at once ("parent"; what they have not handled becomes dead letters), and it waits, without holding a
 * thread, until the last one has. So a tree ends from its leaves: every fini and DOWN of a child comes
 * before its parent's. A child whose handler does not return holds up its parent for 5 s and no longer.
 *
 * The kinds below are also what a route gets when an actor of this node watches one of another. A ref
 * says which; the top bit of an UNLINK's or EXIT's: it is the receiver's own. */
#ifndef IRIS_EXT_WATCH_H
#define IRIS_EXT_WATCH_H

#include <iris/plugin.h>

#include <string.h>

#ifdef __cplusplus
extern "C" {
#endif

#define IRIS_WATCH "iris.watch/1"

struct iris_answer;

enum {
    IRIS_MONITOR = 16,
    IRIS_DEMONITOR = 17,
    IRIS_LINK = 18,
    IRIS_UNLINK = 19,
    IRIS_STOP = 20,
    IRIS_UNLINKED = 21, /* the answer to an UNLINK, with its ref */
    IRIS_ORDER = 22, /* a supervisor orders an actor of another node about: docs/protocol.md */
    IRIS_REPORT = 23 /* and that one's node answers */
};

typedef struct iris_watch {
    uint32_t size, abi;
    /* Exactly one IRIS_DOWN (ref in message->ref) when pid ends, or at once if there is no such actor:
     * reason "noproc". Wants a behaviour with IRIS_SIGNALS. [exec] */
    int (*monitor)(iris_actor *self, uint64_t pid, uint64_t *ref);
    int (*demonitor)(iris_actor *self, uint64_t ref); /* and no DOWN of it comes any more. [exec] */
    /* Handles what was accepted, then ends. One of another node is asked to, and does where that node's
     * mesh allows it (IRIS_OK: it was asked). [any] */
    int (*stop)(iris_actor *self, uint64_t pid);
    int (*kill)(iris_actor *self, uint64_t pid); /* ends at once; its mail becomes dead letters. IRIS_FAIL: it
                                                    is of another node. [any] */

    /* Twice is once, from either side. A pid that is dead, or was never, ends the caller as "noproc"
     * (who traps gets that EXIT); a node that is gone as "noconnection". [exec] */
    int (*link)(iris_actor *self, uint64_t pid);
    int (*unlink)(iris_actor *self, uint64_t pid); /* not linked is fine; no EXIT of it comes any more,
                                                      also none that was on its way. [exec] */
    int (*trap)(iris_actor *self, int on);         /* until this incarnation ends. [exec] */
    /* Two others, from outside: each is told to link itself with the other, and does before it looks
     * at anything that comes later. IRIS_DEAD: both are gone. IRIS_FAIL: neither is of this node. [any] */
    int (*link_pair)(iris_actor *self, uint64_t a, uint64_t b);
    int (*unlink_pair)(iris_actor *self, uint64_t a, uint64_t b);
    /* Once pid has ended (at once, with "noproc", if there is none) the answer's job runs: IRIS_OK, and
     * message is its DOWN: drop() it. IRIS_EMPTY: not within timeout ns (below 0: for ever). IRIS_DEAD:
     * the runtime ends. [any] */
    int (*ended)(iris_actor *self, uint64_t pid, int64_t timeout, struct iris_answer *); /* ext/ask.h */
    /* For an actor that stands for another one (a proxy), which has ended: who monitors it gets a DOWN with
     * this reason, links fire and are gone, as at a restart in place. It goes on. [turn] */
    int (*lapse)(iris_actor *self, const char *reason);
} iris_watch;

/* ---- what hosts call the signals ---- */

/* "EXIT", "DOWN", ..: the type_name of a system message; NULL: this is no signal for a behaviour. */
static inline const char *iris_signal_name(uint32_t kind)
{
    switch (kind) {
    case IRIS_EXIT: return "EXIT";
    case IRIS_DOWN: return "DOWN";
    case IRIS_HOT_SWAP: return "HOT_SWAP";
    case IRIS_STUCK: return "STUCK";
    case IRIS_PING: return "PING";
    case IRIS_PONG: return "PONG";
    }
    return NULL;
}

/* Its data is a reason, in the grammar below. */
static inline int iris_signal_has_reason(const iris_message *m)
{
    return m->kind == IRIS_EXIT || m->kind == IRIS_DOWN ||
           (m->len && (m->kind == IRIS_PING || m->kind == IRIS_PONG || m->kind == IRIS_STUCK));
}

/* ---- reasons ----
 *
 * One grammar, in EXIT and DOWN bodies, in events and logs:
 *
 *   word        word: text        word (key=value, key=value)        word (key=value): text
 *
 *   normal                           it ended itself
 *   killed (how=stop, drained=12)    by stop(), after 12 messages that had been accepted before
 *   killed (how=kill)                by kill()
 *   crash: text                      its code failed, and said this
 *   panic (how=interrupted): text    the runtime caught it: a handler above turn_limit; how=stack
 *   parent (parent=123)              its parent ended
 *   crash (from=123): text           a link: with the reason of who began it
 *   noproc, noconnection             a monitor or link of an actor that is not there; of a node
 *
 * exit() may say any other word; a text that does not fit the grammar is one long word. Of one that was
 * told to end already (a pull actor that sees IRIS_CLOSED) what it was told stays the reason. */
typedef struct iris_reason_parts {
    const char *word, *metadata, *text; /* inside the reason, not terminated; metadata: in the brackets */
    size_t word_len, metadata_len, text_len; /* 0: there is none */
} iris_reason_parts;

/* Where the bracket that opens at `at` closes, if the reason goes on in the grammar; else 0. */
static inline size_t iris_reason_close(const char *s, size_t len, size_t at)
{
    while (at < len && s[at] != ')' && s[at] != '\n')
        at++;
    return at < len && s[at] == ')' && (at + 1 == len || s[at + 1] == ':') ? at : 0;
}

static inline void iris_reason_split(const void *reason, size_t len, iris_reason_parts *out)
{
    const char *s = (const char *)reason;
    size_t at = 0, close = 0;
    memset(out, 0, sizeof *out);
    while (at < len && s[at] != ':' && s[at] != ' ' && s[at] != '\n')
        at++;
    out->word = s;
    out->word_len = at;
    if (at + 1 < len && s[at] == ' ' && s[at + 1] == '(' &&
        (close = iris_reason_close(s, len, at)) != 0) {
        out->metadata = s + at + 2;
        out->metadata_len = close - at - 2;
        at = close + 1;
    }
    if (at < len && s[at] == ':' && at) {
        at += at + 1 < len && s[at + 1] == ' ' ? 2 : 1;
        out->text = s + at;
        out->text_len = len - at;
    } else if (at < len)
        out->word_len = len;
}

static inline int iris_reason_is(const iris_reason_parts *r, const char *word)
{
    return r->word_len == strlen(word) && memcmp(r->word, word, r->word_len) == 0;
}

/* The value of a key in the metadata, *len bytes of it; NULL: it has none. */
static inline const char *iris_reason_value(const iris_reason_parts *r, const char *key, size_t *len)
{
    size_t n = strlen(key), at = 0;
    while (at < r->metadata_len) {
        size_t end = at;
        while (end < r->metadata_len && r->metadata[end] != ',')
            end++;
        if (end - at > n && r->metadata[at + n] == '=' && memcmp(r->metadata + at, key, n) == 0) {
            *len = end - at - n - 1;
            return r->metadata + at + n + 1;
        }
        for (at = end; at < r->metadata_len && (r->metadata[at] == ',' || r->metadata[at] == ' ');)
            at++;
    }
    *len = 0;
    return NULL;
}

#ifdef __cplusplus
}
#endif
#endif
