/* args.h - the text of one key of an actor's args, which init() gets as JSON text: {"file": "/a/b"}.
 *
 * The manifest's reader has made sure that it is JSON. This understands as much of it as this example
 * needs: an object of texts, or of lists of texts. A bigger program takes a JSON library. */
#ifndef LOGWATCH_ARGS_H
#define LOGWATCH_ARGS_H

#include <iris/plugin.h>

#include <stdlib.h>
#include <string.h>

struct args {
    const char *at, *end;
};

static inline char args_peek(struct args *a)
{
    while (a->at < a->end && strchr(" \t\r\n", *a->at))
        a->at++;
    return a->at < a->end ? *a->at : '\0';
}

/* One character of a string, the way JSON writes it. */
static inline char args_character(struct args *a)
{
    static const char names[] = "bfnrt", meant[] = "\b\f\n\r\t";
    char c = *a->at++;
    if (c != '\\' || a->at >= a->end)
        return c;
    c = *a->at++;
    const char *name = strchr(names, c);
    if (c == 'u' && a->end - a->at >= 4) { /* "\u001b": only what UTF-8 text cannot hold plainly */
        char digits[5] = {a->at[0], a->at[1], a->at[2], a->at[3], '\0'};
        a->at += 4;
        return (char)strtol(digits, NULL, 16);
    }
    return c && name ? meant[name - names] : c;
}

/* A string, in memory of its own; NULL where there is none. */
static inline char *args_string(struct args *a)
{
    if (args_peek(a) != '"')
        return NULL;
    char *text = malloc((size_t)(a->end - a->at)); /* it gets no longer */
    size_t n = 0;
    for (a->at++; text && a->at < a->end && *a->at != '"';)
        text[n++] = args_character(a);
    a->at += a->at < a->end;
    if (text)
        text[n] = '\0';
    return text;
}

/* Steps behind a value, or behind what is left of a list or object. */
static inline void args_skip(struct args *a)
{
    int depth = 0;
    do {
        char c = args_peek(a);
        depth += (c == '[' || c == '{') - (c == ']' || c == '}');
        if (c == '"')
            free(args_string(a));
        else
            a->at += a->at < a->end;
    } while (a->at < a->end && (depth > 0 || !strchr(",]}", args_peek(a))));
}

static inline int args_find(struct args *a, const char *key)
{
    if (args_peek(a) != '{')
        return 0;
    for (a->at++; args_peek(a) == '"'; a->at += args_peek(a) == ',') {
        char *name = args_string(a);
        int found = name && strcmp(name, key) == 0;
        free(name);
        if (args_peek(a) == ':')
            a->at++;
        if (found)
            return 1;
        args_skip(a);
    }
    return 0;
}

/* The text of `key`, or element `index` of the list of texts that it is. NULL: there is none; else
 * the caller frees it. */
static inline char *args_text(iris_bytes json, const char *key, unsigned index)
{
    struct args a = {json.data, (const char *)json.data + json.len};
    if (!json.len || !args_find(&a, key))
        return NULL;
    if (args_peek(&a) != '[')
        return index ? NULL : args_string(&a);
    for (a.at++; index && args_peek(&a) == '"'; index--) {
        free(args_string(&a));
        a.at += args_peek(&a) == ',';
    }
    return args_string(&a);
}

#endif
