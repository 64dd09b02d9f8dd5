/* An actor with a name that is unique over a cluster: answers each question with its node and the token by which it had the
 * name when it was last told, whether it has it still or not. args: "NODE". */
#include <iris/plugin.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const iris_api *api;

struct owner {
    char node[64];
    unsigned long long token; /* 0: it never had it */
};

static void told(struct owner *o, const iris_message *m)
{
    char text[400];
    snprintf(text, sizeof text, "%.*s", (int)m->len, (const char *)m->data);
    const char *token = strncmp(text, "name_owned", 10) == 0 ? strstr(text, "token=") : NULL;
    if (token)
        o->token = strtoull(token + 6, NULL, 10);
}

static int handle(const iris_behaviour *b, iris_actor *self, void *state,
                  const iris_message *const *messages, int n)
{
    char text[100];
    struct owner *o = state;
    (void)b;
    for (int i = 0; i < n; i++) {
        if (messages[i]->kind == IRIS_PING)
            told(o, messages[i]);
        if (messages[i]->ref && messages[i]->kind == IRIS_USER) {
            int len = snprintf(text, sizeof text, "%s %llu", o->node, o->token);
            api->send(self, messages[i]->ref, text, (size_t)len, 0);
        }
    }
    return n;
}

static void fini(const iris_behaviour *b, iris_actor *self, void *state)
{
    (void)b, (void)self;
    free(state);
}

static int init(const iris_behaviour *b, iris_actor *self, iris_bytes args, void **state)
{
    char text[100];
    struct owner *o = calloc(1, sizeof *o);
    (void)b, (void)self;
    snprintf(text, sizeof text, "%.*s", (int)args.len, (const char *)args.data);
    if (!o || sscanf(text, "\"%63[^\"]", o->node) != 1) {
        free(o);
        return api->fail("owner: args must be \"NODE\"");
    }
    *state = o;
    return IRIS_OK;
}

static const iris_behaviour owner = {.size = sizeof owner,
                                     .abi = IRIS_ABI,
                                     .name = "owner",
                                     .version = "1.0.0",
                                     .flags = IRIS_SIGNALS,
                                     .handle = handle,
                                     .init = init,
                                     .fini = fini};
static const iris_behaviour *const behaviours[] = {&owner, NULL};
static const iris_plugin plugin = {.size = sizeof plugin,
                                   .abi = IRIS_ABI,
                                   .name = "owner",
                                   .version = "1.0.0",
                                   .behaviours = behaviours};

const iris_plugin *iris_plugin_entry(const iris_api *given)
{
    api = given;
    return &plugin;
}
