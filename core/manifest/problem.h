/* What is wrong with a file that a person wrote: where, what was found, what was expected, what to
 * do. A reader of such a file goes on after a mistake and puts each into one list, so that all are
 * told at once. The list keeps PROBLEMS_MAX and counts the rest: a hostile file cannot grow it. */
#ifndef IRIS_MANIFEST_PROBLEM_H
#define IRIS_MANIFEST_PROBLEM_H

#include "text.h"

#include <stddef.h>

#define PROBLEMS_MAX 20

struct problem {
    const char *code; /* stable short word for programs: "unknown-key"; static */
    char *file;
    char *pointer; /* JSON pointer to what is meant: "/actors/0/restart"; "" is the whole */
    char *message;
    char *hint;            /* or NULL */
    char *more;            /* lines of a handler's language about it; or NULL */
    unsigned line, column; /* from 1, in characters; 0: no place */
    char *source;          /* that line, or the part of it around the place; NULL without a place */
    size_t caret, width;   /* the place in `source`, in bytes */
    int at_key;            /* the name at `pointer` is meant, not the value */
};

struct problems {
    struct problem *items;
    size_t n;
    size_t more; /* how many were not kept */
};

/* Texts are copied, without control characters and broken UTF-8. NULL: not kept, and that is fine
 * for the two functions below. */
struct problem *iris__problem_add(struct problems *, const char *file, const char *pointer,
                                  const char *code, const char *fmt, ...)
    __attribute__((format(printf, 5, 6)));
void iris__problem_more(struct problem *, const char *lines);
void iris__problem_hint(struct problem *, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));

/* `width` bytes at `offset` of `text` are meant. */
void iris__problem_place(struct problem *, const char *text, size_t len, size_t offset,
                         size_t width);

int iris__problems_full(const struct problems *); /* one more would only be counted */
size_t iris__problems_count(const struct problems *);
void iris__problems_sort(struct problems *); /* by line and column; those without a place first */
void iris__problems_finish(struct problems *);

/* As a compiler says it: FILE:LINE:COLUMN: error: PATH: MESSAGE, the line, a caret, a hint. */
int iris__problems_text(const struct problems *, int colour, struct text *out);

/* [{"file","line","column","pointer","code","message","hint"}]: all members always, or null; "more" where there is more. */
int iris__problems_json(const struct problems *, struct text *out);

/* Appends; what could speak to a terminal (control characters, broken UTF-8) becomes "?". */
int iris__text_clean(struct text *out, const char *s, size_t len);

/* Line and column, from 1, of a byte of `text`. */
void iris__text_place(const char *text, size_t offset, unsigned *line, unsigned *column);

/* The length of the UTF-8 character at `s`, or 0: none. */
size_t iris__utf8(const char *s, size_t len);

#endif
