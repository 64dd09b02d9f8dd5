/* The control server: HTTP/1.1 with JSON over a UNIX socket, on a thread of its own. It knows
 * nothing of actors; what can be asked of it is a table of verbs.
 *
 * Bounds: a request has 64 KiB and 5 s to arrive; 64 clients, more wait in the kernel; one request of
 * each is worked on at a time, what it sends meanwhile waits in the kernel. Requests that wait long
 * leave places to others, so that one can always look and stop. Peers of another user are turned
 * away, unless they are of the group that it was opened for. */
#ifndef IRIS_CONTROL_CONTROL_H
#define IRIS_CONTROL_CONTROL_H

#include <jansson.h>
#include <sys/types.h>

struct control;
struct control_reply;

struct control_request { /* readable while run() runs */
    const char *method, *path, *query;
    const json_t *body; /* an object; an empty one if nothing was sent */
};

struct control_verb {
    const char *method, *path; /* "GET", "/v1/ps" */
    /* Runs on the control thread and does not block. Now or later, on any thread, it completes the
     * reply: exactly once. */
    void (*run)(void *app, const struct control_request *, struct control_reply *);
    int spare; /* it may wait for long: refused where it would leave fewer places than this */
};

/* verbs: static, ends with an entry of NULLs. IRIS_OK, or IRIS_FAIL with the reason. group: who may connect
 * beside the user, as in socket.h. [main] */
int iris__control_open_for(const char *socket_path, gid_t group, const struct control_verb *verbs,
                           void *app, struct control **out);
/* The same by TCP, for whoever comes: HOST:PORT, and which port it is. [main] */
int iris__control_open_tcp(const char *address, const struct control_verb *verbs, void *app,
                           int *port, struct control **out);
int iris__control_open(const char *socket_path, const struct control_verb *verbs, void *app,
                       struct control **out);

/* Sends off what is complete, answers the open requests with 503, and removes the socket, all
 * within about a second. Replies may be completed after this, for nobody. NULL is fine. [main] */
void iris__control_close(struct control *);

struct socket_claim;
/* Before the close: the name is the caller's to release, who has more to end than this server. [main] */
void iris__control_take_claim(struct control *, struct socket_claim *);

/* body: an object; stolen; gets its "iris": 1 here. NULL (no memory): an error is sent instead.
 * [any] */
void iris__control_reply(struct control_reply *, int http_status, json_t *body);

/* A text with status 200; it is emptied. type: static; NULL: it is JSON, with its "iris": 1. [any] */
struct text;
void iris__control_text(struct control_reply *, const char *type, struct text *);

/* For a reply that is to be made later: run(ctx) is called on the control thread soon, unless the server
 * closes first. Calls that come before it ran are one. [any] */
void iris__control_call(struct control_reply *, void (*run)(void *ctx), void *ctx);
int iris__control_is_gone(
    const struct control_reply *); /* nobody waits for it any more. [control] */

/* {"iris":1,"error":{code,message,hint}} with the HTTP status that belongs to the code. hint: what
 * to do about it, or NULL. [any] */
void iris__control_error(struct control_reply *, const char *code, const char *hint,
                         const char *fmt, ...) __attribute__((format(printf, 4, 5)));

/* ---- for control_client.c and for tests without sockets ---- */

struct http_request;

/* The body of a request: a new object, or NULL with the reason. */
json_t *iris__control_body(const struct http_request *);

json_t *iris__control_problem(const char *code, const char *hint, const char *message);

#endif
