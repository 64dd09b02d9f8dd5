/* Names and paths: against a model that is too simple to be wrong, and against actors that end. */
#include "main.h"

#include "cast.h"

#include <stdlib.h>
#include <string.h>

/* ---- what a list told ---- */

struct heard {
    int n;
    char text[512][64];
    uint64_t pid[512];
};

static void hear(void *ctx, const char *name, uint64_t pid)
{
    struct heard *h = ctx;
    assert_true(h->n < 512);
    snprintf(h->text[h->n], sizeof h->text[0], "%s", name);
    h->pid[h->n++] = pid;
}

static int has(const struct heard *h, const char *name, uint64_t pid)
{
    for (int i = 0; i < h->n; i++)
        if (strcmp(h->text[i], name) == 0)
            return h->pid[i] == pid;
    return 0;
}

typedef int list_call(iris_actor *, const char *, iris_name_each *, void *);

static const struct heard *list(struct scene *s, list_call *call, const char *prefix)
{
    static struct heard h;
    h.n = 0;
    int n = call(s->self, prefix, hear, &h);
    assert_int_equal(n, h.n);
    return &h;
}

static int lists_only(struct scene *s, list_call *call, const char *prefix, const char *name,
                      uint64_t pid)
{
    const struct heard *h = list(s, call, prefix);
    return h->n == 1 && has(h, name, pid);
}

static uint64_t spawn_plain(struct scene *s)
{
    iris_behaviour b = cast_plain(s->prop);
    return scene_spawn(s, &b, 0);
}

/* ---- lists ---- */

static void children(struct scene *s)
{
    const iris_name *n = cast_extension(s, IRIS_NAME);
    s->prop = cast_ledger(s);
    uint64_t a = spawn_plain(s), b = spawn_plain(s);
    assert_int_equal(n->set(s->self, "/system/service/one", a), IRIS_OK);
    assert_int_equal(list(s, n->children_direct, "/system")->n, 0);
    assert_true(lists_only(s, n->children, "/system", "/system/service/one", a));
    assert_true(lists_only(s, n->children_direct, "/system/service", "/system/service/one", a));
    assert_int_equal(n->set(s->self, "/system/service", b), IRIS_OK);
    assert_true(lists_only(s, n->children_direct, "/system", "/system/service", b));
    assert_int_equal(list(s, n->children, "/system")->n, 2);
    assert_true(lists_only(s, n->children, "/system/service", "/system/service/one", a));
    assert_int_equal(list(s, n->children, "/system/service/one")->n, 0);
    assert_int_equal(list(s, n->children, "/sys")->n, 0);
}

static void prefixes(struct scene *s)
{
    const iris_name *n = cast_extension(s, IRIS_NAME);
    s->prop = cast_ledger(s);
    uint64_t a = spawn_plain(s);
    assert_int_equal(n->set(s->self, "/a/b", a), IRIS_OK);
    assert_int_equal(n->set(s->self, "a", a), IRIS_OK);
    assert_true(lists_only(s, n->children, "", "/a/b", a));
    assert_true(lists_only(s, n->children, "/", "/a/b", a));
    assert_true(lists_only(s, n->children, "///", "/a/b", a));
    assert_true(lists_only(s, n->children, "/a//", "/a/b", a));
    assert_int_equal(list(s, n->children_direct, "/")->n, 0);
    assert_int_equal(list(s, n->children, "a")->n, 0);
    assert_int_equal(list(s, n->children, "/a//b")->n, 0);
    assert_int_equal(list(s, n->children, "no path at all")->n, 0);
}

static void several_names(struct scene *s)
{
    const iris_name *n = cast_extension(s, IRIS_NAME);
    s->prop = cast_ledger(s);
    uint64_t a = spawn_plain(s), b = spawn_plain(s);
    struct heard h = {0};
    assert_int_equal(n->set(s->self, "one", a), IRIS_OK);
    assert_int_equal(n->set(s->self, "/two", a), IRIS_OK);
    assert_int_equal(n->set(s->self, "three", a), IRIS_OK);
    assert_int_equal(n->set(s->self, "three", a), IRIS_OK);
    assert_int_equal(n->set(s->self, "four", b), IRIS_OK);
    assert_int_equal(n->names(s->self, a, hear, &h), 3);
    assert_true(has(&h, "one", a) && has(&h, "/two", a) && has(&h, "three", a));
    assert_int_equal(n->clear(s->self, "one"), IRIS_OK);
    h.n = 0;
    assert_int_equal(n->names(s->self, a, hear, &h), 2);
    assert_int_equal(n->names(s->self, 12345, hear, &h), 0);
}

