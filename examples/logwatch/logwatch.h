/* logwatch.h - what the actors of this example tell each other. All of it is text.
 *
 *     reader -------- lines -------> parser ------- events ------> counter
 *        \-- credit --------------------> \-- credit ----------------->/
 *         \<-------------------------------------------------- take --/
 *
 * lines    whole lines of dpkg's log, each with its newline. One message holds many of them.
 * events   "events\n", then for each line, good or not, one event:
 *              DAY \t ACTION \t PACKAGE \t ARCHITECTURE \t VERSION \n       ("-": it has none)
 * credit   "credit SERIAL": how many lines may I send? The reader sends none that nobody has room
 *          for, so nothing is dropped and nothing piles up, however long the log is. The parser makes
 *          one event of one line, so it has no opinion: it passes the question on, and the counter's
 *          answer goes straight to the reader.
 * take     "take SERIAL COUNT": the answer. It comes behind the lines that were sent before the
 *          question, because messages from one actor to another keep their order. */
#ifndef LOGWATCH_H
#define LOGWATCH_H

#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#define EVENTS "events\n"
#define CREDIT "credit "
#define TAKE "take "

/* Lines that may be on their way at a time. A message holds at least one, so no mailbox of the
 * manifest needs more room. */
enum { CREDIT_LINES = 1000 };

/* What can happen to a package, in the order of the alphabet; and a line that says nothing known. */
static const char *const actions[] = {
    "conffile",
    "configure",
    "disappear",
    "install",
    "purge",
    "remove",
    "startup",
    "status config-files",
    "status half-configured",
    "status half-installed",
    "status installed",
    "status not-installed",
    "status triggers-awaited",
    "status triggers-pending",
    "status unpacked",
    "trigproc",
    "upgrade",
    "malformed",
};
enum { ACTIONS = sizeof actions / sizeof actions[0], MALFORMED = ACTIONS - 1 };

/* A piece of somebody else's text: messages are not terminated, and may hold any byte. */
struct slice {
    const char *at;
    size_t len;
};

static inline int slice_is(struct slice s, const char *word)
{
    return s.len == strlen(word) && memcmp(s.at, word, s.len) == 0;
}

static inline int slice_begins(struct slice s, const char *word)
{
    return s.len >= strlen(word) && memcmp(s.at, word, strlen(word)) == 0;
}

/* Takes what is in front of the separator off `rest`, and the separator too. */
static inline struct slice slice_cut(struct slice *rest, char separator)
{
    const char *end = rest->len ? memchr(rest->at, separator, rest->len) : NULL;
    struct slice s = {rest->at, end ? (size_t)(end - rest->at) : rest->len};
    size_t gone = s.len + (end != NULL);
    rest->at += gone;
    rest->len -= gone;
    return s;
}

/* Terminated, in memory of its own. NULL: there is none. */
static inline char *slice_copy(struct slice s)
{
    char *copy = malloc(s.len + 1);
    if (!copy)
        return NULL;
    if (s.len)
        memcpy(copy, s.at, s.len);
    copy[s.len] = '\0';
    return copy;
}

static inline int action_named(struct slice name)
{
    for (int i = 0; i < ACTIONS; i++)
        if (slice_is(name, actions[i]))
            return i;
    return MALFORMED;
}

#endif
