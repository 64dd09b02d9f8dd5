/* The manifest: what an app is made of, read from one strict JSON file.
 *
 *   file -> text (UTF-8, bounded) -> JSON -> checked key by key against one table -> this struct
 *
 * manifest_keys.c has the table; all that is said about keys comes from there. A mistake does not
 * end the reading: all of them are in the list of problems, each with its place in the file. */
#ifndef IRIS_MANIFEST_MANIFEST_H
#define IRIS_MANIFEST_MANIFEST_H

#include "problem.h"

#include <stddef.h>
#include <stdint.h>

enum manifest_restart { /* in the order of the table's words, as all enums here */
                        MANIFEST_ALWAYS,
                        MANIFEST_ON_FAILURE,
                        MANIFEST_NEVER
};
enum manifest_start { MANIFEST_EAGER, MANIFEST_LAZY };
enum manifest_ready { MANIFEST_STARTED, MANIFEST_NOTIFY };
enum manifest_stateless { MANIFEST_REFUSE, MANIFEST_RESTART };
enum manifest_kind { MANIFEST_KIND_ANY, MANIFEST_PUSH, MANIFEST_PULL };
enum manifest_strategy { MANIFEST_ONE_FOR_ONE, MANIFEST_ONE_FOR_ALL, MANIFEST_REST_FOR_ONE };
enum manifest_format { MANIFEST_AUTO, MANIFEST_TEXT, MANIFEST_JSON };
enum manifest_log_to {
    MANIFEST_TO_ANY = -1, /* not written */
    MANIFEST_STDERR,
    MANIFEST_STDOUT,
    MANIFEST_JOURNALD,
    MANIFEST_FILE
};
enum manifest_exhausted { MANIFEST_ESCALATE, MANIFEST_STOP, MANIFEST_EXIT };

/* --set key=value: `key` is dotted as in the messages ("env.LOG", "control.socket",
 * "actors[0].budget"); the value is taken literally. */
struct manifest_set {
    const char *key, *value;
};

struct manifest_pair {
    const char *name, *value;
};

struct manifest_timer {
    int64_t every_ns, after_ns; /* one of them; the other is 0 */
    const char *send;           /* the bytes to send, with a NUL behind them */
    size_t len;
};

struct manifest_host {
    const char *name;   /* "python" */
    const char *config; /* all of it as JSON text, as its start() gets it; directories absolute */
    const char *venv, *cwd;
    const char **search;
    size_t nsearch;
    const char *env, *options;      /* JSON text of an object, or NULL */
    int64_t instances;              /* of the language, each with a thread of its own */
    int64_t turn_limit, load_limit; /* ns; 0: no limit of turns */
};

struct manifest_actor {
    const char *path;
    const char *handler;      /* as written, variables replaced: "./libpay.so:pay_v2" */
    const char *handler_text; /* its file, or module, as written: "./libpay.so" */
    const char
        *handler_file;     /* that, relative to the manifest: absolute. NULL: not a file (a module).
                               * Without a '/' in handler_text: whoever loads it also looks in the
                               * installed behaviours. */
    const char *symbol;    /* behind ':' or '#', or NULL */
    const char *host;      /* as written, or by the file's ending */
    const char *name;      /* to register, or NULL */
    const char *args;      /* JSON text, variables replaced, or NULL */
    const char *env;       /* its variables, JSON text of an object of strings, or NULL */
    const char *remote;    /* "payments@b", or NULL: it is of this node */
    const char *remote_at; /* "b", or HOST:PORT */
    const char *remote_name;
    int on_loss;   /* 1: stay */
    int singleton; /* one in the cluster */
    int supervise; /* of remote: the supervisor of its path has that actor, too */
    int64_t budget;
    const char *tags;     /* JSON text of an object of strings, or NULL */
    int64_t slice;        /* ns; 0: as all have */
    int64_t capacity;     /* of the mailbox; 0: unbounded */
    int64_t bytes;        /* that may wait in it; 0: no limit */
    double warn_at;       /* part of the capacity that is worth a warning; 0: none */
    int overflow;         /* IRIS_DROP_NEW .. */
    const char *fallback; /* path of an actor that starts before it, or NULL */
    int64_t keep;         /* versions kept for a rollback */
    const char *migrate;  /* what turns its state into a new version's, as written; or NULL */
    const char **watch;   /* NULL: its files are not watched. Else these are, too: absolute */
    size_t nwatch;
    int64_t errors, within; /* of a rollback by itself: crashes; 0: none. ns after the swap */
    int64_t shutdown;       /* ns that it may take to stop; 0: it is killed */
    int names_host;         /* host is written there */
    int restart;            /* enum manifest_restart */
    int stateless;          /* enum manifest_stateless */
    int start;              /* enum manifest_start */
    int ready;              /* enum manifest_ready */
    int64_t start_timeout;  /* ns that its start may take */
    int64_t idle_ns;        /* of a lazy one; 0: it does not rest */
    int kind;               /* enum manifest_kind: what the handler must be */
    int log_level;          /* 0: trace, IRIS_DEBUG_LEVEL ..; -1: not written */
    int64_t instances;      /* 0: as many as there are cores */
    int route;              /* enum router_way */
    size_t index;           /* in the file: of several instances and their router the same */
    uint32_t place;         /* its number among those of its host: hosts spread them by it */
    uint32_t number;        /* of an instance, from 1; 0: it is the only one, or a router */
    uint32_t behind; /* of a router: so many instances stand before it in the list; 0: it is none */
    struct manifest_timer *timers;
    size_t ntimers;
    const char **depends_on;
    size_t ndepends_on;
    unsigned line, column; /* of its path; 0: not known */
};

