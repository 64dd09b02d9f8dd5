/* A thread that is no worker sends 10 messages to each of many actors: round after round over all of
 * them, or 10 in a row to one after the other; or two million to a single one. Each actor counts its
 * messages. */
#include "exchange.h"

#include "floor.h"
#include "stage.h"

#include <stdlib.h>
#include <string.h>

enum { EACH = 10, TO_ONE = 2000000 };

static struct finish finish;
static uint64_t each; /* messages for each actor */

static int count_messages(const struct workload *w)
{
    each = w->size == 1 ? TO_ONE : EACH;
    return w->size * (int)each;
}

/* Which actor the i-th message goes to. */
static int receiver_of(const struct workload *w, int i)
{
    return w->order == ROUND_ROBIN ? i % w->size : i / (int)each;
}

static void floor_count(struct floor_actor *a, struct floor_message *m)
{
    floor_put(m);
    if (++a->count == each) {
        a->count = 0;
        finish_one(&finish);
    }
}

static double floor_play(const struct workload *w, struct floor_actor *actors)
{
    int n = count_messages(w);
    double start = now_ns();
    finish_begin(&finish, w->size);
    for (int i = 0; i < n; i++)
        floor_send_new(&actors[receiver_of(w, i)], NULL, 1);
    finish_wait(&finish);
    return n * 1e3 / (now_ns() - start);
}

void outside_floor(const struct workload *w, double *values)
{
    floor_start(w->workers);
    struct floor_actor *actors = floor_actors((size_t)w->size, floor_count);
    floor_play(w, actors);
    values[0] = floor_play(w, actors);
    floor_stop();
}

static atomic_uint_fast64_t next_count;
static uint64_t *counts; /* the actors' states, side by side */

static int begin_count(const iris_behaviour *b, iris_actor *self, iris_bytes args, void **state)
{
    (void)b, (void)self, (void)args;
    *state = &counts[atomic_fetch_add(&next_count, 1)];
    return IRIS_OK;
}

/* Each carries its number among those for this actor. */
static int count(const iris_behaviour *b, iris_actor *self, void *state,
                 const iris_message *const *messages, int n)
{
    uint64_t *mine = state, number;
    (void)b, (void)self;
    for (int i = 0; i < n; i++) {
        memcpy(&number, messages[i]->data, sizeof number);
        if (number != *mine)
            die("a message came out of order");
        if (++*mine == each) {
            *mine = 0;
            finish_one(&finish);
        }
    }
    return n;
}

static uint64_t number_of(const struct workload *w, int i)
{
    return w->order == ROUND_ROBIN ? (uint64_t)(i / w->size) : (uint64_t)i % each;
}

static double play(const struct workload *w, const struct stage *s, const uint64_t *pids)
{
    uint64_t payload[8] = {0};
    size_t len = bytes_of(w);
    int n = count_messages(w);
    double start = now_ns();
    finish_begin(&finish, w->size);
    for (int i = 0; i < n; i++) {
        payload[0] = number_of(w, i);
        stage_send_bytes(s, pids[receiver_of(w, i)], payload, len, 0);
    }
    finish_wait(&finish);
    double took = now_ns() - start;
    stage_settle(s);
    for (int i = 0; i < w->size; i++)
        if (counts[i])
            die("more messages came than were sent");
    return n * 1e3 / took;
}

void outside_iris(const struct workload *w, double *values)
{
    struct stage s;
    uint64_t *pids = calloc((size_t)w->size, sizeof *pids);
    iris_behaviour counter = {.size = sizeof counter,
                              .abi = IRIS_ABI,
                              .name = "counter",
                              .version = "1",
                              .handle = count,
                              .init = begin_count};
    counts = calloc((size_t)w->size, sizeof *counts);
    stage_open(&s, w->workers, 0);
    stage_spawn_many(&s, &counter, (size_t)w->size, pids);
    stage_settle(&s);
    play(w, &s, pids);
    values[0] = play(w, &s, pids);
    stage_close(&s);
    free(pids);
    free(counts);
}
