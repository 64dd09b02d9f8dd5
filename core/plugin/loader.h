/* From a file to code that runs: read it once, check its bytes, copy them to a private file,
 * load that copy, shake hands. The same bytes are loaded once, whatever the file is called.
 *
 * All calls are [loader], never two at once, but for retain and release, which are [any]. When a
 * call fails, nothing has changed and iris__reason() says why. */
#ifndef IRIS_PLUGIN_LOADER_H
#define IRIS_PLUGIN_LOADER_H

#include "handshake.h"
#include "source.h"
#include "store.h"

#include <stdatomic.h>

#define IRIS__READ_KEPT \
    8 /* files last read for hosts: of many actors of one file, one copy is made */
#define IRIS__KEPT_WARN 1000
#define IRIS__KEPT_MOST \
    10000 /* at about 13,000 the kernel's limit on mappings ends it (measured) */

struct library {
    struct library *next;
    atomic_int refs;
    char *file;        /* as it was first asked for */
    struct copy *copy; /* what is loaded; NULL: a part of the program (attach) */
    void *handle;      /* of dlopen */
    const char
        *stays; /* why it can never be unmapped, or NULL; text that lives as long as the core */
    const iris_plugin *(*entry)(const iris_api *);
    struct taken taken; /* what it brings; name is NULL until the handshake was done */
};

struct loader {
    struct store store;
    struct library *libraries;
    struct copy *read[IRIS__READ_KEPT];            /* the newest first; NULL where there is none */
    int kept;                                      /* libraries that can never be unmapped */
    int warn_at;                                   /* 1,000 of them, then 2,000, 4,000, ... */
    void (*warn)(void *ctx, const char *sentence); /* set it after init; may be NULL */
    void *ctx;
};

void iris__loader_init(struct loader *);
void iris__loader_finish(struct loader *); /* closes what it can; the rest stays mapped */

/* For language hosts: the bytes, and a private copy. free when the host has loaded it. */
int iris__loader_read(struct loader *, const char *file, struct source *);
void iris__loader_free(struct loader *, struct source *); /* an empty one is fine */

/* A shared object. *out has one reference more. */
int iris__loader_open(struct loader *, const char *file, const iris_api *, struct library **out);
/* The same of a language host: where another runtime of this process has mapped it, that mapping. */
int iris__loader_open_host(struct loader *, const char *file, const iris_api *,
                           struct library **out);
/* The same, of a file that was read already: just these bytes are loaded. */
int iris__loader_open_source(struct loader *, const struct source *, const iris_api *,
                             struct library **out);
/* The same of bytes that were read already. */
int iris__loader_open_source(struct loader *, const struct source *, const iris_api *,
                             struct library **out);
/* A plugin that is linked into the program; file names it in sentences. */
int iris__loader_attach(struct loader *, const char *file,
                        const iris_plugin *(*entry)(const iris_api *), const iris_api *,
                        struct library **out);

void iris__library_retain(struct library *);  /* by who has a reference */
void iris__library_release(struct library *); /* nothing of the caller may point into it any more */

/* Its behaviour of that name; NULL: its first. NULL with a reason: there is none. */
const iris_behaviour *iris__library_behaviour(const struct library *, const char *name);

/* Closes what nobody refers to and can be closed; returns how many. */
int iris__loader_sweep(struct loader *);
int iris__loader_kept(const struct loader *);

#endif