static void taken(struct scene *s)
{
    const iris_name *n = cast_extension(s, IRIS_NAME);
    char owner[32];
    s->prop = cast_ledger(s);
    uint64_t a = spawn_plain(s), b = spawn_plain(s);
    assert_int_equal(n->set(s->self, "/svc", a), IRIS_OK);
    assert_int_equal(n->set(s->self, "/svc", b), IRIS_FAIL);
    snprintf(owner, sizeof owner, "actor %llu has it", (unsigned long long)a);
    assert_non_null(strstr(iris_reason(), owner));
    assert_int_equal(n->find(s->self, "/svc"), a);
}

/* ---- sending ---- */

static void by_name(struct scene *s)
{
    const iris_name *n = cast_extension(s, IRIS_NAME);
    struct ledger *l = s->prop = cast_ledger(s);
    uint64_t a = spawn_plain(s);
    char decimal[32];
    snprintf(decimal, sizeof decimal, "%llu", (unsigned long long)a);
    n->set(s->self, "/svc/a", a);
    n->set(s->self, "a", a);
    assert_int_equal(n->send(s->self, "/svc/a", "x", 1, 0), IRIS_OK);
    assert_int_equal(n->send(s->self, "a", "x", 1, 0), IRIS_OK);
    assert_int_equal(n->send(s->self, "/svc", "x", 1, 0), IRIS_DEAD);
    assert_int_equal(iris_send_to(s->rt, "/svc/a", "x", 1), IRIS_OK);
    assert_int_equal(iris_send_to(s->rt, "a", "x", 1), IRIS_OK);
    assert_int_equal(iris_send_to(s->rt, decimal, "x", 1), IRIS_OK);
    assert_int_equal(iris_send_to(s->rt, "b", "x", 1), IRIS_DEAD);
    scene_settle(s);
    assert_int_equal(l->handled, 5);
}

/* ---- the model: what was set, in a row ---- */

enum { ACTORS = 12, HELD = 512 };

struct model {
    struct scene *s;
    const iris_name *n;
    uint64_t random, pid[ACTORS];
    int held;
    char text[HELD][64];
    uint64_t owner[HELD];
};

static uint32_t draw(struct model *m, uint32_t below)
{
    m->random = m->random * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (uint32_t)(m->random >> 33) % below;
}

/* Of few words and up to five levels: they meet often. */
static void draw_text(struct model *m, char *text, uint32_t names)
{
    static const char *const words[] = {"a", "b", "cc", "a.b"};
    uint32_t levels = 1 + draw(m, 5);
    if (draw(m, 8) < names) {
        sprintf(text, "%s%u", words[draw(m, 4)], draw(m, 3));
        return;
    }
    for (*text = '\0'; levels--;)
        sprintf(text + strlen(text), "/%s", words[draw(m, 4)]);
}

static int held_at(const struct model *m, const char *text)
{
    for (int i = 0; i < m->held; i++)
        if (strcmp(m->text[i], text) == 0)
            return i;
    return -1;
}

static void let_go(struct model *m, int i)
{
    m->held--;
    memcpy(m->text[i], m->text[m->held], sizeof m->text[i]);
    m->owner[i] = m->owner[m->held];
}

static void model_set(struct model *m)
{
    char text[64];
    draw_text(m, text, 2);
    uint64_t pid = m->pid[draw(m, ACTORS)];
    int at = held_at(m, text), free = at < 0 && m->held < HELD;
    assert_int_equal(m->n->set(m->s->self, text, pid),
                     at < 0 || m->owner[at] == pid ? IRIS_OK : IRIS_FAIL);
    if (!free)
        return;
    strcpy(m->text[m->held], text);
    m->owner[m->held++] = pid;
}

