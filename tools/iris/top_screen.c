#include "top.h"

#include <locale.h>
#include <ncurses.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <wchar.h>
#include <wctype.h>

enum { HEAD = 3, FOOT = 2 }; /* lines above and below the rows */
enum { PAIR_BAD = 1, PAIR_WARN, PAIR_GOOD };

struct column {
    const char *name;
    int width; /* 0: as much as is left, with the others that say so */
    int right;
};

static const struct column columns[] = {
    {"PATH", 0, 0},   {"STATE", 12, 0},   {"MAILBOX", 8, 1}, {"MSG/S", 8, 1},    {"DEAD/S", 6, 1},
    {"OVER/S", 6, 1}, {"RESTARTS", 8, 1}, {"UPTIME", 7, 1},  {"VERSION", 10, 0}, {"HANDLER", 0, 0},
};
enum { COLUMNS = sizeof columns / sizeof columns[0] };

/* ---- opening ---- */

static void open_colors(const struct top *t)
{
    const char *no = getenv("NO_COLOR");
    if (t->no_color || (no && *no) || !has_colors())
        return;
    start_color();
    use_default_colors();
    init_pair(PAIR_BAD, COLOR_RED, -1);
    init_pair(PAIR_WARN, COLOR_YELLOW, -1);
    init_pair(PAIR_GOOD, COLOR_GREEN, -1);
}

/* Paths and files are UTF-8, also where nobody has said so. */
static void open_locale(void)
{
    setlocale(LC_CTYPE, "");
    if (MB_CUR_MAX == 1)
        setlocale(LC_CTYPE, "C.UTF-8");
}

int top_screen_open(const struct top *t)
{
    open_locale();
    if (!newterm(NULL, stdout, stdin))
        return -1;
    cbreak();
    noecho();
    nonl();
    keypad(stdscr, TRUE);
    set_escdelay(50);
    curs_set(0);
    open_colors(t);
    return 0;
}

void top_screen_close(void)
{
    endwin();
}

size_t top_screen_page(void)
{
    int n = LINES - HEAD - FOOT;
    return n > 1 ? (size_t)n : 1;
}

static int color(int pair)
{
    return COLORS > 1 && COLOR_PAIRS > pair ? COLOR_PAIR(pair) : 0;
}

/* ---- text ---- */

/* One character of UTF-8, and how many bytes it has; what is none, or would drive the terminal, is a '?'. */
static size_t take(const char *s, wchar_t *c)
{
    mbstate_t state = {0};
    size_t n = mbrtowc(c, s, strlen(s), &state);
    if (n == 0 || n == (size_t)-1 || n == (size_t)-2) {
        *c = L'?';
        return 1;
    }
    if (!iswprint((wint_t)*c))
        *c = L'?';
    return n;
}

static int width_of(const char *s)
{
    int width = 0;
    wchar_t c;
    for (; *s; s += take(s, &c), width += wcwidth(c) > 0 ? wcwidth(c) : 0)
        ;
    return width;
}

/* As much of it as there is room for, from x on; returns where it ends. */
static int put(int y, int x, int room, const char *s)
{
    wchar_t c;
    for (size_t n; *s && room > 0; s += n) {
        n = take(s, &c);
        int width = wcwidth(c) > 0 ? wcwidth(c) : 0;
        wchar_t one[2] = {c, 0};
        if (width > room)
            break;
        mvaddnwstr(y, x, one, 1);
        x += width;
        room -= width;
    }
    return x;
}

__attribute__((format(printf, 3, 4))) static int putf(int y, int x, const char *fmt, ...)
{
    char text[TOP_LINE + TOP_FILE + 64];
    va_list args;
    va_start(args, fmt);
    vsnprintf(text, sizeof text, fmt, args);
    va_end(args);
    return put(y, x, COLS - x, text);
}

/* ---- rows ---- */

/* Two thirds of what is left are the path's. */
static int width(int column)
{
    int left = COLS;
    for (int i = 0; i < COLUMNS; i++)
        left -= columns[i].width + 1;
    left = left < 36 ? 36 : left;
    if (columns[column].width)
        return columns[column].width;
    return column ? left / 3 : left - left / 3;
}

static int put_cell(int y, int x, int column, const char *text)
{
    int room = width(column), shift = columns[column].right ? room - width_of(text) : 0;
    int from = x + (shift > 0 ? shift : 0), most = COLS - from;
    if (most > 0)
        put(y, from, room < most ? room : most, text);
    return x + room + 1;
}

static const char *rate_text(char *room, double rate)
{
    snprintf(room, SPAN_ROOM, rate < 100 ? "%.1f" : "%.0f", rate);
    return room;
}

/* Its file's name: where that lies says iris inspect. */
static const char *handler_of(const struct actor_row *r)
{
    const char *slash = strrchr(r->handler, '/');
    return slash ? slash + 1 : *r->handler ? r->handler : r->behaviour;
}

static void cell_of(const struct actor_row *r, int column, char *room)
{
    switch (column) {
    case 0:
        snprintf(room, TOP_LINE, *r->path ? "%s" : "%s%lld", r->path, (long long)r->pid);
        break;
    case 1:
        actor_state(room, r);
        break;
    case 2:
        count_text(room, (uint64_t)r->mailbox);
        break;
    case 3:
        rate_text(room, r->rate);
        break;
    case 4:
        rate_text(room, r->dead_letter_rate);
        break;
    case 5:
        rate_text(room, r->overflow_rate);
        break;
    case 6:
        count_text(room, (uint64_t)r->restarts);
        break;
    case 7:
        r->uptime_ms < 0 ? strcpy(room, "-") : span_text(room, r->uptime_ms * 1000000);
        break;
    case 8:
        actor_version(room, r);
        break;
    case 9:
        snprintf(room, TOP_LINE, "%s", handler_of(r));
        break;
    }
}

