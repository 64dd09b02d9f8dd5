/* A simulator of several nodes of the mesh: the product's protocol code (mesh/protocol/mesh.h) over a network, clocks
 * and actors that are made of one seed. One thread; what happens next is the head of a heap of events.
 *
 *   sim.h     what all share: time, events, trace, failure        trace.c, event.c, main.c
 *   net.c     hosts, paths and connections: bytes in order, and all that can be wrong with them
 *   node.c    a node: its clock, its lives, the seam of the protocol (mesh/protocol/seam.h)
 *   core.c    a model of the runtime behind it: indexes, actors, monitors, links, asks    inbox.c  what comes in
 *   ledger.c  each message ever sent, what became of it, and whether that may be
 *   load.c    what actors do           fault.c  what goes wrong           check.c  what must hold
 *   engine.h  a cluster's engine, in some of the seeds
 *
 * Times are ns of the world's clock, unless they are called local. */
#ifndef SIM_H
#define SIM_H

#include "mesh.h"
#include "random.h"

#include <iris/ext/route.h>
#include <iris/ext/watch.h>

#include <stddef.h>
#include <stdint.h>

#define US INT64_C(1000)
#define MS (1000 * US)
#define SEC (1000 * MS)

enum { NODES = 5, SLOTS = 6, INDEXES = 512, TRACE = 256, NAMES = 32, UNIQUE = 3 };

struct sim;
struct node;

/* ---- events ---- */

typedef void event_run(struct sim *, int node, void *what, uint64_t a);

struct event {
    int64_t at;
    uint64_t order; /* of two at one time, which was made first */
    event_run *run;
    void *what;
    uint64_t a;
    int node; /* whose: it waits while the node is frozen, and goes when its life ends. -1: the world's */
    uint32_t life;
};

struct events {
    struct event *items;
    size_t n, room;
    uint64_t made;
};

void sim_at(struct sim *, int64_t at, int node, event_run *, void *what, uint64_t a);
int sim_step(struct sim *); /* 0: there is no event left */

/* ---- the network (net.c) ---- */

struct path { /* one way between two hosts */
    int cut;  /* so many faults hold it */
    int64_t cut_at, delay, jitter, wire_free;
    int64_t rate; /* bits a second; 0: as fast as you like */
};

struct way { /* bytes of a connection one way: [came, not read][under way][not sent] */
    unsigned char *ring;
    uint32_t head, came, flying, unsent, unacked;
    uint32_t epoch; /* what flew before a loss does not arrive */
    int64_t last_at;
    int stalled, full, fin, fin_flies, fin_came, dead;
};

enum end_state { END_NONE, END_DIALS, END_WAITS, END_OPEN, END_CLOSED };

struct end {
    int node;
    uint32_t life, number;
    enum end_state state;
    int reads, told; /* an event that reads, or closes, is on its way */
};

struct conn {
    struct end end[2]; /* 0: who dialled */
    struct way way[2]; /* from end i */
    int syns;
    uint32_t nth;
};

void net_dial(struct sim *, struct node *, uint32_t number, const char *address);
size_t net_write(struct sim *, struct node *, uint32_t number, const void *, size_t);
void net_close(struct sim *, struct node *, uint32_t number, int linger);
void net_cut(struct sim *, int from, int to);
void net_heal(struct sim *, int from, int to);
void net_host_up(struct sim *, int node); /* what was sent to it meanwhile is sent again */
void net_died(struct sim *, struct node *, int quietly);
void net_reset(struct sim *, struct conn *, int both); /* a middlebox forgets it */
void net_finish(struct sim *);

/* ---- the model of a runtime (core.c) ---- */

struct queued { /* mail that waits in the outbox of an index */
    struct queued *next;
    uint64_t id, to, ref;
};

struct signalled { /* a signal that went out */
    uint32_t kind;
    uint64_t from, to, ref;
};

struct index {
    int used, up,
        node; /* which node it stands for: node and life are found by the id that it showed */
    uint32_t life;
    int64_t up_at, down_at;
    struct queued *first, **last;
    uint32_t waits; /* bytes in it */
    int full;       /* mesh_send() said so, and room() has not come */
    int64_t full_at;
    struct signalled *signals; /* not yet seen at the other end, oldest first */
    size_t nsignals, room, seen;
    int bound_node; /* the index of the other end, which its mail shows */
    uint32_t bound;
};

struct watcher { /* of an actor here, from another node */
    uint64_t pid, ref;
    int is_link;
};

struct actor {
    uint32_t generation;
    int alive;
    int64_t died;
    uint32_t pending, capacity;
    int64_t service;
    struct watcher *watchers;
    size_t nwatchers, room;
    uint64_t *asks; /* of its pending mail: 0, or whom to answer */
    size_t nasks, asks_room;
    uint64_t last[NODES][SLOTS]; /* I2: number of the last message from each actor */
};

