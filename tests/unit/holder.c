#include "holder.h"

#include <string.h>

static int hold(const iris_behaviour *b, iris_actor *self, void *state,
                const iris_message *const *m, int n)
{
    struct holder *h = b->data;
    uint64_t number = 0;
    (void)state, (void)n;
    memcpy(&number, m[0]->data, m[0]->len < sizeof number ? m[0]->len : sizeof number);
    if (iris_calls()->later(self, m[0]) != IRIS_OK)
        return IRIS_FAIL;
    unsigned at = atomic_load(&h->begun);
    atomic_store(&h->log[at % HOLDER_LOG], number);
    atomic_store(&h->in_hand, m[0]);
    atomic_store(&h->begun, at + 1);
    return 1;
}

iris_behaviour holder_behaviour(struct holder *h)
{
    return (iris_behaviour){.size = sizeof(iris_behaviour),
                            .abi = IRIS_ABI,
                            .name = "holder",
                            .version = "1",
                            .data = h,
                            .handle = hold};
}

struct holder *holder_spawn(struct scene *s, iris_spawn how)
{
    struct holder *h = scene_memory(s, sizeof *h);
    iris_behaviour b = holder_behaviour(h);
    h->pid = cast_spawn(s, &b, how);
    return h;
}

struct awaited {
    atomic_uint *what;
    unsigned n;
};

static int has_come(struct scene *s)
{
    struct awaited *a = s->prop;
    return atomic_load(a->what) >= a->n;
}

static void await(struct scene *s, atomic_uint *what, unsigned n)
{
    struct awaited a = {what, n};
    void *prop = s->prop;
    s->prop = &a;
    scene_await(s, has_come);
    s->prop = prop;
    assert_int_equal(atomic_load(what), n);
}

void holder_await(struct scene *s, struct holder *h, unsigned begun)
{
    await(s, &h->begun, begun);
}

struct depth {
    uint64_t pid, n;
};

static int is_so_deep(struct scene *s)
{
    const struct depth *d = s->prop;
    return cast_info(s, d->pid).mailbox == d->n;
}

void holder_await_mailbox(struct scene *s, struct holder *h, uint64_t n)
{
    struct depth d = {h->pid, n};
    void *prop = s->prop;
    s->prop = &d;
    if (s->seed) /* turns are whole: it is so at once */
        assert_true(is_so_deep(s));
    else
        scene_await(s, is_so_deep);
    s->prop = prop;
}

void holder_let_go(struct scene *s, struct holder *h, int result)
{
    const iris_message *m = atomic_exchange(&h->in_hand, NULL);
    assert_non_null(m);
    if (result == IRIS_FAIL)
        (s->api->fail)("let fall");
    assert_int_equal(s->api->done(m, result), IRIS_OK);
}

void holder_drain(struct scene *s, struct holder *h, unsigned begun)
{
    for (unsigned n = atomic_load(&h->begun); n < begun; n++) {
        holder_let_go(s, h, IRIS_OK);
        holder_await(s, h, n + 1);
    }
    holder_let_go(s, h, IRIS_OK);
}

void holder_expect_log(struct holder *h, const uint64_t *numbers, unsigned n)
{
    assert_int_equal(atomic_load(&h->begun), n);
    for (unsigned i = 0; i < n; i++)
        assert_int_equal(h->log[i], numbers[i]);
}

/* ---- */

struct order {
    uint64_t to, number;
    uint32_t len;
};

static int carry_out(const iris_behaviour *b, iris_actor *self, void *state,
                     const iris_message *const *m, int n)
{
    struct asker *k = b->data;
    struct order o;
    (void)state;
    for (int i = 0; i < n; i++) {
        if (i && iris_calls()->due(self))
            return i;
        memcpy(&o, m[i]->data, sizeof o);
        unsigned char data[HOLDER_LARGEST] = {0};
        memcpy(data, &o.number, sizeof o.number);
        atomic_store(&k->result, iris_calls()->send(self, o.to, data, o.len, 0));
        atomic_fetch_add(&k->sent, 1);
    }
    return n;
}

struct asker *asker_spawn(struct scene *s)
{
    struct asker *k = scene_memory(s, sizeof *k);
    iris_behaviour b = {.size = sizeof b,
                        .abi = IRIS_ABI,
                        .name = "asker",
                        .version = "1",
                        .data = k,
                        .handle = carry_out};
    k->pid = cast_spawn(s, &b, (iris_spawn){0});
    return k;
}

void asker_order_large(struct scene *s, struct asker *k, uint64_t to, uint64_t number, uint32_t len)
{
    struct order o = {to, number, len};
    assert_int_equal(s->api->send(s->self, k->pid, &o, sizeof o, 0), IRIS_OK);
}

void asker_order(struct scene *s, struct asker *k, uint64_t to, uint64_t number)
{
    asker_order_large(s, k, to, number, sizeof number);
}

int asker_await(struct scene *s, struct asker *k, unsigned sent)
{
    await(s, &k->sent, sent);
    return atomic_load(&k->result);
}

/* ---- */

int send_large(struct scene *s, uint64_t to, uint64_t number, uint32_t len)
{
    unsigned char data[HOLDER_LARGEST] = {0};
    memcpy(data, &number, sizeof number);
    return s->api->send(s->self, to, data, len, 0);
}

iris_mailbox_look look_at(struct scene *s, uint64_t pid)
{
    const iris_mailbox *ext = cast_extension(s, IRIS_MAILBOX);
    iris_mailbox_look l = {.size = sizeof l, .abi = IRIS_ABI};
    assert_int_equal(ext->look(s->self, pid, &l), IRIS_OK);
    return l;
}

int set_policy(struct scene *s, uint64_t pid, uint32_t policy, uint64_t fallback, uint32_t capacity)
{
    const iris_mailbox *ext = cast_extension(s, IRIS_MAILBOX);
    return ext->policy(s->self, pid, policy, fallback, capacity);
}
