#include "cast.h"

#include "runtime.h"

#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct ledger *cast_ledger(struct scene *s)
{
    return scene_memory(s, sizeof(struct ledger));
}

/* ---- the counter ---- */

struct count {
    uint64_t count;
};

struct count2 {
    uint64_t magic, count;
};

static int count_init(const iris_behaviour *b, iris_actor *self, iris_bytes args, void **state)
{
    struct ledger *l = b->data;
    (void)self, (void)args;
    atomic_fetch_add(&l->inits, 1);
    if (atomic_load(&l->init_fails) > 0 && atomic_fetch_sub(&l->init_fails, 1) > 0)
        return (iris_calls()->fail)("not today");
    *state = calloc(1, sizeof(struct count2)); /* either layout */
    return *state ? IRIS_OK : IRIS_FAIL;
}

static void count_fini(const iris_behaviour *b, iris_actor *self, void *state)
{
    struct ledger *l = b->data;
    (void)self;
    atomic_fetch_add(&l->finis, 1);
    free(state);
}

/* Numbers of one sender come one after the other; with gaps they at least never come late. */
static void note_order(struct ledger *l, uint64_t number)
{
    _Atomic uint64_t *last = &l->last[number >> 56 & (CAST_SENDERS - 1)];
    uint64_t n = number & 0xffffffffffffff, before = atomic_load(last);
    if (l->gaps ? n <= before : n != before + 1)
        atomic_fetch_add(&l->disorder, 1);
    atomic_store(last, n);
}

static int count_number(struct ledger *l, const iris_message *m, uint64_t *count)
{
    uint64_t number;
    if (m->len != sizeof number)
        return (iris_calls()->fail)("a message of %u bytes", m->len);
    memcpy(&number, m->data, sizeof number);
    note_order(l, number);
    if (l->crash_every && (number & 0xffffffffffffff) % l->crash_every == 0)
        return (iris_calls()->fail)("number %llu", (unsigned long long)(number << 8 >> 8));
    ++*count;
    atomic_fetch_add(&l->handled, 1);
    return IRIS_OK;
}

static int count_all(const iris_behaviour *b, iris_actor *self, uint64_t *count,
                     const iris_message *const *m, int n)
{
    struct ledger *l = b->data;
    if (l->yield_every && (uint64_t)n > l->yield_every)
        n = (int)l->yield_every;
    for (int i = 0; i < n; i++) {
        if (m[i]->ref) {
            atomic_fetch_add(&l->handled, 1);
            iris_calls()->send(self, m[i]->ref, count, sizeof *count, 0);
        } else if (count_number(l, m[i], count))
            return ~i;
    }
    return n;
}

static int count_handle(const iris_behaviour *b, iris_actor *self, void *state,
                        const iris_message *const *m, int n)
{
    return count_all(b, self, &((struct count *)state)->count, m, n);
}

static int count_handle2(const iris_behaviour *b, iris_actor *self, void *state,
                         const iris_message *const *m, int n)
{
    return count_all(b, self, &((struct count2 *)state)->count, m, n);
}

static int count_save(const iris_behaviour *b, iris_actor *self, const void *state, iris_sink *sink)
{
    struct ledger *l = b->data;
    (void)self;
    atomic_fetch_add(&l->saves, 1);
    if (l->save_fails)
        return (iris_calls()->fail)("%s", l->save_fails);
    return sink->write(sink, state, b->state_version * 8);
}

static int count_upgrade(const iris_behaviour *b, iris_actor *self, uint32_t from, iris_bytes saved,
                         void **state)
{
    struct ledger *l = b->data;
    (void)self;
    atomic_fetch_add(&l->upgrades, 1);
    if (l->upgrade_fails)
        return (iris_calls()->fail)("%s", l->upgrade_fails);
    if (from > b->state_version || saved.len != from * 8)
        return (iris_calls()->fail)("%zu bytes of format %u", saved.len, from);
    uint64_t *new = calloc(2, 8);
    if (!new)
        return (iris_calls()->fail)("no memory");
    memcpy(new + (b->state_version - 1), (const char *)saved.data + saved.len - 8, 8);
    *state = new;
    return IRIS_OK;
}

