/* puller.h - pull actors for plays: what one does is a function of the test's own.
 *
 *   static int run(struct puller *p, iris_actor *self, struct numbers *state) { ... p->reader->recv(self, ..) }
 *
 *   struct puller *p = puller_start(s, run, &pid);      of the kind of this test; s->prop is p
 *
 *   PULLERS(play)     two tests: play_on_stack (coroutines), play_on_thread (threads; coroutines under seeds) */
#ifndef IRIS_TESTS_PULLER_H
#define IRIS_TESTS_PULLER_H

#include "cast.h"

struct numbers { /* its state: how many numbers it took, in all versions */
    uint64_t count;
};

struct puller { /* what one pull actor does, and what it saw */
    int (*run)(struct puller *, iris_actor *, struct numbers *);
    const iris_reader *reader;
    const iris_api *api;
    uint64_t other;    /* pid */
    atomic_int result; /* of a call */
    atomic_int begun, ended, hot, n, go;
    uint64_t got[256];
};

typedef int puller_run(struct puller *, iris_actor *, struct numbers *);

extern uint32_t
    puller_kind; /* IRIS_OWN_STACK or IRIS_OWN_THREAD, of the pull actors of this test */

struct puller *puller_make(struct scene *, puller_run *);
/* Saves its numbers, and reads what another version saved. */
iris_behaviour puller_behaviour(struct puller *, const char *version);
struct puller *puller_start(struct scene *, puller_run *, uint64_t *pid);
void puller_note(struct puller *, const iris_message *); /* what it got */
void puller_expect(const struct puller *, uint64_t first, uint64_t last);

/* Of s->prop, for scene_await(). */
int puller_has_begun(struct scene *);
int puller_has_ended(struct scene *);
int puller_is_asked_to_go(struct scene *);

/* clang-format off */
#define PULLER(play, how, scene)                         \
    static void play##_on_##how(void **state)            \
    {                                                    \
        (void)state;                                     \
        puller_kind = PULLER_##how;                      \
        scene_play##scene(play);                         \
    }
#define PULLERS(play) PULLER(play, stack, ) PULLER(play, thread, )
#define PULLER_stack IRIS_OWN_STACK
#define PULLER_thread IRIS_OWN_THREAD
/* clang-format on */

#endif
