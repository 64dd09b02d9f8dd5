/* Many actors of one node, and who monitors them from another. "spawn N": N actors that do nothing;
 * "name N": the same, with paths /crowd/0 ..; "pids FROM N": asks
 * for their pids; "end": ends all; "watch NODE PID PID ..": monitors those of that node; "count": asks for "WATCHED DOWNS STRAY". */
#include <iris/ext/mesh.h>
#include <iris/ext/plugin.h>
#include <iris/ext/watch.h>
#include <iris/plugin.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const iris_api *api;

enum { MOST = 100000 };

struct throng {
    uint64_t pids[MOST], refs[MOST];
    unsigned spawned, watched, downs, stray;
};

static int idle_handle(const iris_behaviour *b, iris_actor *self, void *state,
                       const iris_message *const *messages, int n)
{
    (void)b, (void)self, (void)state, (void)messages;
    return n;
}

static const iris_behaviour idle = {
    .size = sizeof idle, .abi = IRIS_ABI, .name = "idle", .version = "1", .handle = idle_handle};

static void spawn(iris_actor *self, struct throng *t, unsigned n, int is_named)
{
    iris_spawn s = {.size = sizeof s, .abi = IRIS_ABI};
    char path[32];
    if (api->define(self, &idle, &s.version))
        return;
    if (is_named)
        s.path = path;
    for (; n && t->spawned < MOST; n--)
        if (snprintf(path, sizeof path, "/crowd/%u", t->spawned) > 0 &&
            api->spawn(self, &s, &t->pids[t->spawned]) == IRIS_OK)
            t->spawned++;
    api->release(s.version);
}

static void answer_pids(iris_actor *self, const struct throng *t, uint64_t ref, const char *text)
{
    unsigned from = 0, n = 0;
    char *words = calloc(1, 24 * 1000);
    size_t len = 0;
    sscanf(text, "pids %u %u", &from, &n);
    for (unsigned i = from; words && n <= 1000 && i < from + n && i < t->spawned; i++)
        len += (size_t)sprintf(words + len, "%llu ", (unsigned long long)t->pids[i]);
    api->send(self, ref, words, len, 0);
    free(words);
}

static void end_all(iris_actor *self, struct throng *t)
{
    const iris_watch *watch = api->extension(IRIS_WATCH);
    while (t->spawned)
        watch->stop(self, t->pids[--t->spawned]);
}

static void watch_all(iris_actor *self, struct throng *t, char *text)
{
    const iris_watch *watch = api->extension(IRIS_WATCH);
    const iris_plugins *plugins = api->extension(IRIS_PLUGIN);
    const iris_mesh *mesh;
    void *net;
    char *rest, *node = strtok_r(text, " ", &rest);
    if (plugins->use(self, "mesh", IRIS_MESH, (const void **)&mesh, &net))
        return;
    for (char *pid; (pid = strtok_r(NULL, " ", &rest)) && t->watched < MOST;) {
        uint64_t far = mesh->pid_at(net, node, strtoull(pid, NULL, 10));
        if (watch->monitor(self, far, &t->refs[t->watched]) == IRIS_OK)
            t->watched++;
    }
}

static void down(struct throng *t, uint64_t ref)
{
    for (unsigned i = 0; i < t->watched; i++)
        if (t->refs[i] == ref) {
            t->refs[i] = 0;
            t->downs++;
            return;
        }
    t->stray++;
}

static void take(iris_actor *self, struct throng *t, const iris_message *m)
{
    char *text = calloc(1, m->len + 1), words[64];
    unsigned n;
    if (!text)
        return;
    memcpy(text, m->data, m->len);
    if (m->kind == IRIS_DOWN)
        down(t, m->ref);
    else if (sscanf(text, "spawn %u", &n) == 1)
        spawn(self, t, n, 0);
    else if (sscanf(text, "name %u", &n) == 1)
        spawn(self, t, n, 1);
    else if (!strncmp(text, "watch ", 6))
        watch_all(self, t, text + 6);
    else if (!strcmp(text, "end"))
        end_all(self, t);
    if (m->ref && !strncmp(text, "pids ", 5))
        answer_pids(self, t, m->ref, text);
    else if (m->ref) {
        snprintf(words, sizeof words, "%u %u %u", t->watched, t->downs, t->stray);
        api->send(self, m->ref, words, strlen(words), 0);
    }
    free(text);
}

static int handle(const iris_behaviour *b, iris_actor *self, void *state,
                  const iris_message *const *messages, int n)
{
    (void)b;
    for (int i = 0; i < n; i++)
        take(self, state, messages[i]);
    return n;
}

static int init(const iris_behaviour *b, iris_actor *self, iris_bytes args, void **state)
{
    (void)b, (void)self, (void)args;
    *state = calloc(1, sizeof(struct throng));
    return *state ? IRIS_OK : api->fail("throng: no memory");
}

static void fini(const iris_behaviour *b, iris_actor *self, void *state)
{
    (void)b, (void)self;
    free(state);
}

static const iris_behaviour throng = {.size = sizeof throng,
                                      .abi = IRIS_ABI,
                                      .name = "throng",
                                      .version = "1.0.0",
                                      .flags = IRIS_SIGNALS,
                                      .handle = handle,
                                      .init = init,
                                      .fini = fini};
static const iris_behaviour *const behaviours[] = {&throng, NULL};
static const iris_plugin plugin = {.size = sizeof plugin,
                                   .abi = IRIS_ABI,
                                   .name = "throng",
                                   .version = "1.0.0",
                                   .behaviours = behaviours};

const iris_plugin *iris_plugin_entry(const iris_api *given)
{
    api = given;
    return &plugin;
}
