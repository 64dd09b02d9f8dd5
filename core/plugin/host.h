/* Hosts: plugins that make behaviours of handler files. The core knows none of them by name; each says
 * which file endings are its own. All [loader] but stop, which is [main],
 * when that thread has ended. */
#ifndef IRIS_PLUGIN_HOST_H
#define IRIS_PLUGIN_HOST_H

#include "actor.h"
#include "loader.h"

#define IRIS__LOAD_LIMIT (30 * INT64_C(1000000000)) /* ns; where nothing is said */

struct host_limits { /* ns; 0: none. Of the manifest: hosts.NAME */
    int64_t turn, load;
    int64_t instances; /* how many it is to have */
};

struct host {
    struct host *next;
    struct host_limits limits;
    struct library *library;
    iris_actor self; /* for its own calls; no pid */
    void *data;      /* what start() gave */
    int started;
    int interrupts; /* so many executors whose turns can be interrupted has it opened */
};

struct hosts {
    struct world *world;
    struct loader *loader;
    struct host *_Atomic list; /* the loader adds; others only read */
};

/* Load a host's plugin (or attach one that is linked in) and start it. Asking again is fine. */
int iris__host_add(struct hosts *, const char *file, const char *config, struct host_limits);
int iris__host_attach(struct hosts *, const iris_plugin *(*entry)(const iris_api *),
                      const char *name, const char *config, void *arg);
void iris__hosts_stop(struct hosts *);

struct host *iris__host_named(struct hosts *, const char *name);    /* NULL: none */
struct host *iris__host_for_file(struct hosts *, const char *file); /* by its ending */

/* What the next host behind `after` (NULL: the first) takes that says so; NULL: there is none. [any] */
const struct host *iris__host_usage(struct hosts *, const struct host *after, const char **name,
                                    iris_usage *);

/* iris_host.offers: its table, or NULL. [any] */
const void *iris__host_offers(const struct host *, const char *id);

/* iris_host.imports, or NULL: of no host, of one that does not say. [any] */
const char *iris__host_imports(const struct host *);

/* iris_host.end_loads of all. [any] */
void iris__hosts_end_loads(struct hosts *);

struct host_wish {
    const char *file;    /* where it is */
    const char *symbol;  /* or NULL */
    const char *handler; /* as the user wrote it */
    const char *config;  /* or NULL */
    uint32_t place;      /* of iris_source, as */
    uint32_t wanted;
};
int iris__host_load(struct hosts *, struct host *, const struct host_wish *, iris_version **out);

#endif
