#include "hub.h"

#include "cluster.h"
#include "cookie.h"
#include "provider_static.h"
#include "secure.h"

#include <iris/ext/control.h>
#include <iris/ext/name.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum { SETTLE = 16 }; /* rounds in which what the net still wants is done */

void hub_cut(char *to, size_t room, const char *text)
{
    size_t n = strnlen(text, room - 1);
    memcpy(to, text, n);
    to[n] = '\0';
}

/* ---- the lock ---- */

int hub_is_mine(const struct hub *h)
{
    return pthread_equal(atomic_load(&h->owner), pthread_self());
}

void hub_enter(struct hub *h)
{
    pthread_mutex_lock(&h->lock);
    atomic_store(&h->owner, pthread_self());
}

static struct op *take_ops(struct op **first, struct op ***end)
{
    struct op *ops = *first;
    *first = NULL;
    *end = first;
    return ops;
}

static void append_op(struct op *op, struct op ***end)
{
    op->next = NULL;
    **end = op;
    *end = &op->next;
}

static void answer(struct op *op)
{
    iris_mesh_answer *user = op->user;
    const iris_api *api = op->hub->api;
    if (op->done) {
        op->done(op);
        return;
    }
    user->result = op->result;
    user->pid = op->pid;
    snprintf(user->why, sizeof user->why, "%s", op->why);
    free(op);
    if (user->on)
        api->post(user->on, &user->job);
    else
        user->job.run(&user->job);
}

static void settle(struct hub *h)
{
    for (struct op *ops, *next; (ops = take_ops(&h->deferred, &h->deferred_end));)
        for (; ops; ops = next) {
            next = ops->next;
            ops->run(ops);
        }
    for (int i = 0; i < SETTLE && h->net && net_is_dirty(h->net); i++)
        net_run(h->net);
}

void hub_unlock(struct hub *h)
{
    atomic_store(&h->owner, (pthread_t)0);
    pthread_mutex_unlock(&h->lock);
}

struct op *hub_let_go(struct hub *h, int *tells)
{
    settle(h);
    struct op *done = take_ops(&h->done, &h->done_end);
    *tells = h->notes && !h->telling;
    h->telling |= *tells;
    hub_unlock(h);
    return done;
}

void hub_answer(struct op *done)
{
    for (struct op *next; done; done = next) {
        next = done->next;
        answer(done);
    }
}

void hub_leave(struct hub *h)
{
    int tells;
    hub_answer(hub_let_go(h, &tells));
    if (tells)
        watchers_tell(h);
}

struct op *hub_op(struct hub *h, void (*run)(struct op *), const char *at, const char *name,
                  int64_t timeout, iris_mesh_answer *user)
{
    size_t len = strlen(name) + 1;
    struct op *op = calloc(1, sizeof *op + len);
    if (!op) {
        h->api->fail("mesh: no memory");
        return NULL;
    }
    op->hub = h;
    op->run = run;
    op->user = user;
    op->timeout = timeout;
    snprintf(op->at, sizeof op->at, "%s", at);
    memcpy(op->name, name, len);
    return op;
}

void hub_do(struct hub *h, struct op *op)
{
    if (hub_is_mine(h)) {
        append_op(op, &h->deferred_end);
        return;
    }
    hub_enter(h);
    op->run(op);
    hub_leave(h);
}

void hub_done(struct op *op)
{
    append_op(op, &op->hub->done_end);
}

/* ---- the seam: clock and chance ---- */

static int64_t on_now(void *ctx)
{
    (void)ctx;
    return net_now();
}

static void on_secret(void *ctx, void *bytes, size_t n)
{
    unsigned char *at = bytes;
    (void)ctx;
    while (n) {
        ssize_t some = getrandom(at, n, 0);
        if (some < 0 && errno != EINTR)
            abort(); /* a nonce that can be guessed is worse than no process */
        at += some > 0 ? some : 0;
        n -= some > 0 ? (size_t)some : 0;
    }
}

