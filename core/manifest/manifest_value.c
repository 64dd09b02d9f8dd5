#include "manifest_reading.h"

#include <stdlib.h>
#include <string.h>

#define LOWER "abcdefghijklmnopqrstuvwxyz"
#define UPPER "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
#define DIGITS "0123456789"

/* ---- where a value goes ---- */

static void *place(const struct manifest_key *key, void *base)
{
    return key->at ? (char *)base + key->at - 1 : NULL;
}

/* A word is an int, unless the key also takes a number: then it is its 0, as "unbounded". */
static void keep_number(const struct manifest_key *key, void *base, int64_t n)
{
    if (key->at && key->types & (MANIFEST_INT | MANIFEST_DURATION | MANIFEST_SIZE))
        *(int64_t *)place(key, base) = n;
    else if (key->at)
        *(int *)place(key, base) = (int)n;
}

void iris__manifest_keep_list(const struct manifest_key *key, void *base, void *elements, size_t n)
{
    if (!key->at)
        return;
    *(void **)place(key, base) = elements;
    *(size_t *)((char *)place(key, base) + sizeof(void *)) = n;
}

/* ---- texts ---- */

static int is_label(const char *s, const char *first, const char *rest, size_t most)
{
    return *s && strchr(first, *s) && s[strspn(s, rest)] == '\0' && strlen(s) <= most;
}

/* "/" or /a/b: no empty part, none but plain characters. */
int iris__manifest_is_path(const char *s, int64_t min)
{
    if (!strcmp(s, "/"))
        return min <= 1;
    if (strlen(s) > MANIFEST_PATH_MAX || *s != '/')
        return 0;
    for (size_t n; *s; s += 1 + n) {
        n = *s == '/' ? strspn(s + 1, LOWER UPPER DIGITS "_.@-") : 0;
        if (n == 0)
            return 0;
    }
    return 1;
}

static int is_right(const struct manifest_key *key, const char *s)
{
    if (key->types & (MANIFEST_PATH | MANIFEST_PATHS))
        return iris__manifest_is_path(s, key->min);
    if (key->types & MANIFEST_NAME)
        return is_label(s, LOWER, LOWER DIGITS "-", 63);
    if (key->types & MANIFEST_HOST)
        return is_label(s, LOWER, LOWER DIGITS "_-", 63);
    if (key->types & (MANIFEST_ADDRESS | MANIFEST_ADDRESSES))
        return iris__manifest_is_address(s);
    if (key->types & MANIFEST_NODE)
        return iris__manifest_is_node(s);
    if (key->types & MANIFEST_REMOTE)
        return strrchr(s, '@') > s && iris__manifest_is_node(strrchr(s, '@') + 1);
    if (key->types & MANIFEST_LABEL)
        return is_label(s, LOWER UPPER "_", LOWER UPPER DIGITS "_.@-", 128);
    return (int64_t)strlen(s) >= key->min;
}

/* The string with its variables replaced, in the value too: messages show what it came to. */
static const char *expanded(struct reading *r, json_t *v)
{
    const char *s = iris__manifest_expand(r, json_string_value(v));
    if (s && strcmp(s, json_string_value(v)))
        json_string_set(v, s);
    return s;
}

const char *iris__manifest_text(struct reading *r, const struct manifest_key *key, json_t *v)
{
    const char *s = expanded(r, v);
    if (s && iris__manifest_shows_secret(r, key, s))
        return NULL;
    if (!s || is_right(key, s))
        return s;
    iris__manifest_wrong_value(r, key, v);
    return NULL;
}

static void read_text(struct reading *r, const struct manifest_key *key, json_t *v, void *base)
{
    const char *s = iris__manifest_text(r, key, v);
    if (s && key->at)
        *(const char **)place(key, base) = s;
}

void iris__manifest_strings(struct reading *r, const struct manifest_key *key, json_t *v,
                            void *base, unsigned type, iris__manifest_keep *read)
{
    struct manifest_key element = *key;
    const char **list = iris__manifest_alloc(r, json_array_size(v) * sizeof *list);
    size_t n = 0;
    element.types = type;
    for (size_t i = 0; i < json_array_size(v); i++) {
        json_t *one = json_array_get(v, i);
        size_t back = iris__pointer_index(&r->pointer, i);
        const char *s = NULL;
        if (json_is_string(one))
            s = read(r, &element, one);
        else
            iris__manifest_wrong_kind(r, &element, one);
        if (s && list)
            list[n++] = s;
        iris__pointer_back(&r->pointer, back);
    }
    iris__manifest_keep_list(key, base, list, n);
}

static void planned_word(struct reading *r, const struct manifest_key *key, const char *word)
{
    struct text what = {0};
    iris__text_addf(&what, "\"%s\" ", word);
    iris__manifest_not_built(r, key, what.data ? what.data : "");
    iris__text_finish(&what);
}

static void read_word(struct reading *r, const struct manifest_key *key, json_t *v, void *base)
{
    const char *s = expanded(r, v);
    int word = s ? iris__manifest_word(key->words, s) : -1;
    if (word >= 0)
        keep_number(key, base, word);
    else if (s && iris__manifest_word(key->planned_words, s) >= 0)
        planned_word(r, key, s);
    else if (s)
        iris__manifest_wrong_value(r, key, v);
}

