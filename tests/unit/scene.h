/* scene.h - a runtime to play actor tests in: with threads, and under seeds.
 *
 *   static void play(struct scene *s) { pid = scene_spawn(s, &counter, 0); ...; scene_settle(s); assert ... }
 *   static void test(void **state) { scene_play(play); }
 *
 * scene_play() runs the play with one worker, with two, and under $SEEDS seeds (20 by default; `make
 * seeds` asks for 1,000). When an assertion fails under a seed the seed is printed; SEED=n replays it. */
#ifndef IRIS_TESTS_SCENE_H
#define IRIS_TESTS_SCENE_H

#include <iris/ext/ask.h>
#include <iris/ext/control.h>
#include <iris/ext/name.h>
#include <iris/ext/pool.h>
#include <iris/ext/reader.h>
#include <iris/ext/route.h>
#include <iris/ext/timer.h>
#include <iris/ext/watch.h>
#include <iris/iris.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdint.h>

#include <cmocka.h>
/* cmocka has a macro fail(): write (api->fail)("..") to call the other one */

struct scene {
    iris_runtime *rt;
    const iris_api *api;
    iris_actor *self;
    uint64_t seed;    /* 0: with threads */
    uint32_t workers; /* with threads */
    void *prop;       /* the play's own */
    struct scene_memory *memory;
};

/* Each event of the plays that follow, on any thread, under no lock; NULL: none. */
void scene_listen(void (*event)(struct scene *, const iris_event *));

void scene_open(struct scene *, uint32_t workers, uint64_t seed);
void scene_close(struct scene *); /* fails the test if a thread does not come back */

/* Zeroed memory for what actors write to: it stays until the runtime is closed, a play's frame does
 * not. */
void *scene_memory(struct scene *, size_t len);

iris_version *scene_define(struct scene *, const iris_behaviour *);
uint64_t scene_spawn(struct scene *, const iris_behaviour *, uint32_t capacity);
void scene_send(struct scene *, uint64_t to, uint64_t number);         /* must be accepted */
uint64_t scene_ask(struct scene *, uint64_t to, const char *question); /* answer: 8 bytes */
void scene_settle(struct scene *);                                     /* until it is idle */
void scene_await(struct scene *, int (*holds)(struct scene *));        /* or fail after 20 s */
iris_totals scene_count(struct scene *);

void scene_play(void (*play)(struct scene *));
void scene_play_seeds(void (*play)(struct scene *)); /* for what needs the virtual clock */
void scene_play_threads(
    void (*play)(struct scene *)); /* for what threads of its own are a part of */

#endif
