/* parser.c - turns lines of dpkg's log into events.
 *
 *   2025-06-24 14:36:29 install libgdbm6:amd64 <none> 1.23-3
 *   2025-06-24 14:36:29 status unpacked libgdbm6:amd64 1.23-3
 *   2025-06-24 14:36:25 startup archives unpack
 *   2025-07-08 06:14:40 conffile /etc/ca-certificates.conf keep
 *
 * It keeps nothing between two messages but where to send the events, so it can be replaced at any
 * time. dpkg(1) describes the log. */
#include <iris/ext/name.h>
#include <iris/plugin.h>

#include "args.h"
#include "logwatch.h"

#include <stdio.h>

static const iris_api *api;
static const iris_name *names;

/* ---- one line ---- */

enum { WORDS = 6, LETTERS_OF_A_NAME = 128 };

struct line {
    struct slice word[WORDS];
    int words; /* may be more than fit */
};

static void split(struct slice text, struct line *line)
{
    *line = (struct line){.words = 0};
    while (text.len) {
        size_t n = 0;
        while (n < text.len && text.at[n] != ' ' && text.at[n] != '\t')
            n++;
        if (n && line->words++ < WORDS)
            line->word[line->words - 1] = (struct slice){text.at, n};
        n += n < text.len;
        text.at += n;
        text.len -= n;
    }
}

/* Is it of this shape? '9' in the shape stands for any digit. */
static int has_shape(struct slice s, const char *shape)
{
    if (s.len != strlen(shape))
        return 0;
    for (size_t i = 0; i < s.len; i++)
        if (shape[i] == '9' ? s.at[i] < '0' || s.at[i] > '9' : s.at[i] != shape[i])
            return 0;
    return 1;
}

static int is_made_of(struct slice s, const char *letters)
{
    for (size_t i = 0; i < s.len; i++)
        if (!s.at[i] || !strchr(letters, s.at[i]))
            return 0;
    return s.len > 0 && s.len <= LETTERS_OF_A_NAME;
}

#define SMALL "abcdefghijklmnopqrstuvwxyz0123456789"
#define LARGE "ABCDEFGHIJKLMNOPQRSTUVWXYZ"

struct event {
    struct slice day, package, architecture, version;
    int action;
};

/* "libc6:amd64" and its version. */
static int read_package(struct slice name, struct slice version, struct event *e)
{
    static const struct slice none = {"-", 1};
    int qualified = memchr(name.at, ':', name.len) != NULL;
    e->package = slice_cut(&name, ':');
    e->architecture = qualified ? name : none;
    e->version = slice_is(version, "<none>") ? none : version;
    return is_made_of(e->package, SMALL "+.-") && is_made_of(e->architecture, SMALL "-") &&
           is_made_of(e->version, SMALL LARGE "+.:~-");
}

/* "install", or "status" and "unpacked": together they are the action. */
static int read_action(const struct line *line)
{
    char name[64];
    struct slice verb = line->word[2], state = line->word[3];
    if (!slice_is(verb, "status"))
        return action_named(verb);
    int n = snprintf(name, sizeof name, "status %.*s", (int)(state.len < 40 ? state.len : 40),
                     state.at);
    return action_named((struct slice){name, (size_t)n});
}

static int read_line(const struct line *line, struct event *e)
{
    const struct slice *w = line->word;
    if (line->words < 5 || !has_shape(w[0], "9999-99-99") || !has_shape(w[1], "99:99:99"))
        return 0;
    e->day = w[0];
    e->action = read_action(line);
    if (slice_is(w[2], "startup") || slice_is(w[2], "conffile"))
        return line->words == 5;
    if (line->words != 6 || e->action == MALFORMED)
        return 0;
    if (slice_is(w[2], "status"))
        return read_package(w[4], w[5], e);
    int nothing_new = slice_is(w[5], "<none>"); /* ACTION PACKAGE OLD NEW */
    return read_package(w[3], nothing_new ? w[4] : w[5], e);
}

/* A line that makes no sense is an event too: it is counted, not lost. */
static struct event parse(struct slice text)
{
    static const struct slice none = {"-", 1};
    const struct event malformed = {none, none, none, none, MALFORMED};
    struct event e = malformed;
    struct line line;
    split(text, &line);
    return read_line(&line, &e) ? e : malformed;
}

