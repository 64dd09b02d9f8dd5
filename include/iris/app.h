/* iris/app.h - a whole application: from a manifest to running actors, and how to find them.
 *
 * The `iris` program stands on these calls, and so may any other. They install no signal handler
 * and write nothing by themselves: all that is to be said comes through a callback. */
#ifndef IRIS_APP_H
#define IRIS_APP_H

#include <stddef.h>
#include <stdint.h>

#include <iris/plugin.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Exit statuses, of iris_app_run() and iris_app_check() and of every verb of the program. */
enum {
    IRIS_EXIT_OK = 0,
    IRIS_EXIT_FAILED = 1, /* also: a dead letter or an exhausted supervisor before it was idle */
    IRIS_EXIT_USAGE = 2,
    IRIS_EXIT_MANIFEST = 3,
    IRIS_EXIT_NOT_RUNNING = 4,
    IRIS_EXIT_NO_TARGET = 5,
    IRIS_EXIT_SWAP = 6,   /* a swap or an apply: refused or rolled back */
    IRIS_EXIT_DIFFERS = 7, /* apply --dry-run: there are differences */
    IRIS_EXIT_TIMEOUT = 124
};

/* What kind of line iris_app_options.out gets. */
enum {
    IRIS_APP_HEADER = 0, /* "iris 0.1.0  logwatch  pid 4242  socket /run/..." */
    IRIS_APP_ACTOR = 1,  /* an actor was started: "/a/b  libb.so  v1  (native, 0.3 ms)" */
    IRIS_APP_EVENT = 2,  /* what happened since: swap, restart, end */
    IRIS_APP_LOG = 3,    /* a plugin said something */
    IRIS_APP_WARNING = 4,
    IRIS_APP_ERROR = 5, /* may have several lines: place, source line, caret, hint */
    IRIS_APP_NOTE = 6   /* what to do next, and the closing totals */
};

/* What iris_app_options.tell gets. */
enum {
    IRIS_APP_READY = 0,     /* every actor has started; also when a reload is done */
    IRIS_APP_RELOADING = 1, /* the manifest is read again */
    IRIS_APP_STOPPING = 2,
    IRIS_APP_BEAT = 3 /* the app is alive */
};

typedef struct iris_app_options {
    uint32_t size, abi;      /* sizeof(iris_app_options), IRIS_ABI */
    const char *file;        /* the manifest; NULL: "app.json" */
    const char *const *sets; /* "env.LOG=/var/log/dpkg.log": replaces values of the manifest */
    uint32_t nsets;
    uint32_t workers; /* of the native pool; 0: one per core */
    int until_idle;   /* return when nothing is left to do */
    /* -1, or a descriptor: as soon as it is readable the app stops in order. It is not read from
     * and not closed. */
    int stop_fd;
    /* One line or block of text, no newline at the end. Any thread, one call at a time; it must not
     * call back into the app. NULL: silence. */
    void (*out)(void *ctx, int kind, const char *text);
    void *ctx;
    const char *program; /* how the user calls `iris`, for what is to be tried next; NULL: "iris" */
    int watch; /* swap what changes: an actor whose handler's file holds something else than it did */
    /* 0: none. A pipe or the like, from which is read: what comes there asks for what SIGHUP means to a
     * service. Files of the log are opened anew. */
    int reload_fd;
    /* What a supervisor of processes wants to know: IRIS_APP_READY .., on the thread of iris_app_run(), with
     * ctx. NULL: nobody. */
    void (*tell)(void *ctx, int what);
    int64_t beat; /* ns; how often tell gets IRIS_APP_BEAT; 0: never */
    /* A directory with what `iris stop --save` has written, or NULL: actors begin with the state and the mail that
     * they had. All of them, or nothing handles a message and the app ends. */
    const char *restore;
    int leave_behind; /* of restore: actors that the manifest has no more are a warning, and no error */
    /* The process is this app's alone: it becomes the user and goes into the directory that "process" of the manifest
     * names, and stays so. 0: a manifest that names one is refused. */
    int owns_process;
} iris_app_options;

/* Runs the application to its end: until it is told to stop (stop_fd, or `iris stop`), or until it
 * is idle if that was asked for. Returns an exit status; when it returns, no thread, socket file
 * or child of the application is left. Several may run in one process, if their names differ. */
IRIS_EXPORT int iris_app_run(const iris_app_options *);

/* Checks a manifest without starting anything. write() gets all errors: as text, or (as_json) as
 * one JSON object {"iris":1,"file":..,"errors":[..]}. IRIS_EXIT_OK or IRIS_EXIT_MANIFEST. */
IRIS_EXPORT int iris_app_check(const char *file, const char *const *sets, uint32_t nsets,
                               int as_json, void (*write)(void *ctx, const char *text), void *ctx);

/* ---- the manifest, for people and editors. write() gets text, in one piece or several ---- */

