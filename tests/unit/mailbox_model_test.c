/* What bounded mailboxes do, against a model of them that is short enough to be believed: random sends,
 * messages that are done, given back, or crash their actor, which begins again, kills, stops, swaps and changes of policy,
 * capacity and limit of bytes; after each, everything that can be seen is compared. Seeded, so that all stands still
 * between two operations. */
#include "main.h"

#include "holder.h"

#include "gate.h"
#include "random.h"
#include "runtime.h"

enum { BOXES = 3, SENDERS = 3, ROOM = 512, HOPS = 8, OPERATIONS = 250 };
enum { OUTSIDE = -1 };
enum { MARKER = UINT64_MAX, STOP = UINT64_MAX - 1 }; /* among the numbers */

struct entry {
    uint64_t number;
    int waits, sender;
    uint32_t len; /* that counts: 0 where it was given back */
};

struct box {
    struct holder *real;
    uint64_t pid, fallback, bytes;
    uint32_t policy, capacity, restarts, revision;
    int alive, stopping;
    uint64_t hand;
    unsigned begun;
    struct entry q[ROOM];
    int n;
    uint64_t counts[IRIS_MAILBOX_COUNTS];
};

struct model {
    struct scene *s;
    struct random random;
    struct box boxes[BOXES];
    struct asker *senders[SENDERS];
    unsigned orders[SENDERS];
    uint64_t next, dropped, ended, crashed, total[IRIS_MAILBOX_COUNTS];
};

static uint32_t below(struct model *m, uint32_t n)
{
    return iris__random_below(&m->random, n);
}

/* ---- the model ---- */

static uint32_t undone(const struct box *b)
{
    uint32_t n = b->hand != 0;
    for (int i = 0; i < b->n; i++)
        n += !b->q[i].waits && b->q[i].number < STOP;
    return n;
}

static uint32_t waiting(const struct box *b)
{
    uint32_t n = 0;
    for (int i = 0; i < b->n; i++)
        n += b->q[i].waits != 0;
    return n;
}

/* Markers are none. */
static uint32_t accepted(const struct box *b)
{
    uint32_t n = 0;
    for (int i = 0; i < b->n; i++)
        n += !b->q[i].waits && b->q[i].number < STOP;
    return n;
}

static uint64_t held(const struct box *b)
{
    uint64_t n = 0;
    for (int i = 0; i < b->n; i++)
        n += b->q[i].waits ? 0 : b->q[i].len;
    return b->bytes ? n : 0;
}

static int has_place(const struct box *b)
{
    return !b->capacity || undone(b) < b->capacity;
}

static int has_bytes(const struct box *b, uint32_t len)
{
    return !held(b) || held(b) + len <= b->bytes;
}

static void add(struct box *b, struct entry e)
{
    assert_true(b->n < ROOM);
    b->q[b->n++] = e;
}

static struct entry cut(struct box *b, int at)
{
    struct entry e = b->q[at];
    memmove(&b->q[at], &b->q[at + 1], (size_t)(--b->n - at) * sizeof e);
    return e;
}

static void tally(struct model *m, struct box *b, int what)
{
    b->counts[what]++;
    m->total[what]++;
}

/* for_bytes: one that was given back would make no room. */
static int evict(struct model *m, struct box *b, int for_bytes)
{
    for (int i = 0; i < b->n; i++)
        if (!b->q[i].waits && b->q[i].number < STOP && (!for_bytes || b->q[i].len)) {
            cut(b, i);
            m->dropped++;
            tally(m, b, IRIS_MAILBOX_DROPPED);
            return 1;
        }
    return 0;
}

static int make_room(struct model *m, struct box *b, uint32_t len)
{
    int n = 0;
    for (; !has_bytes(b, len); n++)
        assert_true(evict(m, b, 1));
    return n;
}

static void convert(struct model *m, struct box *b)
{
    for (int i = 0; i < b->n; i++) {
        if (!b->q[i].waits)
            continue;
        int before = b->n;
        make_room(m, b, b->q[i].len);
        if (!has_place(b) && !evict(m, b, 0))
            return;
        i -= before - b->n;
        b->q[i].waits = 0;
    }
}

