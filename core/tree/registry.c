#include "registry.h"

#include "actor.h"
#include "fail.h"
#include "gate.h"

#include <stdlib.h>
#include <string.h>
#include <uthash.h>

struct entry {
    uint64_t pid;
    struct entry *next; /* of the same actor */
    UT_hash_handle hh;
    char name[];
};

struct holder {
    uint64_t pid;
    struct entry *first;
    UT_hash_handle hh;
};

void iris__registry_init(struct registry *r)
{
    *r = (struct registry){0};
    pthread_rwlock_init(&r->lock, NULL);
}

static int is_word_byte(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           (c && strchr("_.@-", c));
}

int iris__name_is_valid(const char *name)
{
    int is_path = *name == '/', word = 0;
    if (strlen(name) > 255)
        return 0;
    for (const char *c = is_path ? name + 1 : name; *c; c++) {
        if (*c == '/' && (!is_path || !word))
            return 0;
        if (*c != '/' && !is_word_byte(*c))
            return 0;
        word = *c != '/';
    }
    return word;
}

/* ---- lock held for writing ---- */

static struct entry *find(struct registry *r, const char *name)
{
    struct entry *e;
    HASH_FIND_STR(r->by_name, name, e);
    return e;
}

static struct holder *holder_of(struct registry *r, uint64_t pid, int make)
{
    struct holder *h;
    HASH_FIND(hh, r->by_pid, &pid, sizeof pid, h);
    if (h || !make || !(h = calloc(1, sizeof *h)))
        return h;
    h->pid = pid;
    HASH_ADD(hh, r->by_pid, pid, sizeof h->pid, h);
    return h;
}

static int add(struct registry *r, const char *name, uint64_t pid)
{
    size_t len = strlen(name);
    struct entry *e = calloc(1, sizeof *e + len + 1);
    struct holder *h = e ? holder_of(r, pid, 1) : NULL;
    if (!h) {
        free(e);
        return iris__fail("name \"%s\": no memory", name);
    }
    memcpy(e->name, name, len + 1);
    e->pid = pid;
    e->next = h->first;
    h->first = e;
    HASH_ADD_STR(r->by_name, name, e);
    return IRIS_OK;
}

static void drop(struct registry *r, struct entry *e)
{
    struct holder *h = holder_of(r, e->pid, 0);
    for (struct entry **at = &h->first; *at; at = &(*at)->next)
        if (*at == e) {
            *at = e->next;
            break;
        }
    if (!h->first) {
        HASH_DEL(r->by_pid, h);
        free(h);
    }
    HASH_DEL(r->by_name, e);
    free(e);
}

/* ---- */

static int claim(struct registry *r, const char *name, uint64_t pid)
{
    pthread_rwlock_wrlock(&r->lock);
    struct entry *e = find(r, name);
    uint64_t owner = e ? e->pid : 0;
    int result = !e ? add(r, name, pid) : owner == pid ? IRIS_OK : IRIS_FAIL;
    pthread_rwlock_unlock(&r->lock);
    if (owner && owner != pid)
        iris__fail("name \"%s\": actor %llu has it; clear it first, or choose another", name,
                   (unsigned long long)owner);
    return result;
}

static void disclaim(struct registry *r, const char *name, uint64_t pid)
{
    pthread_rwlock_wrlock(&r->lock);
    struct entry *e = find(r, name);
    if (e && e->pid == pid)
        drop(r, e);
    pthread_rwlock_unlock(&r->lock);
}

int iris__registry_set(struct registry *r, struct world *w, const char *name, uint64_t pid)
{
    iris_actor *a = iris__table_at(&w->table, pid);
    if (!iris__name_is_valid(name))
        return iris__fail(
            "name \"%s\": a name is made of letters, digits and _ . @ -, a path of such "
            "words behind '/'; 255 bytes at most",
            name);
    if (!a || !iris__gate_accepts(a, pid) || atomic_load(&a->marks) & MARK_PORT)
        return IRIS_DEAD;
    atomic_fetch_or(&a->marks, MARK_NAMED);
    if (claim(r, name, pid))
        return IRIS_FAIL;
    if (iris__gate_accepts_now(a, pid))
        return IRIS_OK;
    disclaim(r, name, pid); /* it ended meanwhile, perhaps before it could see the mark */
    return IRIS_DEAD;
}

int iris__registry_clear(struct registry *r, const char *name)
{
    pthread_rwlock_wrlock(&r->lock);
    struct entry *e = find(r, name);
    if (e)
        drop(r, e);
    pthread_rwlock_unlock(&r->lock);
    return e ? IRIS_OK : IRIS_DEAD;
}

uint64_t iris__registry_find(struct registry *r, const char *name)
{
    pthread_rwlock_rdlock(&r->lock);
    struct entry *e = find(r, name);
    uint64_t pid = e ? e->pid : 0;
    pthread_rwlock_unlock(&r->lock);
    return pid;
}

void iris__registry_forget(struct registry *r, uint64_t pid)
{
    pthread_rwlock_wrlock(&r->lock);
    struct holder *h = holder_of(r, pid, 0);
    for (struct entry *e = h ? h->first : NULL, *next; e; e = next) {
        next = e->next;
        drop(r, e); /* the last one frees the holder */
    }
    pthread_rwlock_unlock(&r->lock);
}

void iris__registry_finish(struct registry *r)
{
    struct entry *e, *next;
    HASH_ITER (hh, r->by_name, e, next) {
        drop(r, e);
    }
    pthread_rwlock_destroy(&r->lock);
}
