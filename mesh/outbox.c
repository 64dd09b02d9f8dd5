#include "hub.h"

#include <stdio.h>

/* One for each node that is up. It is an ordinary actor, so what is sent to a node that takes no more waits, is
 * refused and is counted as at any full mailbox. It needs no state: whose mail it has says the index in `to`.
 *
 * What the link does not take is put off, and all behind it waits; with room it goes back to its place. So
 * nobody looks again and again, and the order stays. */

enum { OUTBOX_MESSAGES = 1000000 }; /* bytes are what counts; see route->limit */

/* Half of what may wait for a node waits here, half in its link. */
uint64_t outbox_queue(const struct hub *h)
{
    uint32_t queue = h->options.limits.queue;
    return (queue ? queue : 4u << 20) / 2;
}

static int put_off(struct hub *h, iris_actor *self, const iris_message *m)
{
    if (h->api->later(self, m))
        return IRIS_FAIL;
    h->outboxes[IRIS_NODE(m->to)].stalled = m;
    return IRIS_OK;
}

/* Lock held. How many are done with; *bytes: of those. */
static int send_all(struct hub *h, iris_actor *self, const iris_message *const *m, int n,
                    uint64_t *bytes)
{
    for (int i = 0; i < n; i++) {
        int result = h->closed ? IRIS_DEAD : mesh_send(h->mesh, m[i]);
        if (result == IRIS_FULL)
            return put_off(h, self, m[i]) ? i : i + 1;
        *bytes += m[i]->len + IRIS_ROUTE_HEAD;
        if (result)
            h->route->letter(h->self, m[i], result == IRIS_LARGE ? "large" : "noconnection");
    }
    return n;
}

static int outbox_handle(const iris_behaviour *b, iris_actor *self, void *state,
                         const iris_message *const *m, int n)
{
    struct hub *h = b->data;
    uint32_t index = IRIS_NODE(m[0]->to);
    uint64_t bytes = 0;
    (void)state;
    hub_enter(h);
    int done = send_all(h, self, m, n, &bytes);
    if (!h->closed)
        mesh_flush(h->mesh, index);
    hub_leave(h);
    h->route->took(h->self, index, bytes);
    return done;
}

void outbox_room(struct hub *h, uint32_t index)
{
    struct outbox *o = &h->outboxes[index];
    const iris_message *m = o->stalled;
    o->stalled = NULL;
    if (m)
        h->api->done(m, IRIS_AGAIN);
}

int outbox_open(struct hub *h, const char *node, uint32_t *index, char *why, size_t room)
{
    iris_spawn s = {.size = sizeof s,
                    .abi = IRIS_ABI,
                    .version = h->outbox_version,
                    .budget = 1000,
                    .capacity = OUTBOX_MESSAGES};
    uint64_t pid;
    int result = h->api->spawn(h->self, &s, &pid);
    if (result == IRIS_OK && (result = h->route->up(h->self, node, pid, index)))
        h->watch->kill(h->self, pid);
    if (result) {
        snprintf(why, room, "%s", h->api->reason());
        return IRIS_FULL;
    }
    h->route->limit(h->self, *index, outbox_queue(h));
    h->outboxes[*index] = (struct outbox){.pid = pid};
    return IRIS_OK;
}

/* What waits in it is for a node that has gone: the core counts it as that, and tells who asked. */
void outbox_close(struct hub *h, uint32_t index, const char *reason)
{
    uint64_t pid = h->outboxes[index].pid;
    h->route->down(h->self, index, reason);
    outbox_room(h, index);
    h->outboxes[index].pid = 0;
    h->watch->stop(h->self, pid);
}

const iris_behaviour outbox_behaviour = {.size = sizeof outbox_behaviour,
                                         .abi = IRIS_ABI,
                                         .name = "mesh-outbox",
                                         .version = "1",
                                         .handle = outbox_handle};
