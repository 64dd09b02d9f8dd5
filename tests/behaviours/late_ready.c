/* Says that it is ready when it is told to, or at a message that finds the file which its args name. Answers what it
 * is asked, with how many messages it has had. */
#include <iris/ext/ready.h>
#include <iris/plugin.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const iris_api *api;
static const iris_ready *ready;

struct state {
    int messages;
    char file[256];
};

static int init(const iris_behaviour *b, iris_actor *self, iris_bytes args, void **state)
{
    (void)b;
    struct state *s = calloc(1, sizeof *s);
    if (!s)
        return api->fail("no memory");
    if (args.len > 2)
        snprintf(s->file, sizeof s->file, "%.*s", (int)args.len - 2, (const char *)args.data + 1);
    if (!strcmp(s->file, "at once"))
        ready->ready(self, 0);
    *state = s;
    return IRIS_OK;
}

static void fini(const iris_behaviour *b, iris_actor *self, void *state)
{
    (void)b, (void)self;
    free(state);
}

static int is(const iris_message *m, const char *word)
{
    return m->len == strlen(word) && !memcmp(m->data, word, m->len);
}

static int take(iris_actor *self, struct state *s, const iris_message *m)
{
    char count[32];
    s->messages++;
    if (is(m, "ready") || (*s->file && !access(s->file, F_OK)))
        ready->ready(self, 0);
    if (is(m, "crash"))
        return api->fail("as I was told");
    snprintf(count, sizeof count, "%d", s->messages);
    if (m->ref)
        api->send(self, m->ref, count, strlen(count), 0);
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

static const iris_behaviour late_ready = {.size = sizeof late_ready,
                                          .abi = IRIS_ABI,
                                          .name = "late_ready",
                                          .version = "1.0.0",
                                          .handle = handle,
                                          .init = init,
                                          .fini = fini};
static const iris_behaviour *const behaviours[] = {&late_ready, NULL};
static const char *const needs[] = {IRIS_READY, NULL};
static const iris_plugin plugin = {.size = sizeof plugin,
                                   .abi = IRIS_ABI,
                                   .name = "late_ready",
                                   .version = "1.0.0",
                                   .needs = needs,
                                   .behaviours = behaviours};

const iris_plugin *iris_plugin_entry(const iris_api *given)
{
    api = given;
    ready = api->extension(IRIS_READY);
    return &plugin;
}
