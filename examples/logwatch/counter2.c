/* counter2.c - the next version of the counter: it keeps totals per day too.
 *
 *     iris swap /logwatch/counter libcounter2.so       totals stay; days count from now on
 *     iris ask /logwatch/counter days
 *     iris rollback /logwatch/counter                  totals stay; days are forgotten
 *
 * Its state is that of the old version and more, so it takes the old one's bytes over (upgrade), and
 * can write bytes that the old one understands (downgrade). */
#include "counter.h"

static const iris_api *api;

struct state {
    struct totals totals;
    struct tally days;
    uint64_t before; /* lines that the old version has counted: it did not look at their days */
};

/* ---- what it does ---- */

static void count(void *state, const struct event *e)
{
    static const struct slice unknown = {"-", 1};
    struct state *s = state;
    totals_add(&s->totals, e);
    tally_add(&s->days, e->action == MALFORMED ? unknown : e->day, 1);
}

static void days_print(const struct state *s, FILE *out)
{
    fprintf(out, "before %" PRIu64, s->before);
    for (size_t i = 0; i < s->days.n; i++)
        fprintf(out, "  %s %" PRIu64, s->days.entries[i].name, s->days.entries[i].count);
}

static void answer_question(const void *state, struct slice question, FILE *out)
{
    const struct state *s = state;
    if (slice_is(question, "days"))
        days_print(s, out);
    else if (!totals_answer(&s->totals, question, out))
        unknown_print(question, "totals, top N, package NAME, days", out);
}

static int handle(const iris_behaviour *b, iris_actor *self, void *state,
                  const iris_message *const *messages, int n)
{
    const struct counter counter = {api, count, answer_question};
    (void)b;
    return receive_all(&counter, self, state, messages, n);
}

/* ---- its state ---- */

static int init(const iris_behaviour *b, iris_actor *self, iris_bytes args, void **state)
{
    (void)b, (void)self, (void)args;
    struct state *s = *state = calloc(1, sizeof *s);
    if (s && totals_init(&s->totals) == IRIS_OK)
        return IRIS_OK;
    free(s);
    return api->fail("no memory");
}

static void finish(struct state *s)
{
    totals_finish(&s->totals);
    tally_finish(&s->days);
    free(s);
}

static void fini(const iris_behaviour *b, iris_actor *self, void *state)
{
    const struct counter counter = {api, count, answer_question};
    struct state *s = state;
    (void)b;
    say_last(&counter, self, s, &s->totals);
    finish(s);
}

/* ---- as bytes: what version 1 writes, then the days ---- */

static void save_all(const void *state, FILE *out)
{
    const struct state *s = state;
    totals_save(&s->totals, out);
    fprintf(out, "before %" PRIu64 "\n", s->before);
    for (size_t i = 0; i < s->days.n; i++)
        fprintf(out, "day %" PRIu64 " %s\n", s->days.entries[i].count, s->days.entries[i].name);
}

static int load(void *state, struct slice line)
{
    struct state *s = state;
    struct slice rest = line, word = slice_cut(&rest, ' ');
    uint64_t number;
    int is_day = slice_is(word, "day");
    if (!is_day && !slice_is(word, "before"))
        return totals_load(&s->totals, line);
    if (number_cut(&rest, &number))
        return -1;
    if (is_day)
        tally_add(&s->days, rest, number);
    else
        s->before = number;
    return 0;
}

static int save(const iris_behaviour *b, iris_actor *self, const void *state, iris_sink *sink)
{
    const struct state *s = state;
    (void)b, (void)self;
    *s->totals.saved = 1;
    return write_state(save_all, state, sink);
}

static int upgrade(const iris_behaviour *b, iris_actor *self, uint32_t from, iris_bytes saved,
                   void **state)
{
    if (from != 1 && from != b->state_version)
        return api->fail("a state of version %u; counter %s knows versions 1 and %u", from,
                         b->version, b->state_version);
    if (init(b, self, saved, state))
        return IRIS_FAIL;
    struct state *s = *state;
    if (read_state(load, s, saved)) {
        finish(s);
        return api->fail("a line of the saved state is none that a counter writes");
    }
    if (from == 1)
        s->before = s->totals.lines;
    return IRIS_OK;
}

static int downgrade(const iris_behaviour *b, iris_actor *self, const void *state, uint32_t to,
                     iris_sink *sink)
{
    const struct state *s = state;
    (void)self;
    if (to != 1)
        return api->fail("counter %s can write a state of version 1, not %u", b->version, to);
    *s->totals.saved = 1;
    return write_state(totals_save, &s->totals, sink);
}

static const iris_behaviour behaviour = {
    .size = sizeof behaviour,
    .abi = IRIS_ABI,
    .name = "counter",
    .version = "2.0.0",
    .state_version = 2,
    .handle = handle,
    .init = init,
    .fini = fini,
    .save = save,
    .upgrade = upgrade,
    .downgrade = downgrade,
};

static const iris_behaviour *const behaviours[] = {&behaviour, NULL};

IRIS_NOTE("counter", "2.0.0");

static const iris_plugin plugin = {
    .size = sizeof plugin,
    .abi = IRIS_ABI,
    .name = "counter",
    .version = "2.0.0",
    .behaviours = behaviours,
};

const iris_plugin *iris_plugin_entry(const iris_api *given)
{
    api = given;
    return &plugin;
}