struct manifest_supervisor {
    const char *path;
    int strategy; /* enum manifest_strategy */
    int64_t intensity;
    int64_t period_ns;
    int64_t shutdown; /* only for what it hands down */
    int on_exhausted; /* enum manifest_exhausted */
    int backs_off;    /* 0: "backoff" is not there */
    int64_t initial, max, reset_after;
    double factor, jitter;
    unsigned line, column;
};

struct manifest_level {
    const char *path;
    int level; /* 0: trace, IRIS_DEBUG_LEVEL .. */
};

struct manifest_logs {
    int is_there;
    int level;                     /* as above */
    struct manifest_level *levels; /* a list of the table: the count is the next member */
    size_t nlevels;
    int format;       /* enum manifest_format */
    int to;           /* enum manifest_log_to */
    const char *file; /* absolute, or NULL */
    int64_t rate;     /* lines of one path in a second; 0: no limit */
};

struct manifest_process {
    const char *user, *group; /* or NULL */
    const char *cwd;          /* absolute, or NULL */
    int notify;
};

struct manifest_secret { /* a value that is never shown */
    struct manifest_secret *next;
    const char *value;
    size_t len;
};

enum manifest_socket { MANIFEST_OWN, MANIFEST_SHARED }; /* "0600", "0660" */

struct manifest {
    const char *file; /* as given */
    const char *dir;  /* absolute: what relative names in the file are relative to */
    const char *name;
    const char *socket; /* of the control server, absolute; NULL: the default place */
    int socket_mode;    /* enum manifest_socket */
    const char *group;  /* of MANIFEST_SHARED */
    const char *mesh;   /* what its plugin is started with, JSON; files absolute. NULL: it is not */
    struct manifest_pair *env;
    size_t nenv;
    struct manifest_host *hosts; /* as written */
    size_t nhosts;
    struct manifest_actor *actors; /* a list of the table: the count is the next member. When all is
                                    * read, instances stand in it one by one, and then their router */
    size_t nactors;
    const struct manifest_actor *written; /* as the file has them */
    size_t nwritten;
    struct manifest_supervisor *supervisors;
    size_t nsupervisors;
    struct manifest_logs logs;
    int64_t max_series;         /* of the metrics */
    const char *metrics_listen; /* HOST:PORT, or NULL */
    const char *metrics_path;
    const char *metrics_labels; /* JSON text of an object of strings, or NULL */
    int64_t limit_actors, limit_memory, limit_threads; /* 0: none */
    struct manifest_process process;
    struct manifest_secret *secrets;
    size_t *start_order; /* indices of actors: as written, but each behind what it depends on */
    const char *text;    /* the file's content, for problems that are found later */
    size_t len;
    struct manifest_block *blocks; /* all of the above is in these */
};

/* 0 and *out, which the caller frees; or -1 and at least one problem. */
int iris__manifest_read(const char *file, const struct manifest_set *sets, size_t nsets,
                        struct manifest **out, struct problems *problems);

/* The same of a text that was read already; `file` is only its name. */
int iris__manifest_parse(const char *file, const char *text, size_t len,
                         const struct manifest_set *sets, size_t nsets, struct manifest **out,
                         struct problems *problems);

/* For whoever finds a problem later, such as a handler that does not load: fills in line, column
 * and source of the problems whose pointer ("/actors/3/handler") is in this file; sorts them. */
void iris__manifest_locate(const struct manifest *, struct problems *);

/* Where it was read from: absolute; heap, or NULL: no memory. */
char *iris__manifest_path(const struct manifest *);

/* The host that a file's ending is for, or NULL. */
const char *iris__handler_host(const char *file);
/* "shop.payment": it may be a module's name, not a file's. */
int iris__handler_is_module(const char *name, size_t len);

/* Which of its actors has the path; nactors: none. */
size_t iris__manifest_index(const struct manifest *, const char *path);

void iris__manifest_free(struct manifest *);

#endif
