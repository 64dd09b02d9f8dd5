/* iris inspect: all that is known of one actor. */
#include "actor.h"
#include "client.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

struct inspect {
    struct common common;
    const char *target;
};

static error_t parse(int key, char *arg, struct argp_state *state)
{
    struct inspect *i = state->input;
    switch (key) {
    case ARGP_KEY_INIT:
        state->child_inputs[0] = &i->common;
        return 0;
    case ARGP_KEY_ARG:
        if (i->target)
            argp_error(state, "%s: expected one PATH", arg);
        i->target = arg;
        return 0;
    case ARGP_KEY_END:
        if (!i->target)
            argp_error(state, "PATH is missing: which actor (see iris ps)");
        return 0;
    }
    return ARGP_ERR_UNKNOWN;
}

const struct argp inspect_argp = {
    NULL,
    parse,
    "PATH",
    "Show all that is known of one actor: what it runs and could go back to, its mailbox, rates, "
    "supervisor, timers, who watches it, and what went wrong last. What happened to it before: "
    "iris explain.",
    common_children,
    NULL,
    NULL,
};

/* "name        value" */
__attribute__((format(printf, 2, 3))) static void line(const char *name, const char *fmt, ...)
{
    char *text = NULL;
    va_list args;
    va_start(args, fmt);
    int n = vasprintf(&text, fmt, args);
    va_end(args);
    printf("%s%-12s%s", term(stdout, TERM_DIM), name, term(stdout, TERM_PLAIN));
    if (n >= 0)
        say_shown(stdout, text, (size_t)n, "            ");
    putchar('\n');
    free(n >= 0 ? text : NULL);
}

static void say_code(const json_t *answer, const struct actor_row *r)
{
    char text[STATE_ROOM];
    line("handler", "%s", *r->handler ? r->handler : "-");
    line("behaviour", "%s  %s, %s%s, on executor %s", r->behaviour, r->host,
         text_of(answer, "kind"),
         json_is_true(json_object_get(answer, "own_thread")) ? ", a thread of its own" : "",
         text_of(answer, "executor"));
    line("version", "%s", actor_version(text, r));
}

/* Those that it could go back to. */
static void say_versions(const json_t *answer)
{
    size_t i;
    json_t *v;
    json_array_foreach(json_object_get(answer, "versions"), i, v)
    {
        json_int_t rev = number_of(v, "rev"), of = number_of(v, "of"),
                   saved = number_of(v, "snapshot_bytes");
        char same[32] = "", state[64] = "";
        if (json_is_true(json_object_get(v, "now")))
            continue;
        if (of != rev)
            snprintf(same, sizeof same, " (=v%lld)", (long long)of);
        if (saved)
            snprintf(state, sizeof state, ", its state then: %lld bytes", (long long)saved);
        line("back to", "v%lld%s %s  %s%s", (long long)rev, same, text_of(v, "version"),
             text_of(v, "handler"), state);
    }
}

static void say_mailbox(const json_t *answer, const struct actor_row *r)
{
    const json_t *m = json_object_get(answer, "mailbox");
    char waits[SPAN_ROOM], most[SPAN_ROOM], bytes[80] = "";
    json_int_t capacity = number_of(m, "capacity"), limit = number_of(m, "capacity_bytes");
    if (limit)
        snprintf(bytes, sizeof bytes, ", %lld of %lld bytes", (long long)number_of(m, "bytes"),
                 (long long)limit);
    line("mailbox", "%s of %s%s, %s%s%lld not done, %lld at the door",
         count_text(waits, (uint64_t)r->mailbox),
         capacity ? count_text(most, (uint64_t)capacity) : "any number", bytes,
         capacity ? text_of(m, "overflow") : "", capacity ? ", " : "",
         (long long)number_of(m, "undone"), (long long)number_of(m, "at_the_door"));
}

static void say_rates(const json_t *actor, const struct actor_row *r)
{
    const json_t *rates = json_object_get(actor, "rates");
    char handled[SPAN_ROOM], dead[SPAN_ROOM], over[SPAN_ROOM], span[SPAN_ROOM];
    line("messages", "%s handled, %.1f/s in the last %s", count_text(handled, (uint64_t)r->handled),
         r->rate, span_text(span, number_of(rates, "over_ms") * 1000000));
    line("dead", "%s, %.1f/s", count_text(dead, (uint64_t)r->dead_letters), r->dead_letter_rate);
    line("overflows", "%s, %.1f/s", count_text(over, (uint64_t)r->overflows), r->overflow_rate);
}