static void die(struct model *m, struct box *b)
{
    m->ended += b->hand != 0;
    for (int i = 0; i < b->n; i++)
        m->ended += b->q[i].number < STOP;
    b->n = 0;
    b->hand = 0;
    b->alive = 0;
}

/* What the actor does by itself: those at the door come in, the next message begins. */
static void settle(struct model *m, struct box *b)
{
    for (int again = 1; again && b->alive;) {
        again = 0;
        for (int i = 0; i < b->n; i++) {
            if (b->q[i].waits && !(has_place(b) && has_bytes(b, b->q[i].len)))
                break;
            b->q[i].waits = 0;
        }
        if (b->hand || !b->n || b->q[0].waits)
            continue;
        struct entry e = cut(b, 0);
        again = 1;
        if (e.number == STOP)
            die(m, b);
        else if (e.number == MARKER)
            b->revision++;
        else
            b->hand = e.number, b->begun++;
    }
}

enum { ELSEWHERE = 100 };
static int model_send(struct model *m, int sender, uint64_t pid, uint64_t number, uint32_t len);

static struct box *find(struct model *m, uint64_t pid)
{
    for (int i = 0; i < BOXES; i++)
        if (m->boxes[i].pid == pid && m->boxes[i].alive && !m->boxes[i].stopping)
            return &m->boxes[i];
    return NULL;
}

static int knock(struct model *m, int sender, uint64_t pid, uint64_t number, uint32_t len)
{
    struct box *b = find(m, pid);
    if (!b)
        return IRIS_DEAD;
    if (b->bytes && len > b->bytes)
        return IRIS_LARGE;
    if (!waiting(b) && has_place(b) && has_bytes(b, len))
        return add(b, (struct entry){number, 0, sender, len}), IRIS_OK;
    if (b->policy == IRIS_DROP_OLD) {
        convert(m, b);
        if (!waiting(b) && (make_room(m, b, len) || evict(m, b, 0)))
            return add(b, (struct entry){number, 0, sender, len}), IRIS_OK;
    }
    if (b->policy == IRIS_REDIRECT)
        return ELSEWHERE;
    if (sender == OUTSIDE || (b->policy != IRIS_BLOCK && b->policy != IRIS_SPILL))
        return tally(m, b, IRIS_MAILBOX_REFUSED), IRIS_FULL;
    add(b, (struct entry){number, 1, sender, len});
    tally(m, b, IRIS_MAILBOX_WAITED);
    if (b->policy == IRIS_SPILL && model_send(m, OUTSIDE, b->fallback, number, len) == IRIS_OK)
        tally(m, b, IRIS_MAILBOX_SPILLED);
    return IRIS_OK;
}

static int model_send(struct model *m, int sender, uint64_t pid, uint64_t number, uint32_t len)
{
    int result = knock(m, sender, pid, number, len), n = 1;
    if (result != ELSEWHERE)
        return result;
    struct box *hops[HOPS] = {find(m, pid)};
    for (uint64_t to = hops[0]->fallback; result == ELSEWHERE && n <= HOPS; n++) {
        result = knock(m, sender, to, number, len);
        if (result == ELSEWHERE && n < HOPS)
            hops[n] = find(m, to);
        to = result == ELSEWHERE ? find(m, to)->fallback : 0;
    }
    int counted = result == ELSEWHERE ? HOPS : n - 1;
    for (int i = 0; i < counted; i++)
        tally(m, hops[i], result == IRIS_OK ? IRIS_MAILBOX_REDIRECTED : IRIS_MAILBOX_REFUSED);
    return result == IRIS_OK ? IRIS_OK : IRIS_FULL;
}

static int is_suspended(const struct model *m, int sender)
{
    for (int i = 0; i < BOXES; i++)
        for (int k = 0; k < m->boxes[i].n; k++)
            if (m->boxes[i].q[k].waits && m->boxes[i].q[k].sender == sender)
                return 1;
    return 0;
}

/* ---- what is done to both ---- */

