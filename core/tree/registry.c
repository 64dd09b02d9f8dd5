#include "registry.h"

#include "actor.h"
#include "fail.h"
#include "gate.h"
#include "send.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { NAME_MAX_BYTES = 255 };

/* A name, or a level of a path. One that nobody has stays while something lies below it. */
struct node {
    struct hash_link text_link;  /* in by_text */
    struct hash_link pid_link;   /* in by_pid: the first of its actor's */
    uint64_t pid;                /* 0: nobody */
    struct node *parent;         /* NULL: a name, or the root */
    struct node *below[2];       /* that somebody has; that nobody has, but something lies below */
    struct node *prev, *next;    /* with the same parent, in one of these two lists */
    struct node *before, *after; /* of the same actor */
    uint32_t len;
    char text[];
};

struct watcher { /* an actor that is told who has a name */
    struct watcher *next;
    struct world *world;
    uint64_t actor;
    char name[];
};

static struct node *of_text(struct hash_link *l)
{
    return (struct node *)((char *)l - offsetof(struct node, text_link));
}

static struct node *of_pid(struct hash_link *l)
{
    return (struct node *)((char *)l - offsetof(struct node, pid_link));
}

static struct node *create(const char *text, size_t len)
{
    struct node *n = calloc(1, sizeof *n + len + 1);
    if (!n)
        return NULL;
    memcpy(n->text, text, len);
    n->len = (uint32_t)len;
    return n;
}

int iris__registry_init(struct registry *r)
{
    *r = (struct registry){0};
    pthread_rwlock_init(&r->lock, NULL);
    r->root = create("", 0);
    return r->root ? 0 : iris__fail("registry: no memory");
}

static int is_word_byte(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           (c && strchr("_.@-", c));
}

