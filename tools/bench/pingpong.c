/* Pairs of actors, each with one message on its way. The first of a pair counts what comes back to it;
 * the second sends back what it gets. */
#include "exchange.h"

#include "floor.h"
#include "stage.h"

#include <stdlib.h>

enum { ROUND_TRIPS = 3000000, WARM_UP = 300000 };

static struct finish finish;

static void floor_ping(struct floor_actor *a, struct floor_message *m)
{
    floor_put(m);
    if (a->count--)
        floor_send_new(a->peer, a, 1);
    else
        finish_one(&finish);
}

static void floor_pong(struct floor_actor *a, struct floor_message *m)
{
    floor_put(m);
    floor_send_new(a->peer, a, 1);
}

static double floor_play(struct floor_actor *actors, int pairs, uint64_t round_trips)
{
    double start = now_ns();
    finish_begin(&finish, pairs);
    for (int i = 0; i < pairs; i++) {
        actors[2 * i].count = round_trips / (uint64_t)pairs;
        floor_send_new(&actors[2 * i], NULL, 1);
    }
    finish_wait(&finish);
    return (double)round_trips * 1e3 / (now_ns() - start);
}

void pingpong_floor(const struct workload *w, double *values)
{
    floor_start(w->workers);
    struct floor_actor *actors = floor_actors((size_t)w->size * 2, floor_ping);
    for (int i = 0; i < 2 * w->size; i++) {
        actors[i].peer = &actors[i ^ 1];
        actors[i].handle = i % 2 ? floor_pong : floor_ping;
    }
    floor_play(actors, w->size, WARM_UP);
    values[0] = floor_play(actors, w->size, ROUND_TRIPS);
    floor_stop();
}

struct player { /* a first one's state */
    uint64_t partner, left;
};

static struct player *players;
static atomic_int next_player;

static int begin(const iris_behaviour *b, iris_actor *self, iris_bytes args, void **state)
{
    (void)b, (void)self, (void)args;
    *state = &players[atomic_fetch_add(&next_player, 1)];
    return IRIS_OK;
}

static int ping(const iris_behaviour *b, iris_actor *self, void *state,
                const iris_message *const *messages, int n)
{
    const struct stage *s = b->data;
    struct player *p = state;
    for (int i = 0; i < n; i++)
        if (p->left--)
            s->api->send(self, p->partner, messages[i]->data, messages[i]->len, 0);
        else
            finish_one(&finish);
    return n;
}

static int pong(const iris_behaviour *b, iris_actor *self, void *state,
                const iris_message *const *messages, int n)
{
    const struct stage *s = b->data;
    (void)state;
    for (int i = 0; i < n; i++)
        s->api->send(self, messages[i]->from, messages[i]->data, messages[i]->len, 0);
    return n;
}

/* Which actor has which player does not matter: all play as long. */
static double play(const struct stage *s, const uint64_t *pids, const struct workload *w,
                   uint64_t round_trips)
{
    static const unsigned char payload[64];
    for (int i = 0; i < w->size; i++)
        players[i].left = round_trips / (uint64_t)w->size;
    double start = now_ns();
    finish_begin(&finish, w->size);
    for (int i = 0; i < w->size; i++)
        stage_send_bytes(s, pids[i], payload, bytes_of(w), 0);
    finish_wait(&finish);
    return (double)round_trips * 1e3 / (now_ns() - start);
}

void pingpong_iris(const struct workload *w, double *values)
{
    struct stage s;
    size_t pairs = (size_t)w->size;
    uint64_t *pids = calloc(pairs * 2, sizeof *pids);
    iris_behaviour first = {.size = sizeof first,
                            .abi = IRIS_ABI,
                            .name = "ping",
                            .version = "1",
                            .handle = ping,
                            .init = begin,
                            .data = &s};
    iris_behaviour second = {.size = sizeof second,
                             .abi = IRIS_ABI,
                             .name = "pong",
                             .version = "1",
                             .handle = pong,
                             .data = &s};
    players = calloc(pairs, sizeof *players);
    stage_open(&s, w->workers, 0);
    stage_spawn_many(&s, &second, pairs, pids + pairs);
    for (size_t i = 0; i < pairs; i++)
        players[i].partner = pids[pairs + i];
    stage_spawn_many(&s, &first, pairs, pids);
    stage_settle(&s);
    play(&s, pids, w, (uint64_t)amount(WARM_UP));
    values[0] = play(&s, pids, w, (uint64_t)amount(ROUND_TRIPS));
    stage_close(&s);
    free(players);
    free(pids);
}