static void model_clear(struct model *m)
{
    char text[64];
    draw_text(m, text, 2);
    int at = held_at(m, text);
    assert_int_equal(m->n->clear(m->s->self, text), at < 0 ? IRIS_DEAD : IRIS_OK);
    if (at >= 0)
        let_go(m, at);
}

static void model_end(struct model *m)
{
    const iris_watch *watch = cast_extension(m->s, IRIS_WATCH);
    uint32_t i = draw(m, ACTORS);
    uint64_t pid = m->pid[i];
    watch->kill(m->s->self, pid);
    cast_await_end(m->s, pid);
    m->pid[i] = spawn_plain(m->s);
    for (int k = m->held; k-- > 0;)
        if (m->owner[k] == pid)
            let_go(m, k);
}

static int is_below(const char *prefix, const char *text, int direct)
{
    size_t len = strlen(prefix);
    if (*text != '/' || strncmp(prefix, text, len) || text[len] != '/')
        return 0;
    return !direct || !strchr(text + len + 1, '/');
}

static void model_list(struct model *m, int direct)
{
    char prefix[64];
    draw_text(m, prefix, 1);
    if (draw(m, 6) == 0)
        *prefix = '\0';
    const struct heard *h =
        list(m->s, direct ? m->n->children_direct : m->n->children, *prefix ? prefix : "/");
    int n = 0;
    for (int i = 0; i < m->held; i++)
        if (is_below(prefix, m->text[i], direct)) {
            assert_true(has(h, m->text[i], m->owner[i]));
            n++;
        }
    assert_int_equal(h->n, n);
}

static void model_look(struct model *m)
{
    char text[64];
    draw_text(m, text, 2);
    int at = held_at(m, text), n = 0;
    assert_int_equal(m->n->find(m->s->self, text), at < 0 ? 0 : m->owner[at]);
    uint64_t pid = m->pid[draw(m, ACTORS)];
    struct heard h = {0};
    int told = m->n->names(m->s->self, pid, hear, &h);
    for (int i = 0; i < m->held; i++)
        if (m->owner[i] == pid) {
            assert_true(has(&h, m->text[i], pid));
            n++;
        }
    assert_int_equal(told, n);
}

static void as_the_model(struct scene *s)
{
    static struct model m;
    m = (struct model){
        .s = s, .n = cast_extension(s, IRIS_NAME), .random = s->seed ? s->seed : s->workers + 1000};
    s->prop = cast_ledger(s);
    for (int i = 0; i < ACTORS; i++)
        m.pid[i] = spawn_plain(s);
    for (int i = 0; i < 1500; i++) {
        uint32_t what = draw(&m, 20);
        if (what < 9)
            model_set(&m);
        else if (what < 12)
            model_clear(&m);
        else if (what < 13)
            model_end(&m);
        else if (what < 16)
            model_list(&m, what & 1);
        else
            model_look(&m);
    }
}

/* ---- exits: who has heard of one finds nobody under the name ---- */

enum { MORTALS = 40, WATCHES = 50 };

struct wake {
    uint64_t pid[MORTALS];
    uint64_t ref[MORTALS];
    atomic_int heard, stale;
};

static const char *name_of(int i, char *text)
{
    sprintf(text, i & 1 ? "/mortal/%d" : "mortal%d", i);
    return text;
}

/* The first message: watch them all, so often that the one DOWN that is looked at comes well before the
 * last. Then: who is found must not be who ended. */
static int mourn(const iris_behaviour *b, iris_actor *self, void *state,
                 const iris_message *const *m, int n)
{
    struct wake *k = b->data;
    const iris_watch *watch = iris_calls()->extension(IRIS_WATCH);
    const iris_name *name = iris_calls()->extension(IRIS_NAME);
    char text[32];
    (void)state, (void)n;
    for (int i = 0; i < MORTALS; i++)
        if (m[0]->kind == IRIS_USER)
            for (int j = 0; j < WATCHES; j++) /* the last is told first */
                watch->monitor(self, k->pid[i], &k->ref[i]);
        else if (m[0]->ref == k->ref[i]) {
            atomic_fetch_add(&k->stale, name->find(self, name_of(i, text)) == k->pid[i]);
            atomic_fetch_add(&k->heard, 1);
        }
    return 1;
}

static int all_heard(struct scene *s)
{
    return atomic_load(&((struct wake *)s->prop)->heard) == MORTALS;
}

