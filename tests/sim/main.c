/* sim [--seeds FROM:TO | --seed N] [--engine] [--trace] [--twice] [--find] [--starve]
 *
 * --engine: each seed has a cluster's engine, which is most of what goes wrong (else two of five have one); --trace prints each line of what happens; --twice plays each seed again, which must be the same; --find stops
 * at the first seed that fails, and wants one (of a protocol with a planted bug); --starve refuses memory now and
 * then, and wants nothing but that all goes on. */
#include "count.h"
#undef malloc
#undef calloc
#undef realloc
#undef free
#include "engine.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

void sim_show(const struct sim *, uint64_t lines);

struct options {
    uint64_t from, to;
    int trace, twice, find, starve, engine;
    const char *program;
};

/* ---- one seed ---- */

static void draw_limits(struct sim *s, struct mesh_limits *l)
{
    static const uint32_t payloads[] = {64 * 1024, 256 * 1024, 1024 * 1024, 1024 * 1024};
    l->payload = payloads[sim_below(s, 4)];
    l->queue = sim_chance(s, 50) ? 4 * 1024 * 1024 : l->payload + 64 * 1024;
    l->window = sim_chance(s, 50) ? 4 * 1024 * 1024 : 2 * 1024 * 1024;
    if (s->profile.fast_limits) {
        l->redial = 50 * MS;
        l->redial_max = 2 * SEC;
    }
}

static void draw_profile(struct sim *s)
{
    struct profile *p = &s->profile;
    *p = (struct profile){.nodes = 2 + (int)sim_below(s, 4),
                          .topology = (int)sim_below(s, 4),
                          .engine = s->clustered        ? 80
                                    : sim_chance(s, 40) ? 50
                                                        : 0,
                          .big = sim_chance(s, 10),
                          .slow = sim_chance(s, 30),
                          .full = sim_chance(s, 10),
                          .fast_limits = sim_chance(s, 50),
                          .drift = sim_chance(s, 20) ? 10000 : 200,
                          .delay = sim_between(s, 20 * US, sim_chance(s, 30) ? 80 * MS : 2 * MS),
                          .pace = sim_between(s, 30 * MS, 300 * MS),
                          .faults_every = sim_between(s, 300 * MS, 4 * SEC),
                          .sndbuf = 16384u << sim_below(s, 4),
                          .window = 16384u << sim_below(s, 4),
                          .chunk = 1u << sim_below(s, 14)};
    p->stranger = p->nodes > 2 && sim_chance(s, 20) ? p->nodes - 1 : -1;
    if (p->engine && sim_chance(s, 50))
        p->topology = 4;
    p->jitter = sim_between(s, 0, p->delay);
    p->faults_end = 20 * SEC;
    p->calm_end =
        p->faults_end + 20 * SEC; /* redial: 10 s and jitter, after a dial that took 5 s */
    if (s->clustered)
        p->pace = sim_between(s, 300 * MS, 2 * SEC);
    p->calm_end += p->engine ? 4 * SEC : 0; /* leases, and watches that are dead */
    p->end = p->calm_end + 5 * SEC;
}

static int wanted(struct sim *s, int a, int b)
{
    switch (s->profile.topology) {
    case 0:
        return a < b;
    case 1:
        return a == 0 || b == 0;
    case 2:
        return 1; /* also itself */
    case 3:
        return a != b;
    default:
        return 0; /* the engine tells */
    }
}

static void draw_nodes(struct sim *s)
{
    struct profile *p = &s->profile;
    for (int a = 0; a < p->nodes; a++) {
        struct node *n = &s->nodes[a];
        n->sim = s;
        n->number = a;
        n->state = PROCESS_GONE;
        n->stranger = a == p->stranger;
        n->ppm = (int32_t)sim_between(s, -p->drift, p->drift);
        snprintf(n->name, sizeof n->name, "n%d", a);
        snprintf(n->address, sizeof n->address, "h%d:9000", a);
        draw_limits(s, &n->limits);
        for (int b = 0; b < p->nodes; b++) {
            n->wants[b].listed = wanted(s, a, b);
            s->paths[a][b] =
                (struct path){.delay = p->delay, .jitter = p->jitter, .cut_at = -100 * SEC};
        }
    }
}

