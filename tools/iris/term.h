/* What is printed, and how: colours on a terminal only, tables that line up, errors of one shape. */
#ifndef IRIS_TOOL_TERM_H
#define IRIS_TOOL_TERM_H

#include <stdint.h>
#include <stdio.h>

enum term_style { TERM_PLAIN, TERM_BOLD, TERM_DIM, TERM_GREEN, TERM_YELLOW, TERM_RED };

/* The escape sequence for this stream, or "" (no terminal, NO_COLOR, TERM=dumb); PLAIN ends it. */
const char *term(FILE *, enum term_style);

/* "iris: MESSAGE", and "hint: HINT" if there is one, to stderr. */
void say_error(const char *message, const char *hint);
void say_errorf(const char *hint, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* Text of others: what would drive the terminal is written as \x1b, and a line behind the first one
 * begins with `next`, so that it cannot pass for a line of ours. */
void say_shown(FILE *, const char *text, size_t len, const char *next);

/* Text that names commands of ours ("undo: iris rollback /a"), as the user calls the program: a
 * clone's ./iris is not in the PATH. */
void say_advice(FILE *, const char *text);

/* A report of the library's, of many lines: those that begin with "hint: " are advice. */
void say_report(FILE *, const char *text);

/* A word of a command that is to be typed: quoted for the shell where that is needed. */
void say_word(FILE *, const char *word);

enum { TABLE_COLUMNS = 12 };

/* Rows of cells; the first one is the heading. A heading that begins with '>' puts its column to
 * the right. */
struct table {
    int columns, rows, room;
    char *(*cells)[TABLE_COLUMNS];
};

void table_add(struct table *, int column, const char *fmt, ...)
    __attribute__((format(printf, 3, 4))); /* column 0 begins a row */
void table_print(const struct table *, FILE *);
void table_finish(struct table *);

#define SPAN_ROOM 32
const char *span_text(char *room, int64_t ns);      /* "0.4 ms", "2.1 s", "3m 12s", "5d 01h" */
const char *count_text(char *room, uint64_t count); /* "41,200" */

/* The candidate that was probably meant, or NULL. */
const char *nearest(const char *word, const char *const *candidates);

#endif
