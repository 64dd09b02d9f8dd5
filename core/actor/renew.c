#include "renew.h"

#include "alarm.h"
#include "cold.h"
#include "fail.h"
#include "ready.h"
#include "send.h"
#include "slice.h"

#include <stdlib.h>

struct renewal *iris__renewal_create(void)
{
    return calloc(1, sizeof(struct renewal));
}

void iris__renewal_free(struct renewal *r)
{
    if (!r)
        return;
    iris__alarms_destroy(r->alarms);
    free(r->name);
    free(r->args);
    free(r->env);
    free(r);
}

static void tell(struct renewal *r, int result, const char *why)
{
    if (r->tell)
        r->tell(r->ctx, result, why);
    iris__renewal_free(r);
}

int iris__renew(struct world *w, uint64_t pid, struct renewal *r)
{
    int result = iris__signal_pointer(w, KIND_RENEW, pid, r);
    if (result)
        iris__renewal_free(r);
    return result;
}

void iris__renew_refuse(struct renewal *r)
{
    if (r)
        tell(r, IRIS_DEAD, "the actor ended first");
}

/* What stood there stands in r then. Others look at the cold part as a whole, never at these. */
static void exchange(iris_actor *a, struct cold *c, struct renewal *r)
{
    struct renewal now = *r;
    r->name = c->name;
    r->budget = a->budget;
    r->slice = c->slice;
    r->keep = c->keep;
    r->stateless_restart = c->stateless_restart;
    r->ready_within = c->ready_within;
    c->name = now.name;
    a->budget = (uint16_t)now.budget;
    iris__slice_set(a, now.slice);
    c->keep = now.keep;
    c->stateless_restart = now.stateless_restart;
    iris__ready_change(a, now.ready_within);
    if (!r->waits)
        return;
    r->args = c->args;
    r->args_len = c->args_len;
    r->env = c->env;
    r->alarms = c->alarms;
    c->args = now.args;
    c->args_len = now.args_len;
    c->env = now.env;
    c->alarms = now.alarms;
}

void iris__renew_hear(iris_actor *a, struct renewal *r)
{
    struct cold *c = iris__cold(a);
    if (!c) {
        tell(r, IRIS_FAIL, "no memory");
    } else if (!r->waits) {
        exchange(a, c, r);
        tell(r, IRIS_OK, NULL);
    } else {
        struct renewal *before = c->renewal;
        c->renewal = r;
        if (before)
            tell(before, IRIS_FAIL, "another one came");
    }
}

struct renewal *iris__renew_begin(iris_actor *a)
{
    struct cold *c = iris__cold_if(a);
    struct renewal *r = c ? c->renewal : NULL;
    if (!r)
        return NULL;
    c->renewal = NULL;
    exchange(a, c, r);
    return r;
}

void iris__renew_end(iris_actor *a, struct renewal *r, int failed)
{
    if (!failed) {
        tell(r, IRIS_OK, NULL);
        return;
    }
    iris__alarms_reset(a); /* those set so far go with the incarnation */
    exchange(a, iris__cold_if(a), r);
    tell(r, IRIS_FAIL, iris__reason());
}

void iris__renew_try(iris_actor *a, struct renewal *r)
{
    iris__cold_if(a)->trial = r; /* which it came by */
}

static struct renewal *trial_of(iris_actor *a)
{
    struct cold *c = iris__cold_if(a);
    struct renewal *r = c ? c->trial : NULL;
    if (r)
        c->trial = NULL;
    return r;
}

void iris__renew_proven(iris_actor *a)
{
    struct renewal *r = trial_of(a);
    if (r)
        iris__renew_end(a, r, 0);
}

int iris__renew_failed(iris_actor *a)
{
    struct renewal *r = trial_of(a);
    if (r) {
        iris__ready_give_up(a); /* else what is put back may say that it need not be waited for */
        iris__renew_end(a, r, 1);
    }
    return r != NULL;
}
