#include "hub.h"

#include <iris/ext/supervise.h>
#include <iris/ext/timer.h>

#include <jansson.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* An actor of this node that stands for one of another: what it gets goes there, with the address of who asked, so
 * that the answer comes straight. When the other one, or its node, has gone it is looked for again: when its
 * node is up, and once a second else.
 *
 * One "at" "*" stands for whoever has a name that is unique over the cluster: a singleton, of which this node is not the
 * owner.
 *
 * Mail that finds nobody is a dead letter at once: a queue for a node that may never come back helps nobody. Only what
 * comes before the first answer waits for that, in the mailbox. */

#define AGAIN \
    INT64_C(1000000000) /* ns between two looks for an actor that its node does not have */

struct asked {               /* a resolve: it may come back when the proxy has ended */
    iris_mesh_answer answer; /* first */
    struct hub *hub;
    uint64_t proxy;
    _Atomic(const iris_message *) kept; /* put off until the answer, and all behind it */
    atomic_int gone;                    /* the second of the two who let go of it frees it */
};

struct proxy {
    struct hub *hub;
    uint64_t self, target, ref; /* ref: of the monitor */
    uint64_t again;             /* a timer, or 0 */
    struct asked *asking;       /* or NULL */
    int answered, stays;        /* answered: once, in whatever way */
    int restart;                /* IRIS_RESTART_..: the supervisor here has the target; -1: not */
    char at[280], name[];
};

static const iris_message over; /* kept: it has come */

static void let_go(struct asked *a)
{
    if (a && atomic_fetch_add(&a->gone, 1))
        free(a);
}

/* As a signal, so that it overtakes the mail: ref is who it is, 0: nobody. An actor that has put mail off hears
 * nothing, so that is given back from here. */
static void found(iris_job *job)
{
    struct asked *a = (struct asked *)job;
    iris_message m = {
        .kind = IRIS_PONG, .to = a->proxy, .ref = a->answer.result == IRIS_OK ? a->answer.pid : 0};
    const iris_message *one = &m;
    int taken;
    a->hub->route->deliver(a->hub->self, &one, 1, &taken);
    const iris_message *kept = atomic_exchange(&a->kept, &over);
    if (kept)
        a->hub->api->done(kept, IRIS_AGAIN);
    let_go(a);
}

/* 0: it is too late, or there is no memory. */
static int keep(struct proxy *p, iris_actor *self, const iris_message *m)
{
    const iris_message *none = NULL;
    if (p->answered || !p->asking || p->hub->api->later(self, m))
        return 0;
    if (!atomic_compare_exchange_strong(&p->asking->kept, &none, m))
        p->hub->api->done(m, IRIS_AGAIN); /* the answer is before it now */
    return 1;
}

static void look_again(struct proxy *p, iris_actor *self)
{
    const iris_timer_api *timer = p->hub->api->extension(IRIS_TIMER_EXT);
    if (!p->again)
        timer->every(self, p->self, AGAIN, NULL, 0, &p->again);
}

static int is_unique(const struct proxy *p)
{
    return !strcmp(p->at, "*");
}

static void ask(struct proxy *p, iris_actor *self)
{
    struct asked *a = p->asking ? NULL : calloc(1, sizeof *a);
    if (!a)
        return;
    a->answer.job.run = found;
    a->hub = p->hub;
    a->proxy = p->self;
    p->asking = a;
    if ((is_unique(p) ? mesh_calls.whereis(p->hub, p->name, 0, &a->answer)
                      : mesh_calls.resolve(p->hub, p->at, p->name, 0, &a->answer)) == IRIS_OK)
        return;
    free(a);
    p->asking = NULL;
    p->answered = 1;
    look_again(p, self);
}

/* What its node does not allow is told once for each time that it is found. */
static void supervise(struct proxy *p, iris_actor *self)
{
    const iris_supervise *s = p->hub->api->extension(IRIS_SUPERVISE);
    if (p->target && p->restart >= 0 &&
        s->adopt(self, p->target, (uint32_t)p->restart) == IRIS_FAIL)
        p->hub->api->log(self, IRIS_WARN, "%s@%s is not supervised from here: %s", p->name, p->at,
                         p->hub->api->reason());
}

static void resolved(struct proxy *p, iris_actor *self, uint64_t pid)
{
    const iris_timer_api *timer = p->hub->api->extension(IRIS_TIMER_EXT);
    let_go(p->asking);
    p->asking = NULL;
    p->answered = 1;
    if (pid == p->self) /* this node has it, and the actor itself is about to come */
        pid = 0;
    if (!pid || p->target) {
        if (!pid && !p->target)
            look_again(p, self);
        return;
    }
    if (p->again)
        timer->cancel(self, p->again);
    p->again = 0;
    p->target = pid;
    if (p->hub->watch->monitor(self, pid, &p->ref))
        p->target = 0;
    supervise(p, self);
}

