/* A language of our own, whose handlers finish later and on other threads: what Python and Node ask of
 * the core, without Python and Node.
 *
 * A handler file NAME.mock is one line, "counter STATE_VERSION HOW LOOP":
 *   HOW   now        handle() does all, as a function of the language would
 *         later      an event loop: each message is begun, waits for a helper thread, and goes on in the
 *                    loop (a coroutine); a batch is begun in order, its rest given back when due
 *         elsewhere  the helper thread itself finishes it
 *   LOOP  0 or 1: each loop is a thread of the host's with an executor and a language lock.
 *
 * Messages of 8 bytes are counted, and should be 1, 2, 3, ..; others are words: "count", "disorder", "kept"
 * are answered with 8 bytes; "crash", "loop", "exit" and "keep........" do as they say. The state is the
 * count: 8 bytes. */
#include <iris/plugin.h>

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { LOOPS = 2 };
enum how { NOW, LATER, ELSEWHERE, HOWS };

static const iris_api *api; /* one core per process, as with any plugin */

struct loop {
    struct host *host;
    iris_executor *executor;
    pthread_t thread;
    pthread_mutex_t lock; /* of woken, stopping */
    pthread_cond_t changed;
    int woken, stopping;
    pthread_mutex_t language; /* who holds it runs handlers */
    int raise;                /* under it: the handler that runs is to fail */
};

struct errand { /* for the helper thread */
    struct errand *next;
    void (*run)(struct errand *);
};

struct host {
    iris_actor *self;
    struct loop loops[LOOPS];
    pthread_t helper;
    pthread_mutex_t lock;
    pthread_cond_t changed;
    struct errand *first, **last;
    int stopping;
    pthread_mutex_t kitchen; /* held while the helper touches a state: cancel() waits for that */
};

struct script {
    struct host *host;
    struct loop *loop;
    enum how how;
    uint32_t state_version;
};

struct state {
    uint64_t count, last, disorder;
    const iris_message *kept;
    struct batch *batch; /* what is open */
};

/* ---- the two kinds of threads ---- */

static void *turn_loop(void *arg)
{
    struct loop *l = arg;
    for (;;) {
        pthread_mutex_lock(&l->lock);
        while (!l->woken && !l->stopping)
            pthread_cond_wait(&l->changed, &l->lock);
        int over = !l->woken;
        l->woken = 0;
        pthread_mutex_unlock(&l->lock);
        if (over)
            return NULL;
        pthread_mutex_lock(&l->language);
        int more = api->drain(l->executor, 2000000);
        pthread_mutex_unlock(&l->language);
        pthread_mutex_lock(&l->lock);
        l->woken |= more == IRIS_AGAIN;
        pthread_mutex_unlock(&l->lock);
    }
}

static void *help(void *arg)
{
    struct host *h = arg;
    for (;;) {
        pthread_mutex_lock(&h->lock);
        while (!h->first && !h->stopping)
            pthread_cond_wait(&h->changed, &h->lock);
        struct errand *e = h->first;
        if (e && !(h->first = e->next))
            h->last = &h->first;
        pthread_mutex_unlock(&h->lock);
        if (!e)
            return NULL;
        e->run(e);
    }
}

static void send_helper(struct host *h, struct errand *e)
{
    pthread_mutex_lock(&h->lock);
    e->next = NULL;
    *h->last = e;
    h->last = &e->next;
    pthread_cond_signal(&h->changed);
    pthread_mutex_unlock(&h->lock);
}

static void wake(const iris_driver *d)
{
    struct loop *l = d->data;
    pthread_mutex_lock(&l->lock);
    l->woken = 1;
    pthread_cond_signal(&l->changed);
    pthread_mutex_unlock(&l->lock);
}

static int interrupt(const iris_driver *d, uint64_t turn)
{
    struct loop *l = d->data;
    pthread_mutex_lock(&l->language);
    int same = api->turn(l->executor) == turn;
    if (same)
        l->raise = 1;
    pthread_mutex_unlock(&l->language);
    return same ? IRIS_OK : IRIS_DEAD;
}

/* ---- what handlers do ---- */

static int is_word(const iris_message *m, const char *word)
{
    return m->len >= strlen(word) && memcmp(m->data, word, strlen(word)) == 0;
}

/* A loop of the language looks up now and then, and lets others have the lock. */
static int run_for_ever(struct loop *l)
{
    while (!l->raise) {
        pthread_mutex_unlock(&l->language);
        pthread_mutex_lock(&l->language);
    }
    l->raise = 0;
    return api->fail("interrupted: it ran too long");
}

static void count(struct state *s, const iris_message *m)
{
    uint64_t number;
    memcpy(&number, m->data, sizeof number);
    s->disorder += number != s->last + 1;
    s->last = number;
    s->count++;
}

static void answer(struct state *s, iris_actor *self, const iris_message *m)
{
    uint64_t number = s->count;
    if (is_word(m, "disorder"))
        number = s->disorder;
    if (is_word(m, "kept") && s->kept)
        memcpy(&number, (const char *)s->kept->data + 4, sizeof number);
    api->send(self, m->ref, &number, sizeof number, 0);
}

