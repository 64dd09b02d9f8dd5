/* Native actors at both ends, linked by the plugin "mesh". */
#include "meshes.h"

#include "far.h"
#include "stage.h"

#include <iris/ext/mesh.h>
#include <iris/ext/plugin.h>

#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

/* PIPE messages, of which at most WINDOW are on their way; the other end tells each STRIDE that it has handled.
 * No link holds a window of them back: what bounds the rate is what each takes. */
enum {
    PIPE = 2000000,
    PIPE_WARM_UP = 300000,
    STRIDE = 2048,
    WINDOW = 8 * STRIDE,
    PATIENCE = 10, /* s for a name of the other end */
    SPIN = 200000  /* ns */
};

typedef int handler(const iris_behaviour *, iris_actor *, void *, const iris_message *const *, int);

struct node {
    struct stage stage;
    const iris_mesh *mesh;
    void *net;
};

static void node_configure(const struct node *n, const char *name, const char *certificates)
{
    char options[3 * PATH_MAX];
    int len = snprintf(options, sizeof options, "{\"node\": \"%s\"", name);
    if (certificates)
        len += snprintf(options + len, sizeof options - (size_t)len,
                        ", \"tls\": {\"cert\": \"%s/ca/%s.crt\", \"key\": \"%s/ca/%s.key\", "
                        "\"ca\": \"%s/ca/ca.crt\"}",
                        certificates, name, certificates, name, certificates);
    snprintf(options + len, sizeof options - (size_t)len, "}");
    if (n->mesh->configure(n->net, options))
        die(iris_reason());
}

static void node_open(struct node *n, int order, const char *name, const char *certificates)
{
    iris_options options = {.size = sizeof options, .abi = IRIS_ABI, .workers = 1};
    options.spin = order & MESH_SPIN ? SPIN : order & MESH_NO_SPIN ? -1 : 0;
    stage_open_with(&n->stage, &options);
    const iris_plugins *plugins = n->stage.api->extension(IRIS_PLUGIN);
    if (plugins->use(n->stage.self, "mesh", IRIS_MESH, (const void **)&n->mesh, &n->net))
        die(iris_reason());
    node_configure(n, name, certificates);
}

static uint64_t node_spawn(const struct node *n, const char *path, handler *handle, void *data)
{
    iris_behaviour b = {.size = sizeof b,
                        .abi = IRIS_ABI,
                        .name = path,
                        .version = "1",
                        .handle = handle,
                        .data = data};
    iris_spawn s = {.size = sizeof s, .abi = IRIS_ABI, .path = path, .budget = 1000};
    uint64_t pid;
    s.version = stage_define(&n->stage, &b);
    if (n->stage.api->spawn(n->stage.self, &s, &pid))
        die(iris_reason());
    n->stage.api->release(s.version);
    return pid;
}

/* ---- there ---- */

static int echo(const iris_behaviour *b, iris_actor *self, void *state,
                const iris_message *const *messages, int n)
{
    const struct node *node = b->data;
    (void)state;
    for (int i = 0; i < n; i++)
        node->stage.api->send(self, messages[i]->from, messages[i]->data, messages[i]->len, 0);
    return n;
}

static int count(const iris_behaviour *b, iris_actor *self, void *state,
                 const iris_message *const *messages, int n)
{
    static uint64_t handled;
    const struct node *node = b->data;
    uint64_t number;
    (void)state;
    for (int i = 0; i < n; i++) {
        memcpy(&number, messages[i]->data, sizeof number);
        if (number != handled)
            die("a message came out of order");
        if (++handled % STRIDE == 0)
            node->stage.api->send(self, messages[i]->from, NULL, 0, 0);
    }
    return n;
}

void mesh_far_iris(int order, const char *certificates)
{
    struct node n;
    char address[64];
    node_open(&n, order, "there", certificates);
    node_spawn(&n, "/echo", echo, &n);
    node_spawn(&n, "/count", count, &n);
    if (n.mesh->listen(n.net, "127.0.0.1:0", NULL, address, sizeof address))
        die(iris_reason());
    far_serve(address);
    stage_close(&n.stage);
}

/* ---- certificates ---- */

static void run_quietly(char *const argv[])
{
    int status = -1;
    pid_t child = fork();
    if (child == 0) {
        dup2(open("/dev/null", O_WRONLY), STDOUT_FILENO);
        execvp(argv[0], argv);
        _exit(1);
    }
    waitpid(child, &status, 0);
    if (status)
        die("certificates: iris-mesh-cert failed");
}

static void make_certificates(char dir[64])
{
    char maker[PATH_MAX], ca[80];
    far_beside(maker, sizeof maker, "iris-mesh-cert");
    snprintf(dir, 64, "/tmp/iris-bench-XXXXXX");
    if (!mkdtemp(dir))
        die("no directory for certificates in /tmp");
    snprintf(ca, sizeof ca, "%s/ca", dir);
    run_quietly((char *[]){maker, "--ca", ca, NULL});
    run_quietly((char *[]){maker, "here", "--ca", ca, NULL});
    run_quietly((char *[]){maker, "there", "--ca", ca, NULL});
}