static void open_box(struct model *m, struct box *b)
{
    static unsigned n;
    char path[32];
    uint64_t bytes = below(m, 2) ? 0 : 8 + below(m, 60);
    uint32_t capacity = bytes && below(m, 2) ? 0 : 1 + below(m, 5);
    struct holder *h = scene_memory(m->s, sizeof *h);
    iris_behaviour behaviour = holder_behaviour(h);
    snprintf(path, sizeof path, "/box/%u", ++n);
    iris_version *v = scene_define(m->s, &behaviour);
    struct app_spawn how = {.spawn = {.size = sizeof how.spawn,
                                      .abi = IRIS_ABI,
                                      .version = v,
                                      .path = path,
                                      .capacity = capacity,
                                      .bytes = bytes,
                                      .policy = below(m, 3)},
                            .restart = RESTART_ON_FAILURE};
    assert_int_equal(iris__runtime_spawn(m->s->rt, &how, &h->pid), IRIS_OK);
    m->s->api->release(v);
    *b = (struct box){.real = h,
                      .pid = h->pid,
                      .policy = how.spawn.policy,
                      .capacity = capacity,
                      .bytes = bytes,
                      .revision = 1,
                      .alive = 1};
}

static void send_one(struct model *m, struct box *b)
{
    int sender = (int)below(m, SENDERS + 1) - 1;
    uint64_t number = ++m->next;
    uint32_t len = 8 + below(m, 24);
    if (sender != OUTSIDE && is_suspended(m, sender))
        return;
    int expected = model_send(m, sender, b->pid, number, len);
    if (sender == OUTSIDE) {
        assert_int_equal(send_large(m->s, b->pid, number, len), expected);
        return;
    }
    asker_order_large(m->s, m->senders[sender], b->pid, number, len);
    assert_int_equal(asker_await(m->s, m->senders[sender], ++m->orders[sender]), expected);
}

static void finish_one(struct model *m, struct box *b)
{
    static const int results[] = {IRIS_OK, IRIS_OK, IRIS_OK, IRIS_AGAIN, IRIS_FAIL};
    int result = results[below(m, 5)];
    if (!b->hand)
        return;
    holder_let_go(m->s, b->real, result);
    if (result == IRIS_AGAIN) {
        memmove(&b->q[1], &b->q[0], (size_t)b->n++ * sizeof b->q[0]);
        b->q[0] = (struct entry){b->hand, 0, OUTSIDE, 0};
    }
    if (result == IRIS_FAIL)
        m->crashed++, b->restarts++;
    b->hand = 0;
}

static void change(struct model *m, struct box *b)
{
    uint32_t policy = below(m, 5), capacity = below(m, 3) ? 0 : 1 + below(m, 6);
    uint64_t fallback = policy >= IRIS_REDIRECT ? m->boxes[below(m, BOXES)].pid : 0;
    if (b->stopping || fallback == b->pid)
        return;
    assert_int_equal(set_policy(m->s, b->pid, policy, fallback, capacity), IRIS_OK);
    b->policy = policy;
    b->fallback = fallback;
    b->capacity = capacity ? capacity : b->capacity;
    if (policy == IRIS_DROP_OLD)
        convert(m, b);
}

static void change_bytes(struct model *m, struct box *b)
{
    const iris_mailbox *ext = cast_extension(m->s, IRIS_MAILBOX);
    uint64_t bytes = 8 + below(m, 60);
    if (b->stopping)
        return;
    assert_int_equal(ext->bytes(m->s->self, b->pid, bytes), b->bytes ? IRIS_OK : IRIS_FAIL);
    b->bytes = b->bytes ? bytes : 0;
}

static void swap_one(struct model *m, struct box *b)
{
    iris_behaviour next = holder_behaviour(b->real);
    if (b->stopping)
        return;
    assert_int_equal(cast_swap(m->s, b->pid, &next, 0, NULL), IRIS_OK);
    add(b, (struct entry){MARKER, 0, OUTSIDE, 0});
}

static void end_one(struct model *m, struct box *b)
{
    const iris_watch *watch = cast_extension(m->s, IRIS_WATCH);
    int stops = below(m, 2) && !b->stopping;
    assert_int_equal((stops ? watch->stop : watch->kill)(m->s->self, b->pid), IRIS_OK);
    if (stops) {
        b->stopping = 1;
        add(b, (struct entry){STOP, 0, OUTSIDE, 0});
        return;
    }
    const iris_message *held = atomic_exchange(&b->real->in_hand, NULL);
    scene_settle(m->s);
    if (held)
        assert_int_equal(m->s->api->done(held, IRIS_OK), IRIS_DEAD);
    die(m, b);
}

