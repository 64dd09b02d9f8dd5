/* The one table of manifest keys. Checks, defaults and messages come from it, and so do the JSON
 * Schema, `iris explain KEY` and the manual page (keys.h): a key is added here and nowhere else. */
#ifndef IRIS_MANIFEST_MANIFEST_KEYS_H
#define IRIS_MANIFEST_MANIFEST_KEYS_H

#include "text.h"

#include <jansson.h>

#include <stddef.h>
#include <stdint.h>

enum manifest_type { /* a key may take several */
                     MANIFEST_STRING = 1 << 0,
                     MANIFEST_WORD = 1 << 1,  /* one of .words */
                     MANIFEST_NAME = 1 << 2,  /* of an app */
                     MANIFEST_LABEL = 1 << 3, /* of an actor in the registry */
                     MANIFEST_HOST = 1 << 4,
                     MANIFEST_PATH = 1 << 5, /* /a/b */
                     MANIFEST_DURATION = 1 << 6,
                     MANIFEST_SIZE = 1 << 7,
                     MANIFEST_INT = 1 << 8,
                     MANIFEST_NUMBER = 1 << 9,
                     MANIFEST_BOOL = 1 << 10,
                     MANIFEST_PATHS = 1 << 11,   /* list of paths */
                     MANIFEST_STRINGS = 1 << 12, /* list of strings */
                     MANIFEST_OBJECTS = 1 << 13, /* list of objects with the keys of .child */
                     MANIFEST_OBJECT = 1 << 14,  /* object with the keys of .child */
                     MANIFEST_ENV = 1 << 15,     /* object of variables: any names, strings */
                     MANIFEST_ANY = 1 << 16,
                     MANIFEST_MAP = 1 << 17,  /* object of names: objects with the keys of .child */
                     MANIFEST_FREE = 1 << 18, /* object with any keys */
                     MANIFEST_DIRECTORY = 1 << 19, /* relative to the manifest's */
                     MANIFEST_DIRECTORIES = 1 << 20,
                     MANIFEST_LEVELS = 1 << 21, /* object of paths: words of MANIFEST_LEVEL_WORDS */
                     MANIFEST_ADDRESS = 1 << 22,   /* HOST:PORT; or beside it OBJECT */
                     MANIFEST_ADDRESSES = 1 << 23, /* list of these: each a string or an object */
                     MANIFEST_REMOTE = 1 << 24,    /* NAME@NODE */
                     MANIFEST_NODE = 1 << 25       /* name of a node */
};

enum manifest_live {                   /* what `iris apply` does about another value */
                     MANIFEST_NOTHING, /* it has no effect of its own on what runs */
                     MANIFEST_AT_ONCE,
                     MANIFEST_SWAPS,
                     MANIFEST_RESTARTS, /* its actor, in place */
                     MANIFEST_FIXED     /* refuse it */
};

/* In the order of IRIS_DEBUG_LEVEL .. IRIS_ERROR, which begin with 1. */
#define MANIFEST_LEVEL_WORDS "trace debug info warn error "

struct manifest_key {
    const char *where; /* the object it stands in: "", "actors[]", "actors[].swap" */
    const char *name;
    unsigned types;
    const char *words; /* of a WORD, with a space behind each */
    const char *planned_words;
    const char *child; /* OBJECT, OBJECTS: the .where of the keys inside */
    const char *def;   /* as it would be written, or NULL */
    int64_t min, max;  /* of an INT or NUMBER; min also: length of a text. max 0: no limit to
                          speak of */
    int required;
    const char *unless; /* of a required one: this key may stand instead */
    int planned;        /* part of the plan, but not built yet */
    int live;           /* enum manifest_live */
    size_t at; /* 1 + where in the struct it is kept (a NUMBER as a double; of an OBJECT: an int,
                    1 where it is there); 0: nowhere */
    const char *meaning;
    const char *more; /* further sentences for its manual, or NULL */
};

extern const struct manifest_key iris__manifest_keys[]; /* ends with a NULL name */

const struct manifest_key *iris__manifest_key(const char *where, const char *name);

/* "a string", "a whole number or an object": which kinds of JSON value the key takes. */
int iris__manifest_kinds(const struct manifest_key *, struct text *out);

/* "a whole number, at least 1", "\"always\" or \"never\"": which values it takes. */
int iris__manifest_values(const struct manifest_key *, struct text *out);

/* The place of `word` in a list of words, or -1. */
int iris__manifest_word(const char *words, const char *word);

#endif
