#include "term.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

const char *term(FILE *to, enum term_style style)
{
    static const char *const codes[] = {
        [TERM_PLAIN] = "\033[0m",  [TERM_BOLD] = "\033[1m",    [TERM_DIM] = "\033[2m",
        [TERM_GREEN] = "\033[32m", [TERM_YELLOW] = "\033[33m", [TERM_RED] = "\033[1;31m",
    };
    const char *no = getenv("NO_COLOR"), *kind = getenv("TERM");
    if ((no && *no) || !kind || !strcmp(kind, "dumb") || !isatty(fileno(to)))
        return "";
    return codes[style];
}

/* Bytes of the control character that stands here, or 0. Those of UTF-8 from U+0080 to U+009F are some
 * too: U+009B begins a sequence as ESC [ does. */
static size_t control(const char *s, size_t len)
{
    const unsigned char *c = (const unsigned char *)s;
    if (c[0] < ' ' || c[0] == 0x7f)
        return c[0] != '\n' && c[0] != '\t';
    return len > 1 && c[0] == 0xc2 && c[1] >= 0x80 && c[1] < 0xa0 ? 2 : 0;
}

/* How much of it can be written as it is: up to a control character, or with the end of its line. */
static size_t plain_run(const char *text, size_t len)
{
    size_t n = 0;
    while (n < len && !control(text + n, len - n))
        if (text[n++] == '\n')
            break;
    return n;
}

/* In runs: stderr has no buffer, and with PYTHONUNBUFFERED, Python takes that of stdout. */
void say_shown(FILE *to, const char *text, size_t len, const char *next)
{
    for (size_t i = 0, n; i < len; i += n) {
        n = plain_run(text + i, len - i);
        if (n) {
            fwrite(text + i, 1, n, to);
            if (text[i + n - 1] == '\n' && i + n < len)
                fputs(next, to);
            continue;
        }
        n = control(text + i, len - i);
        for (size_t k = 0; k < n; k++)
            fprintf(to, "\\x%02x", (unsigned char)text[i + k]);
    }
}

void say_word(FILE *to, const char *word)
{
    static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
                                "_-+=:,./@%";
    if (*word && !word[strspn(word, plain)]) {
        fputs(word, to);
        return;
    }
    putc('\'', to);
    for (; *word; word++)
        *word == '\'' ? fputs("'\\''", to) : putc(*word, to);
    putc('\'', to);
}

void say_advice(FILE *to, const char *text)
{
    const char *program = getenv("IRIS_PROGRAM");
    for (const char *at = text; *at; at++) {
        int begins = at == text || at[-1] == ' ' || at[-1] == '`';
        if (!begins || strncmp(at, "iris ", 5)) {
            putc(*at, to);
            continue;
        }
        say_word(to, program ? program : "iris");
        at += strlen("iris") - 1;
    }
}

void say_report(FILE *to, const char *text)
{
    for (size_t n; *text; text += n) {
        n = strcspn(text, "\n");
        n += text[n] == '\n';
        char *hint = strncmp(text, "hint: ", 6) ? NULL : strndup(text, n);
        if (hint)
            say_advice(to, hint);
        else
            say_shown(to, text, n, "");
        free(hint);
    }
}

void say_error(const char *message, const char *hint)
{
    fflush(stdout);
    fprintf(stderr, "%siris:%s ", term(stderr, TERM_RED), term(stderr, TERM_PLAIN));
    say_shown(stderr, message, strlen(message), "  ");
    putc('\n', stderr);
    if (!hint)
        return;
    fprintf(stderr, "%shint:%s ", term(stderr, TERM_BOLD), term(stderr, TERM_PLAIN));
    say_advice(stderr, hint);
    putc('\n', stderr);
}

void say_errorf(const char *hint, const char *fmt, ...)
{
    char *message = NULL;
    va_list args;
    va_start(args, fmt);
    int n = vasprintf(&message, fmt, args);
    va_end(args);
    say_error(n < 0 ? "out of memory" : message, hint);
    if (n >= 0)
        free(message);
}

/* ---- tables ---- */

/* Most texts are, as they are. */
static int is_printable(const char *s)
{
    while (*s >= ' ' && *s < 0x7f)
        s++;
    return !*s;
}

/* A cell is one line of printable text. */
static char *cell_of(char *text)
{
    if (is_printable(text))
        return text;
    char *shown = NULL;
    size_t len;
    FILE *out = open_memstream(&shown, &len);
    if (!out)
        abort();
    for (char *c = text; *c; c++)
        *c = *c == '\n' || *c == '\t' ? ' ' : *c;
    say_shown(out, text, strlen(text), "");
    if (fclose(out))
        abort();
    free(text);
    return shown;
}

