#include "answer.h"

#include "fail.h"

#include <stdlib.h>
#include <string.h>

void *iris__answer_open(struct app *a, size_t size)
{
    struct answer *x = calloc(1, size);
    if (!x)
        return iris__fail("no memory"), NULL;
    x->app = a;
    atomic_init(&x->refs, 2);
    return x;
}

void iris__answer_drop(struct answer *x)
{
    if (atomic_fetch_sub(&x->refs, 1) > 1)
        return;
    if (x->finish)
        x->finish(x);
    free(x->why);
    free(x);
}

void iris__answer_give(struct answer *x, int result, const char *why)
{
    struct app *a = x->app;
    x->result = result;
    x->why = why ? strdup(why) : NULL;
    atomic_store(&x->is_given, 1);
    iris__answer_drop(x);
    iris__app_ring(a);
}

int iris__answer_await(struct answer *x, int64_t deadline)
{
    struct app *a = x->app;
    for (;;) {
        int64_t left = deadline - iris__sched_now(&a->runtime->world.sched);
        if (atomic_load(&x->is_given)) {
            if (x->result)
                iris__fail("%s", x->why ? x->why : "no reason was given");
            return x->result;
        }
        if (left <= 0 || atomic_load(&a->stop))
            return IRIS_AGAIN;
        iris__app_wait(a, left);
    }
}
