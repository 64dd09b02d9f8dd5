/* holder.h - a receiver that begins a message and holds it until the play lets it go: so a mailbox is
 * exactly as full as the play wants it, also with threads.
 *
 *   struct holder *h = holder_spawn(s, (iris_spawn){.capacity = 3, .policy = IRIS_BLOCK});
 *   scene_send(s, h->pid, 1);
 *   holder_await(s, h, 1);                 it holds its first message, which is number 1
 *   holder_let_go(s, h, IRIS_OK);          and is done with it */
#ifndef IRIS_TESTS_HOLDER_H
#define IRIS_TESTS_HOLDER_H

#include "cast.h"

#include <iris/ext/mailbox.h>

enum { HOLDER_LOG = 4096, HOLDER_LARGEST = 128 };

struct holder {
    uint64_t pid;
    const iris_message *_Atomic in_hand;
    atomic_uint begun;
    _Atomic uint64_t log[HOLDER_LOG]; /* numbers, as they began */
};

iris_behaviour holder_behaviour(struct holder *);
struct holder *holder_spawn(struct scene *, iris_spawn how);
/* Wait until so many have begun. */
void holder_await(struct scene *, struct holder *, unsigned begun);
/* Until so many wait in its mailbox; what it holds is one of them until its handler has returned. */
void holder_await_mailbox(struct scene *, struct holder *, uint64_t n);
void holder_let_go(struct scene *, struct holder *, int result);
/* Let go one after the other, until `begun` have begun and are done. */
void holder_drain(struct scene *, struct holder *, unsigned begun);

/* Just these numbers have begun, in this order: LOG(h, 1, 2, 3). */
void holder_expect_log(struct holder *, const uint64_t *numbers, unsigned n);
#define LOG(h, ...)                                       \
    holder_expect_log(h, (const uint64_t[]){__VA_ARGS__}, \
                      sizeof((const uint64_t[]){__VA_ARGS__}) / sizeof(uint64_t))

/* An actor that sends numbers as it is told, each in a turn of its own. */
struct asker {
    uint64_t pid;
    atomic_uint sent; /* orders carried out */
    _Atomic int result;
};
struct asker *asker_spawn(struct scene *);
void asker_order(struct scene *, struct asker *, uint64_t to, uint64_t number);
/* The same with a message that begins with the number and has so many bytes, up to HOLDER_LARGEST. */
void asker_order_large(struct scene *, struct asker *, uint64_t to, uint64_t number, uint32_t len);
/* Wait until so many orders have been carried out; the result of the last. */
int asker_await(struct scene *, struct asker *, unsigned sent);

/* From outside, a message as of asker_order_large(). */
int send_large(struct scene *, uint64_t to, uint64_t number, uint32_t len);
iris_mailbox_look look_at(struct scene *, uint64_t pid);
int set_policy(struct scene *, uint64_t pid, uint32_t policy, uint64_t fallback, uint32_t capacity);

#endif
