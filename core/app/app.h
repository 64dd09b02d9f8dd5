/* One running application: a manifest made into a tree of actors, and what is said about it.
 *
 * Three threads meet here. The one in iris_app_run() starts, waits, stops, and is the only one that
 * calls options.out. The control thread runs the verbs. The runtime's threads tell events. */
#ifndef IRIS_APP_APP_H
#define IRIS_APP_APP_H

#include "census.h"
#include "control.h"
#include "events.h"
#include "follow.h"
#include "chore.h"
#include "logs.h"
#include "manifest.h"
#include "metrics.h"
#include "order.h"
#include "runtime.h"
#include "save.h"
#include "story.h"
#include "trial.h"
#include "watch.h"

#include <iris/app.h>

#include <pthread.h>
#include <stdatomic.h>

enum app_phase { APP_STARTING, APP_RUNNING, APP_STOPPING };

struct app_actor {         /* beside its manifest_actor */
    iris_version *version; /* loaded, and not yet spawned */
    _Atomic uint64_t pid;  /* 0: not spawned */
    int64_t took;          /* ns: its loading, and then its start */
    int rests; /* it is frozen, to be saved or not yet let go: it is not to be stopped in order */
};

/* Requests about actors that have not begun yet: verb_early.c. */
struct early_list {
    pthread_mutex_t lock;
    struct early *first;
    int is_shut; /* all have begun, or will not */
};

/* The actor whose start or end the main thread waits for. */
struct awaited {
    pthread_mutex_t lock;
    const char *path; /* NULL: none */
    int started, failed, ended;
    char *why;        /* it failed */
    const char *mute; /* the one whose start failed: it is told as an error, and no more of it */
};

/* `manifest` and `actors` are what `iris apply` exchanges: the main thread alone, under `tree` and `news`. Other
 * threads look at them between iris__app_look() and iris__app_looked(), or, when an event is told, between
 * iris__app_hear() and iris__app_heard(). Two locks, as an event may be told under the mesh's lock, and who looks may
 * ask the mesh; who hears asks nobody. */
struct app {
    iris_app_options options;
    pthread_rwlock_t tree, news;
    struct manifest *manifest;
    struct manifest *first; /* what the app was started with */
    char *file;             /* of that one: absolute */
    char *restore_from;     /* options.restore: absolute, where "process" names a directory */
    iris_runtime *runtime;
    struct control *control;
    struct events events;
    struct logs logs;
    struct followers followers;
    struct metrics metrics;
    struct control_verb metrics_verbs[2]; /* what is had by TCP */
    struct control *metrics_server;       /* or NULL */
    struct stories stories;
    struct trials trials;
    struct orders orders;
    struct census census; /* control thread */
    struct awaited awaited;
    struct early_list early;
    struct save_order save;
    struct restore *restore; /* or NULL */
    struct chores chores;
    struct app_actor *actors;    /* as in the manifest */
    struct host_config *configs; /* of the manifest's hosts */
    char socket[IRIS_SOCKET_ROOM];
    int bell;             /* eventfd: something happened that the main thread looks at */
    atomic_int phase;     /* enum app_phase */
    atomic_int stop;      /* asked for */
    atomic_int hurry;     /* asked for again */
    atomic_int exhausted; /* a supervisor was */
    /* main thread */
    uint64_t shown; /* events up to this number were printed */
    int64_t opened;
    int64_t next_beat;                    /* when tell() gets the next one */
    struct watch *watch;                  /* or NULL */
    struct singleton *_Atomic singletons; /* singleton.h; each is added when it is whole */
    int started;                          /* all actors were */
    int reload;                           /* asked for by SIGHUP */
    int heard;                            /* who waited in between was rung for: all is looked at */
};

void iris__app_look(struct app *);
void iris__app_looked(struct app *);
void iris__app_hear(struct app *);
void iris__app_heard(struct app *);

/* ---- app_say.c: main thread only ---- */
void iris__app_say(struct app *, int kind, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));
void iris__app_say_events(struct app *); /* those that came since */
void iris__app_say_problems(struct app *, const struct problems *);
void iris__app_say_ready(struct app *);
void iris__app_say_totals(struct app *, const iris_totals *);
void iris__app_say_next(struct app *); /* what to try now */

/* ---- app_wait.c ---- */
void iris__app_tell(struct app *, int what);         /* main thread: IRIS_APP_READY .. */
void iris__app_event(void *app, const iris_event *); /* [any]: the runtime's hook */
void iris__app_ring(struct app *);                   /* [any]: wake the main thread */
/* Wait for the bell, at most so long (-1: no limit), and print what happened. Notes whether to stop. */
void iris__app_wait(struct app *, int64_t ns);
void iris__app_await(struct app *, const char *path);           /* NULL: nothing any more */
int iris__app_awaited(struct app *, int *started, int *failed); /* ended */

/* What the operator has asked for by SIGHUP: files of the log are opened anew; the manifest is read again as soon as
 * the app runs (apply.h). */
void iris__app_reload(struct app *);

/* ---- app_start.c ---- */
/* IRIS_EXIT_OK, or the exit status; what went wrong was said. What did start is to be stopped. */
int iris__app_start(struct app *);

/* ---- verb_early.c: main thread ---- */
/* Carries out what waited for actors that are there by now; or all, and none will wait any more. */
void iris__early_admit(struct app *, int all_of_them);

/* ---- app_stop.c ---- */
/* All actors, last started first. Returns what is left of the time for it. */
int64_t iris__app_stop(struct app *);
/* Says which actors do not come back from their handlers. */
void iris__app_say_stuck(struct app *);

#endif