static void count_free(const iris_behaviour *b)
{
    struct ledger *l = b->data;
    atomic_fetch_add(&l->frees, 1);
}

iris_behaviour cast_counter(struct ledger *l)
{
    return (iris_behaviour){
        .size = sizeof(iris_behaviour),
        .abi = IRIS_ABI,
        .name = "counter",
        .version = "1",
        .state_version = 1,
        .data = l,
        .init = count_init,
        .handle = count_handle,
        .fini = count_fini,
        .save = count_save,
        .upgrade = count_upgrade,
        .free = count_free,
    };
}

iris_behaviour cast_counter2(struct ledger *l)
{
    iris_behaviour b = cast_counter(l);
    b.version = "2";
    b.state_version = 2;
    b.handle = count_handle2;
    b.init = NULL; /* it only ever takes over */
    return b;
}

/* ---- others ---- */

static int plain_handle(const iris_behaviour *b, iris_actor *self, void *state,
                        const iris_message *const *m, int n)
{
    struct ledger *l = b->data;
    (void)state;
    for (int i = 0; i < n; i++)
        if (m[i]->ref)
            iris_calls()->send(self, m[i]->ref, "plain...", 8, 0);
    atomic_fetch_add(&l->handled, (unsigned)n);
    return n;
}

iris_behaviour cast_plain(struct ledger *l)
{
    return (iris_behaviour){.size = sizeof(iris_behaviour),
                            .abi = IRIS_ABI,
                            .name = "plain",
                            .version = "1",
                            .data = l,
                            .handle = plain_handle};
}

static void watch_down(struct ledger *l, const iris_message *m)
{
    size_t len = m->len < sizeof l->reason ? m->len : sizeof l->reason - 1;
    memcpy(l->reason, m->data, len);
    l->reason[len] = '\0';
    l->down_ref = m->ref;
    l->down_from = m->from;
    atomic_fetch_add(&l->downs, 1);
}

static int watch_handle(const iris_behaviour *b, iris_actor *self, void *state,
                        const iris_message *const *m, int n)
{
    struct ledger *l = b->data;
    const iris_watch *watch = iris_calls()->extension(IRIS_WATCH);
    uint64_t pid, ref;
    (void)state;
    for (int i = 0; i < n; i++) {
        if (m[i]->kind == IRIS_DOWN) {
            watch_down(l, m[i]);
            continue;
        }
        atomic_fetch_add(&l->handled, 1);
        memcpy(&pid, m[i]->data, sizeof pid);
        if (watch->monitor(self, pid, &ref))
            return ~i;
    }
    return n;
}

iris_behaviour cast_watcher(struct ledger *l)
{
    return (iris_behaviour){.size = sizeof(iris_behaviour),
                            .abi = IRIS_ABI,
                            .name = "watcher",
                            .version = "1",
                            .flags = IRIS_SIGNALS,
                            .data = l,
                            .handle = watch_handle};
}

/* ---- the doer ---- */

static int doer_init(const iris_behaviour *b, iris_actor *self, iris_bytes args, void **state)
{
    struct doer *d = b->data;
    (void)self, (void)args, (void)state;
    atomic_fetch_add(&d->inits, 1);
    return IRIS_OK;
}

/* 1: it was one. */
static int note_signal(struct doer *d, const iris_message *m)
{
    if (m->kind != IRIS_EXIT && m->kind != IRIS_DOWN)
        return 0;
    int exits = m->kind == IRIS_EXIT, at = atomic_fetch_add(exits ? &d->exits : &d->downs, 1) & 7;
    if (exits)
        d->from[at] = m->from;
    else
        d->down_ref[at] = m->ref;
    snprintf(d->reason[at], sizeof d->reason[at], "%.*s", (int)m->len, (const char *)m->data);
    return 1;
}

static int doer_handle(const iris_behaviour *b, iris_actor *self, void *state,
                       const iris_message *const *m, int n)
{
    struct doer *d = b->data;
    struct task t;
    (void)state;
    for (int i = 0; i < n; i++) {
        if (note_signal(d, m[i]))
            continue;
        memcpy(&t, m[i]->data, sizeof t);
        if (!t.run) {
            (iris_calls()->fail)("%s", (const char *)t.ctx);
            return ~i;
        }
        t.run(self, t.ctx);
        atomic_fetch_add(&d->done, 1);
    }
    return n;
}