/* ---- messages ---- */

static void write_event(FILE *out, const struct event *e)
{
    const struct slice fields[] = {e->day,
                                   {actions[e->action], strlen(actions[e->action])},
                                   e->package,
                                   e->architecture,
                                   e->version};
    for (int i = 0; i < 5; i++) {
        fwrite(fields[i].at, 1, fields[i].len, out);
        putc(i < 4 ? '\t' : '\n', out);
    }
}

/* The lines of one message, as one message of events. */
static int pass_lines(iris_actor *self, uint64_t to, struct slice lines)
{
    char *text = NULL;
    size_t len;
    FILE *out = open_memstream(&text, &len);
    if (!out)
        return api->fail("no memory for the events of %zu bytes", lines.len);
    fputs(EVENTS, out);
    while (lines.len) {
        struct event e = parse(slice_cut(&lines, '\n'));
        write_event(out, &e);
    }
    int failed = fclose(out);
    int result = failed ? api->fail("no memory for the events") : api->send(self, to, text, len, 0);
    free(text);
    return result;
}

/* Who asks the parser something, for credit or for totals, gets the counter's answer. */
static int pass(iris_actor *self, const char *path, const iris_message *m)
{
    if (m->kind != IRIS_USER)
        return IRIS_OK;
    uint64_t to = names->find(self, path); /* each time: another actor may have the path by now */
    if (m->ref)
        return api->send(self, to, m->data, m->len, m->ref);
    return pass_lines(self, to, (struct slice){m->data, m->len});
}

static int handle(const iris_behaviour *b, iris_actor *self, void *state,
                  const iris_message *const *messages, int n)
{
    (void)b;
    for (int i = 0; i < n; i++) {
        if (i && api->due(self))
            return i;
        int result = pass(self, state, messages[i]);
        if (result == IRIS_FULL) /* somebody sends without credit: keep the message until there */
            return i;            /* is room, and whoever sent it is told that ours is full */
        if (result < 0)
            return ~i;
        if (result)
            api->log(self, IRIS_ERROR, "%u bytes are lost: %s does not take them",
                     (unsigned)messages[i]->len, (const char *)state);
    }
    return n;
}

/* ---- state: the path that events go to ---- */

static int init(const iris_behaviour *b, iris_actor *self, iris_bytes args, void **state)
{
    (void)b, (void)self;
    *state = args_text(args, "to", 0);
    return *state ? IRIS_OK : api->fail("args: expected {\"to\": PATH}, whom to send events to");
}

static void fini(const iris_behaviour *b, iris_actor *self, void *state)
{
    (void)b, (void)self;
    free(state);
}

static int save(const iris_behaviour *b, iris_actor *self, const void *state, iris_sink *sink)
{
    (void)b, (void)self;
    return sink->write(sink, state, strlen(state));
}

static int upgrade(const iris_behaviour *b, iris_actor *self, uint32_t from, iris_bytes saved,
                   void **state)
{
    (void)b, (void)self;
    if (from != 1)
        return api->fail("a state of version %u; this parser knows version 1", from);
    *state = slice_copy((struct slice){saved.data, saved.len});
    return *state ? IRIS_OK : api->fail("no memory");
}

static const iris_behaviour parser = {
    .size = sizeof parser,
    .abi = IRIS_ABI,
    .name = "parser",
    .version = "1.0.0",
    .state_version = 1,
    .handle = handle,
    .init = init,
    .fini = fini,
    .save = save,
    .upgrade = upgrade,
};

static const char *const needs[] = {IRIS_NAME, NULL};
static const iris_behaviour *const behaviours[] = {&parser, NULL};

IRIS_NOTE("parser", "1.0.0");

static const iris_plugin plugin = {
    .size = sizeof plugin,
    .abi = IRIS_ABI,
    .name = "parser",
    .version = "1.0.0",
    .needs = needs,
    .behaviours = behaviours,
};

const iris_plugin *iris_plugin_entry(const iris_api *given)
{
    api = given;
    names = api->extension(IRIS_NAME);
    return &plugin;
}
