/* churn.h - the actors that churn.c lets live, and what is done to them. */
#ifndef IRIS_TESTS_CHURN_H
#define IRIS_TESTS_CHURN_H

#include <iris/iris.h>

#include <stdatomic.h>
#include <stdint.h>

enum { CHURN_PIDS = 256, CHURN_VERSIONS = 5, CHURN_PLAYERS = 2 };

struct churn {
    iris_runtime *rt;
    const iris_api *api;
    iris_actor *self;
    uint64_t seed, random;
    iris_version *version[CHURN_VERSIONS];
    _Atomic uint64_t pids[CHURN_PIDS]; /* who is known; some have ended */
    /* of this runtime */
    atomic_ullong accepted, handled, disorder;
    atomic_ullong extra; /* what may be handled or dead beside that: of timers, of asks that died */
    atomic_uint born;
    /* of all */
    uint64_t total;
    atomic_ullong spawned, swapped, crashed;
};

struct player {
    struct churn *churn;
    double end;
    uint64_t random, sent;
    uint32_t index; /* 1 .. CHURN_PLAYERS */
};

uint64_t churn_random(uint64_t *state);
uint32_t churn_below(uint64_t *state, uint32_t below);

void churn_begin(struct churn *);   /* a runtime is open: versions and the first actors */
void churn_act(struct player *);    /* do something, whatever it is */
void churn_end_all(struct churn *); /* stop or kill who is known */
void churn_finish(struct churn *);  /* before it is closed */

_Noreturn void churn_fail(struct churn *, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));

#endif