static void starts(struct sim *s, int node, void *what, uint64_t a)
{
    (void)node, (void)what;
    node_start(&s->nodes[(int)a]);
}

static void turn(struct sim *s, int node, void *what, uint64_t a)
{
    (void)node, (void)what;
    if (a == 0)
        fault_end(s);
    else {
        s->quiet = 1;
        if (s->engine)
            cluster_quiet(s);
    }
    sim_trace(s, -1, a ? "quiet" : "calm", 0, 0, 0);
}

static void go_on(struct sim *s, int64_t until)
{
    int64_t at = 0;
    for (uint64_t same = 0; !s->failed && s->now < until && sim_step(s);) {
        cluster_check(s);
        same = s->now == at ? same + 1 : 0;
        at = s->now;
        if (same > 500000)
            sim_fail(s, "time", "half a million events at one moment");
    }
}

static void run(struct sim *s)
{
    for (int i = 0; i < s->profile.nodes; i++)
        sim_at(s, sim_between(s, 0, sim_chance(s, 50) ? 0 : 900 * MS), -1, starts, NULL,
               (uint64_t)i);
    fault_begin(s);
    check_begin(s);
    sim_at(s, s->profile.faults_end + 3 * SEC, -1, turn, NULL, 0);
    sim_at(s, s->profile.calm_end, -1, turn, NULL, 1);
    go_on(s, s->profile.end);
    for (int i = 0; i < 14 && !s->failed && ledger_is_open(s); i++)
        go_on(s, s->now + 5 * SEC);
    go_on(s, s->now + 2 * SEC); /* a beat: what is kept for a burst goes */
    if (!s->failed && s->engine)
        cluster_end(s);
    if (!s->failed)
        check_end(s);
    s->tally.virtual_ns = s->now;
}

static void finish(struct sim *s)
{
    for (int i = 0; i < s->profile.nodes; i++) {
        struct node *n = &s->nodes[i];
        if (n->state == ALIVE)
            node_crash(n, 1);
        free(n->held);
        free(n->conns);
        free(n->later);
    }
    load_forget(s);
    net_finish(s);
    if (s->engine)
        engine_finish(s);
    free(s->events.items);
    free(s->ledger.mail);
    free(s->ledger.asks);
}

static struct sim *play(const struct options *o, uint64_t seed, int loud)
{
    struct sim *s = calloc(1, sizeof *s);
    if (!s)
        abort();
    s->seed = seed;
    s->random.state = seed * UINT64_C(0x9e3779b97f4a7c15) + 1;
    s->loud = loud;
    s->starved = o->starve;
    s->clustered = o->engine;
    draw_profile(s);
    draw_nodes(s);
    if (s->profile.engine)
        engine_begin(s);
    run(s);
    finish(s);
    return s;
}

/* ---- many ---- */

static void add(struct tally *all, const struct tally *t)
{
    all->events += t->events;
    all->mail += t->mail;
    all->delivered += t->delivered;
    all->refused += t->refused;
    all->letters += t->letters;
    all->signals += t->signals;
    all->asks += t->asks;
    all->questions += t->questions;
    all->conflicts += t->conflicts;
    all->downs += t->downs;
    all->ups += t->ups;
    all->faults += t->faults;
    all->restarts += t->restarts;
    all->bytes += t->bytes;
    all->conns += t->conns;
    all->answers += t->answers;
    all->owners += t->owners;
    all->virtual_ns += t->virtual_ns;
    if (t->memory_most > all->memory_most)
        all->memory_most = t->memory_most;
}

static int again(const struct options *o, const struct sim *s)
{
    struct sim *t = play(o, s->seed, 0);
    int same = t->hash == s->hash && t->traced == s->traced && !strcmp(t->failure, s->failure);
    if (!same)
        printf(
            "sim: seed %llu is not the same when it is played again: %016llx, then %016llx: %s\n",
            (unsigned long long)s->seed, (unsigned long long)s->hash, (unsigned long long)t->hash,
            t->failure);
    free(t);
    return same;
}

