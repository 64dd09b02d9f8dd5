/* Pairs of actors, each with one message on its way. The message counts down. */
#include "exchange.h"

#include "floor.h"
#include "stage.h"

#include <stdlib.h>
#include <string.h>

enum { MESSAGES = 6000000, WARM_UP = 600000 };

static struct finish finish;

static void floor_volley(struct floor_actor *a, struct floor_message *m)
{
    uint64_t left = m->value;
    floor_put(m);
    if (left)
        floor_send_new(a->peer, a, left - 1);
    else
        finish_one(&finish);
}

static double floor_play(struct floor_actor *actors, int pairs, uint64_t messages)
{
    double start = now_ns();
    finish_begin(&finish, pairs);
    for (int i = 0; i < pairs; i++)
        floor_send_new(&actors[2 * i], NULL, messages / (uint64_t)pairs - 1);
    finish_wait(&finish);
    return (double)messages * 1e3 / (now_ns() - start);
}

void pingpong_floor(const struct workload *w, double *values)
{
    floor_start(w->workers);
    struct floor_actor *actors = floor_actors((size_t)w->size * 2, floor_volley);
    for (int i = 0; i < 2 * w->size; i++)
        actors[i].peer = &actors[i ^ 1];
    floor_play(actors, w->size, WARM_UP);
    values[0] = floor_play(actors, w->size, MESSAGES);
    floor_stop();
}

/* The answer goes to the sender; the first message, from outside, says by its ref to whom. */
static int volley(const iris_behaviour *b, iris_actor *self, void *state,
                  const iris_message *const *messages, int n)
{
    const struct stage *s = b->data;
    (void)state;
    for (int i = 0; i < n; i++) {
        const iris_message *m = messages[i];
        uint64_t left;
        memcpy(&left, m->data, sizeof left);
        if (left--)
            s->api->send(self, m->ref ? m->ref : m->from, &left, sizeof left, 0);
        else
            finish_one(&finish);
    }
    return n;
}

static double play(const struct stage *s, const uint64_t *pids, int pairs, uint64_t messages)
{
    double start = now_ns();
    finish_begin(&finish, pairs);
    for (int i = 0; i < pairs; i++)
        stage_send(s, pids[2 * i], messages / (uint64_t)pairs - 1, pids[2 * i + 1]);
    finish_wait(&finish);
    return (double)messages * 1e3 / (now_ns() - start);
}

void pingpong_iris(const struct workload *w, double *values)
{
    struct stage s;
    uint64_t *pids = calloc((size_t)w->size * 2, sizeof *pids);
    iris_behaviour player = {.size = sizeof player,
                             .abi = IRIS_ABI,
                             .name = "player",
                             .version = "1",
                             .handle = volley,
                             .data = &s};
    stage_open(&s, w->workers, 0);
    stage_spawn_many(&s, &player, (size_t)w->size * 2, pids);
    play(&s, pids, w->size, WARM_UP);
    values[0] = play(&s, pids, w->size, MESSAGES);
    stage_close(&s);
    free(pids);
}