static void exits(struct scene *s)
{
    const iris_watch *watch = cast_extension(s, IRIS_WATCH);
    const iris_name *name = cast_extension(s, IRIS_NAME);
    struct wake *k = scene_memory(s, sizeof *k);
    s->prop = cast_ledger(s);
    char text[32];
    iris_behaviour b = {.size = sizeof b,
                        .abi = IRIS_ABI,
                        .name = "mourner",
                        .data = k,
                        .flags = IRIS_SIGNALS,
                        .handle = mourn};
    for (int i = 0; i < MORTALS; i++) {
        k->pid[i] = spawn_plain(s);
        assert_int_equal(name->set(s->self, name_of(i, text), k->pid[i]), IRIS_OK);
    }
    uint64_t mourner = scene_spawn(s, &b, 0);
    scene_send(s, mourner, 1);
    for (int i = 0; i < MORTALS; i++) {
        watch->kill(s->self, k->pid[i]);
        cast_run(s, 3);
    }
    s->prop = k;
    scene_await(s, all_heard);
    assert_int_equal(k->stale, 0);
    assert_int_equal(list(s, name->children, "/")->n, 0);
}

/* The watcher's executor is ours: its wake() is the moment at which the DOWN is told. */
struct bell {
    struct scene *s;
    uint64_t mortal, ref;
    atomic_int rung, stale;
};

static void ring(const iris_driver *d)
{
    struct bell *b = d->data;
    const iris_name *name = cast_extension(b->s, IRIS_NAME);
    atomic_fetch_add(&b->stale, name->find(b->s->self, "mortal") == b->mortal);
    atomic_fetch_add(&b->rung, 1);
}

static int listen_to(const iris_behaviour *b, iris_actor *self, void *state,
                     const iris_message *const *m, int n)
{
    struct bell *k = b->data;
    const iris_watch *watch = iris_calls()->extension(IRIS_WATCH);
    (void)state, (void)n;
    if (m[0]->kind == IRIS_USER)
        watch->monitor(self, k->mortal, &k->ref);
    return 1;
}

static int has_rung(struct scene *s)
{
    return atomic_load(&((struct bell *)s->prop)->rung);
}

static void hearing(struct scene *s)
{
    const iris_watch *watch = cast_extension(s, IRIS_WATCH);
    const iris_name *name = cast_extension(s, IRIS_NAME);
    struct bell *k = scene_memory(s, sizeof *k);
    iris_driver *d = scene_memory(s, sizeof *d);
    iris_executor *x;
    s->prop = cast_ledger(s);
    k->s = s;
    k->mortal = spawn_plain(s);
    *d = (iris_driver){.size = sizeof *d, .abi = IRIS_ABI, .name = "bell", .data = k, .wake = ring};
    assert_int_equal(s->api->open(s->self, d, &x), IRIS_OK);
    iris_behaviour b = {.size = sizeof b,
                        .abi = IRIS_ABI,
                        .name = "listener",
                        .data = k,
                        .flags = IRIS_SIGNALS,
                        .executor = x,
                        .handle = listen_to};
    uint64_t listener = scene_spawn(s, &b, 0);
    scene_send(s, listener, 1);
    while (s->api->drain(x, IRIS_SECOND))
        ;
    scene_settle(s); /* the mortal knows that it is watched */
    assert_int_equal(name->set(s->self, "mortal", k->mortal), IRIS_OK);
    k->rung = k->stale = 0;
    s->prop = k;
    watch->kill(s->self, k->mortal);
    scene_await(s, has_rung);
    assert_int_equal(k->stale, 0);
    watch->kill(s->self, listener);
    while (s->api->drain(x, IRIS_SECOND) || cast_is_alive(s, listener))
        ;
    s->api->close(x);
}

/* ---- a restart in place keeps the path, and nothing that was set by hand ---- */

static void restarts(struct scene *s)
{
    const iris_name *name = cast_extension(s, IRIS_NAME);
    struct ledger *l = cast_ledger(s);
    l->crash_every = 1;
    iris_behaviour b = cast_counter(l);
    uint64_t pid = cast_supervise(s, &b, "/svc/a", RESTART_ON_FAILURE);
    name->set(s->self, "by_hand", pid);
    name->set(s->self, "/by/hand", pid);
    scene_send(s, pid, cast_number(0, 1));
    scene_settle(s);
    assert_int_equal(l->inits, 2);
    assert_int_equal(name->find(s->self, "/svc/a"), pid);
    assert_int_equal(name->find(s->self, "by_hand"), 0);
    assert_int_equal(name->find(s->self, "/by/hand"), 0);
}

