/* A program with actors in it: a runtime of its own, two versions of a counter, and a worker that is begun
 * again when it crashes. Everything is in this file; a program may as well load what others built. */
#define _POSIX_C_SOURCE 199309L /* nanosleep(), where -std=c11 hides it */
#include <iris/ext/watch.h>
#include <iris/iris.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static const iris_api *api; /* the same table for every runtime of the process */

static int is(const iris_message *m, const char *word)
{
    return m->len == strlen(word) && memcmp(m->data, word, m->len) == 0;
}

static void reply(iris_actor *self, const iris_message *m, const char *text)
{
    if (m->ref) /* it was asked: its ref is where the answer goes */
        api->send(self, m->ref, text, strlen(text), 0);
}

/* ---- a counter, twice: the second version also remembers the longest message ---- */

struct count {
    unsigned long n, longest;
};

static int count(const iris_behaviour *b, iris_actor *self, void *state,
                 const iris_message *const *messages, int n)
{
    struct count *c = state;
    char text[80];
    for (int i = 0; i < n; i++) {
        if (!is(messages[i], "how many")) {
            c->n++;
            c->longest = messages[i]->len > c->longest ? messages[i]->len : c->longest;
        } else if (b->state_version == 1) {
            snprintf(text, sizeof text, "%lu", c->n);
            reply(self, messages[i], text);
        } else {
            snprintf(text, sizeof text, "%lu, the longest had %lu bytes", c->n, c->longest);
            reply(self, messages[i], text);
        }
    }
    return n;
}

static int begin(const iris_behaviour *b, iris_actor *self, iris_bytes args, void **state)
{
    (void)b, (void)self, (void)args;
    *state = calloc(1, sizeof(struct count));
    return *state ? IRIS_OK : api->fail("no memory");
}

static void end(const iris_behaviour *b, iris_actor *self, void *state)
{
    (void)b, (void)self;
    free(state);
}

/* State crosses versions as bytes: the old code writes them, the new code reads them. */
static int save(const iris_behaviour *b, iris_actor *self, const void *state, iris_sink *sink)
{
    (void)b, (void)self;
    return sink->write(sink, state, sizeof(struct count));
}

static int upgrade(const iris_behaviour *b, iris_actor *self, uint32_t from, iris_bytes saved,
                   void **state)
{
    (void)from;
    if (saved.len != sizeof(struct count))
        return api->fail("the counter's state has %zu bytes, expected %zu", saved.len,
                         sizeof(struct count));
    if (begin(b, self, saved, state) != IRIS_OK)
        return IRIS_FAIL;
    memcpy(*state, saved.data, saved.len);
    return IRIS_OK;
}

static iris_behaviour counter(const char *version, uint32_t state_version)
{
    iris_behaviour b = {0};
    b.size = sizeof b;
    b.abi = IRIS_ABI;
    b.name = "counter";
    b.version = version;
    b.state_version = state_version;
    b.handle = count;
    b.init = begin;
    b.fini = end;
    b.save = save;
    b.upgrade = upgrade;
    return b;
}

/* ---- a worker that crashes on "boom", and a keeper that begins another one ---- */

static int work(const iris_behaviour *b, iris_actor *self, void *state,
                const iris_message *const *messages, int n)
{
    (void)b, (void)state;
    for (int i = 0; i < n; i++) {
        if (is(messages[i], "boom")) {
            api->fail("told to go boom"); /* who asked, the keeper and the events get to see this */
            return ~i; /* message i crashed this actor; those before it are done */
        }
        reply(self, messages[i], "done");
    }
    return n;
}

struct keep {
    iris_version *worker;
    uint64_t monitored; /* which DOWN is meant */
    char why[120];      /* the last one ended */
    uint64_t asked;     /* who wants to know, when it has ended */
};

static int start_worker(iris_actor *self, struct keep *k)
{
    const iris_watch *watch = (const iris_watch *)api->extension(IRIS_WATCH);
    iris_spawn s = {0};
    uint64_t pid;
    s.size = sizeof s;
    s.abi = IRIS_ABI;
    s.version = k->worker;
    s.path = "/desk/worker";
    if (api->spawn(self, &s, &pid) != IRIS_OK)
        return IRIS_FAIL;
    return watch->monitor(self, pid, &k->monitored);
}

static int answer_why(iris_actor *self, struct keep *k)
{
    if (k->asked && *k->why) {
        api->send(self, k->asked, k->why, strlen(k->why), 0);
        k->asked = 0;
    }
    return IRIS_OK;
}

