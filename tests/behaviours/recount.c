/* No handler: it turns a tally's state of format 1 into one of format 3, ten times as much; "13" it refuses. */
#include <iris/plugin.h>

#include <stdio.h>
#include <stdlib.h>

static const iris_api *api;

static int migrate(const iris_behaviour *b, iris_actor *self, uint32_t from, iris_bytes saved,
                   iris_sink *sink)
{
    char text[64];
    (void)b, (void)self;
    snprintf(text, sizeof text, "%.*s", (int)saved.len, (const char *)saved.data);
    unsigned long count = strtoul(text, NULL, 10);
    if (from != 1 || count == 13)
        return api->fail("\"%s\" of format %u is not for me", text, from);
    int n = snprintf(text, sizeof text, "n=%lu", count * 10);
    return sink->write(sink, text, (size_t)n);
}

static const iris_behaviour recount = {
    .size = sizeof recount, .abi = IRIS_ABI, .name = "recount", .version = "1", .migrate = migrate};
static const iris_behaviour *const behaviours[] = {&recount, NULL};
static const iris_plugin plugin = {.size = sizeof plugin,
                                   .abi = IRIS_ABI,
                                   .name = "recount",
                                   .version = "1",
                                   .behaviours = behaviours};

const iris_plugin *iris_plugin_entry(const iris_api *given)
{
    api = given;
    return &plugin;
}
