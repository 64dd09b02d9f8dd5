/* Mail between nodes that is counted. The courier of each node sends numbered letters to those of all others, as
 * fast as it is told, and counts what came of whom. Its counts are in a file that is mapped, so they outlive its
 * process. args: "ME LIFE NODES FILE"; nodes are named a, b, .. and node I's courier has the name "courier".
 *
 *   "run N BYTES"   N letters to each other node every 5 ms, of less than so many bytes beside their head, or of
 *                   just 1 MiB; "run 0 0": none
 *   "stat"          asks for: for each node "sent full monitors downs open ups nodedowns", then "disorder stray early"
 */
#include <iris/ext/mesh.h>
#include <iris/ext/plugin.h>
#include <iris/ext/timer.h>
#include <iris/ext/watch.h>
#include <iris/plugin.h>

#include <fcntl.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

static const iris_api *api;

enum { NODES = 5, LIVES = 2000, LARGEST = 1 << 20, RETRY = 20 };

struct letter { /* the head of each */
    uint32_t node, life;
    uint64_t number;
};

struct tally { /* in the file; python reads it: tests/netns/lab.py */
    uint64_t sent[NODES], full[NODES], monitors[NODES], downs[NODES], ups[NODES], nodedowns[NODES];
    uint64_t disorder; /* letters that were not behind the last one of the same sender */
    uint64_t stray;    /* DOWNs of no monitor, or second ones */
    uint64_t early;    /* nodes that came up before they, or their actors, were said to be down */
    struct {
        uint64_t count, last;
    } got[NODES][LIVES];
};

struct question { /* of a resolve; freed by the second of the two who let go of it */
    iris_mesh_answer answer;
    atomic_int over;
};

struct peer {
    char name[2];
    uint64_t pid, ref;
    struct question *open;
    int pause, up;
};

struct courier {
    unsigned me, life, nodes;
    struct tally *tally;
    const iris_mesh *mesh;
    void *net;
    struct peer peers[NODES];
    unsigned rate;
    size_t bytes;
    uint64_t chance;
    unsigned char *room;
};

static uint64_t draw(struct courier *c)
{
    c->chance ^= c->chance << 13;
    c->chance ^= c->chance >> 7;
    c->chance ^= c->chance << 17;
    return c->chance;
}

/* ---- whom ---- */

static void let_go(struct question *q)
{
    if (atomic_exchange(&q->over, 1))
        free(q);
}

static void answered(iris_job *job)
{
    let_go((struct question *)job);
}

static void ask(struct courier *c, struct peer *p)
{
    struct question *q = calloc(1, sizeof *q);
    if (!q)
        return;
    q->answer.job.run = answered;
    if (c->mesh->resolve(c->net, p->name, "courier", 1000000000, &q->answer))
        free(q);
    else
        p->open = q;
    p->pause = RETRY;
}

static void watch(iris_actor *self, struct courier *c, struct peer *p, uint64_t pid)
{
    const iris_watch *watch = api->extension(IRIS_WATCH);
    if (watch->monitor(self, pid, &p->ref))
        return;
    p->pid = pid;
    c->tally->monitors[p - c->peers]++;
}

/* Its courier is found, or looked for. */
static void find(iris_actor *self, struct courier *c, struct peer *p)
{
    struct question *q = p->open;
    if (!q) {
        if (p->pause-- <= 0)
            ask(c, p);
    } else if (atomic_load(&q->over)) {
        if (q->answer.result == IRIS_OK && q->answer.pid)
            watch(self, c, p, q->answer.pid);
        free(q);
        p->open = NULL;
    }
}

/* ---- mail ---- */

static int send(iris_actor *self, struct courier *c, unsigned to)
{
    struct tally *t = c->tally;
    struct letter head = {c->me, c->life, t->sent[to] + 1};
    size_t len = c->bytes == LARGEST ? LARGEST : sizeof head + (c->bytes ? draw(c) % c->bytes : 0);
    memcpy(c->room, &head, sizeof head);
    int result = api->send(self, c->peers[to].pid, c->room, len, 0);
    t->sent[to] += result == IRIS_OK;
    t->full[to] += result == IRIS_FULL;
    return result == IRIS_OK;
}

static void tick(iris_actor *self, struct courier *c)
{
    for (unsigned i = 0; i < c->nodes; i++) {
        struct peer *p = &c->peers[i];
        if (i == c->me)
            continue;
        if (!p->pid)
            find(self, c, p);
        for (unsigned n = 0; p->pid && n < c->rate; n++)
            if (!send(self, c, i))
                break;
    }
}

static void take_letter(struct courier *c, const iris_message *m)
{
    struct letter head;
    memcpy(&head, m->data, sizeof head);
    if (head.node >= NODES || head.life >= LIVES)
        return;
    c->tally->disorder += head.number <= c->tally->got[head.node][head.life].last;
    c->tally->got[head.node][head.life].last = head.number;
    c->tally->got[head.node][head.life].count++;
}

