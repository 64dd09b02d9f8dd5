/* "iris.route/1": mail for other nodes. A pid has 10 bits node index, 19 bits generation and 24 bits
 * slot; index 0 is this runtime. An index stands for one node and its incarnation. */
#ifndef IRIS_EXT_ROUTE_H
#define IRIS_EXT_ROUTE_H

#include <iris/plugin.h>

#define IRIS_ROUTE "iris.route/1"
#define IRIS_NODE(pid) ((uint32_t)((pid) >> 43))

#define IRIS_ROUTE_HEAD 64 /* bytes that a message counts beside its own; see limit() */

struct iris_answer; /* ext/ask.h */
typedef void iris_route_probe(void *ctx, uint64_t pid, int64_t timeout, struct iris_answer *answer);

enum { /* rights that another node gives to this one */
       IRIS_RIGHT_STOP = 1,
       IRIS_RIGHT_SUPERVISE = 2
};

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
    /* [any] A message that the link took will not arrive, or nobody knows: a counted dead letter "node". Of
     * it only kind, to, ref are looked at: who asked with it is told "node: REASON", wherever that is. */
    void (*letter)(iris_actor *self, const iris_message *head, const char *reason);
    /* [any] How many bytes may wait in the link's mailbox for this node: beyond it send says IRIS_FULL (and
     * does not wait, whatever the policy), of one that is larger alone IRIS_LARGE. A message counts its len
     * and IRIS_ROUTE_HEAD. The link says what it has taken off: took(). 0: no limit. Signals are let in. */
    int (*limit)(iris_actor *self, uint32_t index, uint64_t bytes);
    void (*took)(iris_actor *self, uint32_t index, uint64_t bytes);
    /* [any] Whom iris_is_alive() asks about pids of other nodes: probe() answers once, within `timeout` ns,
     * with job.run() of `answer`: result IRIS_OK (it is alive), IRIS_DEAD (it is not), IRIS_EMPTY (nobody
     * knows). NULL: nobody, from now on. */
    int (*prober)(iris_actor *self, iris_route_probe *probe, void *ctx);
    /* [any] Of a node that is up: what it lets this one do (IRIS_RIGHT_..; 0 until told), and which run of it
     * this is: the same number for the same run, whatever the index. us: what it calls this node. A supervisor
     * takes up again what it had there. */
    int (*rights)(iris_actor *self, uint32_t index, uint64_t run, uint32_t rights, const char *us);
} iris_route;

#endif