static int keep(const iris_behaviour *b, iris_actor *self, void *state,
                const iris_message *const *messages, int n)
{
    struct keep *k = (struct keep *)state;
    (void)b;
    for (int i = 0; i < n; i++) {
        const iris_message *m = messages[i];
        if (m->kind == IRIS_DOWN && m->ref == k->monitored) {
            snprintf(k->why, sizeof k->why, "it ended (%.*s) and another one has begun",
                     (int)m->len, (const char *)m->data);
            if (start_worker(self, k) != IRIS_OK)
                return ~i;
        } else if (m->kind == IRIS_USER) {
            k->asked = m->ref; /* an answer may come later than its question's turn */
        }
        answer_why(self, k);
    }
    return n;
}

static int begin_keep(const iris_behaviour *b, iris_actor *self, iris_bytes args, void **state)
{
    (void)args;
    struct keep *k = (struct keep *)calloc(1, sizeof *k);
    if (!k)
        return api->fail("no memory");
    k->worker = (iris_version *)b->data;
    *state = k;
    return start_worker(self, k);
}

/* ---- the program ---- */

static void die(const char *what)
{
    fprintf(stderr, "%s: %s\n", what, iris_reason());
    exit(1);
}

static iris_version *define(iris_runtime *rt, const iris_behaviour *b)
{
    iris_version *v;
    if (api->define(iris_self(rt), b, &v) != IRIS_OK)
        die(b->name);
    return v;
}

static uint64_t spawn(iris_runtime *rt, iris_version *v, const char *path)
{
    iris_spawn s = {0};
    uint64_t pid;
    s.size = sizeof s;
    s.abi = IRIS_ABI;
    s.version = v;
    s.path = path;
    s.capacity = 1024;
    if (api->spawn(iris_self(rt), &s, &pid) != IRIS_OK)
        die(path);
    return pid;
}

/* Asks by path, prints the answer, and gives it back. */
static void ask(iris_runtime *rt, const char *path, const char *question)
{
    const iris_message *m;
    int result =
        iris_ask_wait(rt, iris_find(rt, path), question, strlen(question), 5 * IRIS_SECOND, &m);
    if (result == IRIS_OK) {
        printf("%s: %s -> %.*s\n", path, question, (int)m->len, (const char *)m->data);
        api->drop(m);
    } else {
        printf("%s: %s -> no answer: %s\n", path, question, iris_reason());
    }
}

/* Until nothing is queued or running any more. */
static void settle(iris_runtime *rt)
{
    const struct timespec nap = {0, 1000000};
    while (!iris_is_idle(rt))
        nanosleep(&nap, NULL);
}

static void told(void *ctx, int result, const char *why)
{
    printf("swap: %s\n", result == IRIS_OK ? "the new version runs" : why);
    (void)ctx;
}

int main(void)
{
    iris_runtime *rt;
    iris_totals t;
    if (iris_open(NULL, &rt) != IRIS_OK)
        die("iris_open");
    api = iris_calls();

    iris_behaviour b1 = counter("1.0", 1), b2 = counter("2.0", 2);
    iris_version *v1 = define(rt, &b1), *v2 = define(rt, &b2);
    uint64_t desk = spawn(rt, v1, "/desk/counter");
    iris_send_to(rt, "/desk/counter", "a", 1);
    iris_send_to(rt, "/desk/counter", "letter", 6);
    ask(rt, "/desk/counter", "how many");
    /* Queued behind what was sent before; told() comes once, on the thread that swaps. */
    if (api->swap(iris_self(rt), desk, v2, 0, told, NULL) != IRIS_OK)
        die("swap");
    ask(rt, "/desk/counter", "how many");

    iris_behaviour wb = {0}, kb = {0};
    wb.size = kb.size = sizeof wb;
    wb.abi = kb.abi = IRIS_ABI;
    wb.name = "worker";
    wb.handle = work;
    kb.name = "keeper";
    kb.flags = IRIS_SIGNALS; /* its handler gets DOWN as a message */
    kb.init = begin_keep;
    kb.handle = keep;
    kb.fini = end;
    iris_version *worker = define(rt, &wb);
    kb.data = worker;
    iris_version *keeper = define(rt, &kb);
    spawn(rt, keeper, "/desk/keeper");
    settle(rt); /* the keeper begins in a turn of its own */
    ask(rt, "/desk/worker", "work");
    ask(rt, "/desk/worker", "boom");
    ask(rt, "/desk/keeper", "what happened");
    ask(rt, "/desk/worker", "work");

    settle(rt);
    memset(&t, 0, sizeof t);
    t.size = sizeof t;
    t.abi = IRIS_ABI;
    iris_count(rt, &t);
    printf("%lu actors, %lu messages handled, %lu dead letter\n", (unsigned long)t.actors,
           (unsigned long)t.handled, (unsigned long)t.dead_letters);
    api->release(v1);
    api->release(v2);
    api->release(worker);
    api->release(keeper);
    return iris_close(rt, 5 * IRIS_SECOND); /* 0: all threads came back, nothing is left */
}
