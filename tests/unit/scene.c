#include "scene.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static int64_t now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * IRIS_SECOND + t.tv_nsec;
}

static void (*listener)(struct scene *, const iris_event *);

void scene_listen(void (*event)(struct scene *, const iris_event *))
{
    listener = event;
}

static void hear(void *scene, const iris_event *e)
{
    listener(scene, e);
}

void scene_open(struct scene *s, uint32_t workers, uint64_t seed)
{
    iris_options o = {.size = sizeof o, .abi = IRIS_ABI, .workers = workers, .seed = seed};
    o.event = listener ? hear : NULL;
    o.ctx = s;
    s->workers = workers;
    s->seed = seed;
    if (iris_open(&o, &s->rt) != IRIS_OK)
        fail_msg("iris_open: %s", iris_reason());
    s->api = iris_calls();
    s->self = iris_self(s->rt);
}

struct scene_memory {
    struct scene_memory *next;
    _Alignas(64) unsigned char bytes[];
};

void *scene_memory(struct scene *s, size_t len)
{
    size_t all = (sizeof(struct scene_memory) + len + 63) & ~(size_t)63;
    struct scene_memory *m = aligned_alloc(64, all);
    assert_non_null(m);
    memset(m, 0, all);
    m->next = s->memory;
    s->memory = m;
    return m->bytes;
}

static void free_memory(struct scene *s)
{
    for (struct scene_memory *m = s->memory, *next; m; m = next) {
        next = m->next;
        free(m);
    }
    s->memory = NULL;
}

void scene_close(struct scene *s)
{
    assert_int_equal(iris_close(s->rt, 20 * IRIS_SECOND), 0);
    s->rt = NULL;
    free_memory(s);
}

iris_version *scene_define(struct scene *s, const iris_behaviour *b)
{
    iris_version *v = NULL;
    if (s->api->define(s->self, b, &v) != IRIS_OK)
        fail_msg("define: %s", iris_reason());
    return v;
}

uint64_t scene_spawn(struct scene *s, const iris_behaviour *b, uint32_t capacity)
{
    iris_version *v = scene_define(s, b);
    iris_spawn order = {.size = sizeof order, .abi = IRIS_ABI, .version = v, .capacity = capacity};
    uint64_t pid = 0;
    if (s->api->spawn(s->self, &order, &pid) != IRIS_OK)
        fail_msg("spawn: %s", iris_reason());
    s->api->release(v);
    return pid;
}

void scene_send(struct scene *s, uint64_t to, uint64_t number)
{
    assert_int_equal(s->api->send(s->self, to, &number, sizeof number, 0), IRIS_OK);
}

uint64_t scene_ask(struct scene *s, uint64_t to, const char *question)
{
    const iris_message *m = NULL;
    uint64_t number = 0;
    int result = iris_ask_wait(s->rt, to, question, strlen(question), 20 * IRIS_SECOND, &m);
    assert_int_equal(result, IRIS_OK);
    assert_int_equal(m->len, sizeof number);
    memcpy(&number, m->data, sizeof number);
    s->api->drop(m);
    return number;
}

static void rest(void)
{
    nanosleep(&(struct timespec){.tv_nsec = 200000}, NULL);
}

void scene_await(struct scene *s, int (*holds)(struct scene *))
{
    int64_t deadline = now() + 20 * IRIS_SECOND;
    while (!holds(s)) {
        if (now() > deadline)
            fail_msg("what the test waits for has not come within 20 s");
        if (!s->seed)
            rest();
        else
            iris_step(s->rt);
    }
}

static int is_idle(struct scene *s)
{
    return iris_is_idle(s->rt);
}

void scene_settle(struct scene *s)
{
    if (!s->seed) {
        scene_await(s, is_idle);
        return;
    }
    while (iris_step(s->rt))
        ;
}

iris_totals scene_count(struct scene *s)
{
    iris_totals t = {.size = sizeof t, .abi = IRIS_ABI};
    iris_count(s->rt, &t);
    return t;
}

/* An assertion that fails leaves by longjmp: what was played is said from here, and not from the
 * scene, whose stack frame is gone by then. */
static struct {
    int now;
    uint64_t seed;
    uint32_t workers;
} playing;

static void say_seed(void)
{
    if (playing.now && playing.seed)
        fprintf(stderr, "failed under seed %llu; SEED=%llu replays it\n",
                (unsigned long long)playing.seed, (unsigned long long)playing.seed);
    else if (playing.now)
        fprintf(stderr, "failed with threads (%u workers)\n", playing.workers);
}

static unsigned long play_once(void (*play)(struct scene *), uint32_t workers, uint64_t seed)
{
    struct scene s = {0};
    static int registered;
    if (!registered++)
        atexit(say_seed);
    scene_open(&s, workers, seed);
    playing.seed = seed;
    playing.workers = workers;
    playing.now = 1;
    play(&s);
    unsigned long decisions = scene_count(&s).decisions;
    playing.now = 0;
    scene_close(&s);
    return decisions;
}

void scene_play_threads(void (*play)(struct scene *))
{
    play_once(play, 1, 0);
    play_once(play, 2, 0);
}

void scene_play_seeds(void (*play)(struct scene *))
{
    const char *one = getenv("SEED"), *many = getenv("SEEDS");
    uint64_t n = many ? strtoull(many, NULL, 10) : 20, decisions = 0;
    if (one) {
        play_once(play, 0, strtoull(one, NULL, 10));
        return;
    }
    for (uint64_t seed = 1; seed <= n; seed++)
        decisions += play_once(play, 0, seed);
    printf("# %llu seeds, %llu decisions each\n", (unsigned long long)n,
           (unsigned long long)(decisions / (n ? n : 1)));
}

void scene_play(void (*play)(struct scene *))
{
    scene_play_seeds(play);
    if (!getenv("SEED"))
        scene_play_threads(play);
}