static int style_of(const struct actor_row *r)
{
    if (!strcmp(r->state, "stuck") || (r->capacity && r->mailbox >= r->capacity))
        return color(PAIR_BAD);
    if (!strcmp(r->state, "backoff") || !strcmp(r->state, "stopping") || r->overflow_rate > 0 ||
        r->dead_letter_rate > 0)
        return color(PAIR_WARN);
    return 0;
}

static void draw_row(int y, const struct actor_row *r, int is_chosen)
{
    char text[TOP_LINE];
    int x = 0, style = style_of(r) | (is_chosen ? (int)A_REVERSE : 0);
    attrset(style);
    mvhline(y, 0, ' ', COLS);
    for (int i = 0; i < COLUMNS; i++) {
        *text = '\0';
        cell_of(r, i, text);
        x = put_cell(y, x, i, text);
    }
    attrset(0);
}

/* ---- all around them ---- */

static void draw_sums(const struct top *t)
{
    json_t *rates = json_object_get(t->answer, "rates");
    char total[SPAN_ROOM], queued[SPAN_ROOM];
    attrset(A_BOLD);
    int x = putf(0, 0, "iris top  %s", text_of(t->answer, "app"));
    attrset(0);
    if (!t->answer)
        return;
    count_text(total, (uint64_t)json_integer_value(json_object_get(t->answer, "total")));
    count_text(queued, (uint64_t)json_integer_value(json_object_get(t->answer, "queued")));
    putf(0, x, "  pid %lld  %s actors  %s queued  %.1f messages/s  %.1f dead/s  %.1f overflows/s",
         (long long)json_integer_value(json_object_get(t->answer, "pid")), total, queued,
         json_number_value(json_object_get(rates, "messages")),
         json_number_value(json_object_get(rates, "dead_letters")),
         json_number_value(json_object_get(rates, "overflows")));
}

static void draw_choice(const struct top *t)
{
    json_int_t matched = json_integer_value(json_object_get(t->answer, "matched"));
    char first[SPAN_ROOM], last[SPAN_ROOM], count[SPAN_ROOM];
    int x = putf(1, 0, "by %s%s", t->sort, t->reversed ? ", reversed" : "");
    if (*t->filter || t->mode == TOP_FILTER)
        x = putf(1, x, "  filter: %s%s", t->filter, t->mode == TOP_FILTER ? "_" : "");
    if (matched)
        putf(1, x, "  %s to %s of %s", count_text(first, t->skip + 1),
             count_text(last, t->skip + t->n), count_text(count, (uint64_t)matched));
    else if (t->answer)
        putf(1, x, "  none");
}

static void draw_heading(void)
{
    attrset(A_BOLD | A_UNDERLINE);
    mvhline(2, 0, ' ', COLS);
    for (int i = 0, x = 0; i < COLUMNS; i++)
        x = put_cell(2, x, i, columns[i].name);
    attrset(0);
}

static void draw_message(const struct top *t)
{
    const struct top_order *o = &t->order;
    int y = LINES - 2;
    if (t->mode == TOP_FILE_OF) {
        putf(y, 0, "swap %s to (empty: its file again): %s_", o->target, o->file);
    } else if (t->mode == TOP_CONFIRM) {
        attrset(A_BOLD);
        putf(y, 0, "%s %s%s%s? y, or any other key", top_verb_word(o->verb), o->target,
             *o->file ? " to " : "", o->file);
    } else {
        attrset(t->is_bad ? color(PAIR_BAD) | (int)A_BOLD : color(PAIR_GOOD));
        putf(y, 0, "%s", t->message);
    }
    attrset(0);
}

static void draw_keys(const struct top *t)
{
    static const char *const lines[] = {
        [TOP_LIST] = ("q quit  m mailbox  r rate  a age  p path  i reverse  / filter  R restart  "
                      "S swap  B rollback  ? more"),
        [TOP_FILTER] = "type a part of path, handler or host  Enter keep  Esc drop it",
        [TOP_FILE_OF] = "type a file  Enter go on  Esc drop it",
        [TOP_CONFIRM] = "y do it  any other key: not",
        [TOP_HELP] = "any key: back",
    };
    attrset(A_REVERSE);
    mvhline(LINES - 1, 0, ' ', COLS);
    put(LINES - 1, 0, COLS - 1, lines[t->mode]);
    attrset(0);
}

static void draw_help(void)
{
    static const char *const lines[] = {
        "m  by messages that wait      r  by messages a second",
        "d  by dead letters a second   o  by overflows a second",
        "a  by age, the oldest first   p  by path",
        "s  the next order, Tab too    i  the other way round",
        "",
        "/  only those with a text in path, handler, host or behaviour; Esc: all",
        "up, down, j, k, PgUp, PgDn, Home, End  choose an actor",
        "",
        "R  restart it in place: pid, path and mailbox stay",
        "S  swap its code: asks for the file",
        "B  roll back to the code before",
        "",
        "DEAD/S    messages that crashed it, or were dropped for newer ones",
        "OVER/S    messages that met its full mailbox",
    };
    for (size_t i = 0; i < sizeof lines / sizeof *lines; i++)
        put(HEAD + (int)i, 2, COLS - 2, lines[i]);
}

void top_screen_draw(const struct top *t)
{
    erase();
    draw_sums(t);
    draw_choice(t);
    if (t->mode == TOP_HELP) {
        draw_help();
    } else {
        draw_heading();
        for (size_t i = 0; i < t->n && i < top_screen_page(); i++)
            draw_row(HEAD + (int)i, &t->rows[i], i == t->chosen);
    }
    draw_message(t);
    draw_keys(t);
    refresh();
}