/* ---- numbers ---- */

static void read_integer(struct reading *r, const struct manifest_key *key, json_t *v, void *base)
{
    int64_t n = json_integer_value(v);
    if (n < key->min || n > key->max)
        iris__manifest_wrong_value(r, key, v);
    else
        keep_number(key, base, n);
}

static void read_number(struct reading *r, const struct manifest_key *key, json_t *v, void *base)
{
    double n = json_number_value(v);
    if (n < (double)key->min || n > (double)key->max)
        iris__manifest_wrong_value(r, key, v);
    else if (key->at)
        *(double *)place(key, base) = n;
}

static void read_bool(struct reading *r, const struct manifest_key *key, json_t *v, void *base)
{
    if (key->types & MANIFEST_DIRECTORIES) /* a list of none, or no list */
        iris__manifest_keep_list(
            key, base, json_is_true(v) ? iris__manifest_alloc(r, sizeof(char *)) : NULL, 0);
    else if (key->at)
        *(int *)place(key, base) = json_is_true(v);
}

static int to_quantity(const struct manifest_key *key, const json_t *v, int64_t *n)
{
    const char *s = json_string_value(v);
    int is_size = !!(key->types & MANIFEST_SIZE);
    if (s)
        return is_size ? iris__size(s, n) : iris__duration(s, n);
    *n = json_integer_value(v);
    return is_size ? -(*n < 0) : iris__duration_ms(*n, n);
}

static void read_quantity(struct reading *r, const struct manifest_key *key, json_t *v, void *base)
{
    int64_t n;
    if (json_is_string(v) && !expanded(r, v))
        return;
    if (to_quantity(key, v, &n) || n < key->min)
        iris__manifest_wrong_value(r, key, v);
    else
        keep_number(key, base, n);
}

/* ---- the rest ---- */

void iris__manifest_keep_json(struct reading *r, const struct manifest_key *key, const json_t *v,
                              void *base)
{
    char *text = v ? json_dumps(v, JSON_COMPACT | JSON_ENCODE_ANY) : NULL;
    if (text)
        *(const char **)place(key, base) = iris__manifest_copy(r, text, strlen(text));
    else
        r->no_memory = 1;
    free(text);
}

static void read_any(struct reading *r, const struct manifest_key *key, json_t *v, void *base)
{
    if (iris__manifest_expand_all(r, v) == 0)
        iris__manifest_keep_json(r, key, v, base);
}

static void read_default(const struct manifest_key *key, void *base)
{
    int64_t n = 0;
    if (key->types & MANIFEST_INT)
        keep_number(key, base, strtoll(key->def, NULL, 10));
    else if (key->types & MANIFEST_NUMBER)
        *(double *)place(key, base) = strtod(key->def, NULL);
    else if (key->types & MANIFEST_DURATION && !iris__duration(key->def, &n))
        keep_number(key, base, n);
    else if (key->types & MANIFEST_WORD)
        keep_number(key, base, iris__manifest_word(key->words, key->def));
    else if (key->types & MANIFEST_BOOL && !(key->types & MANIFEST_DIRECTORIES))
        keep_number(key, base, !strcmp(key->def, "true"));
    else if (key->types & MANIFEST_PATH)
        *(const char **)place(key, base) = key->def;
}

void iris__manifest_defaults(const char *where, void *base)
{
    size_t n = strlen(where);
    for (const struct manifest_key *k = iris__manifest_keys; k->name; k++)
        if (!strncmp(k->where, where, n) && k->at && k->def)
            read_default(k, base);
}

int iris__manifest_scalar(struct reading *r, const struct manifest_key *key, json_t *v, void *base)
{
    static const struct {
        unsigned types;
        json_type json;
        void (*read)(struct reading *, const struct manifest_key *, json_t *, void *);
    } readers[] = {
        {MANIFEST_INT, JSON_INTEGER, read_integer},
        {MANIFEST_NUMBER, JSON_INTEGER, read_number},
        {MANIFEST_NUMBER, JSON_REAL, read_number},
        {MANIFEST_BOOL, JSON_TRUE, read_bool},
        {MANIFEST_BOOL, JSON_FALSE, read_bool},
        {MANIFEST_DURATION | MANIFEST_SIZE, JSON_INTEGER, read_quantity},
        {MANIFEST_DURATION | MANIFEST_SIZE, JSON_STRING, read_quantity},
        {MANIFEST_WORD, JSON_STRING, read_word},
        {MANIFEST_TEXTS, JSON_STRING, read_text},
    };
    if (key->types & MANIFEST_ANY)
        return read_any(r, key, v, base), 0;
    if (json_is_string(v) && iris__manifest_word(key->words, json_string_value(v)) >= 0)
        return read_word(r, key, v, base), 0; /* "kill" is no duration */
    for (size_t i = 0; i < sizeof readers / sizeof *readers; i++)
        if (key->types & readers[i].types && json_typeof(v) == readers[i].json)
            return readers[i].read(r, key, v, base), 0;
    return -1;
}
