/* Where the file of a handler is. */
#ifndef IRIS_APP_FIND_H
#define IRIS_APP_FIND_H

#include "api.h"
#include "manifest.h"

/* A name with a '/' is a file. One without is looked for beside the manifest, then among the installed
 * behaviours, then in `cwd` (that of whoever asks, or NULL). Returns a path (heap); NULL with the reason,
 * which names the places. */
char *iris__find_handler(const struct manifest *, const char *name, const char *cwd);

/* The same of what a user has written, "pay.py:on_msg": out's file, symbol and handler; the rest of it stays. */
int iris__find_named(const struct manifest *, const char *handler, const char *cwd,
                     struct origin *out);

/* The same of an actor of the manifest, whose file may be named otherwise too; it is there. */
char *iris__find_file(const struct manifest *, const struct manifest_actor *);

/* IRIS_OK: this build has that host. IRIS_FAIL with the reason, and those that it has as a hint. */
int iris__find_host(const char *name);

/* "./libpay.so:name", "shop.mjs#name": cuts the text behind the file; returns the name, or NULL. */
char *iris__split_handler(char *handler);

#endif
