/* A mock of the mesh: one other node, over a socket that is already connected. The node is an ordinary
 * actor, the link: it gets the mail for its pids, writes each as one packet, and hands in what it reads.
 *
 * A plugin whose start() makes the link; its config is "FD NODE". A pid is the other side's plus the
 * index that this side gave it; so is the address of an ask. It knows no kinds but those of mail and of its
 * refusal: LINK, UNLINK, UNLINKED and EXIT cross as they are, refs and all, and the core of the other side
 * answers those that find nobody. */
#include <iris/ext/poll.h>
#include <iris/ext/route.h>
#include <iris/ext/watch.h>
#include <iris/plugin.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { PACKET = 4096, OPEN_ASKS = 64 };

static const iris_api *api; /* one core per process */

struct head {
    uint32_t kind, len;
    uint64_t from, to, ref;
};

struct link {
    int fd;
    char node[32];
    uint32_t index;
    uint64_t asks[OPEN_ASKS]; /* addresses of questions that went out: told when the node goes */
    uint32_t asked;
};

static uint64_t abroad(const struct link *l, uint64_t pid)
{
    return pid ? (uint64_t)l->index << 43 | pid : 0;
}

static uint64_t at_home(uint64_t pid)
{
    return pid & ((UINT64_C(1) << 43) - 1);
}

static const iris_route *route(void)
{
    return api->extension(IRIS_ROUTE);
}

/* ---- out ---- */

static int write_packet(struct link *l, const struct head *h, const void *data)
{
    unsigned char packet[PACKET];
    memcpy(packet, h, sizeof *h);
    if (h->len)
        memcpy(packet + sizeof *h, data, h->len);
    return send(l->fd, packet, sizeof *h + h->len, MSG_DONTWAIT | MSG_NOSIGNAL) < 0 ? errno : 0;
}

static int send_out(struct link *l, const iris_message *m)
{
    struct head h = {m->kind, m->len, m->from, at_home(m->to), m->ref};
    if (m->len > PACKET - sizeof h)
        return 0; /* a real one would cut it into pieces */
    int error = write_packet(l, &h, m->data);
    if (!error && m->kind == IRIS_USER && m->ref)
        l->asks[l->asked++ % OPEN_ASKS] = m->ref;
    return error == EAGAIN || error == EWOULDBLOCK || error == ENOBUFS;
}

/* ---- in ---- */

static void deliver(iris_actor *self, const iris_message *m, int *result)
{
    const iris_message *const one[] = {m};
    route()->deliver(self, one, 1, result);
}

/* Whoever asked or watches must hear that there is nobody. */
static void tell_nobody(struct link *l, const struct head *in)
{
    struct head h = {IRIS_DOWN, 6, in->to, in->from, in->ref};
    if (in->kind == IRIS_USER && in->ref)
        h.to = in->ref;
    else if (in->kind != IRIS_MONITOR)
        return;
    write_packet(l, &h, "noproc");
}

static void take_in(iris_actor *self, struct link *l, const unsigned char *packet)
{
    struct head h;
    int result;
    memcpy(&h, packet, sizeof h);
    iris_message m = {.kind = h.kind,
                      .len = h.len,
                      .from = abroad(l, h.from),
                      .to = h.to,
                      .ref = h.kind == IRIS_USER ? abroad(l, h.ref) : h.ref,
                      .data = packet + sizeof h};
    deliver(self, &m, &result);
    if (result == IRIS_DEAD)
        tell_nobody(l, &h);
}

static void node_went(iris_actor *self, struct link *l)
{
    int result;
    route()->down(self, l->index, "noconnection");
    for (int i = 0; i < OPEN_ASKS; i++) {
        iris_message m = {.kind = IRIS_DOWN, .to = l->asks[i]};
        if (m.to)
            deliver(self, &m, &result); /* those that were answered are nobody by now */
    }
    api->exit(self, "noconnection");
}

static void read_all(iris_actor *self, struct link *l)
{
    unsigned char packet[PACKET];
    const iris_poll *poll = api->extension(IRIS_POLL);
    for (;;) {
        ssize_t n = recv(l->fd, packet, sizeof packet, MSG_DONTWAIT);
        if (n >= (ssize_t)sizeof(struct head))
            take_in(self, l, packet);
        else if (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK))
            break;
        else
            return node_went(self, l);
    }
    poll->arm(self, l->fd, "readable", 8);
}

/* ---- the link ---- */

static int handle(const iris_behaviour *b, iris_actor *self, void *state,
                  const iris_message *const *m, int n)
{
    struct link *l = state;
    (void)b;
    for (int i = 0; i < n; i++)
        if (m[i]->to == api->pid(self))
            read_all(self, l);
        else if (send_out(l, m[i]))
            return i; /* the socket is full: these wait in the mailbox, whose capacity is the node's */
    return n;
}

static int init(const iris_behaviour *b, iris_actor *self, iris_bytes args, void **state)
{
    const iris_poll *poll = api->extension(IRIS_POLL);
    struct link *l = calloc(1, sizeof *l);
    char config[64];
    (void)b;
    if (!l)
        return api->fail("route: no memory");
    snprintf(config, sizeof config, "%.*s", (int)args.len, (const char *)args.data);
    *state = l;
    if (sscanf(config, "%d %31s", &l->fd, l->node) != 2 ||
        route()->up(self, l->node, api->pid(self), &l->index))
        return free(l), api->fail("route: config is \"FD NODE\", not \"%s\"", config);
    return poll->arm(self, l->fd, "readable", 8);
}

static void fini(const iris_behaviour *b, iris_actor *self, void *state)
{
    struct link *l = state;
    const iris_poll *poll = api->extension(IRIS_POLL);
    (void)b;
    poll->disarm(self, l->fd);
    route()->down(self, l->index, "noconnection");
    close(l->fd);
    free(l);
}

/* ---- the plugin ---- */

static int start(iris_actor *self, const char *config, void *arg, void **host)
{
    static const iris_behaviour link = {.size = sizeof link,
                                        .abi = IRIS_ABI,
                                        .name = "link",
                                        .version = "1",
                                        .handle = handle,
                                        .init = init,
                                        .fini = fini};
    iris_version *v;
    uint64_t pid;
    (void)arg;
    *host = NULL;
    if (api->define(self, &link, &v))
        return IRIS_FAIL;
    iris_spawn s = {.size = sizeof s,
                    .abi = IRIS_ABI,
                    .version = v,
                    .args = {config, strlen(config)},
                    .path = "/mesh/link",
                    .capacity = 4000};
    int result = api->spawn(self, &s, &pid);
    api->release(v);
    return result;
}

static int load(void *host, const iris_source *s, iris_version **out)
{
    (void)host, (void)out;
    return api->fail("%s: a route loads nothing", s->file);
}

static void stop(void *host)
{
    (void)host;
}

const iris_plugin *iris_plugin_entry(const iris_api *given)
{
    static const char *const needs[] = {IRIS_ROUTE, IRIS_POLL, NULL};
    static const iris_host host = {.size = sizeof host,
                                   .abi = IRIS_ABI,
                                   .runtime = "route 1",
                                   .suffixes = "",
                                   .start = start,
                                   .load = load,
                                   .stop = stop};
    static const iris_plugin plugin = {.size = sizeof plugin,
                                       .abi = IRIS_ABI,
                                       .name = "route",
                                       .version = "1",
                                       .needs = needs,
                                       .host = &host};
    api = given;
    return &plugin;
}