static int perform(const struct script *k, iris_actor *self, struct state *s, const iris_message *m)
{
    if (m->kind != IRIS_USER)
        return IRIS_OK;
    if (is_word(m, "crash"))
        return api->fail("Error: asked to\n    at counter.mock:1");
    if (is_word(m, "loop"))
        return run_for_ever(k->loop);
    if (is_word(m, "keep") && m->len == 12)
        s->kept = m;
    else if (m->len == 8 && !m->ref)
        count(s, m);
    else if (m->ref)
        answer(s, self, m);
    return IRIS_OK;
}

/* keep, exit: [turn] and [exec] calls, on the loop's thread. */
static void on_arrival(iris_actor *self, const iris_message *m)
{
    if (is_word(m, "keep") && m->len == 12)
        api->keep(m);
    if (is_word(m, "exit"))
        api->exit(self, "normal: asked to");
}

/* ---- a batch of coroutines ---- */

struct batch {
    struct errand errand; /* first */
    iris_job job;
    struct host *host;
    struct loop *loop;
    const struct script *script; /* as long as there is a state */
    iris_actor *self;
    struct state *state; /* NULL: cancelled; under host.kitchen where the helper finishes */
    int n, at;
    const iris_message *m[];
};

static void give_back(struct batch *b)
{
    for (int i = b->at; i < b->n; i++)
        api->done(b->m[i], IRIS_AGAIN);
}

static void end_batch(struct batch *b)
{
    if (b->state)
        b->state->batch = NULL;
    free(b);
}

/* In the loop, when the helper is back. What has not begun goes back before a failure is told. */
static void go_on(iris_job *job)
{
    struct batch *b = (struct batch *)((char *)job - offsetof(struct batch, job));
    const iris_message *m = b->m[b->at++];
    int result = b->state ? perform(b->script, b->self, b->state, m) : IRIS_OK;
    int over = !b->state || result || b->at == b->n || api->due(b->self) == IRIS_AGAIN;
    if (over) {
        give_back(b);
        end_batch(b);
        if (result)
            api->fail("Error: asked to\n    at counter.mock:1");
        api->done(m, result);
        return;
    }
    api->done(m, result);
    send_helper(b->host, &b->errand);
}

static void wait_for_nothing(struct errand *e)
{
    struct batch *b = (struct batch *)e;
    api->post(b->loop->executor, &b->job);
}

/* The other way: the helper finishes all of them itself. It is no thread of the actor: it sends as the
 * host. */
static void finish_here(struct errand *e)
{
    struct batch *b = (struct batch *)e;
    int crashed = -1;
    pthread_mutex_lock(&b->host->kitchen);
    for (; b->at < b->n && crashed < 0; b->at++)
        if (b->state && perform(b->script, b->host->self, b->state, b->m[b->at]))
            crashed = b->at;
    if (b->state)
        b->state->batch = NULL;
    pthread_mutex_unlock(&b->host->kitchen);
    give_back(b);
    if (crashed >= 0)
        api->fail("Error: asked to\n    at counter.mock:1");
    for (int i = 0; i < b->at; i++)
        api->done(b->m[i], i == crashed ? IRIS_FAIL : IRIS_OK);
    free(b);
}

static int put_off(const struct script *k, iris_actor *self, struct state *s,
                   const iris_message *const *m, int n)
{
    struct batch *b = calloc(1, sizeof *b + (size_t)n * sizeof *m);
    if (!b)
        return api->fail("no memory");
    *b = (struct batch){
        .host = k->host, .loop = k->loop, .script = k, .self = self, .state = s, .n = n};
    b->errand.run = k->how == LATER ? wait_for_nothing : finish_here;
    b->job.run = go_on;
    for (int i = 0; i < n; i++) {
        b->m[i] = m[i];
        on_arrival(self, m[i]);
        if (api->later(self, m[i]))
            abort(); /* the core had no memory for a pointer */
    }
    s->batch = b;
    send_helper(k->host, &b->errand);
    return n;
}

/* ---- the behaviour ---- */

static int handle(const iris_behaviour *b, iris_actor *self, void *state,
                  const iris_message *const *m, int n)
{
    struct script *k = b->data;
    k->loop->raise = 0; /* of a turn that is over */
    if (k->how != NOW)
        return put_off(k, self, state, m, n);
    for (int i = 0; i < n; i++) {
        if (i && api->due(self) == IRIS_AGAIN)
            return i;
        on_arrival(self, m[i]);
        if (perform(k, self, state, m[i]))
            return ~i;
    }
    return n;
}

static int init(const iris_behaviour *b, iris_actor *self, iris_bytes args, void **state)
{
    (void)b, (void)self, (void)args;
    *state = calloc(1, sizeof(struct state));
    if (*state)
        return IRIS_OK;
    api->fail("no memory");
    return IRIS_FAIL;
}

static void fini(const iris_behaviour *b, iris_actor *self, void *state)
{
    struct state *s = state;
    (void)b, (void)self;
    if (s->kept)
        api->drop(s->kept);
    free(s);
}