static void tell_failure(const struct options *o, const struct sim *s)
{
    if (!s->loud)
        sim_show(s, 60);
    printf("sim: seed %llu FAILED %s\n", (unsigned long long)s->seed, s->failure);
    printf("sim: trace %016llx of %llu lines; replay: %s%s --seed %llu --trace\n",
           (unsigned long long)s->hash, (unsigned long long)s->traced, o->program,
           o->engine ? " --engine" : "", (unsigned long long)s->seed);
    again(o, s);
}

static void report(const struct options *o, const struct tally *t, uint64_t seeds, double seconds)
{
    double virtual_s = (double)t->virtual_ns / 1e9;
    (void)o;
    printf("sim: %llu seeds in %.1f s, %.0f seeds/s, %.0f virtual s per s\n",
           (unsigned long long)seeds, seconds, (double)seeds / seconds, virtual_s / seconds);
    printf(
        "sim: %llu faults, %llu restarts, %llu connections, %llu ups; %llu events, %llu bytes; memory of a "
        "node at most %lld\n",
        (unsigned long long)t->faults, (unsigned long long)t->restarts,
        (unsigned long long)t->conns, (unsigned long long)t->ups, (unsigned long long)t->events,
        (unsigned long long)t->bytes, (long long)t->memory_most);
    printf(
        "sim: mail taken %llu: delivered %llu, refused %llu, letters %llu; signals %llu, DOWNs %llu, asks "
        "%llu, questions %llu, names lost %llu; the engine's answers %llu, owners of a name %llu\n",
        (unsigned long long)t->mail, (unsigned long long)t->delivered,
        (unsigned long long)t->refused, (unsigned long long)t->letters,
        (unsigned long long)t->signals, (unsigned long long)t->downs, (unsigned long long)t->asks,
        (unsigned long long)t->questions, (unsigned long long)t->conflicts,
        (unsigned long long)t->answers, (unsigned long long)t->owners);
}

static double wall(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static int play_all(const struct options *o)
{
    struct tally all = {0};
    double begin = wall();
    int failed = 0, lines = 0;
    uint64_t seeds = 0;
    for (uint64_t seed = o->from; seed <= o->to; seed++, seeds++) {
        struct sim *s = play(o, seed, o->trace);
        add(&all, &s->tally);
        failed += s->failed;
        if (s->failed && lines++ < 5)
            tell_failure(o, s);
        if (o->twice && !again(o, s))
            failed++;
        if (o->trace)
            printf("sim: seed %llu: trace %016llx\n", (unsigned long long)seed,
                   (unsigned long long)s->hash);
        free(s);
        if (o->find && failed)
            break;
        if (seeds % 10000 == 9999)
            printf("sim: .. %llu\n", (unsigned long long)seed), fflush(stdout);
    }
    report(o, &all, seeds, wall() - begin);
    if (failed)
        printf("sim: %d FAILED\n", failed);
    return failed;
}

/* ---- what was asked for ---- */

static int usage(const char *program)
{
    fprintf(stderr,
            "usage: %s [--seeds FROM:TO | --seed N] [--engine] [--trace] [--twice] [--find] "
            "[--starve]\n",
            program);
    return 2;
}

int main(int argc, char **argv)
{
    struct options o = {.from = 1, .to = 100, .program = argv[0]};
    for (int i = 1; i < argc; i++) {
        unsigned long long a, b;
        if (!strcmp(argv[i], "--trace"))
            o.trace = 1;
        else if (!strcmp(argv[i], "--twice"))
            o.twice = 1;
        else if (!strcmp(argv[i], "--starve"))
            o.starve = 1;
        else if (!strcmp(argv[i], "--engine"))
            o.engine = 1;
        else if (!strcmp(argv[i], "--find"))
            o.find = 1;
        else if (!strcmp(argv[i], "--seed") && i + 1 < argc && sscanf(argv[++i], "%llu", &a) == 1)
            o.from = o.to = a;
        else if (!strcmp(argv[i], "--seeds") && i + 1 < argc &&
                 sscanf(argv[++i], "%llu:%llu", &a, &b) == 2)
            o.from = a, o.to = b;
        else
            return usage(argv[0]);
    }
    json_set_alloc_funcs(sim_malloc_always, sim_free);
    json_object_seed(1);
    return play_all(&o) ? !o.find : o.find;
}
