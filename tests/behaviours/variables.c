/* Answers NAME with what that variable is to this actor, "-" where it is none of its own; "all" with all of them. */
#include <iris/ext/env.h>
#include <iris/plugin.h>

#include <stdio.h>
#include <string.h>

static const iris_api *api;

struct list {
    char text[256];
    size_t n;
};

static void add(void *ctx, const char *name, const char *value)
{
    struct list *l = ctx;
    l->n += (size_t)snprintf(l->text + l->n, sizeof l->text - l->n, "%s%s=%s", l->n ? " " : "",
                             name, value);
}

static int handle(const iris_behaviour *b, iris_actor *self, void *state,
                  const iris_message *const *messages, int n)
{
    const iris_env *env = api->extension(IRIS_ENV);
    (void)b, (void)state;
    for (int i = 0; i < n; i++) {
        char name[64];
        struct list all = {.n = 0};
        snprintf(name, sizeof name, "%.*s", (int)messages[i]->len, (const char *)messages[i]->data);
        int is_all = !strcmp(name, "all");
        const char *value = is_all ? all.text : env->get(self, name);
        if (is_all)
            env->each(self, add, &all);
        api->send(self, messages[i]->ref, value ? value : "-", value ? strlen(value) : 1, 0);
    }
    return n;
}

static const iris_behaviour variables = {.size = sizeof variables,
                                         .abi = IRIS_ABI,
                                         .name = "variables",
                                         .version = "1.0.0",
                                         .handle = handle};
static const iris_behaviour *const behaviours[] = {&variables, NULL};
static const iris_plugin plugin = {.size = sizeof plugin,
                                   .abi = IRIS_ABI,
                                   .name = "variables",
                                   .version = "1.0.0",
                                   .behaviours = behaviours};

const iris_plugin *iris_plugin_entry(const iris_api *given)
{
    api = given;
    return &plugin;
}
