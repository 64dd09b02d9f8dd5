#include "story.h"

#include "events.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define HASH_NONFATAL_OOM 1
#include <uthash.h>

struct kept {
    char *path;
    int pinned;
    struct tale *ring[STORY_EVENTS];
    uint32_t first, n;
    size_t bytes;
    uint64_t forgotten;
    UT_hash_handle hh;
};

/* ---- tales ---- */

static void drop(struct tale *t)
{
    if (atomic_fetch_sub(&t->refs, 1) == 1)
        free(t);
}

static size_t room_of(const char *text)
{
    size_t n = text ? strlen(text) : 0;
    return (n < STORY_TEXT ? n : STORY_TEXT) + 1;
}

static void copy(struct tale *t, size_t *at, const char **text)
{
    size_t n = room_of(*text) - 1;
    char *to = t->words + *at;
    if (n)
        memcpy(to, *text, n);
    to[n] = '\0';
    *text = to;
    *at += n + 1;
}

static int64_t time_of_day(void)
{
    struct timespec t;
    clock_gettime(CLOCK_REALTIME, &t);
    return (int64_t)t.tv_sec * IRIS_SECOND + t.tv_nsec;
}

static struct tale *create(const iris_event *e)
{
    size_t at = 0, bytes = room_of(e->path) + room_of(e->text) + room_of(e->handler) +
                           room_of(e->version) + room_of(e->supervisor) + room_of(e->strategy) +
                           e->excerpt.len;
    struct tale *t = malloc(sizeof *t + bytes);
    if (!t)
        return NULL;
    *t = (struct tale){.refs = 1, .bytes = bytes, .time = time_of_day(), .e = *e};
    copy(t, &at, &t->e.path);
    copy(t, &at, &t->e.text);
    copy(t, &at, &t->e.handler);
    copy(t, &at, &t->e.version);
    copy(t, &at, &t->e.supervisor);
    copy(t, &at, &t->e.strategy);
    if (e->excerpt.len)
        memcpy(t->words + at, e->excerpt.data, e->excerpt.len);
    t->e.excerpt.data = t->words + at;
    return t;
}

/* ---- paths; lock held ---- */

static void forget_oldest(struct kept *k)
{
    struct tale *t = k->ring[k->first];
    k->first = (k->first + 1) % STORY_EVENTS;
    k->n--;
    k->bytes -= t->bytes;
    k->forgotten++;
    drop(t);
}

static void destroy(struct stories *s, struct kept *k)
{
    HASH_DEL(s->all, k);
    while (k->n)
        forget_oldest(k);
    free(k->path);
    free(k);
}

static void forget_a_path(struct stories *s)
{
    struct kept *k = s->all;
    while (k && k->pinned)
        k = k->hh.next;
    if (!k)
        return;
    destroy(s, k);
    s->loose--;
}

static struct kept *find(struct stories *s, const char *path)
{
    struct kept *k;
    HASH_FIND_STR(s->all, path, k);
    return k;
}

static struct kept *add_path(struct stories *s, const char *path, int pinned)
{
    struct kept *k = calloc(1, sizeof *k);
    if (!k || !(k->path = strdup(path))) {
        free(k);
        return NULL;
    }
    k->pinned = pinned;
    HASH_ADD_KEYPTR(hh, s->all, k->path, strlen(k->path), k);
    if (!k->hh.tbl) { /* no memory for it */
        free(k->path);
        free(k);
        return NULL;
    }
    if (!pinned && ++s->loose > STORY_PATHS)
        forget_a_path(s);
    return k;
}

/* To the end of the list: the first one is that of which nothing was heard for longest. */
static void refresh(struct stories *s, struct kept *k)
{
    if (k->pinned || !k->hh.next)
        return;
    HASH_DEL(s->all, k);
    HASH_ADD_KEYPTR(hh, s->all, k->path, strlen(k->path), k);
}

static void append(struct kept *k, struct tale *t)
{
    while (k->n == STORY_EVENTS || (k->n && k->bytes + t->bytes > STORY_BYTES))
        forget_oldest(k);
    k->ring[(k->first + k->n++) % STORY_EVENTS] = t;
    k->bytes += t->bytes;
}

/* ---- from outside ---- */

void iris__stories_init(struct stories *s)
{
    *s = (struct stories){0};
    pthread_mutex_init(&s->lock, NULL);
}

void iris__stories_finish(struct stories *s)
{
    while (s->all)
        destroy(s, s->all);
    pthread_mutex_destroy(&s->lock);
}

void iris__stories_pin(struct stories *s, const char *path)
{
    pthread_mutex_lock(&s->lock);
    struct kept *k = find(s, path);
    if (!k)
        add_path(s, path, 1);
    else if (!k->pinned)
        k->pinned = 1, s->loose--;
    pthread_mutex_unlock(&s->lock);
}

void iris__stories_unpin(struct stories *s, const char *path)
{
    pthread_mutex_lock(&s->lock);
    struct kept *k = find(s, path);
    if (k && k->pinned) {
        k->pinned = 0;
        refresh(s, k);
        if (++s->loose > STORY_PATHS)
            forget_a_path(s);
    }
    pthread_mutex_unlock(&s->lock);
}

void iris__stories_add(struct stories *s, const iris_event *e)
{
    if (!*e->path || e->kind == IRIS_EVENT_LOG)
        return;
    struct tale *t = create(e);
    if (!t)
        return;
    pthread_mutex_lock(&s->lock);
    struct kept *k = find(s, e->path);
    if (k)
        refresh(s, k);
    else
        k = add_path(s, e->path, 0);
    if (k)
        append(k, t);
    pthread_mutex_unlock(&s->lock);
    if (!k)
        free(t);
}

int iris__story_open(struct stories *s, const char *path, struct story *out)
{
    *out = (struct story){.path = path};
    pthread_mutex_lock(&s->lock);
    const struct kept *k = find(s, path);
    for (uint32_t i = 0; k && i < k->n; i++) {
        struct tale *t = k->ring[(k->first + i) % STORY_EVENTS];
        atomic_fetch_add(&t->refs, 1);
        out->tales[out->n++] = t;
    }
    out->forgotten = k ? k->forgotten : 0;
    pthread_mutex_unlock(&s->lock);
    return out->n > 0;
}

void iris__story_close(struct story *s)
{
    for (uint32_t i = 0; i < s->n; i++)
        drop(s->tales[i]);
    s->n = 0;
}

/* ---- in a handler of a fatal signal ---- */

enum { TOLD_EVENTS = 5, TOLD_TEXT = 160 };

static void tell_one(const struct tale *t, int fd)
{
    char line[TOLD_TEXT + 64];
    const char *parts[] = {"  before   ", iris__event_word(t->e.kind), "  ", t->e.text, "\n"};
    size_t len = 0;
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++)
        for (const char *s = parts[i]; *s && len < sizeof line - 1; s++)
            line[len++] = (unsigned char)*s < 0x20 && i != 4 ? ' ' : *s;
    line[len - 1] = '\n';
    (void)!write(fd, line, len);
}

void iris__stories_tell(void *stories, const char *path, int fd)
{
    struct stories *s = stories;
    if (pthread_mutex_trylock(&s->lock))
        return;
    const struct kept *k = find(s, path);
    uint32_t n = k ? k->n : 0;
    for (uint32_t i = n > TOLD_EVENTS ? n - TOLD_EVENTS : 0; i < n; i++)
        tell_one(k->ring[(k->first + i) % STORY_EVENTS], fd);
    pthread_mutex_unlock(&s->lock);
}