/* ---- who watches ---- */

struct told {
    int n;
    char last[64];
};

static int hear_change(const iris_behaviour *b, iris_actor *self, void *state,
                       const iris_message *const *messages, int n)
{
    struct told *t = b->data;
    (void)self, (void)state;
    for (int i = 0; i < n; i++)
        if (messages[i]->kind == IRIS_PING) {
            t->n++;
            snprintf(t->last, sizeof t->last, "%.*s", (int)messages[i]->len,
                     (const char *)messages[i]->data);
        }
    return n;
}

static void told_so_often(struct scene *s, const struct told *t, int n)
{
    scene_settle(s);
    assert_int_equal(t->n, n);
    assert_string_equal(t->last, "name_changed (name=pay)");
}

static void watched(struct scene *s)
{
    const iris_name *n = cast_extension(s, IRIS_NAME);
    const iris_watch *watch = cast_extension(s, IRIS_WATCH);
    static struct told t;
    iris_behaviour b = {.size = sizeof b,
                        .abi = IRIS_ABI,
                        .name = "hears",
                        .version = "1",
                        .flags = IRIS_SIGNALS,
                        .handle = hear_change,
                        .data = &t};
    t = (struct told){0};
    s->prop = cast_ledger(s);
    uint64_t watcher = scene_spawn(s, &b, 0), a = spawn_plain(s), c = spawn_plain(s);
    assert_int_equal(n->watch(s->self, "pay", watcher), IRIS_OK);
    n->set(s->self, "other", a);
    n->set(s->self, "pay", a);
    told_so_often(s, &t, 1);
    n->set(s->self, "pay", a); /* it has it already */
    n->set(s->self, "pay", c); /* it is taken */
    told_so_often(s, &t, 1);
    n->clear(s->self, "pay");
    told_so_often(s, &t, 2);
    n->set(s->self, "pay", c);
    told_so_often(s, &t, 3);
    watch->kill(s->self, c);
    cast_await_end(s, c);
    told_so_often(s, &t, 4);
    watch->kill(s->self, watcher);
    cast_await_end(s, watcher);
    assert_int_equal(n->set(s->self, "pay", a), IRIS_OK); /* nobody is told any more */
    told_so_often(s, &t, 4);
}

/* clang-format off */
#define PLAY(play) static void test_##play(void **state) { (void)state; scene_play(play); }
#define THREADS(play) static void test_##play(void **state) { (void)state; scene_play_threads(play); }
PLAY(children)
PLAY(prefixes)
PLAY(several_names)
PLAY(taken)
PLAY(by_name)
PLAY(as_the_model)
PLAY(watched)
PLAY(exits)
THREADS(hearing) /* seeds wake nobody */
PLAY(restarts)

static const struct CMUnitTest tests[] = {
    IRIS_TEST("registry.children_are_all_below_and_children_direct_one_level", test_children),
    IRIS_TEST("registry.a_prefix_may_end_in_slashes_and_names_are_below_nothing", test_prefixes),
    IRIS_TEST("registry.an_actor_may_have_several_names", test_several_names),
    IRIS_TEST("registry.a_name_that_is_taken_is_refused_with_its_owner", test_taken),
    IRIS_TEST("registry.mail_goes_by_name_and_path", test_by_name),
    IRIS_TEST("registry.does_what_the_simple_model_does", test_as_the_model),
    IRIS_TEST("registry.who_watches_a_name_is_told_when_it_changes_hands", test_watched),
    IRIS_TEST("p5.who_heard_of_an_exit_finds_nobody_under_the_name", test_exits),
    IRIS_TEST("p5.names_are_free_before_anybody_hears_of_an_exit", test_hearing),
    IRIS_TEST("p4.a_restart_in_place_keeps_the_path_and_frees_other_names", test_restarts),
};
/* clang-format on */
IRIS_MAIN(tests)
