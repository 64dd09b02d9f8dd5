/* An executor is a queue of runnable tasks and who drains it. A task runs on one thread at a time; what
 * a task is, this room does not know: the sched is told how to run one (for Iris: an actor's turn).
 *
 * Three kinds. POOL: the native workers, which steal from each other. HOSTED: a plugin's own thread
 * drains (driver.wake is set). DRIVEN: a core thread of its own drains, between driver.enter and leave.
 * A seeded sched has no threads of its own: iris__sched_step() makes one decision after the other. */
#ifndef IRIS_SCHED_EXECUTOR_H
#define IRIS_SCHED_EXECUTOR_H

#include "clock.h"
#include "poller.h"
#include "random.h"
#include "ring.h"
#include "runq.h"
#include "thread.h"

#include <iris/plugin.h>

#include <pthread.h>
#include <stdatomic.h>
#include <stdint.h>

enum { SCHED_WORKERS_MAX = 256 };

/* What a thread that drains shows to the ticker, and the ticker to it. */
struct lane {
    _Alignas(64) _Atomic uint64_t turns; /* begun */
    void *_Atomic task;                  /* the one that has its turn, or NULL */
    atomic_int due;                      /* the turn has had its time: begin nothing new */
    uint64_t seen;                       /* the ticker's: turns when it looked last */
    _Atomic int64_t since;               /* the ticker's: since when, 0: it has changed each time */
    int64_t tell_at, interrupt_at;       /* the ticker's: ages at which somebody is told */
    _Atomic uint64_t interrupted;        /* the turn whose host was asked to interrupt it */
    /* What a turn is handling, for who looks at one that lasts: the actors' room knows how. */
    const void *_Atomic batch;
    int count;
    uint64_t back; /* the last turn that lasted, once it came back from its handler */
};

struct sched;

struct iris_executor {
    struct sched *sched;
    enum { EXECUTOR_POOL, EXECUTOR_HOSTED, EXECUTOR_DRIVEN } kind;
    atomic_int awake; /* HOSTED, DRIVEN: was woken and has not said yet that all is done */
    atomic_int closing;
    struct runq queue; /* not of the pool */
    _Atomic(iris_job *) jobs;
    _Atomic uint64_t jobs_begun;
    struct lane lane;
    iris_driver driver;
    char name[32];
    int bell;          /* DRIVEN */
    int own;           /* it ends by itself when its one actor has ended */
    atomic_uint users; /* threads that push, post or look at it now: its end waits for them */
    int64_t limit;     /* ns after which a turn is interrupted; 0: never. From its birth on */
    uint64_t begun;    /* the ticker's: turns and jobs begun when it looked last */
    _Atomic int64_t
        waits; /* the ticker's: since when work waits and nothing is begun; 0: it is not so */
    unsigned long thread;
    struct iris_executor *next; /* the sched's list, under its lock */
};

/* What others read or write often stands on lines of its own, apart from what changes each turn. */
struct worker {
    struct lane lane;
    struct ring ring; /* its own */
    uint32_t seen_tick;
    uint32_t patience;                 /* messages until others' tasks are looked for */
    uint32_t looks;                    /* for those, since one was taken from the overflow */
    _Alignas(64) struct runq queue;    /* what others give it */
    _Alignas(64) struct runq overflow; /* its own, for which the ring has no room */
    _Alignas(64) atomic_int parked;    /* alone: who sends from outside locks this line each time */
    _Alignas(64) struct sched *sched;  /* from here on what hardly ever changes */
    atomic_int dead;                   /* it was replaced: leave after this turn */
    atomic_int gone;                   /* it has no thread any more */
    int bell;
    uint32_t index;
    unsigned long thread;
    atomic_int number;  /* the kernel's of that thread; 0: not begun */
    uint64_t slow_turn; /* the ticker's: a turn that lasts, and what its thread had used before */
    struct thread_use before;
};

struct sched_hooks {
    uint32_t (*run)(void *owner, void *task); /* one turn; what it cost, in messages */
    uint32_t (*run_timed)(void *owner,
                          void *task); /* the same, and look at a clock: now and then */
    int64_t (*fire)(void *owner,
                    int64_t now); /* due timers; returns the next deadline or INT64_MAX */
    void (*stuck)(void *owner, iris_executor *, struct lane *,
                  int64_t age);               /* after 1, 2, 4, .. s, and at the limit */
    void (*ready)(void *owner, uint64_t tag); /* an armed descriptor is readable */
};

struct sched {
    void *owner;
    struct sched_hooks hooks;
    struct clock clock;
    struct random random;
    int seeded;
    uint64_t decisions; /* seeded: made so far */
    atomic_uint
        tick; /* counts while something runs, each ms or less often: the coarse clock of turns */
    atomic_int stopping;

