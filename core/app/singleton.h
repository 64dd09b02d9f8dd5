/* "singleton": true: an actor of which there is one in the cluster. At its path there is always an actor: this node's
 * instance, while the engine says that this node has it, or one that stands for whoever has it ("standby").
 *
 * The mesh says on its thread, under its lock, whose it is: then the instance of a node that has it no more is ended at
 * once, for good. All else is done by the main thread. */
#ifndef IRIS_APP_SINGLETON_H
#define IRIS_APP_SINGLETON_H

#include "app.h"

/* In the place of starting it: the standby begins. As iris__start_await(). [main] */
int iris__singleton_start(struct app *, size_t index);
/* All actors have started: from now on this node may have some. IRIS_OK, or IRIS_FAIL with a reason. [main] */
int iris__singletons_open(struct app *);
void iris__singletons_look(struct app *);   /* what has changed is done. [main] */
void iris__singletons_end(struct app *);    /* all actors have ended. [main] */
void iris__singletons_finish(struct app *); /* the runtime is closed */

/* It stood for one: its end is no news. [any] */
int iris__singleton_stood(struct app *, uint64_t pid);
/* "standby on node b": of an actor that stands by; NULL: it is none. [any] */
const char *iris__singleton_word(struct app *, uint64_t pid, char *room, size_t len);

#endif
