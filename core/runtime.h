/* A runtime: the rooms put together. Started in this order, stopped in reverse: pool and table, sched,
 * registry and supervisors, loader, hosts, actors. */
#ifndef IRIS_RUNTIME_H
#define IRIS_RUNTIME_H

#include "actor.h"
#include "alarm.h"
#include "behaviour.h"
#include "cold.h"
#include "host.h"
#include "registry.h"
#include "supervisor.h"

#include <iris/iris.h>

/* What a host is started with when it is first needed. */
struct host_config {
    const char *name, *config; /* "python", JSON */
    struct host_limits limits;
};

struct iris_runtime {
    struct world world; /* first: hooks get it and mean the runtime */
    struct registry registry;
    struct supervisors supervisors;
    struct loader loader;
    struct hosts hosts;
    const struct host_config *configs; /* whoever opened it sets them, before anything is loaded */
    size_t nconfigs;
    iris_executor *loading; /* the loader thread, as an executor of jobs */
    /* areas of plugins that somebody has asked for; written by the loader */
    struct used *_Atomic used;
    iris_actor outside;
    iris_options options;
    _Atomic uint64_t events;
    atomic_int closing;    /* nothing is restarted any more */
    atomic_int ends_loads; /* nor loaded */
    atomic_int left;       /* threads, when iris_close() gave up: nobody serves it any more */
    atomic_int exhausted;  /* "/", or one with on_exhausted exit, could not hold it */
    atomic_int exhausting; /* the first is at it */
    char *exhausted_by;    /* that one, or NULL: no memory; written before exhausted is 1 */
    void (*on_exhausted)(void *ctx); /* [any]; may be NULL */
    void *on_exhausted_ctx;
    /* In a handler of a fatal signal: what is known of this path, to fd. May be NULL; only writes. */
    void (*on_fault)(void *ctx, const char *path, int fd);
    void *on_fault_ctx;
};

/* A load on the loader thread; the caller's memory until done() is called there. */
struct load_order {
    iris_job job;
    iris_runtime *runtime;
    const char *file;    /* where it is */
    const char *symbol;  /* or NULL */
    const char *handler; /* as the user wrote it */
    const char *host;    /* or NULL: by the file's ending */
    const char *config;  /* or NULL */
    uint32_t place;      /* of iris_source */
    struct {             /* loaded behind it, and given to the version; file NULL: none */
        const char *file, *symbol, *handler;
    } migration;
    int result;
    iris_version *version;
    const char *why;
    void (*done)(struct load_order *);
    void *ctx;
};
void iris__runtime_load(iris_runtime *, struct load_order *);
/* The same, waiting. Not on a thread of the runtime. */
int iris__runtime_load_wait(iris_runtime *, struct load_order *);

/* What is loaded fails soon, and so does what is to be loaded yet: the end has come. [any] */
void iris__runtime_end_loads(iris_runtime *);

/* Make sure that the host of this name, or for this file's ending, runs; its plugin is looked for in
 * the installed hosts. [loader] NULL with a reason. */
struct host *iris__runtime_host(iris_runtime *, const char *name, const char *file);

/* The same from outside, waiting. Not on a thread of the runtime. */
int iris__runtime_start_host(iris_runtime *, const char *name);

/* As in <iris/ext/plugin.h>. */
int iris__runtime_use(iris_runtime *, const char *plugin, const char *id, const void **table,
                      void **host);
/* The same of what somebody has used already; NULL: nobody. [any] */
const void *iris__runtime_used(iris_runtime *, const char *plugin, const char *id, void **host);
void iris__runtime_forget_uses(iris_runtime *);

/* Where plugins and installed behaviours are: "<lib>/iris/hosts", "<lib>/iris/behaviours". */
int iris__runtime_dir(char *dir, size_t room, const char *what);

/* What an app's actor has beside an iris_spawn. */
struct app_spawn {
    iris_spawn spawn; /* .path is a must */
    const char *name; /* or NULL */
    char *env;        /* as cold.h keeps it; taken over, also on failure; or NULL */
    enum restart_when restart;
    int64_t shutdown; /* ns it may take to end; 0: 5 s; -1: none, it is killed */
    uint32_t keep;    /* versions; 0: 4 */
    int stateless_restart;
    const struct alarm *alarms; /* copied */
    size_t nalarms;
    int frozen;                /* it begins no message before iris__thaw() */
    struct restored *restored; /* taken over, also on failure; or NULL */
};
int iris__runtime_spawn(iris_runtime *, const struct app_spawn *, uint64_t *pid);

/* Each actor's pid, newest place first; ports of asks are left out. */
void iris__runtime_walk(iris_runtime *, void (*each)(void *ctx, uint64_t pid), void *ctx);

#endif
