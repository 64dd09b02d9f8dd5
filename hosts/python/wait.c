#include "wait.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

struct wait *iris__wait_create(void)
{
    struct wait *w = calloc(1, sizeof *w);
    pthread_condattr_t attributes;
    if (!w) {
        PyErr_NoMemory();
        return NULL;
    }
    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    pthread_mutex_init(&w->lock, NULL);
    pthread_cond_init(&w->changed, &attributes);
    pthread_condattr_destroy(&attributes);
    w->refs = 2;
    return w;
}

void iris__wait_release(struct wait *w)
{
    pthread_mutex_lock(&w->lock);
    int left = --w->refs;
    pthread_mutex_unlock(&w->lock);
    if (left)
        return;
    if (w->answer.message)
        iris__api->drop(w->answer.message);
    pthread_mutex_destroy(&w->lock);
    pthread_cond_destroy(&w->changed);
    free(w->why);
    free(w);
}

/* [no gil] */
static void finish(struct wait *w, int result, const char *why)
{
    w->why = why ? strdup(why) : NULL;
    pthread_mutex_lock(&w->lock);
    w->result = result;
    w->is_done = 1;
    pthread_cond_signal(&w->changed);
    pthread_mutex_unlock(&w->lock);
    iris__wait_release(w);
}

void iris__wait_tell(void *ctx, int result, const char *why)
{
    finish(ctx, result, why);
}

void iris__wait_answered(iris_job *job)
{
    struct wait *w = (struct wait *)((char *)job - offsetof(struct wait, answer.job));
    finish(w, w->answer.result, NULL);
}

static int64_t now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

/* [no gil] */
static int sleep_until(struct wait *w, int64_t end)
{
    struct timespec t = {.tv_sec = end / 1000000000, .tv_nsec = end % 1000000000};
    pthread_mutex_lock(&w->lock);
    int error = 0;
    while (!w->is_done && error != ETIMEDOUT)
        error = pthread_cond_timedwait(&w->changed, &w->lock, &t);
    int done = w->is_done;
    pthread_mutex_unlock(&w->lock);
    return done;
}

/* In slices: Ctrl-C is seen in between. */
int iris__wait_for(struct wait *w, int64_t timeout)
{
    int64_t from = now(),
            end = timeout < 0 || timeout > INT64_MAX - from ? INT64_MAX : from + timeout;
    for (;;) {
        int64_t slice = now() + 50000000;
        int done;
        Py_BEGIN_ALLOW_THREADS;
        done = sleep_until(w, slice < end ? slice : end);
        Py_END_ALLOW_THREADS;
        if (done)
            return 0;
        if (PyErr_CheckSignals())
            return -1;
        if (now() >= end)
            return 1;
    }
}

int iris__seconds(PyObject *value, const char *what, int64_t *ns)
{
    if (!value || value == Py_None) {
        *ns = -1;
        return 0;
    }
    double seconds = PyFloat_AsDouble(value);
    if (seconds == -1.0 && PyErr_Occurred())
        return -1;
    if (!(seconds >= 0)) {
        PyErr_Format(PyExc_ValueError, "%s must be 0 or more seconds, or None, not %R", what,
                     value);
        return -1;
    }
    *ns = seconds > 9e9 ? INT64_MAX / 2 : (int64_t)(seconds * 1e9);
    return 0;
}
