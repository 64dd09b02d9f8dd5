/* Whether a manifest without mistakes can start here: what it names has to be there. Nothing is loaded. */
#ifndef IRIS_APP_READY_H
#define IRIS_APP_READY_H

#include "manifest.h"

#include <sys/types.h>

/* What they find becomes problems, without their place: iris__manifest_locate(). */
int iris__ready_actor(const struct manifest *, size_t index,
                      struct problems *); /* 0: its host and file
                                                                                    are there */
void iris__ready_hosts(const struct manifest *, struct problems *);
void iris__ready_supervisors(const struct manifest *, struct problems *);
/* *group: that of the socket, or SOCKET_NO_GROUP. 0, or -1 and a problem. */
int iris__ready_group(const struct manifest *, struct problems *, gid_t *group);
void iris__ready_socket(const struct manifest *, struct problems *);

#endif
