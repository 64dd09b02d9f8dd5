/* Whether a manifest without mistakes can start here: what it names has to be there. Nothing is loaded. */
#ifndef IRIS_APP_READY_H
#define IRIS_APP_READY_H

#include "hash.h"
#include "manifest.h"

#include <sys/types.h>

/* What they find becomes problems, without their place: iris__manifest_locate(). */
/* 0: its host and file are there, and the next. */
int iris__ready_actor(const struct manifest *, size_t index, struct problems *);
/* 0: so is the file of its swap.migrate; what is in it is seen by a swap. */
int iris__ready_migration(const struct manifest *, size_t index, struct problems *);
/* The same and more, by reading the file of a native handler: that it is whole, of this machine, and of this ABI, as
 * its ELF headers and its note say. `looks` is zeroed before; finish it then. */
struct looks {
    struct hash by_file; /* many actors have one handler */
    struct look *first;
};
void iris__ready_code(const struct manifest *, size_t index, struct problems *, struct looks *);
void iris__looks_finish(struct looks *);
void iris__ready_hosts(const struct manifest *, struct problems *);
void iris__ready_supervisors(const struct manifest *, struct problems *);
/* *group: that of the socket, or SOCKET_NO_GROUP. 0, or -1 and a problem. */
int iris__ready_group(const struct manifest *, struct problems *, gid_t *group);
void iris__ready_socket(const struct manifest *, struct problems *);

#endif
