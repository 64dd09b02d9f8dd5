/* iris run: an app from its manifest, until it is stopped or idle. */
#include "fault.h"
#include "notify.h"
#include "term.h"
#include "verb.h"

#include <iris/app.h>

#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct run {
    iris_app_options app;
    struct notify notify;
    const char **sets;
    int json;
};

enum { KEY_JSON = 1000, KEY_SET, KEY_IDLE, KEY_WORKERS, KEY_WATCH, KEY_RESTORE, KEY_LEAVE };

static void parse_workers(struct run *r, const char *arg, struct argp_state *state)
{
    char *end;
    unsigned long n = strtoul(arg, &end, 10);
    if (end == arg || *end || n < 1 || n > 1024)
        argp_error(state, "--workers=%s: expected a number from 1 to 1024", arg);
    r->app.workers = (uint32_t)n;
}

static error_t parse(int key, char *arg, struct argp_state *state)
{
    struct run *r = state->input;
    switch (key) {
    case KEY_JSON:
        r->json = 1;
        return 0;
    case KEY_SET:
        r->sets[r->app.nsets++] = arg;
        return 0;
    case KEY_IDLE:
        r->app.until_idle = 1;
        return 0;
    case KEY_WATCH:
        r->app.watch = 1;
        return 0;
    case KEY_RESTORE:
        r->app.restore = arg;
        return 0;
    case KEY_LEAVE:
        r->app.leave_behind = 1;
        return 0;
    case ARGP_KEY_END:
        if (r->app.leave_behind && !r->app.restore)
            argp_error(state, "--leave-behind: expected --restore DIR, too");
        return 0;
    case KEY_WORKERS:
        parse_workers(r, arg, state);
        return 0;
    case ARGP_KEY_ARG:
        if (r->app.file)
            argp_error(state, "%s: expected one FILE", arg);
        r->app.file = arg;
        return 0;
    }
    return ARGP_ERR_UNKNOWN;
}

static const struct argp_option options[] = {
    {"until-idle", KEY_IDLE, NULL, 0, "End when there is nothing left to do", 1},
    {"watch", KEY_WATCH, NULL, 0, "Swap each actor whose file changes", 1},
    {"restore", KEY_RESTORE, "DIR", 0, "Begin with what iris stop --save DIR has written", 1},
    {"leave-behind", KEY_LEAVE, NULL, 0,
     "With --restore: let go what the manifest has no actor for", 1},
    {"set", KEY_SET, "KEY=VALUE", 0, "Replace a value, as in: --set env.LOG=/var/log/x", 1},
    {"workers", KEY_WORKERS, "N", 0, "Threads that run native actors (default: one per core)", 1},
    {"json", KEY_JSON, NULL, 0, "Print each line as a JSON object", 8},
    {0},
};

const struct argp run_argp = {
    options,
    parse,
    "[FILE]",
    "Run an app from its manifest (./app.json).\v"
    "Ctrl-C, SIGTERM or the end of its terminal stops it in order, a second Ctrl-C at once. Without a terminal, SIGHUP "
    "opens the files of its logs anew. Talk to it from another terminal: iris ps, iris ask, iris swap.",
    NULL,
    NULL,
    NULL,
};

/* ---- what it says ---- */

static const struct {
    const char *name, *mark;
    enum term_style style;
} kinds[] = {
    [IRIS_APP_HEADER] = {"header", "", TERM_BOLD},
    [IRIS_APP_ACTOR] = {"actor", "✓ ", TERM_GREEN},
    [IRIS_APP_EVENT] = {"event", "· ", TERM_DIM},
    [IRIS_APP_LOG] = {"log", "", TERM_PLAIN},
    [IRIS_APP_WARNING] = {"warning", "! ", TERM_YELLOW},
    [IRIS_APP_ERROR] = {"error", "", TERM_RED},
    [IRIS_APP_NOTE] = {"note", "", TERM_PLAIN},
};

static void print_json(const char *kind, const char *text)
{
    json_t *line = json_pack("{s:i, s:s, s:s}", "iris", 1, "kind", kind, "text", text);
    if (line)
        json_dumpf(line, stdout, JSON_COMPACT);
    fputs(line ? "\n" : "", stdout);
    fflush(stdout);
    json_decref(line);
}

/* Logs end in a newline or not, as their authors are used to. */
static size_t length(const char *text)
{
    size_t len = strlen(text);
    while (len && text[len - 1] == '\n')
        len--;
    return len;
}

/* The mark has the colour. Of a header all of it is bold. */
static void print_line(int kind, const char *text, FILE *to)
{
    const char *on = term(to, kinds[kind].style), *off = term(to, TERM_PLAIN);
    int is_header = kind == IRIS_APP_HEADER;
    fprintf(to, "%s%s%s", on, kinds[kind].mark, is_header ? "" : off);
    say_shown(to, text, length(text), kind == IRIS_APP_NOTE ? "" : "  | ");
    fprintf(to, "%s\n", is_header ? off : "");
}

