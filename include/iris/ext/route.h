/* "iris.route/1": mail for other nodes. A pid has 10 bits node index, 19 bits generation and 24 bits
 * slot; index 0 is this runtime. An index stands for one node and its incarnation. */
#ifndef IRIS_EXT_ROUTE_H
#define IRIS_EXT_ROUTE_H

#include <iris/plugin.h>

#define IRIS_ROUTE "iris.route/1"
#define IRIS_NODE(pid) ((uint32_t)((pid) >> 43))

typedef struct iris_route {
    uint32_t size, abi;
    /* [any] A node is here: mail for its pids goes to the mailbox of actor `link`, message->to as it
     * was sent. *index: which node index it got. IRIS_DEAD: no such actor. When the link ends, its
     * nodes go down with it. */
    int (*up)(iris_actor *self, const char *node, uint64_t link, uint32_t *index);
    /* [any] It is gone: sends to its pids say IRIS_DEAD, who monitored one of them gets its DOWN. */
    int (*down)(iris_actor *self, uint32_t index, const char *reason);
    /* [any] Messages that came in for local pids; copied, results in taken[i]. Returns how many were
     * accepted. An IRIS_DOWN for the address of an ask ends that with IRIS_DEAD. */
    int (*deliver)(iris_actor *self, const iris_message *const *, int n, int *taken);
} iris_route;

#endif