    iris_executor pool;
    atomic_uint
        nworkers;  /* entries; that of a replaced one is used again when its thread is gone */
    int64_t limit; /* the same of executors that do not say; set before they are opened */
    int64_t
        spin; /* ns that workers look around; 0: as they do by themselves, below: not. Set before start */
    atomic_uint parked; /* at least as many as say so themselves: a hint */
    atomic_int serving; /* sleeping workers that serve the poller */
    struct worker *workers[SCHED_WORKERS_MAX];
    struct poller poller;
    atomic_uint armed; /* descriptors that somebody waits for; kept by who arms */

    pthread_mutex_t lock; /* list, ticker's sleep */
    pthread_cond_t changed;
    iris_executor *list;
    atomic_int ticker_idle;  /* it sleeps until a timer is due or somebody calls */
    _Atomic int64_t wake_at; /* earliest deadline told to the ticker; written under lock */
    struct worker *keeper; /* keeper.h: sleeps until a timer is due; NULL: the ticker. Under lock */
    int64_t looks_at;      /* when the ticker looks without being called; under lock */
    int64_t fired_at;      /* when the last firing was to begin; under lock */
    int is_firing;         /* under lock */
    unsigned long ticker;
};

/* 0 or -1 with a reason. workers: 0 = one for each core. seed: not 0 = no threads, virtual clock. */
int iris__sched_init(struct sched *, void *owner, struct sched_hooks, uint32_t workers,
                     uint64_t seed);
void iris__sched_start(struct sched *);
/* Stop and join all threads. Returns how many did not come back within timeout ns; while any is left
 * the memory of the sched must stay. */
int iris__sched_stop(struct sched *, int64_t timeout);
void iris__sched_finish(struct sched *);

/* Queue a task; from any thread. */
void iris__executor_push(iris_executor *, void *task);
void iris__executor_again(iris_executor *, void *task); /* from its own turn, which is over */
void iris__executor_post(iris_executor *, iris_job *);
int iris__executor_open(struct sched *, const iris_driver *, int own, iris_executor **);
void iris__executor_close(iris_executor *); /* waits for the last turn; not from its own thread */
/* The same, for at most timeout ns; not 0: its thread is still busy, and all stays as it is. */
int iris__executor_close_within(iris_executor *, int64_t timeout);
void iris__executor_retire(iris_executor *); /* from its own turn: ends after it */
void iris__executor_reap(iris_executor *);   /* seeded: what its thread would do at its end */
int iris__executor_drain(iris_executor *, int64_t slice);
/* From inside a turn of a DRIVEN executor: sleep until a task is queued and take it; NULL: deadline. */
void *iris__executor_await(iris_executor *, int64_t deadline);

/* A timer at `deadline` was added: the ticker must not sleep longer. */
void iris__sched_expect(struct sched *, int64_t deadline);
/* Work has begun: let the ticker tick. */
void iris__sched_stir(struct sched *);
/* Seeded runs: one decision. 0: nothing can run and no timer is left. */
int iris__sched_step(struct sched *);
int iris__sched_arm(struct sched *, int fd, uint64_t tag);
int iris__sched_watch(struct sched *, int fd, uint64_t tag); /* until it is disarmed */

/* Nothing runs and nothing is queued. A moment's truth while outside threads send. */
int iris__sched_is_idle(struct sched *);
/* ns since it last drained, while work waits: a turn lasts, or its thread is in other code. 0: it is idle or
 * well. Exact to a tick. */
int64_t iris__executor_age(iris_executor *);
int64_t iris__lane_age(const struct sched *,
                       struct lane *); /* of the turn in it; 0: none that lasts */
struct executor_look {
    char name[32];
    int64_t age;     /* as above; of the pool that of its oldest turn */
    uint64_t turns;  /* begun */
    uint32_t queued; /* tasks that wait for a turn */
};
/* Each executor, the pool first. Returns how many; under its lock. */
int iris__sched_executors(struct sched *, void (*each)(void *ctx, const struct executor_look *),
                          void *ctx);
uint32_t iris__sched_workers(struct sched *); /* threads of the pool */
/* Turns and jobs begun so far: if it is the same again, none has begun in between. */
uint64_t iris__sched_begun(struct sched *);
/* Like pthread_join, within timeout ns (INT64_MAX: however long); 0: it has ended, or never was. */
int iris__sched_join(unsigned long thread, int64_t timeout);

static inline int64_t iris__sched_now(const struct sched *s)
{
    return iris__clock_now(&s->clock);
}

/* So long from now; at the latest the moment before INT64_MAX, which means never. */
static inline int64_t iris__sched_after(const struct sched *s, int64_t delay)
{
    int64_t now = iris__sched_now(s);
    return delay < INT64_MAX - 1 - now ? now + delay : INT64_MAX - 1;
}

#endif
