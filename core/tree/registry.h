/* Names and paths: which actor has which. A text that begins with '/' is a path; paths hang in a tree,
 * one node for each level that somebody has or that something lies below. */
#ifndef IRIS_TREE_REGISTRY_H
#define IRIS_TREE_REGISTRY_H

#include "hash.h"
#include "world.h"

#include <iris/ext/name.h>

#include <pthread.h>

struct node;
struct watcher;

struct registry {
    pthread_rwlock_t lock;
    struct hash by_text; /* nodes: every name, and every path with all that lies above it */
    struct hash by_pid;  /* of each actor's names the first; the others hang on it */
    struct node *root;   /* above all paths; in no table */
    struct watcher *watchers;
};

int iris__registry_init(struct registry *); /* 0 or -1 with a reason */
void iris__registry_finish(struct registry *);

/* IRIS_FAIL: not a valid name, or a living actor has it; IRIS_DEAD: no such actor. [any] */
int iris__registry_set(struct registry *, struct world *, const char *name, uint64_t pid);
int iris__registry_clear(struct registry *, const char *name);     /* IRIS_DEAD: nobody had it */
uint64_t iris__registry_find(struct registry *, const char *name); /* 0: nobody */
/* IRIS_PING "name_changed (name=..)" to this actor at each change, as long as it lives. IRIS_FAIL: no memory. [any] */
int iris__registry_watch(struct registry *, struct world *, const char *name, uint64_t actor);
/* An incarnation ended: all its names but these two (may be NULL). */
void iris__registry_forget_but(struct registry *, uint64_t pid, const char *path, const char *name);

/* As in <iris/ext/name.h>: each is called under no lock, for what was there at one moment. [any] */
int iris__registry_children(struct registry *, const char *prefix, int direct, iris_name_each *,
                            void *ctx);
int iris__registry_names(struct registry *, uint64_t pid, iris_name_each *, void *ctx);

/* "/a/b-c/d_1" : [A-Za-z0-9_.@-] between slashes; a name is one such word. */
int iris__name_is_valid(const char *name);

#endif
