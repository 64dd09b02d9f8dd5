/* Private copies of the files that are loaded.
 *
 * What runs is never the user's file. That one may be overwritten, cut short or replaced at any
 * time, which would kill the code that runs from it (SIGBUS, SIGSEGV: measured), and the dynamic
 * linker answers with the old code when a path is loaded a second time. A copy is written once,
 * under a name made of its content, so that a name never means two things while this process
 * lives.
 *
 * [loader] throughout. */
#ifndef IRIS_PLUGIN_STORE_H
#define IRIS_PLUGIN_STORE_H

#include "privatedir.h"

#include <iris/plugin.h>

struct copy { /* counted: sources and libraries share it */
    struct copy *next;
    char *path;
    uint64_t hash;
    size_t len;
    int fd; /* of a memfd, else -1 */
    int refs;
    int is_foreign; /* another runtime of this process made it, and removes it */
    int was_code;   /* a library was mapped from it */
};

struct store {
    int is_open;           /* the first copy opens it: who loads nothing leaves no trace */
    struct privatedir dir; /* no path: no place may hold code, copies are memfds */
    struct copy *copies;
    struct copy *spare; /* of a library that is gone: its file becomes the next copy's; or NULL */
};

void iris__store_init(struct store *);
void iris__store_open(struct store *);        /* again is fine */
void iris__store_open_memory(struct store *); /* memfds, whatever there is */
void iris__store_finish(struct store *);      /* a memfd that still has references stays open */

/* A copy of these bytes, maybe shared; NULL: no room. The name is the file's, with the hash in
 * it. */
struct copy *iris__store_copy(struct store *, const char *file, iris_bytes, uint64_t hash);
/* The copy of these bytes that is mapped in this process already, by another runtime; NULL: there is none.
 * A language must be there once, with all its statics, however many runtimes use it. */
struct copy *iris__store_mapped(struct store *, const char *file, iris_bytes, uint64_t hash);
struct copy *iris__copy_share(struct copy *);         /* one reference more */
void iris__store_drop(struct store *, struct copy *); /* one less; NULL is fine */
/* One less; was it the last, and of code that is gone, its file is written anew for the next copy. To remove a file and
 * make another takes a file system longer than all else of a load (it looks for an inode that was not just freed). */
void iris__store_recycle(struct store *, struct copy *);

int iris__copy_equals(const struct copy *, iris_bytes, uint64_t hash);

#endif
