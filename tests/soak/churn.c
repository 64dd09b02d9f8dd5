/* churn SECONDS [SEED] - a life of disorder: runtimes are created and destroyed, and in each of them two threads do
 * whatever the API allows to actors that do the same to each other: spawn, send, ask, crash, swap, roll back, stop,
 * kill, name, watch, time. After each life the books must balance (accepted = handled + dead letters), and no thread,
 * descriptor or memory may be left. Says what it did; fails with a sentence and the seed. */
#include "churn.h"

#include "fiber.h"

#include <dirent.h>
#include <malloc.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { LEAST_WARM = 60 }; /* s */

struct used {
    long memory, threads, files; /* KiB, .. */
};

static double seconds(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static long count_entries(const char *path)
{
    long n = 0;
    DIR *d = opendir(path);
    while (d && readdir(d))
        n++;
    if (d)
        closedir(d);
    return n;
}

static struct used look(void)
{
    struct used u = {.threads = count_entries("/proc/self/task"),
                     .files = count_entries("/proc/self/fd")};
    malloc_trim(0);
    FILE *f = fopen("/proc/self/statm", "r");
    long pages = 0;
    if (f && fscanf(f, "%*d %ld", &pages) == 1)
        u.memory = pages * (sysconf(_SC_PAGESIZE) / 1024);
    if (f)
        fclose(f);
    return u;
}

static long larger(long a, long b)
{
    return a > b ? a : b;
}

/* The first fifth of the time, and a minute at least, is for warming up. */
static struct used most(struct used a, struct used b)
{
    return (struct used){larger(a.memory, b.memory), larger(a.threads, b.threads),
                         larger(a.files, b.files)};
}

static void *play(void *arg)
{
    struct player *p = arg;
    while (seconds() < p->end)
        for (int i = 0; i < 64; i++)
            churn_act(p);
    return NULL;
}

static void play_all(struct churn *c, double end)
{
    struct player players[CHURN_PLAYERS];
    pthread_t threads[CHURN_PLAYERS];
    for (int i = 0; i < CHURN_PLAYERS; i++) {
        players[i] = (struct player){
            .churn = c, .end = end, .random = churn_random(&c->random), .index = (uint32_t)i + 1};
        if (pthread_create(&threads[i], NULL, play, &players[i]))
            churn_fail(c, "no thread for a player");
    }
    for (int i = 0; i < CHURN_PLAYERS; i++)
        pthread_join(threads[i], NULL);
}

/* All that was accepted is handled or counted; what timers brought comes on top of what was sent. */
static void balance(struct churn *c)
{
    iris_totals t = {.size = sizeof t, .abi = IRIS_ABI};
    iris_count(c->rt, &t);
    uint64_t accepted = atomic_load(&c->accepted), extra = atomic_load(&c->extra) + t.spilled;
    uint64_t done = atomic_load(&c->handled) + t.dead_letters;
    if (done < accepted || done > accepted + extra)
        churn_fail(c, "%llu accepted (and up to %llu beside), but %llu handled and %llu dead",
                   (unsigned long long)accepted, (unsigned long long)extra,
                   (unsigned long long)atomic_load(&c->handled),
                   (unsigned long long)t.dead_letters);
    if (atomic_load(&c->disorder))
        churn_fail(c, "%llu messages came out of order",
                   (unsigned long long)atomic_load(&c->disorder));
}

static void settle(struct churn *c)
{
    double limit = seconds() + 60;
    churn_end_all(c);
    while (!iris_is_idle(c->rt)) {
        if (seconds() > limit)
            churn_fail(c, "not idle 60 s after the last of it");
        usleep(500);
    }
}

/* One runtime, from its creation to its end. */
static void live(struct churn *c, double length)
{
    iris_options o = {.size = sizeof o, .abi = IRIS_ABI, .workers = 1 + churn_below(&c->random, 4)};
    if (iris_open(&o, &c->rt))
        churn_fail(c, "iris_open: %s", iris_reason());
    churn_begin(c);
    play_all(c, seconds() + length);
    settle(c);
    balance(c);
    churn_finish(c);
    int left = iris_close(c->rt, 20 * IRIS_SECOND);
    if (left)
        churn_fail(c, "%d threads did not come back", left);
}

/* What has an own thread may still be on its way out when the runtime has ended. */
static void compare(struct churn *c, struct used warm)
{
    struct used now = look();
    for (int i = 0; i < 1000 && now.threads > warm.threads; i++) {
        usleep(1000);
        now = look();
    }
    if (now.threads > warm.threads || now.files > warm.files)
        churn_fail(c, "%ld threads and %ld descriptors, but %ld and %ld when warm", now.threads,
                   now.files, warm.threads, warm.files);
#ifdef IRIS__TSAN
    return; /* it keeps something of each thread and fiber that there ever was */
#endif
    if (now.memory > warm.memory + warm.memory / 8 + 8192)
        churn_fail(c, "%ld KiB, but %ld when warm", now.memory, warm.memory);
}

static void say(struct churn *c, double time, unsigned lives, struct used warm)
{
    struct used now = look();
    printf("churn: %.0f s, %u runtimes, %llu actors, %llu handled, %llu swaps, %llu crashes; "
           "KiB %ld (warm %ld), threads %ld, descriptors %ld\n",
           time, lives, (unsigned long long)c->spawned, (unsigned long long)c->total,
           (unsigned long long)atomic_load(&c->swapped),
           (unsigned long long)atomic_load(&c->crashed), now.memory, warm.memory, now.threads,
           now.files);
    fflush(stdout);
}

int main(int argc, char **argv)
{
    double length = argc > 1 ? atof(argv[1]) : 10, begin = seconds(), told = begin;
    static struct churn c;
    struct used warm = look();
    unsigned lives = 0;
    c.seed = c.random = argc > 2 ? strtoull(argv[2], NULL, 10) : (uint64_t)time(NULL);
    printf("churn: seed %llu\n", (unsigned long long)c.seed);
    while (seconds() - begin < length) {
        live(&c, 0.05 * (1 + churn_below(&c.random, 12)));
        lives++;
        if (seconds() - begin < (length / 5 > LEAST_WARM ? length / 5 : LEAST_WARM))
            warm = most(warm, look());
        else
            compare(&c, warm);
        if (seconds() - told >= 30) {
            told = seconds();
            say(&c, told - begin, lives, warm);
        }
    }
    say(&c, seconds() - begin, lives, warm);
    return 0;
}
