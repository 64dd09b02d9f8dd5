#include "churn.h"

#include <iris/ext/ask.h>
#include <iris/ext/control.h>
#include <iris/ext/mailbox.h>
#include <iris/ext/name.h>
#include <iris/ext/reader.h>
#include <iris/ext/supervise.h>
#include <iris/ext/timer.h>
#include <iris/ext/watch.h>

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { FIRST = 32, BORN_MAX = 20000, LARGE = 3000 };

enum op { OP_COUNT, OP_CRASH, OP_SPAWN, OP_FORWARD, OP_TIMER, OP_TICK, OP_EXIT, OP_WATCH, OPS };

struct order {           /* a message; OP_TICK comes from timers, and is not counted as sent */
    uint32_t op, player; /* player: 1 .. CHURN_PLAYERS, 0: an actor */
    uint64_t number;
};

struct state { /* what crosses from version to version */
    uint64_t count, last[CHURN_PLAYERS + 1];
};

/* ---- chance ---- */

uint64_t churn_random(uint64_t *state)
{
    uint64_t x = *state += UINT64_C(0x9e3779b97f4a7c15);
    x = (x ^ (x >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    x = (x ^ (x >> 27)) * UINT64_C(0x94d049bb133111eb);
    return x ^ (x >> 31);
}

uint32_t churn_below(uint64_t *state, uint32_t below)
{
    return (uint32_t)(((churn_random(state) >> 32) * below) >> 32);
}

void churn_fail(struct churn *c, const char *fmt, ...)
{
    va_list args;
    va_start(args, fmt);
    fprintf(stderr, "churn: seed %llu: ", (unsigned long long)c->seed);
    vfprintf(stderr, fmt, args);
    fputc('\n', stderr);
    va_end(args);
    exit(1);
}

static uint64_t some_pid(struct churn *c, uint64_t *random)
{
    return atomic_load(&c->pids[churn_below(random, CHURN_PIDS)]);
}

static void remember(struct churn *c, uint64_t *random, uint64_t pid)
{
    atomic_store(&c->pids[churn_below(random, CHURN_PIDS)], pid);
    atomic_fetch_add(&c->spawned, 1);
}

/* ---- sending ---- */

static void send(struct churn *c, iris_actor *self, uint64_t to, const struct order *o, size_t len)
{
    unsigned char body[LARGE] = {0};
    memcpy(body, o, sizeof *o);
    if (to && c->api->send(self, to, body, len, 0) == IRIS_OK)
        atomic_fetch_add(&c->accepted, 1);
}

/* A full mailbox of each kind; some are lazy. */
static void vary(struct churn *c, iris_spawn *s, uint64_t *random)
{
    if (churn_below(random, 3) == 0) {
        s->capacity = 1 + churn_below(random, 40);
        s->policy = churn_below(random, IRIS_SPILL + 1);
        s->warn_at = churn_below(random, 2) * 80;
    }
    if (s->policy >= IRIS_REDIRECT && !(s->fallback = some_pid(c, random)))
        s->policy = IRIS_DROP_NEW;
    if (churn_below(random, 8) == 0) {
        s->flags = IRIS_SPAWN_LAZY;
        s->idle_timeout = churn_below(random, 3) * IRIS_MILLISECOND;
    }
}

static void spawn(struct churn *c, iris_actor *self, uint64_t *random, uint64_t parent)
{
    iris_spawn s = {.size = sizeof s,
                    .abi = IRIS_ABI,
                    .version = c->version[churn_below(random, CHURN_VERSIONS)],
                    .parent = parent,
                    .budget = churn_below(random, 200)};
    uint64_t pid;
    vary(c, &s, random);
    if (atomic_fetch_add(&c->born, 1) < BORN_MAX && c->api->spawn(self, &s, &pid) == IRIS_OK)
        remember(c, random, pid);
}

/* ---- the actor ---- */

static int init(const iris_behaviour *b, iris_actor *self, iris_bytes args, void **state)
{
    struct churn *c = b->data;
    (void)self, (void)args;
    *state = calloc(1, sizeof(struct state));
    return *state ? IRIS_OK : c->api->fail("no memory");
}

static void fini(const iris_behaviour *b, iris_actor *self, void *state)
{
    (void)b, (void)self;
    free(state);
}

static int save(const iris_behaviour *b, iris_actor *self, const void *state, iris_sink *sink)
{
    (void)b, (void)self;
    return sink->write(sink, state, sizeof(struct state));
}

static int upgrade(const iris_behaviour *b, iris_actor *self, uint32_t from, iris_bytes saved,
                   void **state)
{
    struct churn *c = b->data;
    (void)self, (void)from;
    if (saved.len != sizeof(struct state) || !(*state = malloc(sizeof(struct state))))
        return c->api->fail("%zu bytes of state; expected %zu", saved.len, sizeof(struct state));
    memcpy(*state, saved.data, saved.len);
    return IRIS_OK;
}

static void note(struct churn *c, struct state *s, const struct order *o)
{
    s->count++;
    if (!o->player)
        return;
    if (o->number <= s->last[o->player])
        atomic_fetch_add(&c->disorder, 1);
    s->last[o->player] = o->number;
}

static void set_timer(struct churn *c, iris_actor *self, uint64_t *random)
{
    const iris_timer_api *timer = c->api->extension(IRIS_TIMER_EXT);
    struct order tick = {.op = OP_TICK};
    int64_t delay = churn_below(random, 3) * IRIS_MILLISECOND;
    atomic_fetch_add(&c->extra, 1);
    timer->after(self, c->api->pid(self), delay, &tick, sizeof tick, NULL);
}

static void watch(struct churn *c, iris_actor *self, uint64_t *random)
{
    const iris_watch *w = c->api->extension(IRIS_WATCH);
    uint64_t ref, pid = some_pid(c, random);
    if (pid && w->monitor(self, pid, &ref) == IRIS_OK && churn_below(random, 2))
        w->demonitor(self, ref);
    if (churn_below(random, 4) == 0)
        w->trap(self, (int)churn_below(random, 2));
    if (pid && churn_below(random, 4) == 0)
        churn_below(random, 3) ? w->link(self, pid) : w->unlink(self, pid);
}

/* 0, or it is a crash. */
static int obey(struct churn *c, iris_actor *self, struct state *s, const struct order *o)
{
    uint64_t random = o->number ^ s->count;
    struct order on = {.op = OP_COUNT};
    switch (o->op) {
    case OP_CRASH:
        atomic_fetch_add(&c->crashed, 1);
        return c->api->fail("told to crash");
    case OP_SPAWN:
        spawn(c, self, &random, churn_below(&random, 2) ? c->api->pid(self) : 0);
        break;
    case OP_FORWARD:
        send(c, self, some_pid(c, &random), &on, sizeof on);
        break;
    case OP_TIMER:
        set_timer(c, self, &random);
        break;
    case OP_EXIT:
        c->api->exit(self, NULL);
        break;
    case OP_WATCH:
        watch(c, self, &random);
        break;
    }
    return 0;
}

/* One message, signals too. 0, or it is a crash. */
static int take(struct churn *c, iris_actor *self, struct state *s, const iris_message *m)
{
    struct order o;
    if (m->kind != IRIS_USER)
        return 0;
    memcpy(&o, m->data, sizeof o);
    note(c, s, &o);
    if (obey(c, self, s, &o))
        return IRIS_FAIL;
    atomic_fetch_add(&c->handled, 1);
    if (m->ref && c->api->send(self, m->ref, s, sizeof(uint64_t), 0) == IRIS_FAIL)
        churn_fail(c, "an answer failed: %s", iris_reason());
    return 0;
}

static int handle(const iris_behaviour *b, iris_actor *self, void *state,
                  const iris_message *const *messages, int n)
{
    for (int i = 0; i < n; i++)
        if (take(b->data, self, state, messages[i]))
            return ~i;
    return n;
}

static int is_large(void *ctx, const iris_message *m)
{
    (void)ctx;
    return m->kind != IRIS_USER || m->len > sizeof(struct order);
}

/* Now and then it prefers large messages for a moment: then they come out of order, and it forgets what
 * came last. */
static int receive(struct churn *c, iris_actor *self, struct state *s, const iris_message **m)
{
    const iris_reader *reader = c->api->extension(IRIS_READER);
    if (s->count++ % 8)
        return reader->recv(self, NULL, NULL, s->count % 3 ? -1 : 5 * IRIS_MILLISECOND, m);
    int result = reader->recv(self, is_large, NULL, IRIS_MILLISECOND, m);
    memset(s->last, 0, sizeof s->last);
    return result;
}

static int pull(const iris_behaviour *b, iris_actor *self, void *state,
                const iris_message *const *none, int zero)
{
    (void)none, (void)zero;
    for (;;) {
        const iris_message *m;
        struct state *s = state;
        int result = receive(b->data, self, s, &m),
            picky = !s->last[0] && !s->last[1] && !s->last[2];
        if (result == IRIS_EMPTY)
            continue;
        if (result != IRIS_OK || m->kind == IRIS_HOT_SWAP)
            return 0;
        if (take(b->data, self, s, m))
            return IRIS_FAIL;
        if (picky) /* what was passed over comes next */
            memset(s->last, 0, sizeof s->last);
    }
}

static void define(struct churn *c, int i)
{
    static const uint32_t flags[CHURN_VERSIONS] = {0, IRIS_SIGNALS, 0, IRIS_PULL | IRIS_OWN_STACK,
                                                   IRIS_PULL | IRIS_OWN_STACK | IRIS_SIGNALS};
    iris_behaviour b = {.size = sizeof b,
                        .abi = IRIS_ABI,
                        .name = "churn",
                        .version = (char[]){(char)('1' + i), '\0'},
                        .flags = flags[i],
                        .state_version = 1,
                        .data = c,
                        .handle = flags[i] & IRIS_PULL ? pull : handle,
                        .init = init,
                        .fini = fini,
                        .save = save,
                        .upgrade = upgrade};
    if (c->api->define(c->self, &b, &c->version[i]))
        churn_fail(c, "define: %s", iris_reason());
}

/* ---- what players do ---- */

static void act_send(struct player *p, uint64_t to)
{
    struct churn *c = p->churn;
    uint32_t die = churn_below(&p->random, 100);
    struct order o = {.op = die < 60 ? OP_COUNT : churn_below(&p->random, OPS)};
    size_t len =
        churn_below(&p->random, 20) ? sizeof o : sizeof o + churn_below(&p->random, LARGE - 100);
    o.op = o.op == OP_TICK || (o.op == OP_CRASH && die < 95) ? OP_COUNT : o.op;
    o.player = p->index;
    for (uint32_t i = churn_below(&p->random, 8); i-- > 0;) {
        o.number = ++p->sent;
        send(c, c->self, to, &o, len);
    }
}

static void act_ask(struct player *p, uint64_t to)
{
    struct order o = {.op = OP_COUNT, .player = p->index, .number = ++p->sent};
    const iris_message *answer;
    int result = iris_ask_wait(p->churn->rt, to, &o, sizeof o, 5 * IRIS_MILLISECOND, &answer);
    if (result == IRIS_OK)
        p->churn->api->drop(answer);
    if (result == IRIS_OK || result == IRIS_EMPTY)
        atomic_fetch_add(&p->churn->accepted, 1);
    else if (result == IRIS_DEAD) /* there was nobody, or it ended while it was asked */
        atomic_fetch_add(&p->churn->extra, 1);
}

static void told(void *ctx, int result, const char *why)
{
    struct churn *c = ctx;
    (void)why;
    if (result == IRIS_OK)
        atomic_fetch_add(&c->swapped, 1);
}

static void act_swap(struct player *p, uint64_t to)
{
    struct churn *c = p->churn;
    const iris_control *control = c->api->extension(IRIS_CONTROL);
    uint32_t die = churn_below(&p->random, 8);
    if (die == 0)
        control->cancel(c->self, to);
    else if (die == 1)
        control->rollback(c->self, to, 1, die & 2, die & 4, told, c);
    else
        c->api->swap(c->self, to, c->version[churn_below(&p->random, CHURN_VERSIONS)], die < 4,
                     told, c);
}

static void act_end(struct player *p, uint64_t to)
{
    struct churn *c = p->churn;
    const iris_watch *w = c->api->extension(IRIS_WATCH);
    switch (churn_below(&p->random, 5)) {
    case 0:
        w->link_pair(c->self, to, some_pid(c, &p->random));
        break;
    case 1:
        w->unlink_pair(c->self, to, some_pid(c, &p->random));
        break;
    case 2:
        w->stop(c->self, to);
        break;
    default:
        w->kill(c->self, to);
    }
}

static void act_policy(struct player *p, uint64_t to)
{
    struct churn *c = p->churn;
    const iris_mailbox *m = c->api->extension(IRIS_MAILBOX);
    const iris_supervise *s = c->api->extension(IRIS_SUPERVISE);
    struct order o = {.op = OP_COUNT, .player = p->index};
    switch (churn_below(&p->random, 3)) {
    case 0:
        m->policy(c->self, to, churn_below(&p->random, IRIS_BLOCK + 1), 0,
                  1 + churn_below(&p->random, 40));
        break;
    case 1:
        s->watch(c->self, "/", to);
        break;
    default:
        o.number = ++p->sent;
        if (m->send_wait(c->self, to, &o, sizeof o, 0, IRIS_MILLISECOND) == IRIS_OK)
            atomic_fetch_add(&c->accepted, 1);
    }
}

static void act_name(struct player *p, uint64_t to)
{
    struct churn *c = p->churn;
    const iris_name *names = c->api->extension(IRIS_NAME);
    char name[32];
    snprintf(name, sizeof name, "%s%u", churn_below(&p->random, 2) ? "/churn/" : "n",
             churn_below(&p->random, 50));
    switch (churn_below(&p->random, 3)) {
    case 0:
        names->set(c->self, name, to);
        break;
    case 1:
        names->clear(c->self, name);
        break;
    default:
        names->find(c->self, name);
    }
}

void churn_act(struct player *p)
{
    uint32_t die = churn_below(&p->random, 100);
    uint64_t to = some_pid(p->churn, &p->random);
    if (die < 8)
        spawn(p->churn, p->churn->self, &p->random, churn_below(&p->random, 3) ? 0 : to);
    else if (die < 14)
        act_swap(p, to);
    else if (die < 17)
        act_end(p, to);
    else if (die < 20)
        act_name(p, to);
    else if (die < 21)
        act_ask(p, to);
    else if (die < 23)
        act_policy(p, to);
    else
        act_send(p, to);
}

/* ---- a life ---- */

void churn_begin(struct churn *c)
{
    c->api = iris_calls();
    c->self = iris_self(c->rt);
    atomic_store(&c->accepted, 0);
    atomic_store(&c->handled, 0);
    atomic_store(&c->extra, 0);
    atomic_store(&c->born, 0);
    for (int i = 0; i < CHURN_PIDS; i++)
        atomic_store(&c->pids[i], 0);
    for (int i = 0; i < CHURN_VERSIONS; i++)
        define(c, i);
    for (int i = 0; i < FIRST; i++)
        spawn(c, c->self, &c->random, 0);
}

static void end_one(struct churn *c, uint64_t pid)
{
    const iris_watch *w = c->api->extension(IRIS_WATCH);
    if (churn_below(&c->random, 2))
        w->stop(c->self, pid);
    else
        w->kill(c->self, pid);
}

void churn_end_all(struct churn *c)
{
    for (int i = 0; i < CHURN_PIDS; i++)
        end_one(c, atomic_load(&c->pids[i]));
}

void churn_finish(struct churn *c)
{
    c->total += atomic_load(&c->handled);
    for (int i = 0; i < CHURN_VERSIONS; i++)
        c->api->release(c->version[i]);
}
