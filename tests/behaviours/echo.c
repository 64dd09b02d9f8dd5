/* Answers each question with its own bytes; logs what begins with "log ". */
#include <iris/plugin.h>

#include <string.h>

static const iris_api *api;

static int handle(const iris_behaviour *b, iris_actor *self, void *state,
                  const iris_message *const *messages, int n)
{
    (void)b, (void)state;
    for (int i = 0; i < n; i++) {
        const iris_message *m = messages[i];
        if (m->len > 4 && !memcmp(m->data, "log ", 4))
            api->log(self, IRIS_INFO, "%.*s", (int)m->len - 4, (const char *)m->data + 4);
        if (m->ref)
            api->send(self, m->ref, m->data, m->len, 0);
    }
    return n;
}

static const iris_behaviour echo = {
    .size = sizeof echo, .abi = IRIS_ABI, .name = "echo", .version = "1.0.0", .handle = handle};
static const iris_behaviour *const behaviours[] = {&echo, NULL};
static const iris_plugin plugin = {.size = sizeof plugin,
                                   .abi = IRIS_ABI,
                                   .name = "echo",
                                   .version = "1.0.0",
                                   .behaviours = behaviours};

const iris_plugin *iris_plugin_entry(const iris_api *given)
{
    api = given;
    return &plugin;
}
