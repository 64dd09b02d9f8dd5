/* counter.h - what both versions of the counter share: the totals, in memory and as text, and how
 * messages are answered.
 *
 * Saved they look like this, whichever version writes them; so a version in another language could
 * take over as well:
 *
 *     lines 273
 *     action 12 install
 *     package 42 libc-bin status installed amd64 2.36-9+deb12u10       (events, name, the last one) */
#ifndef LOGWATCH_COUNTER_H
#define LOGWATCH_COUNTER_H

#include <iris/plugin.h>

#include "logwatch.h"
#include "tally.h"

#include <inttypes.h>
#include <stdio.h>

/* ---- the totals ---- */

struct totals {
    uint64_t lines, actions[ACTIONS];
    struct tally packages;
    /* These totals live on in a version that took them over. save() may only read a state, so what it
     * notes stands beside it. */
    int *saved;
};

/* An event, as logwatch.h describes it. */
struct event {
    struct slice day, package, architecture, version;
    int action;
};

/* Anybody can send us events: what goes into our books must be short, and letters. */
static inline int is_plain(struct slice s)
{
    for (size_t i = 0; i < s.len; i++)
        if (s.at[i] <= ' ' || s.at[i] > '~')
            return 0;
    return s.len > 0 && s.len <= 128;
}

static inline struct event event_read(struct slice line)
{
    struct event e;
    e.day = slice_cut(&line, '\t');
    e.action = action_named(slice_cut(&line, '\t'));
    e.package = slice_cut(&line, '\t');
    e.architecture = slice_cut(&line, '\t');
    e.version = slice_cut(&line, '\t');
    if (!is_plain(e.day) || !is_plain(e.package) || !is_plain(e.architecture) ||
        !is_plain(e.version))
        e.action = MALFORMED;
    return e;
}

static inline void remember(struct entry *e, struct slice last)
{
    char *copy = slice_copy(last);
    if (!copy)
        return; /* what was the last one before is better than nothing */
    free(e->last);
    e->last = copy;
}

static inline int totals_init(struct totals *t)
{
    t->saved = calloc(1, sizeof *t->saved);
    return t->saved ? IRIS_OK : IRIS_FAIL;
}

static inline void totals_add(struct totals *t, const struct event *e)
{
    char last[512];
    *t->saved = 0;
    t->lines++;
    t->actions[e->action]++;
    if (e->action == MALFORMED || slice_is(e->package, "-"))
        return;
    struct entry *package = tally_add(&t->packages, e->package, 1);
    int n =
        snprintf(last, sizeof last, "%s %.*s %.*s", actions[e->action], (int)e->architecture.len,
                 e->architecture.at, (int)e->version.len, e->version.at);
    if (package)
        remember(package, (struct slice){last, (size_t)n});
}

static inline void totals_finish(struct totals *t)
{
    tally_finish(&t->packages);
    free(t->saved);
}

/* ---- answers ---- */

static inline void totals_print(const struct totals *t, FILE *out)
{
    fprintf(out, "lines %" PRIu64, t->lines);
    for (int i = 0; i < MALFORMED; i++)
        if (t->actions[i])
            fprintf(out, "  %s %" PRIu64, actions[i], t->actions[i]);
    fprintf(out, "  malformed %" PRIu64, t->actions[MALFORMED]);
}

static inline int by_count(const void *a, const void *b)
{
    const struct entry *x = *(struct entry *const *)a, *y = *(struct entry *const *)b;
    int order = (x->count < y->count) - (x->count > y->count);
    return order ? order : strcmp(x->name, y->name);
}

static inline void top_print(const struct tally *t, size_t most, FILE *out)
{
    struct entry **order = malloc((t->n + 1) * sizeof *order);
    for (size_t i = 0; order && i < t->n; i++)
        order[i] = &t->entries[i];
    if (order)
        qsort(order, t->n, sizeof *order, by_count);
    for (size_t i = 0; order && i < t->n && i < most; i++)
        fprintf(out, "%s%s %" PRIu64, i ? "  " : "", order[i]->name, order[i]->count);
    if (!t->n)
        fputs("no package yet", out);
    free(order);
}

static inline void package_print(const struct tally *t, struct slice name, FILE *out)
{
    const struct entry *e = tally_find(t, name);
    if (e)
        fprintf(out, "%s %" PRIu64 "  last: %s", e->name, e->count, e->last ? e->last : "-");
    else
        fputs("no event of such a package; some that there are: top 5", out);
}

/* 0: not a question that every version knows. */
static inline int totals_answer(const struct totals *t, struct slice question, FILE *out)
{
    struct slice word = slice_cut(&question, ' ');
    char number[8] = "";
    if (slice_is(word, "totals") && !question.len) {
        totals_print(t, out);
    } else if (slice_is(word, "top") && question.len < sizeof number) {
        memcpy(number, question.at, question.len);
        unsigned long most = strtoul(number, NULL, 10);
        top_print(&t->packages, most ? most : 5, out);
    } else if (slice_is(word, "package") && question.len) {
        package_print(&t->packages, question, out);
    } else {
        return 0;
    }
    return 1;
}

/* What it was is told too, as far as a terminal can show it. */
static inline void unknown_print(struct slice question, const char *known, FILE *out)
{
    putc('"', out);
    for (size_t i = 0; i < question.len && i < 40; i++)
        putc(question.at[i] >= ' ' && question.at[i] <= '~' ? question.at[i] : '?', out);
    fprintf(out, "%s\" is not a question here; ask: %s", question.len > 40 ? "..." : "", known);
}

/* ---- saved ---- */

