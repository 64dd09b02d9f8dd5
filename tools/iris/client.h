/* Asks a running app: one HTTP request over its UNIX socket. */
#ifndef IRIS_TOOL_CLIENT_H
#define IRIS_TOOL_CLIENT_H

#include "verb.h"

#include <jansson.h>

/* Sends {body} (stolen; NULL: none) and waits for the answer, for c->timeout_ms and a little more:
 * the app keeps that time itself and says more when it is over. Returns an exit status.
 *
 * What went wrong has been printed, and so has the answer itself if c->json was asked for;
 * otherwise, or with c->quiet, *answer is an object that the caller frees. */
int client_call(const struct common *c, const char *method, const char *path, json_t *body,
                json_t **answer);

/* The same of one socket, without a word: body is borrowed. 0: *answer is an object, which may be an error. -1
 * with errno: ETIMEDOUT, ENODATA (it hung up), EBADMSG (no JSON), or why nobody is there. */
int client_fetch(const char *socket, int64_t timeout_ms, const char *method, const char *path,
                 const json_t *body, json_t **answer);

/* The handler of a swap, or its migrate, as the user means it from here. 0, or -1. */
int put_handler(json_t *body, const char *key, const char *handler);

/* The socket of the app that is meant; else an exit status, with the reason printed. */
int client_find(const struct common *c, char *path, size_t room);

/* How the app ended, by iris_app_watch(): as iris_app_watched(), when c->timeout_ms are over at the latest. An
 * app answers before it ends. */
int client_await_end(const struct common *c, int watch);

/* Prints an error that arose here in the way that the app's own are printed. Returns the exit
 * status that belongs to the code. */
int client_error(const struct common *c, const char *code, const char *hint, const char *message);

/* The same with iris_app_reason(), which may bring its hint along as a line of its own. */
int client_failure(const struct common *c, const char *code);

/* Prints an answer that arose here: gets its "iris": 1. The answer is stolen. */
void client_print(json_t *answer);

/* A member that is text; "" where there is none. Borrowed. */
const char *text_of(const json_t *, const char *key);
/* The same of a whole number: 0. */
json_int_t number_of(const json_t *, const char *key);

#endif