static uint64_t on_random(void *ctx)
{
    uint64_t n;
    on_secret(ctx, &n, sizeof n);
    return n;
}

static void on_wake(void *ctx, int64_t at)
{
    net_alarm(((struct hub *)ctx)->net, at);
}

/* ---- the seam: net ---- */

static void on_dial(void *ctx, uint32_t conn, const char *address, int compat)
{
    net_dial(((struct hub *)ctx)->net, conn, address, compat);
}

static size_t on_write(void *ctx, uint32_t conn, const void *bytes, size_t n)
{
    return net_write(((struct hub *)ctx)->net, conn, bytes, n);
}

static void on_pace(void *ctx, uint32_t conn, uint32_t bytes)
{
    net_pace(((struct hub *)ctx)->net, conn, bytes);
}

static void on_close(void *ctx, uint32_t conn, int linger)
{
    net_close(((struct hub *)ctx)->net, conn, linger);
}

static int net_accepted(void *ctx, uint32_t conn, const char *from, int compat,
                        const struct mesh_identity *who)
{
    const struct hub *h = ctx;
    return h->mesh ? mesh_accepted(h->mesh, conn, from, (enum mesh_compat)compat, who) : IRIS_FULL;
}

static void net_connected(void *ctx, uint32_t conn, const struct mesh_identity *who)
{
    mesh_connected(((struct hub *)ctx)->mesh, conn, who);
}

static void net_bytes(void *ctx, uint32_t conn, const void *bytes, size_t n)
{
    mesh_bytes(((struct hub *)ctx)->mesh, conn, bytes, n);
}

static void net_writable(void *ctx, uint32_t conn)
{
    mesh_writable(((struct hub *)ctx)->mesh, conn);
}

static void net_closed(void *ctx, uint32_t conn, const char *why)
{
    mesh_closed(((struct hub *)ctx)->mesh, conn, why);
}

static int net_watch(void *ctx, int fd, uint32_t conn)
{
    const struct hub *h = ctx;
    if (!h->watcher || h->poll->size < sizeof *h->poll)
        return -1;
    return h->poll->watch(h->watcher, fd, &conn, sizeof conn);
}

static void net_unwatch(void *ctx, int fd)
{
    const struct hub *h = ctx;
    if (h->watcher)
        h->poll->disarm(h->watcher, fd);
}

static void net_alarmed(void *ctx)
{
    mesh_tick(((struct hub *)ctx)->mesh);
    hub_tls_look(ctx);
    cluster_look(ctx);
}

/* ---- the seam: this node ---- */

static int on_up(void *ctx, const char *node, uint32_t *index, char *why, size_t room)
{
    return outbox_open(ctx, node, index, why, room);
}

static void on_rights(void *ctx, uint32_t index, uint64_t run, uint32_t rights)
{
    struct hub *h = ctx;
    h->route->rights(h->self, index, run, rights, h->node);
}

static void on_down(void *ctx, uint32_t index, const char *reason)
{
    outbox_close(ctx, index, reason);
}

static void on_deliver(void *ctx, const iris_message *const *in, int n, int *taken)
{
    struct hub *h = ctx;
    h->route->deliver(h->self, in, n, taken);
}

static void on_letter(void *ctx, const iris_message *m, const char *reason)
{
    struct hub *h = ctx;
    h->route->letter(h->self, m, reason);
}

static void on_unanswered(void *ctx, uint64_t ref, const char *reason)
{
    struct hub *h = ctx;
    iris_message m = {
        .kind = IRIS_DOWN, .len = (uint32_t)strlen(reason), .to = ref, .ref = ref, .data = reason};
    const iris_message *one = &m;
    int taken;
    h->route->deliver(h->self, &one, 1, &taken);
}

static void on_room(void *ctx, uint32_t index)
{
    outbox_room(ctx, index);
}

