/* iris top: what its files share. top.c is the verb and its loop, top_keys.c what keys do, top_screen.c what is
 * drawn, top_ask.c what the app is asked. */
#ifndef IRIS_TOOL_TOP_H
#define IRIS_TOOL_TOP_H

#include "actor.h"
#include "client.h"

#include <iris/app.h>

#include <pthread.h>
#include <stdatomic.h>
#include <stdint.h>

enum { TOP_ROWS = 500, TOP_LINE = 512, TOP_FILE = 4000 };

enum top_mode {
    TOP_LIST,
    TOP_FILTER,  /* keys go into the filter, which is at work at once */
    TOP_FILE_OF, /* .. into the file of a swap */
    TOP_CONFIRM,
    TOP_HELP
};
enum top_verb { TOP_RESTART, TOP_SWAP, TOP_ROLLBACK };

enum { TOP_IDLE, TOP_BUSY, TOP_DONE }; /* order.state */

struct top_order { /* what was confirmed; asked for on a thread, as it may take its time */
    enum top_verb verb;
    char target[TOP_LINE]; /* as it is shown, and as the app finds it */
    char file[TOP_FILE];
    char socket[IRIS_SOCKET_ROOM];
    pthread_t thread;
    atomic_int state;
    json_t *answer; /* NULL: none came */
};

struct top {
    struct common common;
    int once, no_color;
    const char *sort; /* as the app calls it */
    int reversed;
    char filter[TOP_LINE / 2];
    size_t skip; /* rows above the first that is shown */

    json_t *answer; /* the last one; rows point into it */
    struct actor_row rows[TOP_ROWS];
    size_t n;
    size_t chosen;  /* of the rows */
    json_int_t pid; /* who that is: it stays chosen where it moves to */
    char socket[IRIS_SOCKET_ROOM];

    enum top_mode mode;
    struct top_order order;
    char message[TOP_LINE];
    int is_bad; /* the message */
    int quits;
};

/* top_ask.c */
json_t *top_request(const struct top *, size_t limit);
void top_refresh(struct top *, size_t limit); /* or a message why not */
void top_order_begin(struct top *);
void top_order_look(struct top *); /* it is done: the message says how it went */
const char *top_verb_word(enum top_verb);
void top_say(struct top *, int is_bad, const char *fmt, ...) __attribute__((format(printf, 3, 4)));

/* top_keys.c: not 0: what is shown changes with it, so ask anew. is_code: key is one of KEY_UP .. */
int top_key(struct top *, unsigned key, int is_code, size_t page);

/* top_screen.c */
int top_screen_open(const struct top *); /* -1: this terminal cannot do it */
void top_screen_close(void);
size_t top_screen_page(void); /* lines for rows */
void top_screen_draw(const struct top *);

#endif