static void remove_certificates(char *dir)
{
    if (*dir)
        run_quietly((char *[]){"rm", "-r", dir, NULL});
}

/* ---- here ---- */

struct pair { /* this end */
    struct node node;
    struct far far;
    char certificates[64];
    uint64_t here, there; /* actors */
    struct finish finish;
    size_t bytes;
    struct trips trips;
    uint64_t sent, handled, all; /* pipelined */
};

static void pair_open(struct pair *p, const struct workload *w)
{
    char order[16];
    if (w->order & MESH_TLS)
        make_certificates(p->certificates);
    char *certificates = *p->certificates ? p->certificates : NULL;
    snprintf(order, sizeof order, "%d", w->order);
    far_start(&p->far, (char *[]){FAR_SELF, "--far", "iris", order, certificates, NULL});
    far_read_address(&p->far);
    node_open(&p->node, w->order, "here", certificates);
    p->bytes = bytes_of(w);
}

struct asked {
    iris_mesh_answer answer; /* first */
    struct finish finish;
};

static void on_answer(iris_job *job)
{
    finish_one(&((struct asked *)job)->finish);
}

static void pair_link(struct pair *p, const char *there, handler *handle)
{
    struct asked a = {.answer = {.job = {.run = on_answer}}};
    finish_begin(&a.finish, 1);
    if (p->node.mesh->resolve(p->node.net, p->far.address, there, PATIENCE * IRIS_SECOND,
                              &a.answer))
        die(iris_reason());
    finish_wait(&a.finish);
    if (a.answer.result || !a.answer.pid)
        die(*a.answer.why ? a.answer.why : "the other end does not know that name");
    p->there = a.answer.pid;
    p->here = node_spawn(&p->node, "/here", handle, p);
}

static void pair_close(struct pair *p)
{
    stage_close(&p->node.stage);
    far_end(&p->far);
    remove_certificates(p->certificates);
}

/* The first message comes from the main thread, each other one from there. */
static void play(struct pair *p)
{
    finish_begin(&p->finish, 1);
    stage_send(&p->node.stage, p->here, 0, 0);
    finish_wait(&p->finish);
}

static const char payload[64];

static int trip(const iris_behaviour *b, iris_actor *self, void *state,
                const iris_message *const *messages, int n)
{
    struct pair *p = b->data;
    (void)state;
    for (int i = 0; i < n; i++) {
        if (messages[i]->from && trips_take(&p->trips, &p->far)) {
            finish_one(&p->finish);
            continue;
        }
        p->trips.began = now_ns();
        if (p->node.stage.api->send(self, p->there, payload, p->bytes, 0))
            die("a message was not accepted");
    }
    return n;
}

void trip_iris(const struct workload *w, double *values)
{
    struct pair p = {.bytes = 0};
    pair_open(&p, w);
    pair_link(&p, "/echo", trip);
    play(&p);
    trips_report(&p.trips, &p.far, values);
    pair_close(&p);
}

/* What the link does not take now goes with the next that comes from there. */
static void send_more(struct pair *p, iris_actor *self)
{
    uint64_t numbered[8] = {0};
    while (p->sent < p->all && p->sent - p->handled < WINDOW) {
        numbered[0] = p->sent;
        if (p->node.stage.api->send(self, p->there, numbered, p->bytes, 0) == IRIS_OK)
            p->sent++;
        else if (p->sent > p->handled)
            return;
        else
            die("a message was not accepted");
    }
}

static int pump(const iris_behaviour *b, iris_actor *self, void *state,
                const iris_message *const *messages, int n)
{
    struct pair *p = b->data;
    (void)state;
    for (int i = 0; i < n; i++)
        p->handled += messages[i]->from ? STRIDE : 0;
    send_more(p, self);
    if (p->handled >= p->all)
        finish_one(&p->finish);
    return n;
}

static void pump_all(struct pair *p, uint64_t messages)
{
    p->all += messages / STRIDE * STRIDE;
    play(p);
}

void pipe_iris(const struct workload *w, double *values)
{
    struct pair p = {.bytes = 0};
    pair_open(&p, w);
    pair_link(&p, "/count", pump);
    pump_all(&p, (uint64_t)amount(PIPE_WARM_UP));
    double before = (double)p.handled, here = own_cpu_ns(), there = far_cpu_ns(&p.far);
    double start = now_ns();
    pump_all(&p, (uint64_t)amount(PIPE));
    double took = now_ns() - start, handled = (double)p.handled - before;
    values[0] = handled * 1e3 / took;
    values[1] = (own_cpu_ns() - here) / handled;
    values[2] = (far_cpu_ns(&p.far) - there) / handled;
    pair_close(&p);
}