int iris__name_is_valid(const char *name)
{
    int is_path = *name == '/', word = 0;
    if (strlen(name) > NAME_MAX_BYTES)
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

/* ---- the tree of paths; lock held ---- */

static struct node **list_of(struct node *n)
{
    return &n->parent->below[!n->pid];
}

static void hang(struct node *n)
{
    struct node **list = list_of(n);
    n->prev = NULL;
    n->next = *list;
    if (*list)
        (*list)->prev = n;
    *list = n;
}

static void unhang(struct node *n)
{
    if (n->next)
        n->next->prev = n->prev;
    if (n->prev)
        n->prev->next = n->next;
    else
        *list_of(n) = n->next;
}

static struct node *find(const struct registry *r, const char *text, size_t len)
{
    uint64_t key = iris__hash_bytes(text, len);
    struct hash_link *l = iris__hash_find(&r->by_text, key);
    for (; l; l = iris__hash_same(l->next, key)) {
        struct node *n = of_text(l);
        if (n->len == len && memcmp(n->text, text, len) == 0)
            return n;
    }
    return NULL;
}

static size_t length_above(const char *text, size_t len)
{
    while (len && text[len - 1] != '/')
        len--;
    return len ? len - 1 : 0;
}

/* Nodes that nobody needs any more, from here upwards. */
static void prune(struct registry *r, struct node *n)
{
    while (n && n != r->root && !n->pid && !n->below[0] && !n->below[1]) {
        struct node *parent = n->parent;
        if (parent)
            unhang(n);
        iris__hash_remove(&r->by_text, &n->text_link);
        free(n);
        n = parent;
    }
}

/* The node of this text, with all that lies above; NULL: no memory, and nothing has changed. */
static struct node *need(struct registry *r, const char *text, size_t len)
{
    struct node *n = len ? find(r, text, len) : r->root, *parent = NULL;
    if (n)
        return n;
    if (*text == '/' && !(parent = need(r, text, length_above(text, len))))
        return NULL;
    n = create(text, len);
    if (!n || iris__hash_add(&r->by_text, &n->text_link, iris__hash_bytes(text, len))) {
        free(n);
        prune(r, parent);
        return NULL;
    }
    n->parent = parent;
    if (parent)
        hang(n);
    return n;
}

/* ---- whose; lock held ---- */

static struct node *first_of(const struct registry *r, uint64_t pid)
{
    struct hash_link *l = iris__hash_find(&r->by_pid, pid);
    return l ? of_pid(l) : NULL;
}

/* The first stays the first: it is the one that the table knows. */
static int own(struct registry *r, struct node *n, uint64_t pid)
{
    struct node *first = first_of(r, pid);
    n->before = first;
    n->after = first ? first->after : NULL;
    if (!first)
        return iris__hash_add(&r->by_pid, &n->pid_link, pid);
    if (first->after)
        first->after->before = n;
    first->after = n;
    return 0;
}

static void disown(struct registry *r, struct node *n)
{
    if (n->after)
        n->after->before = n->before;
    if (n->before) {
        n->before->after = n->after;
        return;
    }
    iris__hash_remove(&r->by_pid, &n->pid_link);
    if (n->after) /* takes the memory's place that was just let go: cannot fail */
        (void)iris__hash_add(&r->by_pid, &n->after->pid_link, n->pid);
}

static void set_pid(struct node *n, uint64_t pid)
{
    if (n->parent)
        unhang(n);
    n->pid = pid;
    if (n->parent)
        hang(n);
}

/* Who has ended is told nothing any more. A signal takes no lock that leads here. */
static void tell_watchers(struct registry *r, const char *name)
{
    char text[NAME_MAX_BYTES + 32];
    for (struct watcher **at = &r->watchers, *w; (w = *at);) {
        int result = IRIS_OK;
        if (!strcmp(w->name, name)) {
            snprintf(text, sizeof text, "name_changed (name=%s)", name);
            result = iris__signal(w->world, IRIS_PING, 0, w->actor, 0, text);
        }
        if (result == IRIS_DEAD) {
            *at = w->next;
            free(w);
        } else
            at = &w->next;
    }
}

static int add(struct registry *r, const char *name, uint64_t pid)
{
    struct node *n = need(r, name, strlen(name));
    if (!n || own(r, n, pid)) {
        prune(r, n);
        return iris__fail("name \"%s\": no memory", name);
    }
    set_pid(n, pid);
    tell_watchers(r, name);
    return IRIS_OK;
}

static void drop(struct registry *r, struct node *n)
{
    disown(r, n);
    set_pid(n, 0);
    tell_watchers(r, n->text);
    prune(r, n);
}

static struct node *find_owned(const struct registry *r, const char *name)
{
    struct node *n = find(r, name, strlen(name));
    return n && n->pid ? n : NULL;
}

/* ---- */

static int claim(struct registry *r, const char *name, uint64_t pid)
{
    pthread_rwlock_wrlock(&r->lock);
    struct node *n = find_owned(r, name);
    uint64_t owner = n ? n->pid : 0;
    int result = !n ? add(r, name, pid) : owner == pid ? IRIS_OK : IRIS_FAIL;
    pthread_rwlock_unlock(&r->lock);
    if (owner && owner != pid)
        iris__fail("name \"%s\": actor %llu has it; clear it first, or choose another", name,
                   (unsigned long long)owner);
    return result;
}

static void disclaim(struct registry *r, const char *name, uint64_t pid)
{
    pthread_rwlock_wrlock(&r->lock);
    struct node *n = find_owned(r, name);
    if (n && n->pid == pid)
        drop(r, n);
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
    struct node *n = find_owned(r, name);
    if (n)
        drop(r, n);
    pthread_rwlock_unlock(&r->lock);
    return n ? IRIS_OK : IRIS_DEAD;
}

uint64_t iris__registry_find(struct registry *r, const char *name)
{
    pthread_rwlock_rdlock(&r->lock);
    struct node *n = find_owned(r, name);
    uint64_t pid = n ? n->pid : 0;
    pthread_rwlock_unlock(&r->lock);
    return pid;
}

int iris__registry_watch(struct registry *r, struct world *w, const char *name, uint64_t actor)
{
    size_t len = strlen(name) + 1;
    struct watcher *one = malloc(sizeof *one + len);
    if (!one)
        return iris__fail("name \"%s\": no memory to watch it", name);
    *one = (struct watcher){.world = w, .actor = actor};
    memcpy(one->name, name, len);
    pthread_rwlock_wrlock(&r->lock);
    one->next = r->watchers;
    r->watchers = one;
    pthread_rwlock_unlock(&r->lock);
    return IRIS_OK;
}

static int is_one_of(const struct node *n, const char *path, const char *name)
{
    return (path && strcmp(n->text, path) == 0) || (name && strcmp(n->text, name) == 0);
}

void iris__registry_forget_but(struct registry *r, uint64_t pid, const char *path, const char *name)
{
    pthread_rwlock_wrlock(&r->lock);
    for (struct node *n = first_of(r, pid), *after; n; n = after) {
        after = n->after;
        if (!is_one_of(n, path, name))
            drop(r, n);
    }
    pthread_rwlock_unlock(&r->lock);
}

/* ---- lists: written down under the lock, told without ---- */

struct entry {
    uint64_t pid;
    uint32_t len;
    char text[];
};

struct list {
    char *bytes;
    size_t used, room;
    int count; /* -1: no memory */
};

static size_t size_of_entry(uint32_t len)
{
    return (sizeof(struct entry) + len + 8) & ~(size_t)7;
}

static int reserve(struct list *l, size_t size)
{
    if (l->bytes && l->used + size <= l->room)
        return 0;
    size_t room = l->room ? 2 * l->room : 1024;
    char *bytes = realloc(l->bytes, room);
    if (!bytes)
        return -1;
    l->bytes = bytes;
    l->room = room;
    return 0;
}

static void write_down(struct list *l, const struct node *n)
{
    size_t size = size_of_entry(n->len);
    if (l->count < 0 || reserve(l, size)) {
        l->count = -1;
        return;
    }
    struct entry *e = (struct entry *)(l->bytes + l->used);
    e->pid = n->pid;
    e->len = n->len;
    memcpy(e->text, n->text, n->len + 1);
    l->used += size;
    l->count++;
}

/* At most 127 levels deep: a path has 255 bytes. */
static void write_below(struct list *l, const struct node *top, int direct)
{
    for (int i = 0; i < 2 - direct; i++)
        for (const struct node *n = top->below[i]; n; n = n->next) {
            if (n->pid)
                write_down(l, n);
            if (!direct)
                write_below(l, n, 0);
        }
}

static int tell(struct list *l, const char *what, iris_name_each *each, void *ctx)
{
    const struct entry *e;
    for (size_t at = 0; l->count > 0 && at < l->used; at += size_of_entry(e->len)) {
        e = (const struct entry *)(l->bytes + at);
        each(ctx, e->text, e->pid);
    }
    free(l->bytes);
    return l->count < 0 ? iris__fail("%s: no memory for the list", what) : l->count;
}

int iris__registry_children(struct registry *r, const char *prefix, int direct,
                            iris_name_each *each, void *ctx)
{
    struct list l = {0};
    size_t len = strlen(prefix);
    while (len && prefix[len - 1] == '/')
        len--;
    if (len && *prefix != '/')
        return 0;
    pthread_rwlock_rdlock(&r->lock);
    const struct node *top = len ? find(r, prefix, len) : r->root;
    if (top)
        write_below(&l, top, direct);
    pthread_rwlock_unlock(&r->lock);
    return tell(&l, "children", each, ctx);
}

int iris__registry_names(struct registry *r, uint64_t pid, iris_name_each *each, void *ctx)
{
    struct list l = {0};
    pthread_rwlock_rdlock(&r->lock);
    for (const struct node *n = first_of(r, pid); n; n = n->after)
        write_down(&l, n);
    pthread_rwlock_unlock(&r->lock);
    return tell(&l, "names", each, ctx);
}

static void finish_watchers(struct registry *r)
{
    for (struct watcher *w; (w = r->watchers); free(w))
        r->watchers = w->next;
}

void iris__registry_finish(struct registry *r)
{
    finish_watchers(r);
    for (size_t i = 0; r->by_text.slots && i < (size_t)1 << r->by_text.bits; i++)
        for (struct hash_link *l = r->by_text.slots[i], *next; l; l = next) {
            next = l->next;
            free(of_text(l));
        }
    iris__hash_finish(&r->by_text);
    iris__hash_finish(&r->by_pid);
    free(r->root);
    pthread_rwlock_destroy(&r->lock);
}