static void cancel(const iris_behaviour *b, iris_actor *self, void *state)
{
    struct script *k = b->data;
    struct state *s = state;
    (void)self;
    pthread_mutex_lock(&k->host->kitchen);
    if (s->batch)
        s->batch->state = NULL;
    pthread_mutex_unlock(&k->host->kitchen);
}

static int save(const iris_behaviour *b, iris_actor *self, const void *state, iris_sink *sink)
{
    (void)b, (void)self;
    return sink->write(sink, &((const struct state *)state)->count, 8);
}

static int upgrade(const iris_behaviour *b, iris_actor *self, uint32_t from, iris_bytes saved,
                   void **state)
{
    if (from > b->state_version || saved.len != 8)
        return api->fail("TypeError: state of version %u", from);
    if (init(b, self, saved, state))
        return IRIS_FAIL;
    struct state *s = *state;
    memcpy(&s->count, saved.data, 8);
    s->last = s->count;
    return IRIS_OK;
}

static void free_script(const iris_behaviour *b)
{
    free(b->data);
}

/* ---- the host ---- */

static int start_loop(struct host *h, struct loop *l)
{
    iris_driver d = {.size = sizeof d,
                     .abi = IRIS_ABI,
                     .name = "mock",
                     .data = l,
                     .wake = wake,
                     .interrupt = interrupt};
    l->host = h;
    pthread_mutex_init(&l->lock, NULL);
    pthread_mutex_init(&l->language, NULL);
    pthread_cond_init(&l->changed, NULL);
    if (api->open(h->self, &d, &l->executor))
        return IRIS_FAIL;
    return pthread_create(&l->thread, NULL, turn_loop, l) ? api->fail("mock: no thread") : IRIS_OK;
}

static int start(iris_actor *self, const char *config, void *arg, void **host)
{
    struct host *h = calloc(1, sizeof *h);
    (void)config, (void)arg;
    if (!h)
        return api->fail("mock: no memory");
    h->self = self;
    h->last = &h->first;
    pthread_mutex_init(&h->lock, NULL);
    pthread_mutex_init(&h->kitchen, NULL);
    pthread_cond_init(&h->changed, NULL);
    for (int i = 0; i < LOOPS; i++)
        if (start_loop(h, &h->loops[i]))
            return IRIS_FAIL;
    *host = h;
    return pthread_create(&h->helper, NULL, help, h) ? api->fail("mock: no thread") : IRIS_OK;
}

static int parse(const iris_source *s, unsigned *version, unsigned *how, unsigned *loop)
{
    static const char *const hows[HOWS] = {"now", "later", "elsewhere"};
    char text[64], word[16];
    snprintf(text, sizeof text, "%.*s", (int)s->code.len, (const char *)s->code.data);
    if (sscanf(text, "counter %u %15s %u", version, word, loop) != 3 || *loop >= LOOPS)
        return -1;
    for (*how = 0; *how < HOWS && strcmp(hows[*how], word) != 0; ++*how)
        ;
    return *how == HOWS ? -1 : 0;
}

static int load(void *host, const iris_source *s, iris_version **out)
{
    struct host *h = host;
    unsigned version, how, loop;
    if (parse(s, &version, &how, &loop))
        return api->fail("%s:1: SyntaxError: counter STATE_VERSION HOW LOOP", s->file);
    struct script *k = calloc(1, sizeof *k);
    if (!k)
        return api->fail("no memory");
    *k = (struct script){h, &h->loops[loop], (enum how)how, version};
    char text[16];
    snprintf(text, sizeof text, "%u", version);
    iris_behaviour b = {.size = sizeof b,
                        .abi = IRIS_ABI,
                        .name = "counter",
                        .version = text,
                        .state_version = version,
                        .executor = k->loop->executor,
                        .data = k,
                        .flags = IRIS_SIGNALS,
                        .handle = handle,
                        .init = init,
                        .fini = fini,
                        .cancel = cancel,
                        .save = save,
                        .upgrade = upgrade,
                        .free = free_script};
    return api->define(h->self, &b, out);
}

static void stop(void *host)
{
    struct host *h = host;
    pthread_mutex_lock(&h->lock);
    h->stopping = 1;
    pthread_cond_signal(&h->changed);
    pthread_mutex_unlock(&h->lock);
    pthread_join(h->helper, NULL);
    for (int i = 0; i < LOOPS; i++) {
        struct loop *l = &h->loops[i];
        pthread_mutex_lock(&l->lock);
        l->stopping = 1;
        pthread_cond_signal(&l->changed);
        pthread_mutex_unlock(&l->lock);
        pthread_join(l->thread, NULL);
        api->close(l->executor);
    }
    free(h);
}

const iris_plugin *iris_plugin_entry(const iris_api *given)
{
    static const iris_host host = {.size = sizeof host,
                                   .abi = IRIS_ABI,
                                   .runtime = "mock 1",
                                   .suffixes = ".mock",
                                   .start = start,
                                   .load = load,
                                   .stop = stop};
    static const iris_plugin plugin = {
        .size = sizeof plugin, .abi = IRIS_ABI, .name = "mock", .version = "1", .host = &host};
    api = given;
    return &plugin;
}