static uint64_t on_whereis(void *ctx, const char *name)
{
    struct hub *h = ctx;
    const iris_name *names = h->api->extension(IRIS_NAME);
    return cluster_may_answer(h, name) ? names->find(h->self, name) : 0;
}

static int on_alive(void *ctx, uint64_t pid)
{
    struct hub *h = ctx;
    const iris_control *control = h->api->extension(IRIS_CONTROL);
    iris_info info = {.size = sizeof info, .abi = IRIS_ABI};
    return control->info(h->self, pid, &info) == IRIS_OK;
}

struct oldest { /* of the executors, as many as there is room for */
    struct mesh_age *ages;
    int n, room;
};

static void take_age(void *ctx, const char *name, int64_t age)
{
    struct oldest *o = ctx;
    struct mesh_age one = {.ms = (uint32_t)(age / 1000000)};
    int at = o->n;
    if (!one.ms)
        return;
    if (at == o->room)
        for (int i = at = 0; i < o->n; i++)
            at = o->ages[i].ms < o->ages[at].ms ? i : at;
    else
        o->n++;
    hub_cut(one.executor, sizeof one.executor, name);
    if (at == o->n - 1 || o->ages[at].ms < one.ms)
        o->ages[at] = one;
}

static int on_ages(void *ctx, struct mesh_age *ages, int n)
{
    struct hub *h = ctx;
    const iris_control *control = h->api->extension(IRIS_CONTROL);
    struct oldest o = {.ages = ages, .room = n};
    control->executors(h->self, take_age, &o);
    return o.n;
}

static uint32_t on_stuck(void *ctx, uint64_t pid, char executor[32])
{
    struct hub *h = ctx;
    const iris_control *control = h->api->extension(IRIS_CONTROL);
    struct mesh_age one = {.ms = 0};
    struct oldest o = {.ages = &one, .room = 1};
    control->drained(h->self, pid, take_age, &o);
    memcpy(executor, one.executor, sizeof one.executor);
    return one.ms;
}

static void on_event(void *ctx, enum mesh_event what, const char *node, const char *text)
{
    watchers_note(ctx, what, node, 0, text);
}

/* ---- beginning ---- */

/* Where the runtime keeps what is this user's alone. */
static int own_directory(char *dir, size_t room)
{
    const char *runtime = getenv("XDG_RUNTIME_DIR");
    struct stat st;
    int ours = runtime && *runtime == '/' && !stat(runtime, &st) && st.st_uid == geteuid();
    int n = ours             ? snprintf(dir, room, "%s/iris", runtime)
            : geteuid() == 0 ? snprintf(dir, room, "/run/iris")
                             : snprintf(dir, room, "/tmp/iris-%u", (unsigned)geteuid());
    if (n < 0 || (size_t)n >= room)
        return -1;
    return mkdir(dir, 0700) && errno != EEXIST ? -1 : 0;
}

static int read_cookie(struct hub *h, unsigned char *cookie, size_t *n, char *why, size_t room)
{
    char dir[512];
    if (*h->options.cookie)
        return cookie_file(h->options.cookie, cookie, n, why, room);
    *n = COOKIE_BYTES;
    if (own_directory(dir, sizeof dir))
        return snprintf(why, room, "there is no directory for it: %s", strerror(errno)), -1;
    return cookie_own(dir, cookie, why, room);
}

static void make_name(struct hub *h)
{
    char host[64] = "node";
    unsigned chance = (unsigned)on_random(h) & 0xffff;
    gethostname(host, sizeof host - 1);
    if (*h->options.node)
        snprintf(h->node, sizeof h->node, "%s", h->options.node);
    else if (h->secure)
        snprintf(h->node, sizeof h->node, "%s", hub_tls_name(h));
    else
        snprintf(h->node, sizeof h->node, "%s-%ld-%04x", host, (long)getpid(), chance);
}

