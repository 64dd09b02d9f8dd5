#include "top.h"

#include <ncurses.h>
#include <string.h>

enum { ESCAPE = 27, CONTROL_U = 21, CONTROL_H = 8, DELETE = 127 };

/* ---- a line that is typed ---- */

static void add_character(char *text, size_t room, unsigned c)
{
    size_t n = strlen(text);
    char bytes[5] = "";
    if (c < 0x80)
        bytes[0] = (char)c;
    else if (c < 0x800)
        bytes[0] = (char)(0xc0 | c >> 6), bytes[1] = (char)(0x80 | (c & 0x3f));
    else if (c < 0x10000)
        bytes[0] = (char)(0xe0 | c >> 12), bytes[1] = (char)(0x80 | (c >> 6 & 0x3f)),
        bytes[2] = (char)(0x80 | (c & 0x3f));
    else
        bytes[0] = (char)(0xf0 | c >> 18), bytes[1] = (char)(0x80 | (c >> 12 & 0x3f)),
        bytes[2] = (char)(0x80 | (c >> 6 & 0x3f)), bytes[3] = (char)(0x80 | (c & 0x3f));
    if (n + strlen(bytes) < room)
        strcpy(text + n, bytes);
}

static void take_character(char *text)
{
    size_t n = strlen(text);
    while (n && ((unsigned char)text[--n] & 0xc0) == 0x80)
        ;
    text[n] = '\0';
}

/* 1: the text has changed. */
static int edit(char *text, size_t room, unsigned key, int is_code)
{
    if ((is_code && key == KEY_BACKSPACE) || (!is_code && (key == DELETE || key == CONTROL_H)))
        take_character(text);
    else if (!is_code && key == CONTROL_U)
        *text = '\0';
    else if (!is_code && key >= ' ')
        add_character(text, room, key);
    else
        return 0;
    return 1;
}

static int is_enter(unsigned key, int is_code)
{
    return is_code ? key == KEY_ENTER : key == '\n' || key == '\r';
}

static int filter_key(struct top *t, unsigned key, int is_code)
{
    int leaves = !is_code && key == ESCAPE;
    if (is_enter(key, is_code) || leaves)
        t->mode = TOP_LIST;
    if (leaves)
        *t->filter = '\0';
    t->skip = 0;
    return leaves || edit(t->filter, sizeof t->filter, key, is_code);
}

static int file_key(struct top *t, unsigned key, int is_code)
{
    if (!is_code && key == ESCAPE) {
        t->mode = TOP_LIST;
        top_say(t, 0, "nothing was done");
    } else if (is_enter(key, is_code)) {
        t->mode = TOP_CONFIRM;
    } else {
        edit(t->order.file, sizeof t->order.file, key, is_code);
    }
    return 0;
}

static int confirm_key(struct top *t, unsigned key, int is_code)
{
    t->mode = TOP_LIST;
    if (!is_code && (key == 'y' || key == 'Y'))
        top_order_begin(t);
    else
        top_say(t, 0, "nothing was done");
    return 0;
}

/* ---- the list ---- */

static void order(struct top *t, enum top_verb verb)
{
    struct top_order *o = &t->order;
    if (!t->n)
        return;
    if (atomic_load(&o->state) != TOP_IDLE) {
        top_say(t, 1, "%s %s is not over yet", top_verb_word(o->verb), o->target);
        return;
    }
    const struct actor_row *r = &t->rows[t->chosen];
    if (*r->path)
        snprintf(o->target, sizeof o->target, "%s", r->path);
    else
        snprintf(o->target, sizeof o->target, "%lld", (long long)r->pid);
    *o->file = '\0';
    o->verb = verb;
    t->mode = verb == TOP_SWAP ? TOP_FILE_OF : TOP_CONFIRM;
    *t->message = '\0';
}

static int sort_by(struct top *t, const char *word)
{
    t->reversed = 0;
    t->sort = word;
    t->skip = 0;
    return 1;
}

static int next_sort(struct top *t)
{
    static const char *const words[] = {"queue", "rate", "dead-letters", "overflows", "restarts",
                                        "age",   "path", "written",      "queue"};
    for (size_t i = 0; i + 1 < sizeof words / sizeof *words; i++)
        if (!strcmp(words[i], t->sort))
            return sort_by(t, words[i + 1]);
    return sort_by(t, words[0]);
}

static int step(struct top *t, long by)
{
    long to = (long)t->chosen + by;
    long matched = (long)json_integer_value(json_object_get(t->answer, "matched"));
    long first = (long)t->skip, n = (long)t->n, at = first + to;
    if (!t->n)
        return 0;
    at = at < 0 ? 0 : at >= matched ? matched - 1 : at;
    long skip = at < first ? at : at >= first + n ? at - n + 1 : first;
    t->skip = (size_t)skip;
    t->chosen = (size_t)(at - skip);
    t->pid = skip == first ? t->rows[t->chosen].pid : 0;
    return skip != first;
}

static int code_key(struct top *t, unsigned key, size_t page)
{
    switch (key) {
    case KEY_UP:
        return step(t, -1);
    case KEY_DOWN:
        return step(t, 1);
    case KEY_PPAGE:
        return step(t, -(long)page);
    case KEY_NPAGE:
        return step(t, (long)page);
    case KEY_HOME:
        return step(t, -1000000000L);
    case KEY_END:
        return step(t, 1000000000L);
    case KEY_RESIZE:
        return 1;
    }
    return 0;
}

static int sort_key(struct top *t, unsigned key)
{
    switch (key) {
    case 'm':
        return sort_by(t, "queue");
    case 'r':
        return sort_by(t, "rate");
    case 'd':
        return sort_by(t, "dead-letters");
    case 'o':
        return sort_by(t, "overflows");
    case 'a':
        return sort_by(t, "age");
    case 'p':
        return sort_by(t, "path");
    case 's':
    case '\t':
        return next_sort(t);
    case 'i':
        t->reversed = !t->reversed;
        return 1;
    case 'k':
        return step(t, -1);
    case 'j':
        return step(t, 1);
    }
    return 0;
}

static int list_key(struct top *t, unsigned key)
{
    switch (key) {
    case 'q':
        t->quits = 1;
        return 0;
    case '/':
        t->mode = TOP_FILTER;
        return 0;
    case '?':
    case 'h':
        t->mode = TOP_HELP;
        return 0;
    case 'R':
        order(t, TOP_RESTART);
        return 0;
    case 'S':
        order(t, TOP_SWAP);
        return 0;
    case 'B':
        order(t, TOP_ROLLBACK);
        return 0;
    case ESCAPE:
        *t->message = *t->filter = '\0';
        t->skip = 0;
        return 1;
    }
    return sort_key(t, key);
}

int top_key(struct top *t, unsigned key, int is_code, size_t page)
{
    if (is_code && key == KEY_RESIZE)
        return 1;
    switch (t->mode) {
    case TOP_FILTER:
        return filter_key(t, key, is_code);
    case TOP_FILE_OF:
        return file_key(t, key, is_code);
    case TOP_CONFIRM:
        return confirm_key(t, key, is_code);
    case TOP_HELP:
        t->mode = TOP_LIST;
        return 0;
    case TOP_LIST:
        break;
    }
    return is_code ? code_key(t, key, page) : list_key(t, key);
}
