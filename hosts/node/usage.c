#include "host.h"

#include <time.h>

#define PATIENCE 100000000 /* ns */

static void measure(struct host *h, struct errand *e)
{
    uint64_t heap = h->may_run ? iris__door_heap() : 0;
    (void)e;
    pthread_mutex_lock(&h->lock);
    h->heap = heap ? heap : h->heap;
    h->is_measuring = 0;
    pthread_cond_broadcast(&h->measured);
    pthread_mutex_unlock(&h->lock);
}

uint64_t iris__heap(struct host *h)
{
    struct timespec until;
    clock_gettime(CLOCK_REALTIME, &until); /* as conditions have it */
    until.tv_nsec += PATIENCE;
    until.tv_sec += until.tv_nsec / 1000000000;
    until.tv_nsec %= 1000000000;
    pthread_mutex_lock(&h->lock);
    int is_first = !h->is_measuring;
    h->is_measuring = 1;
    pthread_mutex_unlock(&h->lock);
    if (is_first) {
        h->measure.run = measure;
        iris__post(h, &h->measure);
    }
    pthread_mutex_lock(&h->lock);
    while (h->is_measuring && !pthread_cond_timedwait(&h->measured, &h->lock, &until))
        ;
    uint64_t heap = h->heap;
    pthread_mutex_unlock(&h->lock);
    return heap;
}