/* Microseconds since 1970: higher than those of every earlier run, and exact in JavaScript. */
static uint64_t creation(void)
{
    struct timespec t;
    clock_gettime(CLOCK_REALTIME, &t);
    return (uint64_t)t.tv_sec * 1000000 + (uint64_t)t.tv_nsec / 1000;
}

static int make_mesh(struct hub *h)
{
    const struct mesh_seam seam = {.ctx = h,
                                   .now = on_now,
                                   .random = on_random,
                                   .secret = on_secret,
                                   .wake = on_wake,
                                   .dial = on_dial,
                                   .write = on_write,
                                   .pace = on_pace,
                                   .close = on_close,
                                   .up = on_up,
                                   .rights = on_rights,
                                   .down = on_down,
                                   .deliver = on_deliver,
                                   .letter = on_letter,
                                   .unanswered = on_unanswered,
                                   .room = on_room,
                                   .whereis = on_whereis,
                                   .alive = on_alive,
                                   .ages = on_ages,
                                   .stuck = on_stuck,
                                   .event = on_event};
    const struct options *o = &h->options;
    unsigned char cookie[COOKIE_MAX];
    char why[200];
    size_t n = 0;
    if (!o->has_tls && read_cookie(h, cookie, &n, why, sizeof why))
        return h->api->fail("cookie: %s", why);
    make_name(h);
    struct mesh_config c = {.node = h->node,
                            .creation = creation(),
                            .advertise = *h->bound       ? h->bound
                                         : *o->advertise ? o->advertise
                                                         : NULL,
                            .cookie = n ? cookie : NULL,
                            .cookie_len = n,
                            .loopback_cookie = !*o->cookie,
                            .exported = (const char *const *)o->export.items,
                            .may_stop = (const char *const *)o->may_stop.items,
                            .may_supervise = (const char *const *)o->may_supervise.items,
                            .limits = o->limits};
    c.limits.queue = (uint32_t)outbox_queue(h);
    on_secret(h, c.id.bytes, sizeof c.id.bytes);
    h->mesh = mesh_new(&c, &seam);
    explicit_bzero(cookie, sizeof cookie);
    return h->mesh ? cluster_begin(h, &c.id, c.creation) : h->api->fail("mesh: no memory");
}

static int make_actor(struct hub *h)
{
    iris_spawn s = {.size = sizeof s, .abi = IRIS_ABI, .version = h->hub_version};
    if (h->api->spawn(h->self, &s, &h->actor))
        return IRIS_FAIL;
    cluster_watch(h);
    return IRIS_OK;
}

int hub_net(struct hub *h)
{
    static const struct net_hooks hooks = {.accepted = net_accepted,
                                           .connected = net_connected,
                                           .bytes = net_bytes,
                                           .writable = net_writable,
                                           .closed = net_closed,
                                           .alarm = net_alarmed,
                                           .watch = net_watch,
                                           .unwatch = net_unwatch,
                                           .locate = providers_locate,
                                           .forget = provider_static_forget};
    char why[160];
    struct net_hooks mine = hooks;
    mine.ctx = h;
    if (h->closed)
        return h->api->fail("mesh: the runtime is closed");
    if (!h->net && !(h->net = net_create(&mine, why, sizeof why)))
        return h->api->fail("mesh: %s", why);
    if (providers_open(h) || hub_tls(h))
        return IRIS_FAIL;
    net_set_filter(h->net, h->secure ? secure_filter(h->secure) : NULL);
    return IRIS_OK;
}

int hub_begin(struct hub *h)
{
    if (h->mesh && !h->closed)
        return IRIS_OK;
    if (hub_net(h))
        return IRIS_FAIL;
    if (make_mesh(h) == IRIS_OK && make_actor(h) == IRIS_OK)
        return IRIS_OK;
    cluster_end(h);
    mesh_free(h->mesh);
    h->mesh = NULL;
    return IRIS_FAIL;
}

/* ---- the actor ---- */