iris_behaviour cast_doer(struct scene *s, struct doer **d)
{
    *d = scene_memory(s, sizeof **d);
    return (iris_behaviour){.size = sizeof(iris_behaviour),
                            .abi = IRIS_ABI,
                            .name = "doer",
                            .version = "1",
                            .flags = IRIS_SIGNALS,
                            .data = *d,
                            .init = doer_init,
                            .handle = doer_handle};
}

void cast_have_do(struct scene *s, uint64_t doer, void (*run)(iris_actor *, void *), void *ctx)
{
    struct task t = {run, ctx};
    assert_int_equal(s->api->send(s->self, doer, &t, sizeof t, 0), IRIS_OK);
}

/* ---- births ---- */

uint64_t cast_spawn(struct scene *s, const iris_behaviour *b, iris_spawn how)
{
    uint64_t pid = 0;
    how.size = sizeof how;
    how.abi = IRIS_ABI;
    how.version = scene_define(s, b);
    if (s->api->spawn(s->self, &how, &pid) != IRIS_OK)
        fail_msg("spawn: %s", iris_reason());
    s->api->release(how.version);
    return pid;
}

uint64_t cast_supervise(struct scene *s, const iris_behaviour *b, const char *path,
                        enum restart_when when)
{
    uint64_t pid = 0;
    iris_version *v = scene_define(s, b);
    struct app_spawn how = {
        .spawn = {.size = sizeof how.spawn, .abi = IRIS_ABI, .version = v, .path = path},
        .restart = when};
    if (iris__runtime_spawn(s->rt, &how, &pid) != IRIS_OK)
        fail_msg("spawn: %s", iris_reason());
    s->api->release(v);
    return pid;
}

/* ---- senders ---- */

struct sender { /* the args of a sender actor, and its state */
    uint64_t target, total, sent, id;
};

enum { BURST = 7 };

/* 0: that one is sent; 1: full, try again; -1: there is nobody any more. */
static int send_next(struct ledger *l, iris_actor *self, struct sender *k)
{
    uint64_t number = cast_number(k->id, k->sent + 1);
    int result = iris_calls()->send(self, k->target, &number, sizeof number, 0);
    if (result == IRIS_FULL)
        return atomic_fetch_add(&l->full, 1), 1;
    if (result != IRIS_OK)
        return atomic_fetch_add(&l->dead, 1), -1;
    atomic_fetch_add(&l->accepted, 1);
    k->sent++;
    return 0;
}

static int sender_init(const iris_behaviour *b, iris_actor *self, iris_bytes args, void **state)
{
    (void)b, (void)self;
    *state = malloc(sizeof(struct sender));
    if (!*state)
        return IRIS_FAIL;
    memcpy(*state, args.data, sizeof(struct sender));
    return IRIS_OK;
}

static void sender_fini(const iris_behaviour *b, iris_actor *self, void *state)
{
    (void)b, (void)self;
    free(state);
}

static int sender_handle(const iris_behaviour *b, iris_actor *self, void *state,
                         const iris_message *const *m, int n)
{
    struct sender *k = state;
    (void)m;
    for (int i = 0; i < BURST && k->sent < k->total; i++) {
        int result = send_next(b->data, self, k);
        if (result < 0)
            return n;
        if (result)
            break;
    }
    if (k->sent < k->total)
        iris_calls()->send(self, iris_calls()->pid(self), NULL, 0, 0);
    return n;
}

void cast_senders(struct scene *s, struct ledger *l, uint64_t pid, int n, uint64_t each)
{
    iris_behaviour b = {.size = sizeof b,
                        .abi = IRIS_ABI,
                        .name = "sender",
                        .version = "1",
                        .data = l,
                        .init = sender_init,
                        .handle = sender_handle,
                        .fini = sender_fini};
    for (int i = 0; i < n; i++) {
        struct sender k = {pid, each, 0, (uint64_t)i};
        uint64_t sender = cast_spawn(s, &b, (iris_spawn){.args = {&k, sizeof k}});
        assert_int_equal(s->api->send(s->self, sender, NULL, 0, 0), IRIS_OK);
    }
}