static void command(iris_actor *self, struct courier *c, const iris_message *m)
{
    char text[1024];
    size_t n = 0;
    const struct tally *t = c->tally;
    snprintf(text, sizeof text, "%.*s", (int)m->len, (const char *)m->data);
    if (sscanf(text, "run %u %zu", &c->rate, &c->bytes) == 2 && c->bytes > LARGEST)
        c->bytes = LARGEST;
    for (unsigned i = 0; i < c->nodes; i++)
        n += (size_t)snprintf(text + n, sizeof text - n, "%lu %lu %lu %lu %d %lu %lu\n", t->sent[i],
                              t->full[i], t->monitors[i], t->downs[i], c->peers[i].pid != 0,
                              t->ups[i], t->nodedowns[i]);
    n +=
        (size_t)snprintf(text + n, sizeof text - n, "%lu %lu %lu", t->disorder, t->stray, t->early);
    if (m->ref)
        api->send(self, m->ref, text, n, 0);
}

/* ---- signals ---- */

/* Each "up" of a node follows a "down". */
static void node_changed(struct courier *c, const iris_message *m, int up)
{
    iris_reason_parts parts;
    size_t len;
    iris_reason_split(m->data, m->len, &parts);
    const char *name = iris_reason_value(&parts, "node", &len);
    unsigned i = name ? (unsigned)(*name - 'a') : NODES;
    if (i >= c->nodes)
        return;
    c->tally->early += up && c->peers[i].up;
    c->tally->ups[i] += (unsigned)up;
    c->tally->nodedowns[i] += (unsigned)!up;
    c->peers[i].up = up;
}

static void down(struct courier *c, const iris_message *m)
{
    for (unsigned i = 0; i < c->nodes; i++)
        if (c->peers[i].pid && c->peers[i].ref == m->ref) {
            c->peers[i].pid = 0;
            c->peers[i].pause = 0;
            c->tally->downs[i]++;
            return;
        }
    c->tally->stray++;
}

static int handle(const iris_behaviour *b, iris_actor *self, void *state,
                  const iris_message *const *messages, int n)
{
    (void)b;
    for (int i = 0; i < n; i++) {
        const iris_message *m = messages[i];
        if (m->kind == IRIS_PONG || m->kind == IRIS_PING || (m->kind == IRIS_DOWN && !m->ref))
            node_changed(state, m, m->kind == IRIS_PONG);
        else if (m->kind == IRIS_DOWN)
            down(state, m);
        else if (m->kind == IRIS_TIMER || (m->kind == IRIS_USER && m->len == 1))
            tick(self, state);
        else if (m->kind == IRIS_USER && (m->ref || m->len < sizeof(struct letter)))
            command(self, state, m);
        else if (m->kind == IRIS_USER)
            take_letter(state, m);
    }
    return n;
}

/* ---- life ---- */

static struct tally *map_tally(const char *file)
{
    int fd = open(file, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    void *at = MAP_FAILED;
    if (fd >= 0 && !ftruncate(fd, sizeof(struct tally)))
        at = mmap(NULL, sizeof(struct tally), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    if (fd >= 0)
        close(fd);
    return at == MAP_FAILED ? NULL : at;
}

static int begin(iris_actor *self, struct courier *c)
{
    const iris_plugins *plugins = api->extension(IRIS_PLUGIN);
    const iris_timer_api *timer = api->extension(IRIS_TIMER_EXT);
    uint64_t me = api->pid(self);
    if (plugins->use(self, "mesh", IRIS_MESH, (const void **)&c->mesh, &c->net) ||
        c->mesh->monitor_node(c->net, me, ""))
        return IRIS_FAIL;
    return timer->every(self, me, 5000000, "t", 1, NULL);
}

static void fini(const iris_behaviour *b, iris_actor *self, void *state)
{
    struct courier *c = state;
    (void)b, (void)self;
    for (unsigned i = 0; i < NODES; i++)
        if (c->peers[i].open)
            let_go(c->peers[i].open);
    munmap(c->tally, sizeof *c->tally);
    free(c->room);
    free(c);
}

static int init(const iris_behaviour *b, iris_actor *self, iris_bytes args, void **state)
{
    char text[600], file[512];
    struct courier *c = calloc(1, sizeof *c);
    (void)b;
    snprintf(text, sizeof text, "%.*s", (int)args.len, (const char *)args.data);
    if (!c || sscanf(text, "\"%u %u %u %511[^\"]", &c->me, &c->life, &c->nodes, file) != 4 ||
        c->me >= NODES || c->nodes > NODES || c->life >= LIVES || !(c->tally = map_tally(file)) ||
        !(c->room = calloc(1, LARGEST)))
        return api->fail("courier: args must be \"ME LIFE NODES FILE\"");
    c->chance = 88172645463325252ull + c->me + 7 * c->life;
    for (unsigned i = 0; i < c->nodes; i++)
        c->peers[i].name[0] = (char)('a' + i);
    *state = c;
    return begin(self, c);
}

static const iris_behaviour courier = {.size = sizeof courier,
                                       .abi = IRIS_ABI,
                                       .name = "courier",
                                       .version = "1.0.0",
                                       .flags = IRIS_SIGNALS,
                                       .handle = handle,
                                       .init = init,
                                       .fini = fini};
static const iris_behaviour *const behaviours[] = {&courier, NULL};
static const iris_plugin plugin = {.size = sizeof plugin,
                                   .abi = IRIS_ABI,
                                   .name = "courier",
                                   .version = "1.0.0",
                                   .behaviours = behaviours};

const iris_plugin *iris_plugin_entry(const iris_api *given)
{
    api = given;
    return &plugin;
}
