/* Taking in what an entry function returned: of any age, and not trusted to be complete.
 *
 * Each struct is copied, the smaller of both sizes, and what the plugin does not know is zero:
 * so the core reads members of its own header only, and a member that is missing is NULL. */
#ifndef IRIS_PLUGIN_HANDSHAKE_H
#define IRIS_PLUGIN_HANDSHAKE_H

#include <iris/plugin.h>

struct taken {
    iris_plugin plugin; /* its pointers lead to what is below, so it is safe to read as it is */
    iris_host host;
    iris_behaviour *copies;
    const iris_behaviour **list; /* NULL-ended */
    int n;
};

/* file is for the sentences. 0, or -1: another ABI, a member missing, an extension unknown. */
int iris__handshake(struct taken *, const char *file, const iris_plugin *, const iris_api *);
void iris__handshake_undo(struct taken *); /* empty again; empty is fine */

#endif
