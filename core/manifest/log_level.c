#include "log_level.h"

#include <iris/iris.h>

#include <stdlib.h>
#include <string.h>

#define HASH_NONFATAL_OOM 1
#include <uthash.h>

struct log_level {
    const char *path; /* the manifest's */
    int level;
    UT_hash_handle hh;
};

struct log_rate {
    char *path;
    int64_t since; /* its second began */
    int64_t lines; /* in it */
    uint64_t left;
    UT_hash_handle hh;
};

/* ---- levels ---- */

static int set(struct log_levels *l, const char *path, int level)
{
    struct log_level *one;
    HASH_FIND_STR(l->all, path, one);
    if (one)
        return one->level = level, 0;
    one = malloc(sizeof *one);
    if (!one)
        return -1;
    *one = (struct log_level){.path = path, .level = level};
    HASH_ADD_KEYPTR(hh, l->all, one->path, strlen(one->path), one);
    if (one->hh.tbl)
        return 0;
    free(one);
    return -1;
}

static int set_all(struct log_levels *l, const struct manifest *m)
{
    int failed = 0;
    for (size_t i = 0; i < m->nactors; i++)
        if (m->actors[i].log_level >= 0)
            failed |= set(l, m->actors[i].path, m->actors[i].log_level);
    for (size_t i = 0; i < m->logs.nlevels; i++) /* of the same path, what "logs" says holds */
        failed |= set(l, m->logs.levels[i].path, m->logs.levels[i].level);
    return failed;
}

int iris__log_levels_init(struct log_levels *l, const struct manifest *m)
{
    *l = (struct log_levels){.otherwise = m->logs.level, .rate = m->logs.rate};
    pthread_mutex_init(&l->lock, NULL);
    pthread_rwlock_init(&l->levels, NULL);
    return set_all(l, m);
}

static void forget_all(struct log_levels *l)
{
    struct log_level *one, *next;
    HASH_ITER (hh, l->all, one, next) {
        HASH_DEL(l->all, one);
        free(one);
    }
}

/* The paths in them are the manifest's, so that those of the old one cannot stay. */
int iris__log_levels_retune(struct log_levels *l, const struct manifest *m)
{
    pthread_rwlock_wrlock(&l->levels);
    forget_all(l);
    l->otherwise = m->logs.level;
    l->rate = m->logs.rate;
    int failed = set_all(l, m);
    pthread_rwlock_unlock(&l->levels);
    return failed;
}

static const struct log_level *find(const struct log_levels *l, const char *path, size_t len)
{
    struct log_level *one;
    HASH_FIND(hh, l->all, path, len, one);
    return one;
}

/* The longest path first: /a/b/c, /a/b, /a, and then "/". */
static int level_of(const struct log_levels *l, const char *path)
{
    const struct log_level *one = NULL;
    size_t len = l->all ? strlen(path) : 0;
    while (len && !(one = find(l, path, len)))
        do
            len--;
        while (len && path[len] != '/');
    if (!one && l->all && *path)
        one = find(l, "/", 1);
    return one ? one->level : l->otherwise;
}

int iris__log_is_wanted(struct log_levels *l, const char *path, unsigned level)
{
    pthread_rwlock_rdlock(&l->levels);
    int wanted = (int)level >= level_of(l, path);
    pthread_rwlock_unlock(&l->levels);
    return wanted;
}

/* ---- rates; lock held ---- */

static struct log_rate *add_rate(struct log_levels *l, const char *path)
{
    struct log_rate *r = calloc(1, sizeof *r);
    if (r && (r->path = strdup(path))) {
        HASH_ADD_KEYPTR(hh, l->rates, r->path, strlen(r->path), r);
        if (r->hh.tbl)
            return l->nrates++, r;
    }
    if (r)
        free(r->path);
    free(r);
    return NULL;
}

/* Of "", and of all for which there is no place any more, there is one. */
static struct log_rate *rate_of(struct log_levels *l, const char *path)
{
    struct log_rate *r;
    HASH_FIND_STR(l->rates, path, r);
    if (r || l->nrates < LOG_RATES)
        return r ? r : add_rate(l, path);
    HASH_FIND_STR(l->rates, "", r);
    return r ? r : add_rate(l, "");
}

/* Its second is over: what it owes is the caller's to tell. */
static uint64_t settle(struct log_levels *l, struct log_rate *r)
{
    uint64_t left = r->left;
    l->owing -= left > 0;
    r->left = 0;
    return left;
}

static int is_over(const struct log_rate *r, int64_t now)
{
    return now - r->since >= IRIS_SECOND;
}

static int count(struct log_levels *l, struct log_rate *r, int64_t now, uint64_t *left)
{
    if (is_over(r, now)) {
        *left = settle(l, r);
        r->since = now;
        r->lines = 0;
    }
    if (r->lines++ < l->rate)
        return 1;
    l->owing += r->left == 0;
    return r->left++ == 0 ? -1 : 0;
}

int iris__log_is_within(struct log_levels *l, const char *path, int64_t now, uint64_t *left)
{
    *left = 0;
    if (!l->rate)
        return 1;
    pthread_mutex_lock(&l->lock);
    struct log_rate *r = rate_of(l, path);
    int is_within = r ? count(l, r, now, left) : 1;
    pthread_mutex_unlock(&l->lock);
    return is_within;
}

char *iris__log_owing(struct log_levels *l, int64_t now, uint64_t *left)
{
    char *path = NULL;
    pthread_mutex_lock(&l->lock);
    for (struct log_rate *r = l->owing ? l->rates : NULL; r; r = r->hh.next) {
        if (!r->left || !is_over(r, now) || !(path = strdup(r->path)))
            continue;
        *left = settle(l, r);
        break;
    }
    pthread_mutex_unlock(&l->lock);
    return path;
}

int iris__log_owes(struct log_levels *l)
{
    pthread_mutex_lock(&l->lock);
    int owes = l->owing > 0;
    pthread_mutex_unlock(&l->lock);
    return owes;
}

void iris__log_levels_finish(struct log_levels *l)
{
    struct log_rate *r, *following;
    forget_all(l);
    HASH_ITER (hh, l->rates, r, following) {
        HASH_DEL(l->rates, r);
        free(r->path);
        free(r);
    }
    pthread_rwlock_destroy(&l->levels);
    pthread_mutex_destroy(&l->lock);
}