static void replace_sender(struct model *m)
{
    const iris_watch *watch = cast_extension(m->s, IRIS_WATCH);
    int sender = (int)below(m, SENDERS);
    assert_int_equal(watch->kill(m->s->self, m->senders[sender]->pid), IRIS_OK);
    for (int i = 0; i < BOXES; i++)
        for (int k = 0; k < m->boxes[i].n; k++)
            if (m->boxes[i].q[k].sender == sender)
                m->boxes[i].q[k].sender = OUTSIDE;
    scene_settle(m->s);
    m->senders[sender] = asker_spawn(m->s);
    m->orders[sender] = 0;
}

/* ---- comparing ---- */

static void compare_box(struct model *m, const struct box *b)
{
    iris_mailbox_look l = look_at(m->s, b->pid);
    assert_int_equal(l.policy, b->policy);
    assert_int_equal(l.capacity, b->capacity);
    assert_int_equal(l.bytes, b->bytes);
    assert_int_equal(l.held, held(b));
    assert_int_equal(l.waiting, waiting(b));
    assert_int_equal(l.undone, undone(b));
    assert_int_equal(l.mailbox, accepted(b));
    for (int i = 0; i < IRIS_MAILBOX_COUNTS; i++)
        assert_int_equal(l.counts[i], b->counts[i]);
    assert_int_equal(atomic_load(&b->real->begun), b->begun);
    if (b->hand)
        assert_int_equal(b->real->log[(b->begun - 1) % HOLDER_LOG], b->hand);
    iris_info i = cast_info(m->s, b->pid);
    assert_int_equal(i.restarts, b->restarts);
    assert_int_equal(i.rev, b->revision);
}

static void compare(struct model *m)
{
    iris_totals t = scene_count(m->s);
    for (int i = 0; i < BOXES; i++)
        if (m->boxes[i].alive)
            compare_box(m, &m->boxes[i]);
        else
            assert_false(cast_is_alive(m->s, m->boxes[i].pid));
    for (int i = 0; i < SENDERS; i++) {
        iris_actor *a = iris__table_at(&m->s->rt->world.table, m->senders[i]->pid);
        assert_int_equal((a->flags & ACTOR_WAITS) != 0, is_suspended(m, i));
    }
    assert_int_equal(t.dropped, m->dropped);
    assert_int_equal(t.ended, m->ended);
    assert_int_equal(t.crashed, m->crashed);
    assert_int_equal(t.refused, m->total[IRIS_MAILBOX_REFUSED]);
    assert_int_equal(t.redirected, m->total[IRIS_MAILBOX_REDIRECTED]);
    assert_int_equal(t.spilled, m->total[IRIS_MAILBOX_SPILLED]);
    assert_int_equal(t.waited, m->total[IRIS_MAILBOX_WAITED]);
}

static void operate(struct model *m)
{
    struct box *b = &m->boxes[below(m, BOXES)];
    uint32_t what = below(m, 100);
    if (!b->alive)
        open_box(m, b);
    else if (what < 50)
        send_one(m, b);
    else if (what < 80)
        finish_one(m, b);
    else if (what < 90)
        change(m, b);
    else if (what < 94)
        swap_one(m, b);
    else if (what < 95)
        replace_sender(m);
    else if (what < 97)
        end_one(m, b);
    else
        change_bytes(m, b);
}

static void play_model(struct scene *s)
{
    struct model *m = scene_memory(s, sizeof *m);
    m->s = s;
    m->random.state = s->seed;
    iris__supervisor_add(&s->rt->supervisors, "/",
                         &(struct policy){.intensity = 1000000, .period = IRIS_SECOND});
    for (int i = 0; i < BOXES; i++)
        open_box(m, &m->boxes[i]);
    for (int i = 0; i < SENDERS; i++)
        m->senders[i] = asker_spawn(s);
    for (int i = 0; i < OPERATIONS; i++) {
        operate(m);
        scene_settle(s);
        for (int k = 0; k < BOXES; k++)
            settle(m, &m->boxes[k]);
        compare(m);
    }
}

static void test_model(void **state)
{
    (void)state;
    scene_play_seeds(play_model);
}

static const struct CMUnitTest tests[] = {
    IRIS_TEST("p7.mailboxes_do_as_their_model_does", test_model),
};

IRIS_MAIN(tests)