static void lost(struct proxy *p, iris_actor *self, const iris_message *down)
{
    char reason[300];
    if (down->ref != p->ref || !p->target)
        return;
    snprintf(reason, sizeof reason, "%.*s", (int)down->len, (const char *)down->data);
    p->target = 0;
    if (!p->stays)
        p->hub->watch->lapse(self, reason);
    look_again(p, self);
}

/* A signal, or a tick of its own, which comes as mail from itself. */
static void hear(struct proxy *p, iris_actor *self, const iris_message *m)
{
    if (m->kind == IRIS_DOWN)
        lost(p, self, m);
    else if (m->kind == IRIS_PONG && !m->len)
        resolved(p, self, m->ref);
    else if (!p->target && (m->kind == IRIS_PONG || m->kind == IRIS_USER))
        ask(p, self);
}

static void forward(struct proxy *p, iris_actor *self, const iris_message *m)
{
    static const char *const why[] = {
        [IRIS_DEAD] = "noconnection", [IRIS_FULL] = "full", [IRIS_LARGE] = "large"};
    int result =
        p->target ? p->hub->api->send(self, p->target, m->data, m->len, m->ref) : IRIS_DEAD;
    if (result)
        p->hub->route->letter(p->hub->self, m,
                              result > 0 && result <= IRIS_LARGE && why[result] ? why[result]
                                                                                : "noconnection");
}

static int proxy_handle(const iris_behaviour *b, iris_actor *self, void *state,
                        const iris_message *const *m, int n)
{
    struct proxy *p = state;
    (void)b;
    for (int i = 0; i < n; i++) {
        if (m[i]->kind != IRIS_USER || m[i]->from == p->self)
            hear(p, self, m[i]);
        else if (keep(p, self, m[i]))
            return i + 1;
        else
            forward(p, self, m[i]);
    }
    return n;
}

static const char *text_of(const json_t *args, const char *key)
{
    const char *s = json_string_value(json_object_get(args, key));
    return s ? s : "";
}

/* When the other one is started again: "supervise"; -1: that is its own node's affair. */
static int restart_of(const json_t *args)
{
    static const char *const words[] = {"never", "on-failure", "always"};
    const char *word = text_of(args, "supervise");
    int i = 2;
    while (i >= 0 && strcmp(words[i], word) != 0)
        i--;
    return i;
}

static int proxy_init(const iris_behaviour *b, iris_actor *self, iris_bytes args, void **state)
{
    struct hub *h = b->data;
    json_t *given = json_loadb(args.data ? args.data : "", args.len, 0, NULL);
    const char *name = text_of(given, "name"), *at = text_of(given, "at");
    struct proxy *p = calloc(1, sizeof *p + strlen(name) + 1);
    *state = p;
    if (!p || !*name || !*at || strlen(at) >= sizeof p->at) {
        json_decref(given);
        return h->api->fail("proxy: expected {\"at\": \"b\", \"name\": \"payments\"}");
    }
    p->hub = h;
    p->self = h->api->pid(self);
    p->stays = !strcmp(text_of(given, "on_loss"), "stay");
    p->restart = restart_of(given);
    snprintf(p->at, sizeof p->at, "%s", at);
    memcpy(p->name, name, strlen(name) + 1);
    json_decref(given);
    if (net_is_address(p->at) && !mesh_calls.is_up(h, p->at))
        mesh_calls.connect(h, p->at, NULL); /* what is wrong with it, resolve() says */
    mesh_calls.monitor_node(h, p->self, is_unique(p) ? "" : p->at);
    ask(p, self);
    return IRIS_OK;
}

static void proxy_fini(const iris_behaviour *b, iris_actor *self, void *state)
{
    struct proxy *p = state;
    (void)b, (void)self;
    if (p)
        let_go(p->asking);
    free(p);
}

const iris_behaviour proxy_behaviour = {.size = sizeof proxy_behaviour,
                                        .abi = IRIS_ABI,
                                        .name = "remote",
                                        .version = "1",
                                        .flags = IRIS_SIGNALS,
                                        .handle = proxy_handle,
                                        .init = proxy_init,
                                        .fini = proxy_fini};

int proxy_spawn(struct hub *h, const char *path, const char *at, const char *name, int stay,
                uint64_t *pid)
{
    json_t *args =
        json_pack("{s:s, s:s, s:s}", "at", at, "name", name, "on_loss", stay ? "stay" : "down");
    char *text = args ? json_dumps(args, JSON_COMPACT) : NULL;
    json_decref(args);
    if (!text)
        return h->api->fail("proxy: \"%s\" at \"%s\": expected two texts of UTF-8", name, at);
    iris_spawn s = {.size = sizeof s,
                    .abi = IRIS_ABI,
                    .version = h->proxy_version,
                    .args = {text, strlen(text)},
                    .path = path};
    int result = h->api->spawn(h->self, &s, pid);
    free(text);
    return result;
}
