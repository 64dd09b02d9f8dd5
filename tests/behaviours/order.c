/* Sends numbers in order, and looks whether they come so. "go PID N" sends 1 to N to that pid, also of another
 * node, and waits (a yield) where it takes no more; "count" asks for "COUNT DISORDER DOWNS": how many came,
 * how many of them not behind the one before, and how many DOWNs; "watch PID" monitors that one; "stuck" asks
 * for what the last STUCK or PING said; "hold FILE" does not return until that file is there; "crash" crashes it. */
#include <iris/ext/watch.h>
#include <iris/plugin.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const iris_api *api;

struct state {
    unsigned long last, count, disorder, downs;
    unsigned long long to;
    unsigned long next, end; /* still to be sent */
    char stuck[64];
};

/* 0: it takes no more now. */
static int send_on(iris_actor *self, struct state *s)
{
    char text[32];
    for (; s->next <= s->end; s->next++) {
        size_t len = (size_t)snprintf(text, sizeof text, "%lu", s->next);
        if (api->send(self, s->to, text, len, 0) == IRIS_FULL)
            return 0;
    }
    return 1;
}

static void hold(const char *file)
{
    while (access(file, F_OK))
        usleep(10000);
}

static void answer(iris_actor *self, const struct state *s, const iris_message *m)
{
    char text[64];
    size_t len =
        (size_t)snprintf(text, sizeof text, "%lu %lu %lu", s->count, s->disorder, s->downs);
    if (m->ref)
        api->send(self, m->ref, text, len, 0);
}

static void take_number(struct state *s, const char *text)
{
    unsigned long n = strtoul(text, NULL, 10);
    s->disorder += n != s->last + 1;
    s->last = n;
    s->count++;
}

/* 0: not begun, or not done with. */
static int take(iris_actor *self, struct state *s, const iris_message *m)
{
    char text[512];
    const iris_watch *watch = api->extension(IRIS_WATCH);
    unsigned long long pid;
    uint64_t ref;
    snprintf(text, sizeof text, "%.*s", (int)m->len, (const char *)m->data);
    if (m->kind == IRIS_DOWN)
        s->downs++;
    else if (m->kind == IRIS_STUCK || m->kind == IRIS_PING)
        snprintf(s->stuck, sizeof s->stuck, "%.63s", text);
    else if (!strcmp(text, "stuck"))
        api->send(self, m->ref, s->stuck, strlen(s->stuck), 0);
    else if (!strncmp(text, "hold ", 5))
        hold(text + 5);
    else if (sscanf(text, "go %llu %lu", &s->to, &s->end) == 2) {
        s->next = s->next ? s->next : 1;
        if (!send_on(self, s))
            return 0;
        s->next = 0;
    } else if (sscanf(text, "watch %llu", &pid) == 1)
        watch->monitor(self, pid, &ref);
    else if (!strcmp(text, "count"))
        answer(self, s, m);
    else
        take_number(s, text);
    return 1;
}

static int handle(const iris_behaviour *b, iris_actor *self, void *state,
                  const iris_message *const *messages, int n)
{
    (void)b;
    for (int i = 0; i < n; i++)
        if (messages[i]->len == 5 && !memcmp(messages[i]->data, "crash", 5))
            return api->fail("it was asked to"), ~i;
        else if (!take(self, state, messages[i]))
            return i;
    return n;
}

static int init(const iris_behaviour *b, iris_actor *self, iris_bytes args, void **state)
{
    (void)b, (void)self, (void)args;
    *state = calloc(1, sizeof(struct state));
    return *state ? IRIS_OK : api->fail("order: no memory");
}

static void fini(const iris_behaviour *b, iris_actor *self, void *state)
{
    (void)b, (void)self;
    free(state);
}

static const iris_behaviour order = {.size = sizeof order,
                                     .abi = IRIS_ABI,
                                     .name = "order",
                                     .version = "1.0.0",
                                     .flags = IRIS_SIGNALS,
                                     .handle = handle,
                                     .init = init,
                                     .fini = fini};
static const iris_behaviour *const behaviours[] = {&order, NULL};
static const iris_plugin plugin = {.size = sizeof plugin,
                                   .abi = IRIS_ABI,
                                   .name = "order",
                                   .version = "1.0.0",
                                   .behaviours = behaviours};

const iris_plugin *iris_plugin_entry(const iris_api *given)
{
    api = given;
    return &plugin;
}