IRIS_EXPORT void iris_app_schema(void (*write)(void *ctx, const char *text), void *ctx); /* draft-07 */
/* All keys that are built, each with a blank behind it: "actors.restart ". */
IRIS_EXPORT void iris_app_keys(void (*write)(void *ctx, const char *text), void *ctx);
/* The manual of one of them, as text or as one JSON object. IRIS_EXIT_OK, or IRIS_EXIT_NO_TARGET: no
 * such key, and iris_app_reason() names the one that was probably meant. */
IRIS_EXPORT int iris_app_explain_key(const char *key, int as_json,
                                     void (*write)(void *ctx, const char *text), void *ctx);
IRIS_EXPORT void iris_app_manual(void (*write)(void *ctx, const char *text),
                                 void *ctx); /* iris-app.json(5), as scdoc reads it */

/* ---- what is there to run it ---- */

/* IRIS_OK: this build of Iris runs handlers of that language ("python"). IRIS_FAIL: iris_app_reason() says what
 * it has. Nothing is loaded. */
IRIS_EXPORT int iris_app_has_host(const char *name);

/* What a plugin's file is, as one JSON object: name, version, abi, note (of IRIS_NOTE), behaviours, host, needs,
 * libraries, stays. The bytes are checked first; then its constructors and its entry run in a child process
 * with no new privileges, with limits, and for at most timeout_ms. IRIS_EXIT_OK, or IRIS_EXIT_FAILED with
 * iris_app_reason(). It forks: not while other threads of this process hold locks. */
IRIS_EXPORT int iris_app_describe(const char *file, int64_t timeout_ms,
                                  void (*write)(void *ctx, const char *text), void *ctx);

/* What this machine lacks for running apps, as one JSON object {"iris":1,"checks":[{"check","state","found",
 * "fix"}]}: state is "ok", "warning" or "problem". IRIS_EXIT_OK, or IRIS_EXIT_FAILED: there is a problem. Also
 * forks. */
IRIS_EXPORT int iris_app_doctor(void (*write)(void *ctx, const char *text), void *ctx);

/* The same, and what one app lacks: all that iris_app_check() finds; whether its languages begin with the settings of
 * `hosts`; its limits; files, certificates and engine of its mesh. */
IRIS_EXPORT int iris_app_doctor_of(const char *file, const char *const *sets, uint32_t nsets,
                                   void (*write)(void *ctx, const char *text), void *ctx);

/* ---- where a running application is reached: HTTP/1.1 over a UNIX stream socket ---- */

#define IRIS_SOCKET_ROOM 108 /* the longest path that such a socket can have, with its '\0' */

/* The socket that the application `name` has, or would have; a name with a '/' is the path itself.
 * IRIS_OK, or IRIS_FAIL. */
IRIS_EXPORT int iris_socket_path(const char *name, char *path, size_t room);

/* The socket of a running application: the one of that name, or (NULL) of the name in IRIS_APP, or
 * the only one there is. IRIS_OK; IRIS_DEAD: nothing runs there; IRIS_AGAIN: several run, ask again
 * with a name; IRIS_FAIL: the directory cannot be trusted, or not be read. Of all but the first
 * iris_app_reason() tells more. */
IRIS_EXPORT int iris_socket_find(const char *name, char *path, size_t room);

typedef struct iris_socket {
    uint32_t size, abi;
    const char *name, *path; /* "shop", "/run/iris/shop.sock" */
    int runs;                /* 0: nobody listens; what was left behind by an app that was killed */
    int64_t pid;             /* of the app, also of one that was killed; 0: not known */
} iris_socket;

/* Each control socket in this directory, or (NULL) where those of this user are by default, of whoever has
 * XDG_RUNTIME_DIR and of whoever has not; by name. IRIS_OK, or IRIS_FAIL: it cannot be read. */
IRIS_EXPORT int iris_sockets(const char *dir, void (*each)(void *ctx, const iris_socket *),
                             void *ctx);

/* To see the end of a running application: a descriptor to close later, or -1. watched() tells of it:
 * IRIS_AGAIN: it lives, perhaps still stopping; IRIS_OK: it has stopped, and nothing of it is left in
 * its process; IRIS_FAIL: it is over but did not stop in order, and iris_app_reason() says why. */
IRIS_EXPORT int iris_app_watch(const char *socket_path);
IRIS_EXPORT int iris_app_watched(int watch);

IRIS_EXPORT const char *iris_app_version(void); /* of the library: "0.1.0" */

/* Why the last call of this header failed on this thread; valid until the next one. Never NULL. What
 * to do about it, where there is something, is a second line that begins with "hint: ". */
IRIS_EXPORT const char *iris_app_reason(void);

/* JSON holds text only, so other bytes travel as base64 (RFC 4648, padded). encode() writes the
 * text and a '\0' to out, which has room for IRIS_BASE64_ROOM(len). decode() writes at most len /
 * 4 * 3 bytes and returns how many, or -1 if this is not base64. */
#define IRIS_BASE64_ROOM(len) (((len) + 2) / 3 * 4 + 1)
IRIS_EXPORT size_t iris_base64_encode(char *out, const void *data, size_t len);
IRIS_EXPORT long iris_base64_decode(void *out, const char *text, size_t len);

#ifdef __cplusplus
}
#endif
#endif
