/* counter.c - keeps totals of what dpkg did: per action and per package.
 *
 *     iris ask /logwatch/counter totals
 *     iris ask /logwatch/counter 'top 5'
 *     iris ask /logwatch/counter 'package libc6'
 *
 * What it does with a message is in counter.h, which counter2.c shares. Here is what makes it a
 * behaviour: a state that begins, ends, and can be handed over to another version as bytes. */
#include "counter.h"

static const iris_api *api;

static void count(void *state, const struct event *e)
{
    totals_add(state, e);
}

static void answer_question(const void *state, struct slice question, FILE *out)
{
    if (!totals_answer(state, question, out))
        unknown_print(question, "totals, top N, package NAME", out);
}

static int handle(const iris_behaviour *b, iris_actor *self, void *state,
                  const iris_message *const *messages, int n)
{
    const struct counter counter = {api, count, answer_question};
    (void)b;
    return receive_all(&counter, self, state, messages, n);
}

static int init(const iris_behaviour *b, iris_actor *self, iris_bytes args, void **state)
{
    (void)b, (void)self, (void)args;
    struct totals *t = *state = calloc(1, sizeof *t);
    if (t && totals_init(t) == IRIS_OK)
        return IRIS_OK;
    free(t);
    return api->fail("no memory");
}

static void fini(const iris_behaviour *b, iris_actor *self, void *state)
{
    const struct counter counter = {api, count, answer_question};
    (void)b;
    say_last(&counter, self, state, state);
    totals_finish(state);
    free(state);
}

/* ---- to another version and back ---- */

static int save(const iris_behaviour *b, iris_actor *self, const void *state, iris_sink *sink)
{
    const struct totals *t = state;
    (void)b, (void)self;
    *t->saved = 1;
    return write_state(totals_save, state, sink);
}

static int upgrade(const iris_behaviour *b, iris_actor *self, uint32_t from, iris_bytes saved,
                   void **state)
{
    if (from != b->state_version)
        return api->fail("a state of version %u; counter %s knows version %u", from, b->version,
                         b->state_version);
    if (init(b, self, saved, state))
        return IRIS_FAIL;
    if (read_state(totals_load, *state, saved) == IRIS_OK)
        return IRIS_OK;
    totals_finish(*state);
    free(*state);
    return api->fail("a line of the saved state is none that counter %s writes", b->version);
}

static const iris_behaviour behaviour = {
    .size = sizeof behaviour,
    .abi = IRIS_ABI,
    .name = "counter",
    .version = "1.0.0",
    .state_version = 1,
    .handle = handle,
    .init = init,
    .fini = fini,
    .save = save,
    .upgrade = upgrade,
};

static const iris_behaviour *const behaviours[] = {&behaviour, NULL};

IRIS_NOTE("counter", "1.0.0");

static const iris_plugin plugin = {
    .size = sizeof plugin,
    .abi = IRIS_ABI,
    .name = "counter",
    .version = "1.0.0",
    .behaviours = behaviours,
};

const iris_plugin *iris_plugin_entry(const iris_api *given)
{
    api = given;
    return &plugin;
}
