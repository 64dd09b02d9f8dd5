/* The way of a message through a host of another language, for tools/bench/instructions: a native actor's messages are
 * handled there, and sent back. All wait in the mailbox before the first is taken, so that batches are alike each time:
 * hosts have threads of their own, under a seed too, and only what they do between two messages can be compared. */
#include "count_hosts.h"

#include "python.h"

#include <iris/ext/name.h>

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { BUDGET = 16 };

/* The first message names a pipe: nothing more is handled until somebody has opened it to write. What takes long when
 * each instruction is looked at is done then, as the time in which a file has to be loaded is limited. */
static const char *const python = "to = None\n"
                                  "def on_msg(msg):\n"
                                  "    global to, rt\n"
                                  "    if to is None:\n"
                                  "        import iris\n"
                                  "        rt = iris.Runtime()\n"
                                  "        to = rt.whereis('sink')\n"
                                  "        open(bytes(msg)).close()\n"
                                  "    else:\n"
                                  "        rt.send(to, msg)\n";

static const char *const script = "const { Runtime } = require('iris')\n"
                                  "const { closeSync, openSync } = require('fs')\n"
                                  "const rt = new Runtime()\n"
                                  "let to = 0\n"
                                  "exports.onMessage = msg => {\n"
                                  "  if (to) return void rt.send(to, msg)\n"
                                  "  to = rt.whereis('sink')\n"
                                  "  closeSync(openSync(msg.toString()))\n"
                                  "}\n";

static const struct language {
    const char *name, *text, *ending;
} languages[] = {{"python", python, ".py"}, {"node", script, ".cjs"}};

struct sink {
    uint64_t next, expected;
    struct finish finish;
};

static int take(const iris_behaviour *b, iris_actor *self, void *state,
                const iris_message *const *messages, int n)
{
    struct sink *s = b->data;
    (void)self, (void)state;
    for (int i = 0; i < n; i++) {
        uint64_t number;
        memcpy(&number, messages[i]->data, sizeof number);
        if (number != s->next++)
            die("a message came out of order");
        if (s->next == s->expected)
            finish_one(&s->finish);
    }
    return n;
}

static void make_sink(const struct stage *s, struct sink *sink)
{
    const iris_name *name = s->api->extension(IRIS_NAME);
    iris_behaviour b = {
        .size = sizeof b, .abi = IRIS_ABI, .name = "sink", .data = sink, .handle = take};
    uint64_t pid;
    stage_spawn_many(s, &b, 1, &pid);
    if (name->set(s->self, "sink", pid))
        die(iris_reason());
}

static void make_pipe(char path[64])
{
    snprintf(path, 64, "/tmp/iris-bench-%d.pipe", (int)getpid());
    if (mkfifo(path, 0600))
        die("no pipe in /tmp");
}

static void let_go(const char *path)
{
    int fd = open(path, O_WRONLY | O_CLOEXEC);
    unlink(path);
    if (fd < 0 || close(fd))
        die("a pipe cannot be opened");
}

static void exchange(const struct stage *s, uint64_t pid, const char *path, uint64_t n)
{
    unsigned char data[64] = {0};
    stage_send_bytes(s, pid, path, strlen(path), 0);
    for (uint64_t i = 0; i < n; i++) {
        memcpy(data, &i, sizeof i);
        stage_send_bytes(s, pid, data, sizeof data, 0);
    }
    let_go(path);
}

/* Of so small a budget that no turn lasts, slow as all is: a batch that is cut short was laid out for nothing. */
static uint64_t spawn_echo(const struct stage *s, const struct language *l)
{
    iris_spawn spawn = {.size = sizeof spawn,
                        .abi = IRIS_ABI,
                        .version = load_text(s, l->text, l->ending),
                        .budget = BUDGET};
    uint64_t pid;
    if (s->api->spawn(s->self, &spawn, &pid))
        die(iris_reason());
    return pid;
}

static void count_in(const struct language *l, uint64_t n)
{
    struct sink sink = {.expected = n};
    struct stage s;
    char path[64];
    finish_begin(&sink.finish, 1);
    stage_open(&s, 1, 0);
    make_sink(&s, &sink);
    uint64_t pid = spawn_echo(&s, l);
    make_pipe(path);
    exchange(&s, pid, path, n);
    finish_wait(&sink.finish);
}

void count_in_language(const char *what, long operations)
{
    for (size_t i = 0; i < sizeof languages / sizeof *languages; i++)
        if (strcmp(languages[i].name, what) == 0) {
            count_in(&languages[i], (uint64_t)operations);
            printf("%s: %ld operations\n", what, operations);
            fflush(stdout);
            _exit(0); /* closing is not what is counted */
        }
}
