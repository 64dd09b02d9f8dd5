/* One connection of the control server: reads a request, waits for its answer, writes it, and
 * again. All of it runs on the control thread. */
#ifndef IRIS_CONTROL_CONTROL_CLIENT_H
#define IRIS_CONTROL_CONTROL_CLIENT_H

#include "http.h"

#include <uv.h>

#define IRIS__CONTROL_CLIENTS 64

struct control_client;

struct control_clients { /* all connections of one server */
    uv_loop_t *loop;
    gid_t group; /* whose members may come, too */
    int by_tcp;  /* whoever comes, may */
    struct control_client *first;
    int n;
    uv_stream_t *waiting; /* the listener, while a new client waits for a place; else NULL */
    char chunk[16384];    /* what was read last; handed on before the next read */
    /* A request came, or (request->status) one that has to be refused with that status. The answer
     * is given later, with iris__control_client_answer(). */
    void (*request)(struct control_clients *, struct control_client *, const struct http_request *);
    /* The connection ends; nobody waits for client->work any more. */
    void (*gone)(struct control_clients *, struct control_client *);
};

enum client_state { CLIENT_READING, CLIENT_WORKING, CLIENT_WRITING, CLIENT_ENDING };

/* A client, or who listens for them. */
union control_stream {
    uv_handle_t handle;
    uv_pipe_t local;
    uv_tcp_t tcp;
};

struct control_client {
    union control_stream pipe;
    uv_timer_t timer;
    uv_write_t write;
    uv_shutdown_t end;
    struct control_clients *all;
    struct control_client *next, **self;
    struct http http;
    struct text out, body; /* an answer, or its head; and its body, if that was given */
    enum client_state state;
    int keep_alive; /* after this answer */
    int timed;      /* the 5 s of this request are running */
    int handles;    /* not closed yet: pipe, timer */
    void *work;     /* the server's: the reply that is being made */
};

void iris__control_stream_init(uv_loop_t *, union control_stream *, int by_tcp);

/* When a place is free: now, or by itself when a client leaves. */
void iris__control_client_accept(struct control_clients *, uv_stream_t *listener);
/* type: of the body; NULL: JSON */
void iris__control_client_answer(struct control_client *, int status, const char *type,
                                 const char *body, size_t len);
/* The same of a body that is large: it is not copied but taken, and emptied. */
void iris__control_client_give(struct control_client *, int status, const char *type,
                               struct text *body);
void iris__control_client_close(struct control_client *);
int iris__control_client_works(const struct control_client *); /* it waits for its answer */
void iris__control_clients_sweep(
    struct control_clients *); /* of those the ones that have hung up are closed */

#endif
