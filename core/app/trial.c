#include "trial.h"

#define HASH_NONFATAL_OOM 1 /* before others include it */
#include "app.h"
#include "change.h"
#include "own.h"

#include <stdio.h>
#include <stdlib.h>

#include <uthash.h>

/* All of it where an event is told, on the thread of the actor: its way back is queued before it begins again, so that
 * no more mail comes to the version that fails. A version that repeats an older one is on no trial, whoever went back
 * to it: there would be no end of it. */

struct trial {
    uint64_t pid;
    int64_t began, crashes;
    UT_hash_handle hh;
};

void iris__trials_init(struct trials *t)
{
    *t = (struct trials){0};
    pthread_mutex_init(&t->lock, NULL);
}

static void drop(struct trials *t, struct trial *one)
{
    HASH_DEL(t->all, one);
    free(one);
}

void iris__trials_finish(struct trials *t)
{
    while (t->all)
        drop(t, t->all);
    pthread_mutex_destroy(&t->lock);
}

/* ---- lock held ---- */

static void begin(struct trials *t, uint64_t pid, int64_t at)
{
    struct trial *one = calloc(1, sizeof *one);
    if (!one)
        return;
    one->pid = pid;
    one->began = at;
    HASH_ADD(hh, t->all, pid, sizeof pid, one);
    if (!one->hh.tbl) /* no memory for it */
        free(one);
}

/* Most that crash are on no trial, and not looked for. Returns whether it was one too many. While a manifest is applied, which may go back itself, the next one is. */
static int count(struct app *a, struct trial *one, int64_t at, struct text *why)
{
    const struct manifest_actor *m = iris__own_actor(a, one->pid);
    if (!m || !m->errors || at - one->began > m->within) {
        drop(&a->trials, one);
        return 0;
    }
    if (++one->crashes < m->errors || iris__orders_are_held(a))
        return 0;
    iris__text_addf(why, "%lld %s within %.1f s of its swap: it goes back to the version before",
                    (long long)one->crashes, one->crashes == 1 ? "crash" : "crashes",
                    (double)(at - one->began) / (double)IRIS_SECOND);
    drop(&a->trials, one);
    return 1;
}

/* As the core's text has it: "v2 -> v3 (=v1)". */
static int goes_back(const iris_event *e)
{
    unsigned of;
    return sscanf(e->text, "v%*u -> v%*u (=v%u)", &of) == 1;
}

static int note(struct app *a, const iris_event *e, struct text *why)
{
    struct trials *t = &a->trials;
    int64_t at = iris__sched_now(&a->runtime->world.sched);
    struct trial *one;
    HASH_FIND(hh, t->all, &e->pid, sizeof e->pid, one);
    if (one && e->kind == IRIS_EVENT_CRASHED)
        return count(a, one, at, why);
    if (one)
        drop(t, one);
    if (e->kind == IRIS_EVENT_SWAPPED && !goes_back(e))
        begin(t, e->pid, at);
    return 0;
}

/* ---- [any] ---- */

static void go_back(struct app *a, const iris_event *crash, const char *why)
{
    iris__app_event(a, &(iris_event){.size = sizeof(iris_event),
                                     .abi = IRIS_ABI,
                                     .at = crash->at,
                                     .kind = IRIS_EVENT_ROLLBACK,
                                     .level = IRIS_WARN,
                                     .pid = crash->pid,
                                     .path = crash->path,
                                     .handler = crash->handler,
                                     .version = crash->version,
                                     .rev = crash->rev,
                                     .state_version = crash->state_version,
                                     .text = why ? why : "it goes back to the version before"});
    iris__change_back(a, crash->pid, crash->path);
}

void iris__trials_note(struct app *a, const iris_event *e)
{
    struct text why = {0};
    if (!*e->path || (e->kind != IRIS_EVENT_SWAPPED && e->kind != IRIS_EVENT_CRASHED &&
                      e->kind != IRIS_EVENT_ENDED))
        return;
    iris__app_hear(a);
    pthread_mutex_lock(&a->trials.lock);
    int failed = note(a, e, &why);
    pthread_mutex_unlock(&a->trials.lock);
    iris__app_heard(a);
    if (failed)
        go_back(a, e, why.data);
    iris__text_finish(&why);
}