struct watch { /* of an actor of another node, by one here */
    uint64_t ref, target;
    uint32_t index;
    int slot, is_link, node;
    uint32_t life;
    int64_t made, gone; /* when what it watches ended; 0: it lives */
    int64_t actor_gone;
    struct watch *next;
};

struct wanted {
    int is_wanted, listed; /* listed: not by the engine */
};

struct claimant {   /* an actor that wants a name which is unique over the cluster */
    uint64_t pid;   /* 0: it has ended */
    uint64_t token; /* it was told that it has the name; 0: that it has not */
    uint32_t generation;
    int retired; /* it does not begin again */
};

enum node_state { HOST_OFF, PROCESS_GONE, ALIVE };

struct node {
    struct sim *sim;
    int number;
    char name[16], address[24];
    struct mesh *mesh;
    enum node_state state;
    uint32_t life; /* 1, 2, ..: also its creation */
    struct node_id id;
    int stranger; /* has another cookie: nobody may hear of it */
    int frozen, inside, leaving;
    int64_t started, thawed;
    int64_t clock_base, clock_from; /* local = base + (t - from) * (1 + ppm) */
    int32_t ppm;
    uint64_t alarm;
    uint32_t next_conn;
    struct event *held;
    size_t nheld, held_room;
    struct conn **conns;
    size_t nconns, conns_room;
    struct wanted wants[NODES];
    struct index indexes[INDEXES];
    uint32_t next_index;
    struct actor actors[SLOTS];
    struct watch *watches;
    uint64_t next_ref;
    iris_message *later; /* signals that wait until nobody is inside */
    size_t nlater, later_room;
    int64_t memory, memory_most; /* of the protocol code, bytes */
    struct mesh_limits limits;
    uint32_t stuck_ms;
    /* engine.h */
    struct agree *agree; /* NULL: there is no engine, or it has left */
    struct http *http;
    int64_t agree_at; /* its alarm, local; 0: none */
    uint64_t agree_alarm;
    struct claimant claimants[UNIQUE];
    uint64_t seen[UNIQUE]; /* the highest token of each name */
};

#define RAW(pid) ((pid) & ((UINT64_C(1) << 43) - 1))
#define AT(index, pid) ((uint64_t)(index) << 43 | RAW(pid))
#define IS_ASK (UINT64_C(1) << 42)
#define IS_MAIL (UINT64_C(1) << 41)

static inline uint64_t slot_pid(int slot, uint32_t generation)
{
    return (uint64_t)generation << 24 | (uint64_t)(slot + 1);
}

void core_begin(struct node *);
void core_end(struct node *);
int core_up(struct node *, const char *name, uint32_t *index, char *why, size_t room);
void core_down(struct node *, uint32_t index, const char *reason);
void core_deliver(struct node *, const iris_message *const *, int n, int *taken);
void core_letter(struct node *, const iris_message *, const char *reason);
void core_unanswered(struct node *, uint64_t ref, const char *reason);
void core_room(struct node *, uint32_t index);
uint64_t core_whereis(struct node *, const char *name);
int core_alive(struct node *, uint64_t pid);
void core_identify(struct node *); /* who stands behind new indexes */

int core_mail(struct node *, int slot, uint64_t to, uint32_t len, uint64_t ref); /* as send() */
void core_ask(struct node *, int slot, uint64_t to, uint32_t len);
void core_watch(struct node *, int slot, uint64_t target, int is_link);
void core_unwatch(struct node *, struct watch *);
void core_stop(struct node *, uint64_t target);
int core_may_be_refused(const struct node *from, uint32_t kind);
void core_kill(struct node *, int slot);
void core_spawn(struct node *, int slot);
struct index *core_index_of(struct node *, int node, uint32_t *index); /* that is up, or NULL */
struct index *core_up_index(struct node *, uint32_t index);            /* the same */
struct actor *core_living(struct node *, uint64_t pid);
struct watch **core_watch_at(struct node *, uint64_t ref);
void core_signal(struct node *, uint32_t kind, uint64_t from, uint64_t to, uint64_t ref,
                 const char *reason); /* reason: a literal */
void core_tell_asker(struct node *, uint64_t ref);
void core_nodes(struct node *); /* looks at what mesh_nodes() says */

/* ---- the ledger (ledger.c) ---- */

struct mail {
    int8_t from, to; /* nodes */
    uint8_t from_slot, taken, delivered, result, letter, of_ask, has_ref;
    uint32_t from_life, to_life, index, len;
    uint64_t to_pid;
    int64_t taken_at, delivered_at, letter_at;
};

struct ask {
    int8_t node, to;
    uint8_t forwarded, answered, refused;
    uint32_t life, index;
    uint64_t to_pid;
    int64_t at, index_down_at;
};

struct ledger {
    struct mail *mail;
    size_t n, room;
    struct ask *asks;
    size_t nasks, asks_room;
};

