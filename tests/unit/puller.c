#include "puller.h"

#include <stdlib.h>
#include <string.h>

uint32_t puller_kind = IRIS_OWN_STACK;

static int handle(const iris_behaviour *b, iris_actor *self, void *state,
                  const iris_message *const *none, int n)
{
    struct puller *p = b->data;
    (void)none;
    atomic_fetch_add(&p->begun, 1);
    int result = n ? IRIS_FAIL : p->run(p, self, state);
    atomic_fetch_add(&p->ended, 1);
    return result;
}

static int init(const iris_behaviour *b, iris_actor *self, iris_bytes args, void **state)
{
    (void)b, (void)self, (void)args;
    *state = calloc(1, sizeof(struct numbers));
    return *state ? IRIS_OK : IRIS_FAIL;
}

static void fini(const iris_behaviour *b, iris_actor *self, void *state)
{
    (void)b, (void)self;
    free(state);
}

static int save(const iris_behaviour *b, iris_actor *self, const void *state, iris_sink *out)
{
    (void)b, (void)self;
    return out->write(out, state, sizeof(struct numbers));
}

static int upgrade(const iris_behaviour *b, iris_actor *self, uint32_t from, iris_bytes saved,
                   void **state)
{
    if (init(b, self, saved, state) || from != 1 || saved.len != sizeof(struct numbers))
        return (iris_calls()->fail)("not my format");
    memcpy(*state, saved.data, saved.len);
    return IRIS_OK;
}

struct puller *puller_make(struct scene *s, puller_run *run)
{
    struct puller *p = scene_memory(s, sizeof *p);
    p->run = run;
    p->api = s->api;
    p->reader = cast_extension(s, IRIS_READER);
    return p;
}

iris_behaviour puller_behaviour(struct puller *p, const char *version)
{
    return (iris_behaviour){.size = sizeof(iris_behaviour),
                            .abi = IRIS_ABI,
                            .name = "puller",
                            .version = version,
                            .flags = IRIS_PULL | puller_kind,
                            .state_version = 1,
                            .data = p,
                            .handle = handle,
                            .init = init,
                            .fini = fini,
                            .save = save,
                            .upgrade = upgrade};
}

struct puller *puller_start(struct scene *s, puller_run *run, uint64_t *pid)
{
    struct puller *p = s->prop = puller_make(s, run);
    iris_behaviour b = puller_behaviour(p, "1");
    *pid = scene_spawn(s, &b, 0);
    return p;
}

void puller_note(struct puller *p, const iris_message *m)
{
    uint64_t number = 0;
    memcpy(&number, m->data, m->len < sizeof number ? m->len : sizeof number);
    p->got[atomic_load(&p->n) % 256] = number;
    atomic_fetch_add(&p->n, 1);
}

int puller_has_ended(struct scene *s)
{
    return atomic_load(&((struct puller *)s->prop)->ended);
}

int puller_has_begun(struct scene *s)
{
    return atomic_load(&((struct puller *)s->prop)->begun);
}

int puller_is_asked_to_go(struct scene *s)
{
    return atomic_load(&((struct puller *)s->prop)->hot);
}

void puller_expect(const struct puller *p, uint64_t first, uint64_t last)
{
    assert_int_equal(p->n, last - first + 1);
    for (uint64_t i = first; i <= last; i++)
        assert_int_equal(p->got[i - first], i);
}