static void add_row(struct table *t)
{
    if (t->rows == t->room) {
        t->room = t->room ? 2 * t->room : 64;
        t->cells = realloc(t->cells, sizeof *t->cells * (size_t)t->room);
        if (!t->cells)
            abort();
    }
    memset(t->cells[t->rows++], 0, sizeof *t->cells);
}

void table_add(struct table *t, int column, const char *fmt, ...)
{
    if (column == 0)
        add_row(t);
    va_list args;
    va_start(args, fmt);
    char *text;
    if (vasprintf(&text, fmt, args) < 0)
        abort();
    va_end(args);
    t->cells[t->rows - 1][column] = cell_of(text);
    if (column >= t->columns)
        t->columns = column + 1;
}

/* Places on the screen: bytes that begin a character. */
static int width(const char *s)
{
    int n = 0;
    for (; s && *s; s++)
        n += (*s & 0xc0) != 0x80;
    return n;
}

static void print_blanks(FILE *to, int n)
{
    for (; n > 0; n--)
        putc_unlocked(' ', to);
}

static void print_cell(FILE *to, const char *s, int room, int right, int last)
{
    int pad = last && !right ? 0 : room - width(s);
    if (right)
        print_blanks(to, pad);
    fputs(s ? s : "", to);
    if (!last)
        print_blanks(to, (right ? 0 : pad) + 2);
}

static void print_row(const struct table *t, int row, const int *widths, FILE *to)
{
    for (int c = 0; c < t->columns; c++) {
        const char *cell = t->cells[row][c];
        int right = t->cells[0][c][0] == '>';
        print_cell(to, cell + (row == 0 && right), widths[c], right, c == t->columns - 1);
    }
    fputc('\n', to);
}

void table_print(const struct table *t, FILE *to)
{
    int widths[TABLE_COLUMNS] = {0};
    for (int r = 0; r < t->rows; r++)
        for (int c = 0; c < t->columns; c++) {
            int n = width(t->cells[r][c]) - (r == 0 && t->cells[r][c][0] == '>');
            widths[c] = n > widths[c] ? n : widths[c];
        }
    for (int r = 0; r < t->rows; r++) {
        if (r == 0)
            fputs(term(to, TERM_BOLD), to);
        print_row(t, r, widths, to);
        if (r == 0)
            fputs(term(to, TERM_PLAIN), to);
    }
}

void table_finish(struct table *t)
{
    for (int r = 0; r < t->rows; r++)
        for (int c = 0; c < TABLE_COLUMNS; c++)
            free(t->cells[r][c]);
    free(t->cells);
    *t = (struct table){0};
}

/* ---- numbers ---- */

const char *span_text(char *room, int64_t ns)
{
    double ms = (double)ns / 1e6;
    int64_t s = ns / 1000000000;
    if (ms < 1000)
        snprintf(room, SPAN_ROOM, "%.*f ms", ms < 0.1 ? 3 : ms < 10 ? 1 : 0, ms);
    else if (s < 60)
        snprintf(room, SPAN_ROOM, "%.1f s", ms / 1000);
    else if (s < 3600)
        snprintf(room, SPAN_ROOM, "%dm %02ds", (int)(s / 60), (int)(s % 60));
    else if (s < 86400)
        snprintf(room, SPAN_ROOM, "%dh %02dm", (int)(s / 3600), (int)(s / 60 % 60));
    else
        snprintf(room, SPAN_ROOM, "%dd %02dh", (int)(s / 86400), (int)(s / 3600 % 24));
    return room;
}

const char *count_text(char *room, uint64_t count)
{
    char digits[SPAN_ROOM], *out = room;
    int n = snprintf(digits, sizeof digits, "%llu", (unsigned long long)count);
    for (int i = 0; i < n; i++) {
        if (i && (n - i) % 3 == 0)
            *out++ = ',';
        *out++ = digits[i];
    }
    *out = '\0';
    return room;
}

/* ---- words ---- */

/* How many letters to add, take, change or exchange. */
static int distance(const char *a, const char *b)
{
    if (!*a || !*b)
        return (int)(strlen(a) + strlen(b));
    if (*a == *b)
        return distance(a + 1, b + 1);
    if (a[1] && a[0] == b[1] && a[1] == b[0])
        return 1 + distance(a + 2, b + 2);
    int change = distance(a + 1, b + 1), add = distance(a, b + 1), take = distance(a + 1, b);
    int best = change < add ? change : add;
    return 1 + (best < take ? best : take);
}

const char *nearest(const char *word, const char *const *candidates)
{
    const char *found = NULL;
    int best = 3;
    if (strlen(word) > 10) /* the recursion is for short words */
        return NULL;
    for (; *candidates; candidates++) {
        int d = distance(word, *candidates);
        if (d < best && d < (int)strlen(*candidates)) {
            best = d;
            found = *candidates;
        }
    }
    return found;
}