uint64_t ledger_mail(struct sim *, const struct mail *); /* its number */
uint64_t ledger_ask(struct sim *, const struct ask *);
void ledger_body(struct sim *, uint64_t id, uint32_t len, unsigned char *);
int ledger_body_is(struct sim *, uint64_t id, uint32_t len, const unsigned char *);
struct mail *ledger_find(struct sim *, struct node *, const iris_message *, const char *where);
void ledger_letter(struct node *, const iris_message *, const char *reason);
int ledger_is_open(const struct sim *);
void ledger_balance(struct sim *); /* when all is quiet */

/* ---- questions to the protocol: exactly one answer each (load.c) ---- */

struct question {
    struct question *next;
    int node, to, slot, answers;
    uint32_t life, to_life;
    int64_t asked, deadline; /* local */
    int64_t asked_at;
    enum { RESOLVE, PROBE, PING, SEARCH } kind;
    uint64_t pid;
    struct sim *sim;
    int died; /* what it is about was dead before it was asked */
};

void load_begin(struct node *);
void load_check(struct sim *);
void load_forget(struct sim *);

/* ---- lives (node.c), faults (fault.c), checks (check.c) ---- */

int64_t node_local(const struct node *, int64_t at);
int64_t node_world(const struct node *, int64_t local);
void node_start(struct node *);
void node_crash(struct node *, int quietly);
void node_leave(struct node *);
void node_freeze(struct node *);
void node_thaw(struct node *);
void node_send(struct node *, const iris_message *, int *result);

#define IN(n, call) ((n)->inside++, sim_enter(n), (call), sim_leave(n), (n)->inside--)
void sim_enter(struct node *);
void sim_leave(struct node *);

void fault_begin(struct sim *);
void fault_end(struct sim *); /* all is well again */
void fault_freeze(struct sim *, int node, int64_t lasts);
void fault_excuse(struct sim *, int a, int b,
                  int64_t until); /* a link between them may go until then */
void check_begin(struct sim *);
void check_end(struct sim *);
void check_down(struct node *, struct index *, uint32_t number);
void check_rtt(struct node *, int to, int64_t rtt);

/* ---- all of it ---- */

struct profile {                                                        /* drawn from the seed */
    int nodes, topology, big, slow, full, fast_limits, stranger, drift; /* full: a table of nodes */
    uint32_t engine; /* of so many percent of the faults it is the engine's; 0: there is none */
    int64_t delay, jitter, pace, faults_every, faults_end, calm_end, end;
    uint32_t sndbuf, window, chunk;
};

struct tally {
    uint64_t events, mail, delivered, refused, letters, signals, asks, questions, conflicts, downs,
        ups, faults, restarts, bytes, conns, answers, owners;
    int64_t virtual_ns, memory_most;
};

struct trace {
    int64_t at;
    int node;
    const char *text;
    uint64_t a, b, c;
};

struct sim {
    uint64_t seed;
    struct random random;
    int64_t now;
    struct events events;
    struct profile profile;
    struct node nodes[NODES];
    struct path paths[NODES][NODES];
    int64_t excused[NODES][NODES];
    int64_t changed[NODES][NODES]; /* when the path last became slower, or faster */
    int64_t heard[NODES][NODES];   /* when a byte of b last came to a: some come late */
    int64_t silent[NODES][NODES];  /* since when a hears nothing of b; 0: it does */
    struct conn **conns;
    size_t nconns, conns_room;
    unsigned char **rings; /* spare ones */
    size_t nrings, rings_room;
    struct ledger ledger;
    struct engine *engine; /* NULL: there is none */
    struct question *questions;
    struct tally tally;
    struct trace trace[TRACE];
    uint64_t traced, hash;
    int starved; /* memory is refused at times: then nothing counts but that it goes on, and leaks nothing */
    int clustered;         /* each seed has an engine, and more goes wrong with it than else */
    int loud, calm, quiet; /* no faults any more; no new mail either */
    int failed;
    char failure[512];
};

/* It prints nothing but with --trace; the last ones are shown when the seed fails, and all are a part of the
 * hash. text: with up to three %llu, a literal. */
void sim_trace(struct sim *, int node, const char *text, uint64_t a, uint64_t b, uint64_t c);
/* The first one counts. what: "I3", and a sentence. */
void sim_fail(struct sim *, const char *what, const char *text, ...)
    __attribute__((format(printf, 3, 4)));

static inline uint32_t sim_below(struct sim *s, uint32_t n)
{
    return n ? iris__random_below(&s->random, n) : 0;
}

static inline int sim_chance(struct sim *s, uint32_t percent)
{
    return sim_below(s, 100) < percent;
}

static inline int64_t sim_between(struct sim *s, int64_t low, int64_t high)
{
    return high > low ? low + (int64_t)(iris__random(&s->random) % (uint64_t)(high - low + 1))
                      : low;
}

void *sim_grow(void *items, size_t *room, size_t n, size_t each);

#endif
