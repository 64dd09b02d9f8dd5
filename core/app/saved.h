/* An app's save, as a file: DIR/NAME.save. A line of JSON says what is in it and which iris wrote it; behind it
 * stand the bytes, whose sum that line has. It is written beside its name and renamed: there is the old one, or
 * the new one, whole. Format 1:
 *
 *   {"iris-save":1,"iris":"0.1.0","app":"shop","time":"..","bytes":N,"sum":"..","actors":[{"path","handler",
 *    "host","pid","state":{"version","len"},"mail":{"count","len"}},..]}\n
 *   of each actor, one after the other: its state; its mail: from (8 bytes), length (4), the bytes; all
 *   little-endian. from is a pid of then: one of "actors", or else the sender is lost. */
#ifndef IRIS_APP_SAVED_H
#define IRIS_APP_SAVED_H

#include "text.h"

#include <stdint.h>

#define SAVED_FORMAT 1

struct saved_actor {
    char *path, *handler, *host;
    uint64_t pid;
    int has_state;
    uint32_t state_version;
    struct text state, mail;
    uint32_t messages;
};

struct saved {
    char *app, *iris, *time; /* written by iris 0.1.0 at .. */
    struct saved_actor *actors;
    size_t n;
};

struct saved_message { /* bytes in saved_actor.mail */
    uint64_t from;
    const char *data;
    uint32_t len;
};

/* 0, or -1: no memory. */
int iris__saved_add_message(struct saved_actor *, uint64_t from, const void *data, uint32_t len);
/* The one at *at, which moves on. 0: there is none any more. */
int iris__saved_next(const struct saved_actor *, size_t *at, struct saved_message *);

/* DIR/NAME.save; NULL: no memory. */
char *iris__saved_name(const char *dir, const char *app);
/* The directory is made if it is not there. IRIS_OK; IRIS_FAIL with the reason, and what was there stays. */
int iris__saved_write(const struct saved *, const char *file);
/* IRIS_OK; IRIS_FAIL with the reason, of which a second line may be a hint. */
int iris__saved_read(struct saved *, const char *file);
int iris__saved_parse(struct saved *, const char *file, const char *data, size_t len);
void iris__saved_finish(struct saved *);

#endif
