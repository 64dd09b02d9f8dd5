#include "hear.h"

#include "awaits.h"
#include "behaviour.h"
#include "cold.h"
#include "ending.h"
#include "family.h"
#include "freeze.h"
#include "lazy.h"
#include "links.h"
#include "mailbox.h"
#include "reader.h"
#include "reason.h"
#include "renew.h"
#include "swap.h"
#include "turn.h"
#include "watch.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The text that a signal carries, which does not end in a '\0'. NULL: no memory. */
static char *words_of(const iris_message *m)
{
    char *words = malloc((size_t)m->len + 1);
    if (!words)
        return NULL;
    memcpy(words, m->data, m->len);
    words[m->len] = '\0';
    return words;
}

/* What ends it for good, or by order, must not be lost in what was heard before it. */
static int outdoes(enum ending_kind kind, enum ending_kind before)
{
    int ordered = kind == ENDING_KILLED || kind == ENDING_PARENT;
    return ordered && before != ENDING_KILLED && before != ENDING_PARENT;
}

/* reason: taken over. */
static void hear_end(struct heard *h, enum ending_kind kind, char *reason)
{
    if (h->ends && !outdoes(kind, h->kind)) {
        free(reason);
        return;
    }
    free(h->reason);
    h->ends = 1;
    h->kind = kind;
    h->reason = reason;
}

static void hear_kill(iris_actor *a, struct heard *h, const iris_message *m)
{
    iris__family_awaited(a, m);
    h->stopped |= (m->ref & KILL_FOR_GOOD) != 0;
    hear_end(h, m->ref & KILL_PARENT ? ENDING_PARENT : ENDING_KILLED, words_of(m));
}

/* Orders of a supervisor may overtake each other: what was told before the last one heard is void. */
static int is_order(iris_actor *a, const iris_message *m)
{
    struct cold *c = iris__cold(a);
    if (!c || m->ref >> 1 < c->order)
        return 0;
    c->order = m->ref >> 1;
    return 1;
}

/* What it has put off may be done first, as long as its supervisor is patient. */
static void hear_restart(iris_actor *a, const iris_message *m, struct heard *h)
{
    if (!is_order(a, m))
        return;
    char *reason = words_of(m);
    if (!a->open || m->ref & RESTART_AT_ONCE || a->flags & ACTOR_DOWN) {
        hear_end(h, ENDING_RESTART, reason);
        return;
    }
    iris__turn_exit(a, reason, EXIT_RESTARTED);
    free(reason);
}

/* It is down already: what told it to end came while it did so by itself, and has nothing to end any more. */
static void hear_begin(iris_actor *a, const iris_message *m, struct heard *h)
{
    if (!is_order(a, m) || !(a->flags & ACTOR_DOWN))
        return;
    if (h->ends && h->kind == ENDING_RESTART)
        iris__hear_finish(h);
    atomic_fetch_add(&iris__cold_if(a)->restarts, 1);
    iris__actor_rise(a);
}

/* The end of somebody who is linked. If that was wanted, so is this one. */
static void hear_exit(struct heard *h, const iris_message *m)
{
    int ordered = iris__reason_is_ordered(m->data, m->len);
    hear_end(h, ordered ? ENDING_KILLED : ENDING_LINK, iris__reason_pass(m->data, m->len, m->from));
}

static void hear_late(iris_actor *a, struct heard *h)
{
    char *reason = iris__ready_late(a);
    if (!reason)
        return;
    h->is_late = !h->ends;
    hear_end(h, ENDING_CRASH, reason);
}

static void hear_swap(iris_actor *a, struct swap *s)
{
    struct world *w = iris__world_of(a);
    struct cold *c = iris__cold(a);
    if (!c || c->frozen) {
        iris__swap_refuse(w, s, IRIS_FAIL, c ? "the app is being saved" : "no memory");
        return;
    }
    if (c->now) /* taken back meanwhile, or we would not get this one */
        iris__swap_refuse(w, c->now, IRIS_FAIL, "another one came");
    c->now = s;
    a->flags |= ACTOR_SWAPPING;
}

/* EXIT and DOWN wait, before the mail, until the behaviour may have them: an actor is serial. */
static void hear_for_behaviour(iris_actor *a, struct message *m)
{
    if (a->version->b.flags & IRIS_SIGNALS && iris__cold(a))
        iris__watch_hear(a, m);
    else
        iris__watch_done(a, m);
}

