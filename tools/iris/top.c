/* iris top: the actors of a running app, the busiest first, each second anew. */
#include "top.h"

#include <ncurses.h>
#include <stdlib.h>
#include <string.h>
#include <term.h>
#include <time.h>
#include <unistd.h>
#include <wchar.h>

enum { KEY_ONCE = 2000, KEY_NO_COLOR };
enum { EACH_MS = 1000, ONCE_ROWS = 20 };

static const struct argp_option options[] = {
    {"sort", 's', "WORD", 0,
     "By queue (default), rate, dead-letters, overflows, restarts, age, path or written", 1},
    {"once", KEY_ONCE, NULL, 0, "Print the first 20 once, and end", 1},
    {"no-color", KEY_NO_COLOR, NULL, 0, "No colours, as with NO_COLOR", 1},
    {0},
};

static error_t parse(int key, char *arg, struct argp_state *state)
{
    struct top *t = state->input;
    switch (key) {
    case ARGP_KEY_INIT:
        state->child_inputs[0] = &t->common;
        return 0;
    case 's':
        t->sort = arg;
        return 0;
    case KEY_ONCE:
        t->once = 1;
        return 0;
    case KEY_NO_COLOR:
        t->no_color = 1;
        return 0;
    case ARGP_KEY_ARG:
        if (*t->filter)
            argp_error(state, "%s: expected at most one TEXT", arg);
        snprintf(t->filter, sizeof t->filter, "%s", arg);
        return 0;
    }
    return ARGP_ERR_UNKNOWN;
}

const struct argp top_argp = {
    options,
    parse,
    "[TEXT]",
    "Show the actors of a running app, the busiest first, each second anew; with TEXT, those that "
    "have it in their path, handler or host. Keys sort, filter, restart, swap and roll back: ? "
    "tells which.\v"
    "The app sorts, and sends what fits on the screen. With --json the first 20 are printed once. "
    "Without a terminal: --once, or iris ps --sort queue.",
    common_children,
    NULL,
    NULL,
};

/* ---- once ---- */

static void print_once(json_t *answer)
{
    struct table table = {0};
    struct actor_row r;
    char text[STATE_ROOM];
    size_t i;
    json_t *actor;
    static const char *const names[] = {"PATH",    "STATE",   ">MAILBOX",  ">MSG/S",
                                        ">DEAD/S", ">OVER/S", ">RESTARTS", ">UPTIME"};
    for (int c = 0; c < 8; c++)
        table_add(&table, c, "%s", names[c]);
    json_array_foreach(json_object_get(answer, "actors"), i, actor)
    {
        read_actor(actor, &r);
        table_add(&table, 0, *r.path ? "%s" : "%s%lld", r.path, (long long)r.pid);
        table_add(&table, 1, "%s", actor_state(text, &r));
        table_add(&table, 2, "%s", count_text(text, (uint64_t)r.mailbox));
        table_add(&table, 3, "%.1f", r.rate);
        table_add(&table, 4, "%.1f", r.dead_letter_rate);
        table_add(&table, 5, "%.1f", r.overflow_rate);
        table_add(&table, 6, "%s", count_text(text, (uint64_t)r.restarts));
        table_add(&table, 7, "%s", r.uptime_ms < 0 ? "-" : span_text(text, r.uptime_ms * 1000000));
    }
    table_print(&table, stdout);
    table_finish(&table);
}

static int run_once(struct top *t)
{
    json_t *answer;
    int status = client_call(&t->common, "POST", "/v1/ps", top_request(t, ONCE_ROWS), &answer);
    if (answer)
        print_once(answer);
    json_decref(answer);
    return status;
}

/* ---- the screen ---- */

static int64_t now_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* One key, or none until then. Not 0: what is shown changes with it. */
static int await_key(struct top *t, int64_t until)
{
    wint_t key;
    int64_t left = until - now_ms();
    timeout(left > 0 ? (int)left : 0);
    int kind = get_wch(&key);
    return kind != ERR && top_key(t, (unsigned)key, kind == KEY_CODE_YES, top_screen_page());
}

/* While an order is under way it looks more often whether that is over. */
static void run(struct top *t)
{
    int64_t next = 0;
    while (!t->quits) {
        int is_busy = atomic_load(&t->order.state) != TOP_IDLE;
        if (now_ms() >= next) {
            top_refresh(t, top_screen_page());
            next = now_ms() + EACH_MS;
        }
        top_screen_draw(t);
        int64_t until = is_busy && next > now_ms() + 50 ? now_ms() + 50 : next;
        if (await_key(t, until))
            next = 0;
        top_order_look(t);
    }
}

static int refuse(const char *what)
{
    say_errorf("print it instead: iris top --once; or: iris ps --sort queue", "%s", what);
    return IRIS_EXIT_USAGE;
}

/* newterm() would say so too, and lose memory over it. */
static int is_known(void)
{
    int error;
    if (setupterm(NULL, STDOUT_FILENO, &error) != OK)
        return 0;
    del_curterm(cur_term);
    return 1;
}

static int run_screen(struct top *t)
{
    const char *kind = getenv("TERM");
    char what[160];
    int status = client_find(&t->common, t->socket, sizeof t->socket);
    if (status)
        return status;
    if (!isatty(STDOUT_FILENO) || !isatty(STDIN_FILENO))
        return refuse(isatty(STDOUT_FILENO) ? "stdin is no terminal, and top is driven by keys"
                                            : "stdout is no terminal, and top needs one");
    if (!is_known() || top_screen_open(t)) {
        snprintf(what, sizeof what, "TERM=%.60s: no terminal that is known here", kind ? kind : "");
        return refuse(what);
    }
    run(t);
    top_screen_close();
    json_decref(t->answer);
    return IRIS_EXIT_OK;
}

int verb_top(int argc, char **argv)
{
    struct top *t = calloc(1, sizeof *t);
    if (!t)
        return IRIS_EXIT_FAILED;
    t->common.timeout_ms = 5000;
    t->sort = "queue";
    parse_arguments(&top_argp, argc, argv, t);
    int status = t->once || t->common.json ? run_once(t) : run_screen(t);
    if (atomic_load(&t->order.state) == TOP_IDLE) /* else its thread still writes there */
        free(t);
    return status;
}