static void print(void *ctx, int kind, const char *text)
{
    const struct run *r = ctx;
    if (kind < 0 || (size_t)kind >= sizeof kinds / sizeof kinds[0])
        kind = IRIS_APP_LOG;
    FILE *to = kind == IRIS_APP_ERROR || kind == IRIS_APP_WARNING ? stderr : stdout;
    if (r->json)
        print_json(kinds[kind].name, text);
    else if (kind == IRIS_APP_ERROR)
        say_report(to, text), putc('\n', to);
    else
        print_line(kind, text, to);
    fflush(to);
}

/* ---- systemd ---- */

static void tell(void *ctx, int what)
{
    struct run *r = ctx;
    notify_tell(&r->notify, what);
}

/* ---- signals ---- */

static int is_ignored(int signal)
{
    struct sigaction now;
    return !sigaction(signal, NULL, &now) && now.sa_handler == SIG_IGN;
}

static void impatient(sigset_t *set)
{
    sigemptyset(set);
    sigaddset(set, SIGINT);
    sigaddset(set, SIGTERM);
}

/* With that of a terminal that was closed, unless nohup keeps it away (a blocked signal would come
 * through even though it is ignored). To a service, which has no terminal, it says to look again. */
static void signals(sigset_t *set)
{
    impatient(set);
    if (!is_ignored(SIGHUP))
        sigaddset(set, SIGHUP);
}

struct signal_pipes {
    int stop[2], reload[2];
    int has_terminal;
};

static int has_terminal(void)
{
    int fd = open("/dev/tty", O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
    if (fd >= 0)
        close(fd);
    return fd >= 0;
}

/* The first one that is to stop the app. */
static void await_stop(const struct signal_pipes *p, const sigset_t *set)
{
    int signal = 0;
    while (!sigwait(set, &signal) && signal == SIGHUP && !p->has_terminal)
        (void)!write(p->reload[1], "", 1);
}

/* A thread that does nothing but wait for signals: no handler, so nothing that a handler must not
 * do, and the second Ctrl-C works however stuck the rest is. */
static void *watch(void *arg)
{
    const struct signal_pipes *p = arg;
    int signal = 0;
    sigset_t set;
    signals(&set);
    await_stop(p, &set);
    (void)!write(p->stop[1], "", 1);
    fprintf(stderr, "\nstopping; once more to stop at once\n");
    impatient(&set); /* a terminal's end may be told twice, by the kernel and by the shell */
    sigwait(&set, &signal);
    _exit(128 + signal);
}

/* The pipes become readable with the signals. 0, or -1. */
static int watch_signals(struct signal_pipes *p)
{
    sigset_t set;
    pthread_t thread;
    p->has_terminal = has_terminal();
    signals(&set);
    signal(SIGPIPE, SIG_IGN); /* `iris run | head` ends the output, not the app */
    if (pthread_sigmask(SIG_BLOCK, &set, NULL) || pipe(p->stop) ||
        pipe2(p->reload, O_CLOEXEC | O_NONBLOCK))
        return -1;
    if (pthread_create(&thread, NULL, watch, p))
        return -1;
    pthread_detach(thread);
    return 0;
}

/* As it is to be typed; NULL: as "iris". The caller frees it. */
static char *program_word(void)
{
    const char *program = getenv("IRIS_PROGRAM");
    char *word = NULL;
    size_t len;
    FILE *out = program ? open_memstream(&word, &len) : NULL;
    if (out) {
        say_word(out, program);
        fclose(out);
    }
    return word;
}

int verb_run(int argc, char **argv)
{
    struct signal_pipes pipes;
    char *program = program_word();
    struct run r = {
        .app = {.size = sizeof r.app,
                .abi = IRIS_ABI,
                .out = print,
                .program = program,
                .owns_process = 1},
        .sets = calloc((size_t)argc, sizeof *r.sets),
    };
    parse_arguments(&run_argp, argc, argv, &r);
    r.app.ctx = &r;
    r.app.sets = r.sets;
    if (notify_open(&r.notify)) {
        r.app.tell = tell;
        r.app.beat = r.notify.beat;
    }
    if (watch_signals(&pipes)) {
        say_errorf(NULL, "cannot wait for signals: %s", strerror(errno));
        return IRIS_EXIT_FAILED;
    }
    r.app.stop_fd = pipes.stop[0];
    r.app.reload_fd = pipes.reload[0];
    watch_faults();
    int status = iris_app_run(&r.app);
    notify_close(&r.notify);
    if (!r.app.until_idle)
        clearerr(stdout); /* an app outlives its terminal: what counts is how the app ended */
    free(r.sets);
    free(program);
    return status;
}