struct flood {
    struct scene *s;
    struct ledger *l;
    struct sender k;
    pthread_t thread;
};

static void *flood(void *arg)
{
    struct flood *f = arg;
    int result = 0;
    while (f->k.sent < f->k.total && result >= 0)
        if ((result = send_next(f->l, f->s->self, &f->k)) > 0)
            sched_yield();
    return NULL;
}

void cast_flood(struct scene *s, struct ledger *l, uint64_t pid, int n, uint64_t each)
{
    struct flood f[CAST_SENDERS];
    for (int i = 0; i < n; i++) {
        f[i] = (struct flood){.s = s, .l = l, .k = {pid, each, 0, (uint64_t)i}};
        assert_int_equal(pthread_create(&f[i].thread, NULL, flood, &f[i]), 0);
    }
    for (int i = 0; i < n; i++)
        pthread_join(f[i].thread, NULL);
}

/* ---- swaps ---- */

void cast_tell(void *ctx, int result, const char *why)
{
    struct verdict *v = ctx;
    snprintf(v->why, sizeof v->why, "%s", why);
    atomic_store(&v->result, result);
    atomic_fetch_add(&v->told, 1);
}

int cast_swap(struct scene *s, uint64_t pid, const iris_behaviour *b, int now, struct verdict *told)
{
    iris_version *v = scene_define(s, b);
    int result = s->api->swap(s->self, pid, v, now, told ? cast_tell : NULL, told);
    s->api->release(v);
    return result;
}

int cast_rollback(struct scene *s, uint64_t pid, uint32_t steps, int use_snapshot,
                  struct verdict *told)
{
    const iris_control *control = cast_extension(s, IRIS_CONTROL);
    return control->rollback(s->self, pid, steps, use_snapshot, 0, cast_tell, told);
}

static int is_told(struct scene *s)
{
    return atomic_load(&((struct verdict *)s->prop)->told) > 0;
}

void cast_expect(struct scene *s, struct verdict *v, int result, const char *words)
{
    void *prop = s->prop;
    s->prop = v;
    scene_await(s, is_told);
    s->prop = prop;
    if (atomic_load(&v->result) != result)
        fail_msg("the swap was told %d (%s), not %d", v->result, v->why, result);
    assert_int_equal(atomic_load(&v->told), 1);
    if (words && !strstr(v->why, words))
        fail_msg("\"%s\" does not say \"%s\"", v->why, words);
    atomic_store(&v->told, 0);
}

/* ---- looking ---- */

const void *cast_extension(struct scene *s, const char *id)
{
    const void *table = s->api->extension(id);
    assert_non_null(table);
    return table;
}

void cast_balance(struct scene *s, struct ledger *l)
{
    iris_totals t = scene_count(s);
    assert_int_equal(atomic_load(&l->disorder), 0);
    assert_int_equal(atomic_load(&l->accepted), atomic_load(&l->handled) + t.dead_letters);
}

iris_info cast_info(struct scene *s, uint64_t pid)
{
    const iris_control *control = cast_extension(s, IRIS_CONTROL);
    iris_info i = {.size = sizeof i, .abi = IRIS_ABI};
    assert_int_equal(control->info(s->self, pid, &i), IRIS_OK);
    return i;
}

int cast_is_alive(struct scene *s, uint64_t pid)
{
    const iris_control *control = cast_extension(s, IRIS_CONTROL);
    iris_info i = {.size = sizeof i, .abi = IRIS_ABI};
    return control->info(s->self, pid, &i) == IRIS_OK;
}

static int has_ended(struct scene *s)
{
    return !cast_is_alive(s, *(uint64_t *)s->prop);
}

void cast_await_end(struct scene *s, uint64_t pid)
{
    void *prop = s->prop;
    s->prop = &pid;
    scene_await(s, has_ended);
    s->prop = prop;
}

void cast_run(struct scene *s, int steps)
{
    for (int i = 0; s->seed && i < steps; i++)
        iris_step(s->rt);
}
