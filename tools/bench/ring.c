#include "python.h"

#include <iris/ext/name.h>

#include <string.h>

/* Each message goes round so often, and every hop counts as one that was handled. */
enum { ROUNDS = 2000, WARM_UP = 200, LANGUAGES = 3 };

static const char *const python = "import iris\n"
                                  "rt = iris.Runtime()\n"
                                  "to = None\n"
                                  "def on_msg(msg):\n"
                                  "    global to\n"
                                  "    if to is None: to = rt.whereis('script')\n"
                                  "    rt.send(to, msg)\n";

static const char *const script = "const { Runtime } = require('iris')\n"
                                  "const rt = new Runtime()\n"
                                  "let to = 0\n"
                                  "exports.onMessage = msg => {\n"
                                  "  if (!to) to = rt.whereis('native')\n"
                                  "  rt.send(to, msg)\n"
                                  "}\n";

static struct finish finish;
static const iris_api *api;
static uint64_t next; /* pid of the Python actor */

/* The first word of a message says how often it is to go round yet. */
static int handle(const iris_behaviour *b, iris_actor *self, void *state,
                  const iris_message *const *messages, int n)
{
    (void)b, (void)state;
    for (int i = 0; i < n; i++) {
        char data[64];
        uint64_t left;
        memcpy(data, messages[i]->data, messages[i]->len);
        memcpy(&left, data, sizeof left);
        if (!left--) {
            finish_one(&finish);
            continue;
        }
        memcpy(data, &left, sizeof left);
        if (api->send(self, next, data, messages[i]->len, 0))
            die("a message was not accepted");
    }
    return n;
}

static uint64_t place(const struct stage *s, const char *name, iris_version *v)
{
    const iris_name *names = s->api->extension(IRIS_NAME);
    uint64_t pid = stage_spawn(s, v);
    s->api->release(v);
    if (names->set(s->self, name, pid))
        die(iris_reason());
    return pid;
}

static double turn(const struct stage *s, uint64_t first, int count, size_t len, uint64_t rounds)
{
    char data[64] = {0};
    memcpy(data, &rounds, sizeof rounds);
    finish_begin(&finish, count);
    double start = now_ns();
    for (int i = 0; i < count; i++)
        stage_send_bytes(s, first, data, len, 0);
    finish_wait(&finish);
    return (double)count * (double)rounds * LANGUAGES * 1e3 / (now_ns() - start);
}

void ring_iris(const struct workload *w, double *values)
{
    static const iris_behaviour native = {
        .size = sizeof native, .abi = IRIS_ABI, .name = "native", .handle = handle};
    struct stage s;
    stage_open(&s, w->workers, 0);
    api = s.api;
    next = place(&s, "python", load_text(&s, python, ".py"));
    place(&s, "script", load_text(&s, script, ".cjs"));
    uint64_t first = place(&s, "native", stage_define(&s, &native));
    turn(&s, first, w->order, bytes_of(w), WARM_UP);
    values[0] = turn(&s, first, w->order, bytes_of(w), ROUNDS);
    stage_close(&s);
}
