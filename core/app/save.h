/* `iris stop --save DIR`: all actors of the manifest come to rest, their states and their mail are written to
 * DIR/NAME.save, and then the app ends. What goes wrong before that is told, and the app goes on.
 * `iris run --restore DIR`: they begin with those states, and nothing handles a message before all have. */
#ifndef IRIS_APP_SAVE_H
#define IRIS_APP_SAVE_H

#include "control.h"

#include <pthread.h>
#include <stdint.h>

struct app;
struct manifest_actor;
struct problems;
struct restored;

struct save_order { /* asked for by the control thread, carried out by the main thread */
    pthread_mutex_t lock;
    char *dir;
    struct control_reply *reply;
};

void iris__save_init(struct save_order *);
void iris__save_finish(struct save_order *);
/* [control] dir: absolute. */
void iris__save_ask(struct app *, const char *dir, struct control_reply *);
/* [main] Carries out what was asked for; then the app is told to stop, if that went well. */
void iris__save_look(struct app *);

/* ---- restore.c: main thread. Without options.restore all of these do nothing ---- */
struct restore;
/* Before anything runs. 0; or an exit status, and what was wrong was said. */
int iris__restore_open(struct app *);
/* Handlers are loaded, and nothing was started. */
void iris__restore_check(struct app *, struct problems *);
int iris__restore_has_state(const struct app *,
                            const char *path); /* so it begins at once, also a lazy one */
/* What an actor's first state is made of, or NULL: init. -1: no memory. */
int iris__restore_state(struct app *, const struct manifest_actor *, struct restored **);
/* Its mail; it begins none of it yet. IRIS_OK, or IRIS_FAIL with a reason. */
int iris__restore_mail(struct app *, const struct manifest_actor *, uint64_t pid);
/* All have started: they go on. */
void iris__restore_done(struct app *);
void iris__restore_close(struct app *);

#endif