static int hub_init(const iris_behaviour *b, iris_actor *self, iris_bytes args, void **state)
{
    struct hub *h = b->data;
    (void)args;
    *state = NULL;
    hub_enter(h);
    h->watcher = self;
    net_watch_all(h->net);
    hub_leave(h);
    return h->poll->arm(self, net_fd(h->net), NULL, 0);
}

/* Lock held: a name changed hands, something has come over a socket, or (no data) is to be done for the loop. 1: that. */
static int serve(struct hub *h, const iris_message *m)
{
    uint32_t conn;
    if (m->kind == IRIS_PING) { /* of a name */
        cluster_look(h);
        return 0;
    }
    if (m->len == sizeof conn) {
        memcpy(&conn, m->data, sizeof conn);
        net_readable(h->net, conn, m->ref != 0);
        return 0;
    }
    net_run(h->net);
    return 1;
}

static int hub_handle(const iris_behaviour *b, iris_actor *self, void *state,
                      const iris_message *const *m, int n)
{
    struct hub *h = b->data;
    int ran = 0;
    (void)state;
    hub_enter(h);
    for (int i = 0; i < n && !h->closed; i++)
        ran |= serve(h, m[i]);
    hub_leave(h);
    if (ran && h->poll->arm(self, net_fd(h->net), NULL, 0))
        return ~0;
    return n;
}

/* The runtime ends, and tells all others. */
static void hub_fini(const iris_behaviour *b, iris_actor *self, void *state)
{
    struct hub *h = b->data;
    (void)state;
    h->poll->disarm(self, net_fd(h->net));
    hub_enter(h);
    if (!h->closed)
        mesh_goodbye(h->mesh, "it was stopped");
    h->closed = 1;
    h->watcher = NULL;
    hub_leave(h);
}

static const iris_behaviour hub_behaviour = {.size = sizeof hub_behaviour,
                                             .abi = IRIS_ABI,
                                             .name = "mesh",
                                             .version = "1",
                                             .flags = IRIS_SIGNALS,
                                             .handle = hub_handle,
                                             .init = hub_init,
                                             .fini = hub_fini};

/* ---- the hub ---- */

static int define(struct hub *h, const iris_behaviour *b, iris_version **out)
{
    iris_behaviour mine = *b;
    mine.data = h;
    return h->api->define(h->self, &mine, out);
}

struct hub *hub_create(const iris_api *api, iris_actor *self)
{
    struct hub *h = calloc(1, sizeof *h);
    if (!h || !(h->watchers = watchers_create())) {
        free(h);
        api->fail("mesh: no memory");
        return NULL;
    }
    h->api = api;
    h->self = self;
    h->route = api->extension(IRIS_ROUTE);
    h->poll = api->extension(IRIS_POLL);
    h->watch = api->extension(IRIS_WATCH);
    pthread_mutex_init(&h->lock, NULL);
    h->deferred_end = &h->deferred;
    h->done_end = &h->done;
    h->notes_end = &h->notes;
    if (define(h, &hub_behaviour, &h->hub_version) ||
        define(h, &outbox_behaviour, &h->outbox_version) ||
        define(h, &proxy_behaviour, &h->proxy_version)) {
        hub_destroy(h);
        return NULL;
    }
    h->route->prober(self, calls_probe, h);
    return h;
}

static void release(struct hub *h, iris_version *v)
{
    if (v)
        h->api->release(v);
}

void hub_destroy(struct hub *h)
{
    h->route->prober(h->self, NULL, NULL);
    cluster_free(h);
    if (h->mesh)
        mesh_free(h->mesh);
    providers_close(h);
    net_destroy(h->net);
    secure_destroy(h->secure);
    release(h, h->hub_version);
    release(h, h->outbox_version);
    release(h, h->proxy_version);
    while (h->notes) {
        struct note *n = h->notes;
        h->notes = n->next;
        free(n);
    }
    watchers_destroy(h->watchers);
    options_finish(&h->options);
    pthread_mutex_destroy(&h->lock);
    free(h);
}