static void hear_failure(iris_actor *a, struct message *m, const iris_message *why, struct heard *h)
{
    if (iris__later_settle(a, m) != IRIS_FAIL)
        return;
    char *text = why ? words_of(why) : NULL;
    if (!h->ends)
        iris__ending_excerpt(a, &m->pub, &h->message);
    iris__world_crash_letter(iris__world_of(a), m, text ? text : "");
    hear_end(h, ENDING_CRASH, iris__reason_write("crash", NULL, text ? text : ""));
    free(text);
}

/* 1: the message went on to the behaviour. */
static int hear_link(iris_actor *a, struct message *m, struct heard *h)
{
    switch (m->pub.kind) {
    case IRIS_LINK:
        iris__link_heard(a, &m->pub);
        break;
    case IRIS_UNLINK:
        iris__link_undone(a, &m->pub);
        break;
    case IRIS_UNLINKED:
        iris__link_confirmed(a, &m->pub);
        break;
    case KIND_JOIN:
        iris__link(a, m->pub.from);
        break;
    case KIND_PART:
        iris__unlink(a, m->pub.from);
        break;
    case IRIS_EXIT: {
        enum link_exit what = iris__link_exited(a, &m->pub);
        if (what == LINK_TELLS)
            return hear_for_behaviour(a, m), 1;
        if (what == LINK_ENDS)
            hear_exit(h, &m->pub);
    }
    }
    return 0;
}

static void hear(iris_actor *a, struct message *m, struct heard *h)
{
    switch (m->pub.kind) {
    case KIND_KILL:
        hear_kill(a, h, &m->pub);
        break;
    case KIND_RESTART:
        hear_restart(a, &m->pub, h);
        break;
    case KIND_BEGIN:
        hear_begin(a, &m->pub, h);
        break;
    case KIND_SWAP:
        hear_swap(a, iris__message_pointer(m));
        if (a->flags & ACTOR_RUNS && iris__reader_tell_swap(a, m))
            return;
        break;
    case KIND_CHILD:
        iris__family_add(a, m->pub.from);
        break;
    case KIND_CHILD_GONE:
        iris__family_gone(a, &m->pub);
        break;
    case KIND_LATER_FAILED:
        hear_failure(a, (struct message *)(uintptr_t)m->pub.ref, &m->pub, h);
        break;
    case IRIS_MONITOR:
        iris__watch_add(a, &m->pub);
        break;
    case IRIS_DEMONITOR:
        iris__watch_remove(a, &m->pub);
        break;
    case KIND_REST:
        h->rests |= iris__lazy_look(a);
        break;
    case KIND_READY:
        iris__ready_heard(a);
        break;
    case KIND_LATE:
        hear_late(a, h);
        break;
    case KIND_DOOR:
        iris__door_hear(a);
        break;
    case KIND_ADMITTED:
        iris__awaits_end(a, m->pub.from, (uint32_t)m->pub.ref);
        break;
    case KIND_GATHER:
    case KIND_THAW:
        iris__freeze_heard(a, m);
        break;
    case KIND_RENEW:
        iris__renew_hear(a, iris__message_pointer(m));
        break;
    case KIND_WAKE:
        break;
    case IRIS_LINK:
    case IRIS_UNLINK:
    case IRIS_UNLINKED:
    case KIND_JOIN:
    case KIND_PART:
    case IRIS_EXIT:
        if (hear_link(a, m, h))
            return;
        break;
    default:
        hear_for_behaviour(a, m);
        return;
    }
    iris__message_drop(iris__world_of(a)->pool, m);
}

void iris__hear_all(iris_actor *a, struct heard *h)
{
    uint64_t pid = iris__actor_pid(a);
    for (struct message *m = iris__signal_take(a), *next; m; m = next) {
        next = m->next;
        if (atomic_load(&m->later))
            hear_failure(a, m, NULL, h);
        else if (m->pub.to != pid)
            iris__actor_refuse_signal(iris__world_of(a), m);
        else
            hear(a, m, h);
    }
}

void iris__hear_finish(struct heard *h)
{
    free(h->reason);
    h->reason = NULL;
    h->ends = 0;
}

struct ending iris__hear_ending(const struct heard *h)
{
    return (struct ending){.kind = h->kind,
                           .reason = h->reason ? h->reason : "killed (how=kill)",
                           .stopped = h->stopped,
                           .at_once = h->kind != ENDING_CRASH || h->is_late,
                           .message = h->kind == ENDING_CRASH && !h->is_late ? &h->message : NULL};
}
