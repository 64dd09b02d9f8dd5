/* Starting one actor of a manifest: what the start of an app and `iris apply` share. Main thread only. */
#ifndef IRIS_APP_START_H
#define IRIS_APP_START_H

#include "app.h"

/* A problem of the actor at this index; further lines of `why` are its hint, or stand below its place. */
void iris__start_problem(const struct manifest *, struct problems *, size_t index, const char *key,
                         const char *code, const char *why);

struct policy iris__start_policy(const struct manifest_supervisor *);
enum restart_when iris__start_restart(const struct manifest_actor *);
int64_t iris__start_shutdown(const struct manifest_actor *);     /* for a supervisor */
struct alarm *iris__start_alarms(const struct manifest_actor *); /* NULL: none, or no memory */
char *iris__start_env(const struct manifest_actor *); /* the same; as cold.h keeps it, heap */

/* Its version, which is the caller's. IRIS_OK, or IRIS_FAIL with a reason. */
int iris__start_load(struct app *, const struct manifest *, const struct manifest_actor *,
                     struct app_actor *);
/* The same of a router; its instances have begun, and stand before it. */
int iris__start_router(struct app *, const struct manifest_actor *, struct app_actor *);
/* 0, or a reason: the handler is not what the manifest says. */
int iris__start_check_kind(const struct manifest_actor *, const struct app_actor *);
/* With that version, which stays the caller's. IRIS_OK, or IRIS_FAIL with a reason. */
int iris__start_spawn(struct app *, const struct manifest_actor *, struct app_actor *,
                      enum restart_when);
/* ns that it has to say that it is ready; 0: it need not. */
int64_t iris__start_ready(const struct manifest_actor *);
/* Of the one that iris__app_await() was told. 1: it has started; 0: it failed, and why is the reason; -1: told to stop
 * meanwhile. */
int iris__start_await(struct app *, int64_t timeout);
/* ns that its start may take, for that. */
int64_t iris__start_time(const struct manifest_actor *);
void iris__start_say(struct app *, const struct manifest_actor *, const struct app_actor *);

#endif
