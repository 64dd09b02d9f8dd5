/* Names and paths: which actor has which. A text that begins with '/' is a path. */
#ifndef IRIS_TREE_REGISTRY_H
#define IRIS_TREE_REGISTRY_H

#include "world.h"

#include <pthread.h>

struct entry;
struct holder;

struct registry {
    pthread_rwlock_t lock;
    struct entry *by_name; /* uthash */
    struct holder *by_pid; /* uthash: the names of one actor */
};

void iris__registry_init(struct registry *);
void iris__registry_finish(struct registry *);

/* IRIS_FAIL: not a valid name, or a living actor has it; IRIS_DEAD: no such actor. [any] */
int iris__registry_set(struct registry *, struct world *, const char *name, uint64_t pid);
int iris__registry_clear(struct registry *, const char *name);     /* IRIS_DEAD: nobody had it */
uint64_t iris__registry_find(struct registry *, const char *name); /* 0: nobody */
void iris__registry_forget(struct registry *, uint64_t pid);       /* it ended: all its names */

/* "/a/b-c/d_1" : [A-Za-z0-9_.@-] between slashes; a name is one such word. */
int iris__name_is_valid(const char *name);

#endif
