#include "descriptor.h"

#include "actor.h"
#include "fail.h"
#include "gate.h"
#include "send.h"

#include <stdlib.h>
#include <string.h>
#include <uthash.h>

enum { WATCH_MOST = 16 }; /* bytes that may be given with one that stays */

struct descriptor {
    int fd, stays;
    uint64_t pid;
    UT_hash_handle hh;
    size_t len;
    unsigned char data[];
};

void iris__descriptors_init(struct descriptors *d)
{
    *d = (struct descriptors){0};
    pthread_mutex_init(&d->lock, NULL);
}

void iris__descriptors_finish(struct descriptors *d)
{
    struct descriptor *e, *next;
    HASH_ITER (hh, d->by_fd, e, next) {
        HASH_DEL(d->by_fd, e);
        free(e);
    }
    pthread_mutex_destroy(&d->lock);
}

/* Busy workers ask the kernel for ready ones only while there are any. Lock held. */
static void tell_how_many(struct world *w)
{
    atomic_store(&w->sched.armed, HASH_COUNT(w->descriptors.by_fd));
}

static struct descriptor *take(struct world *w, int fd)
{
    struct descriptors *d = &w->descriptors;
    struct descriptor *e;
    pthread_mutex_lock(&d->lock);
    HASH_FIND_INT(d->by_fd, &fd, e);
    if (e)
        HASH_DEL(d->by_fd, e);
    tell_how_many(w);
    pthread_mutex_unlock(&d->lock);
    return e;
}

static int add(iris_actor *a, int fd, int stays, const void *data, size_t len)
{
    struct world *w = iris__world_of(a);
    struct descriptor *e = len > w->message_max ? NULL : calloc(1, sizeof *e + len);
    if (!e)
        return iris__fail("poll: no memory to watch descriptor %d", fd);
    e->fd = fd;
    e->stays = stays;
    e->pid = iris__actor_pid(a);
    e->len = len;
    if (len)
        memcpy(e->data, data, len);
    free(take(w, fd));
    pthread_mutex_lock(&w->descriptors.lock);
    HASH_ADD_INT(w->descriptors.by_fd, fd, e);
    tell_how_many(w);
    pthread_mutex_unlock(&w->descriptors.lock);
    int error = stays ? iris__sched_watch(&w->sched, fd, (uint64_t)fd)
                      : iris__sched_arm(&w->sched, fd, (uint64_t)fd);
    if (!error)
        return IRIS_OK;
    free(take(w, fd));
    return iris__fail("poll: descriptor %d cannot be watched: %s", fd, strerror(error));
}

int iris__descriptor_arm(iris_actor *a, int fd, const void *data, size_t len)
{
    return add(a, fd, 0, data, len);
}

int iris__descriptor_watch(iris_actor *a, int fd, const void *data, size_t len)
{
    if (len > WATCH_MOST)
        return iris__fail("poll: %zu bytes with descriptor %d; at most %d", len, fd, WATCH_MOST);
    return add(a, fd, 1, data, len);
}

int iris__descriptor_disarm(iris_actor *a, int fd)
{
    struct world *w = iris__world_of(a);
    struct descriptor *e = take(w, fd);
    if (!e)
        return IRIS_DEAD;
    iris__poller_disarm(&w->sched.poller, fd);
    free(e);
    return IRIS_OK;
}

/* One that stays is copied to *copy; the other kind is taken. NULL: disarmed this moment. */
static struct descriptor *ready(struct world *w, int fd, struct descriptor *copy)
{
    struct descriptors *d = &w->descriptors;
    struct descriptor *e;
    pthread_mutex_lock(&d->lock);
    HASH_FIND_INT(d->by_fd, &fd, e);
    if (e && e->stays)
        e = memcpy(copy, e, sizeof *e + e->len);
    else if (e) {
        HASH_DEL(d->by_fd, e);
        tell_how_many(w);
    }
    pthread_mutex_unlock(&d->lock);
    return e;
}

/* Who missed this would wait for ever: it is not armed any more, or comes once. */
void iris__descriptor_ready(struct world *w, uint64_t tag)
{
    _Alignas(struct descriptor) char room[sizeof(struct descriptor) + WATCH_MOST];
    struct descriptor *copy = (struct descriptor *)room,
                      *e = ready(w, (int)(tag & ~POLLER_ENDS), copy);
    if (!e)
        return;
    iris__timer_send(w, e->pid, e->pid, e->stays && tag & POLLER_ENDS, e->data, e->len);
    if (e != copy)
        free(e);
}
