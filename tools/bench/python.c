#include "python.h"

#include "stage.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { BATCH = 2000000 };

static const struct {
    const char *text, *ending;
} handlers[] = {{"def on_msg(msg): pass\n", ".py"},
                {"async def on_msg(msg): pass\n", ".py"},
                {"exports.onMessage = msg => {}\n", ".cjs"},
                {"exports.onMessage = msg => {}\nexports.borrow = true\n", ".cjs"}};

/* Hosts of languages load files: one that is there for as long as that takes. */
iris_version *load_text(const struct stage *s, const char *text, const char *ending)
{
    char path[64], handler[sizeof path + 8];
    snprintf(path, sizeof path, "/tmp/iris-bench-XXXXXX%s", ending);
    int fd = mkstemps(path, (int)strlen(ending));
    iris_version *v;
    if (fd < 0 || write(fd, text, strlen(text)) < 0 || close(fd))
        die("no file for a handler in /tmp");
    snprintf(handler, sizeof handler, strcmp(ending, ".py") ? "%s" : "%s:on_msg", path);
    int result = iris_load(s->rt, handler, NULL, &v);
    unlink(path);
    if (result)
        die(iris_reason());
    return v;
}

static uint64_t count_handled(const struct stage *s)
{
    iris_totals t = {.size = sizeof t, .abi = IRIS_ABI};
    iris_count(s->rt, &t);
    return t.handled;
}

static double send_all(const struct stage *s, uint64_t pid, const void *data, size_t len)
{
    uint64_t before = count_handled(s);
    long batch = amount(BATCH);
    double start = now_ns();
    for (long i = 0; i < batch; i++)
        stage_send_bytes(s, pid, data, len, 0);
    stage_settle(s);
    double took = now_ns() - start;
    if (count_handled(s) - before != (uint64_t)batch)
        die("not as many messages were handled as were sent");
    return (double)batch / took * 1e3;
}

void python_iris(const struct workload *w, double *values)
{
    char data[64] = {0};
    struct stage s;
    stage_open(&s, 1, 0);
    iris_version *v = load_text(&s, handlers[w->order].text, handlers[w->order].ending);
    uint64_t pid = stage_spawn(&s, v);
    s.api->release(v);
    send_all(&s, pid, data, bytes_of(w));
    values[0] = send_all(&s, pid, data, bytes_of(w));
    stage_close(&s);
}
