#include "tags.h"

#include <jansson.h>

#include <stdlib.h>
#include <string.h>

#define HASH_NONFATAL_OOM 1
#include <uthash.h>

struct tagged {
    char *path;
    json_t *tags; /* an object of strings */
    UT_hash_handle hh;
};

static void discard(struct tagged *one)
{
    free(one->path);
    json_decref(one->tags);
    free(one);
}

static int add(struct tags *t, const struct manifest_actor *m)
{
    struct tagged *one = calloc(1, sizeof *one);
    if (!one)
        return -1;
    one->path = strdup(m->path);
    one->tags = json_loads(m->tags, 0, NULL);
    if (one->path && one->tags)
        HASH_ADD_KEYPTR(hh, t->all, one->path, strlen(one->path), one);
    if (one->hh.tbl)
        return 0;
    discard(one);
    return -1;
}

static int add_all(struct tags *t, const struct manifest *m)
{
    int failed = 0;
    for (size_t i = 0; i < m->nactors; i++)
        if (m->actors[i].tags)
            failed |= add(t, &m->actors[i]);
    return failed;
}

static void forget_all(struct tags *t)
{
    struct tagged *one, *next;
    HASH_ITER (hh, t->all, one, next) {
        HASH_DEL(t->all, one);
        discard(one);
    }
}

int iris__tags_init(struct tags *t, const struct manifest *m)
{
    *t = (struct tags){.all = NULL};
    pthread_rwlock_init(&t->lock, NULL);
    return add_all(t, m);
}

int iris__tags_retune(struct tags *t, const struct manifest *m)
{
    pthread_rwlock_wrlock(&t->lock);
    forget_all(t);
    int failed = add_all(t, m);
    pthread_rwlock_unlock(&t->lock);
    return failed;
}

void iris__tags_finish(struct tags *t)
{
    forget_all(t);
    pthread_rwlock_destroy(&t->lock);
}

/* Under the lock. */
static json_t *find(const struct tags *t, const char *path)
{
    struct tagged *one = NULL;
    if (t->all)
        HASH_FIND_STR(t->all, path, one);
    return one ? one->tags : NULL;
}

int iris__tags_of(struct tags *t, const char *path, iris__tags_each *each, void *ctx)
{
    int n = 0;
    pthread_rwlock_rdlock(&t->lock);
    json_t *tags = find(t, path);
    for (void *i = json_object_iter(tags); i; i = json_object_iter_next(tags, i), n++)
        each(ctx, json_object_iter_key(i), json_string_value(json_object_iter_value(i)));
    pthread_rwlock_unlock(&t->lock);
    return n;
}

struct match {
    const char *wanted;
    int found;
};

static void compare(void *ctx, const char *name, const char *value)
{
    struct match *m = ctx;
    size_t n = strlen(name);
    if (!strncmp(m->wanted, name, n))
        m->found |= !m->wanted[n] || (m->wanted[n] == '=' && !strcmp(m->wanted + n + 1, value));
}

int iris__tags_match(struct tags *t, const char *path, const char *wanted)
{
    struct match m = {.wanted = wanted};
    iris__tags_of(t, path, compare, &m);
    return m.found;
}
