/* A pull actor. Commands: "dig" uses its stack up; "wild" writes where nothing is; "first X" waits for a
 * message that begins with X before all others. What is asked is answered with how many messages it took. */
#include <iris/ext/reader.h>

#include <stdint.h>
#include <stdio.h>
#include <string.h>

static const iris_api *api;
static const iris_reader *reader;
static int *volatile nowhere;

static __attribute__((noinline)) int dig(volatile int n)
{
    volatile char frame[1000];
    frame[n % 1000] = (char)n;
    return n < 0 ? frame[0] : dig(n + 1) + frame[n % 1000];
}

static int begins(const iris_message *m, const char *with)
{
    return m->len >= strlen(with) && !memcmp(m->data, with, strlen(with));
}

static int is_wanted(void *ctx, const iris_message *m)
{
    return m->kind == IRIS_USER && begins(m, ctx);
}

static void obey(iris_actor *self, const iris_message *m)
{
    char wanted[64] = "";
    if (begins(m, "dig"))
        dig(0);
    else if (begins(m, "wild"))
        *nowhere = 1;
    else if (begins(m, "first ") && m->len < sizeof wanted) {
        memcpy(wanted, (const char *)m->data + 6, m->len - 6);
        if (reader->recv(self, is_wanted, wanted, -1, &m) == IRIS_OK)
            api->log(self, IRIS_INFO, "first %.*s", (int)m->len, (const char *)m->data);
    }
}

static int handle(const iris_behaviour *b, iris_actor *self, void *state,
                  const iris_message *const *none, int n)
{
    const iris_message *m;
    char answer[16];
    (void)b, (void)state, (void)none;
    for (n = 1; reader->recv(self, NULL, NULL, -1, &m) == IRIS_OK; n++) {
        if (m->kind == IRIS_HOT_SWAP)
            return 0;
        uint64_t asked = m->ref;
        obey(self, m);
        if (asked)
            api->send(self, asked, answer, (size_t)snprintf(answer, sizeof answer, "%d", n), 0);
    }
    return 0;
}

static const iris_behaviour puller = {.size = sizeof puller,
                                      .abi = IRIS_ABI,
                                      .name = "puller",
                                      .version = "1.0.0",
                                      .flags = IRIS_PULL | IRIS_OWN_STACK,
                                      .handle = handle};
static const iris_behaviour *const behaviours[] = {&puller, NULL};
static const char *const needs[] = {IRIS_READER, NULL};
static const iris_plugin plugin = {.size = sizeof plugin,
                                   .abi = IRIS_ABI,
                                   .name = "puller",
                                   .version = "1.0.0",
                                   .needs = needs,
                                   .behaviours = behaviours};

const iris_plugin *iris_plugin_entry(const iris_api *given)
{
    api = given;
    reader = given->extension(IRIS_READER);
    return &plugin;
}
