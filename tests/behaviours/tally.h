/* A counter with state, in versions that are made of this file: TALLY says which. Format 1 of its state
 * is the number alone; format 2 has "n=" before it, and version 2 can read and write both.
 *
 * "count" asks for "VERSION NUMBER"; "hold FILE" does not return before FILE is there; "crash" crashes;
 * any other message counts one. */
#include <iris/plugin.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static const iris_api *api;

struct state {
    unsigned long count;
};

static int is(const iris_message *m, const char *word)
{
    return m->len >= strlen(word) && !memcmp(m->data, word, strlen(word));
}

static void hold(const iris_message *m)
{
    char file[256];
    snprintf(file, sizeof file, "%.*s", (int)m->len - 5, (const char *)m->data + 5);
    while (access(file, F_OK))
        nanosleep(&(struct timespec){.tv_nsec = 1000000}, NULL);
}

static int take(iris_actor *self, struct state *s, const iris_message *m)
{
    char text[64];
    if (is(m, "crash"))
        return api->fail("told to: %.*s", (int)m->len, (const char *)m->data);
    if (is(m, "hold "))
        hold(m);
    else if (is(m, "count"))
        api->send(self, m->ref, text,
                  (size_t)snprintf(text, sizeof text, "%d %lu", TALLY, s->count), 0);
    else
        s->count++;
    return IRIS_OK;
}

static int handle(const iris_behaviour *b, iris_actor *self, void *state,
                  const iris_message *const *messages, int n)
{
    (void)b;
    for (int i = 0; i < n; i++)
        if (take(self, state, messages[i]))
            return ~i;
    return n;
}

static int init(const iris_behaviour *b, iris_actor *self, iris_bytes args, void **state)
{
    (void)b, (void)self;
    if (args.len && memmem(args.data, args.len, "refuse", 6))
        return api->fail("the args say refuse");
    *state = calloc(1, sizeof(struct state));
    return *state ? IRIS_OK : api->fail("no memory");
}

static void fini(const iris_behaviour *b, iris_actor *self, void *state)
{
    (void)b, (void)self;
    free(state);
}

static int put(const struct state *s, int format, iris_sink *sink)
{
    char text[64];
    int n = snprintf(text, sizeof text, "%s%lu", format == 1 ? "" : "n=", s->count);
    return sink->write(sink, text, (size_t)n);
}

static int save(const iris_behaviour *b, iris_actor *self, const void *state, iris_sink *sink)
{
    (void)self;
    return put(state, (int)b->state_version, sink);
}

static int upgrade(const iris_behaviour *b, iris_actor *self, uint32_t from, iris_bytes saved,
                   void **state)
{
    char text[64];
    unsigned long count = 0;
    if (from > b->state_version)
        return api->fail("format %u is newer than mine, %u", from, b->state_version);
    snprintf(text, sizeof text, "%.*s", (int)saved.len, (const char *)saved.data);
    if (sscanf(text, from == 1 ? "%lu" : "n=%lu", &count) != 1)
        return api->fail("\"%s\" is no state of mine", text);
    if (init(b, self, (iris_bytes){0}, state))
        return IRIS_FAIL;
    ((struct state *)*state)->count = count;
    return IRIS_OK;
}

#ifdef TALLY_DOWNGRADES
static int downgrade(const iris_behaviour *b, iris_actor *self, const void *state, uint32_t to,
                     iris_sink *sink)
{
    (void)b, (void)self;
    return put(state, (int)to, sink);
}
#endif

#define TEXT_OF(x) #x
#define TEXT(x) TEXT_OF(x)

static const iris_behaviour tally = {
    .size = sizeof tally,
    .abi = IRIS_ABI,
    .name = "tally",
    .version = TEXT(TALLY) ".0.0",
    .state_version = TALLY,
    .handle = handle,
    .init = init,
    .fini = fini,
    .save = save,
    .upgrade = upgrade,
#ifdef TALLY_DOWNGRADES
    .downgrade = downgrade,
#endif
};
static const iris_behaviour *const behaviours[] = {&tally, NULL};
static const iris_plugin plugin = {.size = sizeof plugin,
                                   .abi = IRIS_ABI,
                                   .name = "tally",
                                   .version = TEXT(TALLY) ".0.0",
                                   .behaviours = behaviours};

const iris_plugin *iris_plugin_entry(const iris_api *given)
{
    api = given;
    return &plugin;
}