static void say_supervisor(const json_t *answer, const struct actor_row *r)
{
    const json_t *s = json_object_get(answer, "supervisor");
    char restarts[SPAN_ROOM], span[SPAN_ROOM];
    count_text(restarts, (uint64_t)r->restarts);
    if (*text_of(s, "node"))
        line("restarts", "%s; %s of node %s: %s", restarts, text_of(s, "path"), text_of(s, "node"),
             text_of(s, "restart"));
    else if (json_is_object(s))
        line("restarts", "%s; %s: %s, %s, %lld of %lld in %s", restarts, text_of(s, "path"),
             text_of(s, "restart"), text_of(s, "strategy"), (long long)number_of(s, "restarts"),
             (long long)number_of(s, "intensity"),
             span_text(span, number_of(s, "period_ms") * 1000000));
    else
        line("restarts", "%s; no supervisor", restarts);
}

static void say_others(const json_t *answer)
{
    const json_t *timers = json_object_get(answer, "timers");
    char span[SPAN_ROOM];
    json_t *name;
    size_t i;
    line("watched", "by %lld monitors; it monitors %lld; %lld links, %lld children",
         (long long)number_of(answer, "monitored_by"), (long long)number_of(answer, "monitors"),
         (long long)number_of(answer, "links"), (long long)number_of(answer, "children"));
    if (number_of(timers, "count"))
        line("timers", "%lld, the next in %s", (long long)number_of(timers, "count"),
             span_text(span, number_of(timers, "next_ms") * 1000000));
    else
        line("timers", "none");
    json_array_foreach(json_object_get(answer, "names"), i, name)
        line("name", "%s", json_string_value(name));
}

static void say_error_of(const json_t *answer)
{
    const json_t *e = json_object_get(answer, "last_error");
    char when[32];
    struct tm tm;
    if (!json_is_object(e))
        return;
    time_t t = (time_t)(number_of(e, "time_ms") / 1000);
    localtime_r(&t, &tm);
    strftime(when, sizeof when, "%b %d %H:%M:%S", &tm);
    line("last error", "%s, %s: %s", when, text_of(e, "kind"), text_of(e, "text"));
}

static void say_tags(json_t *actor)
{
    char *all = NULL;
    size_t len;
    json_t *tags = json_object_get(actor, "tags");
    FILE *out = json_object_size(tags) ? open_memstream(&all, &len) : NULL;
    if (!out)
        return;
    for (void *i = json_object_iter(tags); i; i = json_object_iter_next(tags, i))
        fprintf(out, "%s%s=%s", ftell(out) ? ", " : "", json_object_iter_key(i),
                json_string_value(json_object_iter_value(i)));
    fclose(out);
    line("tags", "%s", all);
    free(all);
}

static void print(json_t *answer)
{
    struct actor_row r;
    char text[STATE_ROOM], span[SPAN_ROOM];
    json_t *actor = json_object_get(answer, "actor");
    read_actor(actor, &r);
    line(*r.path ? "path" : "pid", *r.path ? "%s  pid %lld" : "%s%lld", r.path, (long long)r.pid);
    line("state", "%s%s%s", actor_state(text, &r), r.uptime_ms < 0 ? "" : ", for ",
         r.uptime_ms < 0 ? "" : span_text(span, r.uptime_ms * 1000000));
    say_code(answer, &r);
    say_tags(actor);
    say_versions(answer);
    say_mailbox(answer, &r);
    say_rates(actor, &r);
    say_supervisor(answer, &r);
    say_others(answer);
    say_error_of(answer);
    say_advice(stdout, "its story: iris explain ");
    printf("%s\n", *r.path ? r.path : "PATH");
}

int verb_inspect(int argc, char **argv)
{
    struct inspect i = {.common.timeout_ms = 5000};
    json_t *answer;
    parse_arguments(&inspect_argp, argc, argv, &i);
    int status = client_call(&i.common, "POST", "/v1/inspect",
                             json_pack("{s:s}", "target", i.target), &answer);
    if (answer)
        print(answer);
    json_decref(answer);
    return status;
}