static inline void totals_save(const void *state, FILE *out)
{
    const struct totals *t = state;
    fprintf(out, "lines %" PRIu64 "\n", t->lines);
    for (int i = 0; i < ACTIONS; i++)
        fprintf(out, "action %" PRIu64 " %s\n", t->actions[i], actions[i]);
    for (size_t i = 0; i < t->packages.n; i++) {
        const struct entry *e = &t->packages.entries[i];
        fprintf(out, "package %" PRIu64 " %s %s\n", e->count, e->name, e->last ? e->last : "-");
    }
    fprintf(out, "others %" PRIu64 "\n", t->packages.others);
}

/* "123 ..." -> 123, and what is behind the blank. */
static inline int number_cut(struct slice *rest, uint64_t *number)
{
    char text[24] = "", *end;
    struct slice digits = slice_cut(rest, ' ');
    if (!digits.len || digits.len >= sizeof text)
        return -1;
    memcpy(text, digits.at, digits.len);
    *number = strtoull(text, &end, 10);
    return *end ? -1 : 0;
}

static inline int package_load(struct totals *t, struct slice rest, uint64_t count)
{
    struct slice name = slice_cut(&rest, ' ');
    struct entry *e = name.len ? tally_add(&t->packages, name, count) : NULL;
    if (e)
        remember(e, rest);
    return e ? 0 : -1;
}

/* One line of what totals_save() wrote; -1: it is none. */
static inline int totals_load(void *state, struct slice line)
{
    struct totals *t = state;
    uint64_t count;
    struct slice word = slice_cut(&line, ' ');
    if (number_cut(&line, &count))
        return -1;
    if (slice_is(word, "package"))
        return package_load(t, line, count);
    if (slice_is(word, "lines"))
        t->lines = count;
    else if (slice_is(word, "action"))
        t->actions[action_named(line)] = count;
    else if (slice_is(word, "others"))
        t->packages.others = count;
    else
        return -1;
    return 0;
}

static inline int write_state(void (*save)(const void *state, FILE *), const void *state,
                              iris_sink *sink)
{
    char *text = NULL;
    size_t len;
    FILE *out = open_memstream(&text, &len);
    if (!out)
        return IRIS_FAIL;
    save(state, out);
    int failed = fclose(out);
    int result = failed ? IRIS_FAIL : sink->write(sink, text, len);
    free(text);
    return result;
}

static inline int read_state(int (*load)(void *state, struct slice line), void *state,
                             iris_bytes saved)
{
    struct slice text = {saved.data, saved.len};
    while (text.len)
        if (load(state, slice_cut(&text, '\n')))
            return IRIS_FAIL;
    return IRIS_OK;
}

/* ---- messages ---- */

/* In what the versions differ. */
struct counter {
    const iris_api *api;
    void (*count)(void *state, const struct event *);
    void (*answer)(const void *state, struct slice question, FILE *out);
};

/* The one to answer gets it; where nobody asked, as with `iris send`, it is said aloud. */
static inline int reply(const struct counter *c, iris_actor *self, uint64_t to, const char *text,
                        size_t len)
{
    if (to)
        c->api->send(self, to, text, len, 0); /* it may have gone away meanwhile: not our concern */
    else
        c->api->log(self, IRIS_INFO, "%s", text);
    return IRIS_OK;
}

static inline int answer(const struct counter *c, iris_actor *self, const void *state,
                         const iris_message *m)
{
    char *text = NULL;
    size_t len;
    FILE *out = open_memstream(&text, &len);
    if (!out)
        return c->api->fail("no memory for an answer");
    c->answer(state, (struct slice){m->data, m->len}, out);
    int failed = fclose(out);
    int result =
        failed ? c->api->fail("no memory for an answer") : reply(c, self, m->ref, text, len);
    free(text);
    return result;
}

/* All that was sent before the question has been counted when we get to it: so there is room. */
static inline int grant(const struct counter *c, iris_actor *self, struct slice serial, uint64_t to)
{
    char text[64];
    int n = snprintf(text, sizeof text, TAKE "%.*s %d", serial.len < 24 ? (int)serial.len : 24,
                     serial.at, CREDIT_LINES);
    return reply(c, self, to, text, (size_t)n);
}

/* At the end of an actor its totals go to the log. A version that was swapped away has nothing to say:
 * fini() is called for its state too, but the totals are not at their end. */
static inline void say_last(const struct counter *c, iris_actor *self, const void *state,
                            const struct totals *t)
{
    static const iris_message question = {.kind = IRIS_USER, .len = 6, .data = "totals"};
    if (!*t->saved)
        answer(c, self, state, &question); /* nobody asked, so it is said aloud */
}

static inline int receive(const struct counter *c, iris_actor *self, void *state,
                          const iris_message *m)
{
    struct slice text = {m->data, m->len};
    if (m->kind != IRIS_USER)
        return IRIS_OK;
    if (m->ref && slice_begins(text, CREDIT)) {
        slice_cut(&text, ' ');
        return grant(c, self, text, m->ref);
    }
    if (!slice_begins(text, EVENTS))
        return answer(c, self, state, m);
    slice_cut(&text, '\n');
    while (text.len) {
        struct event e = event_read(slice_cut(&text, '\n'));
        c->count(state, &e);
    }
    return IRIS_OK;
}

static inline int receive_all(const struct counter *c, iris_actor *self, void *state,
                              const iris_message *const *messages, int n)
{
    for (int i = 0; i < n; i++) {
        if (i && c->api->due(self))
            return i;
        if (receive(c, self, state, messages[i]))
            return ~i;
    }
    return n;
}

#endif
