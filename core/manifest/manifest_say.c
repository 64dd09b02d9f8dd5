#include "manifest_reading.h"
#include "redact.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SHOWN 40 /* bytes of a value that a message repeats */

size_t iris__pointer_key(struct text *pointer, const char *key, size_t len)
{
    size_t back = pointer->len;
    iris__text_add(pointer, "/", 1);
    for (size_t i = 0; i < len; i++) {
        const char *c = key[i] == '~' ? "~0" : key[i] == '/' ? "~1" : NULL;
        iris__text_add(pointer, c ? c : key + i, c ? 2 : 1);
    }
    return back;
}

size_t iris__pointer_index(struct text *pointer, size_t index)
{
    size_t back = pointer->len;
    iris__text_addf(pointer, "/%zu", index);
    return back;
}

void iris__pointer_back(struct text *pointer, size_t to)
{
    pointer->len = to;
    if (pointer->data)
        pointer->data[to] = '\0';
}

struct problem *iris__manifest_problem(struct reading *r, const char *code, const char *fmt, ...)
{
    if (iris__problems_full(r->problems)) /* spare the formatting: it may be the 100,000th */
        return r->problems->more++, NULL;
    const char *pointer = r->pointer.data ? r->pointer.data : "";
    const char *set = json_string_value(json_object_get(r->set_keys, pointer));
    char *message = NULL;
    va_list args;
    va_start(args, fmt);
    int n = vasprintf(&message, fmt, args);
    va_end(args);
    if (n < 0)
        return r->no_memory = 1, NULL;
    struct problem *p = iris__problem_add(r->problems, set ? set : r->m->file, set ? "" : pointer,
                                          code, "%s", message);
    free(message);
    return p;
}

/* ---- what the key takes ---- */

static void add_words(const char *words, struct text *list)
{
    for (size_t n; words && *words; words += n + 1) {
        n = strcspn(words, " ");
        iris__text_addf(list, "\"%.*s\"\n", (int)n, words);
    }
}

/* "a\nb\nc\n" -> "a, b or c" */
static int join(struct text *list, struct text *out)
{
    int failed = 0;
    const char *s = list->data ? list->data : "";
    for (size_t n; *s; s += n + 1) {
        n = strcspn(s, "\n");
        int last = !s[n] || !s[n + 1], before_last = !last && !strchr(s + n + 1, '\n')[1];
        failed |= iris__text_addf(out, "%.*s%s", (int)n, s,
                                  last          ? ""
                                  : before_last ? " or "
                                                : ", ");
    }
    iris__text_finish(list);
    return failed;
}

#define UNITS (MANIFEST_DURATION | MANIFEST_SIZE)

int iris__manifest_kinds(const struct manifest_key *key, struct text *out)
{
    static const struct {
        unsigned types;
        const char *kind;
    } kinds[] = {
        {MANIFEST_INT, "a whole number"},
        {MANIFEST_NUMBER, "a number"},
        {MANIFEST_BOOL, "true or false"},
        {MANIFEST_TEXTS | MANIFEST_DIRECTORY, "a string"},
        {UNITS, "a string or a whole number"},
        {MANIFEST_PATHS | MANIFEST_STRINGS | MANIFEST_DIRECTORIES, "a list of strings"},
        {MANIFEST_ADDRESSES, "a list of addresses"},
        {MANIFEST_OBJECTS, "a list of objects"},
        {MANIFEST_OBJECT | MANIFEST_ENV | MANIFEST_MAP | MANIFEST_FREE | MANIFEST_LEVELS,
         "an object"},
    };
    struct text list = {0};
    unsigned types = key->types;
    if (types == MANIFEST_WORD)
        iris__text_addf(&list, "a string\n");
    else if (types & MANIFEST_WORD)
        add_words(key->words, &list);
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
        if (types & kinds[i].types)
            iris__text_addf(&list, "%s\n", kinds[i].kind);
    return join(&list, out);
}

static void add_range(const struct manifest_key *key, struct text *list)
{
    if (key->min == key->max)
        iris__text_addf(list, "%lld\n", (long long)key->min);
    else
        iris__text_addf(list, "a whole number from %lld to %lld\n", (long long)key->min,
                        (long long)key->max);
}

static void add_share(const struct manifest_key *key, struct text *list)
{
    iris__text_addf(list, "a number from %lld to %lld\n", (long long)key->min, (long long)key->max);
}

static const char *text_rule(const struct manifest_key *key)
{
    static const struct {
        unsigned type;
        const char *rule;
    } rules[] = {
        {MANIFEST_NAME, "a lower-case letter, then up to 62 of a-z, 0-9 and \"-\""},
        {MANIFEST_HOST, "a lower-case letter, then up to 62 of a-z, 0-9, \"_\" and \"-\""},
        {MANIFEST_LABEL, "a letter or \"_\", then up to 127 of A-Z, a-z, 0-9 and \"_.@-\""},
        {MANIFEST_ADDRESS | MANIFEST_ADDRESSES, "an address HOST:PORT, such as 127.0.0.1:9000"},
        {MANIFEST_NODE, "a node's name: up to 255 of A-Z, a-z, 0-9 and \"_.-\""},
        {MANIFEST_REMOTE, "NAME@NODE, such as payments@b"},
        {MANIFEST_DURATION, "a duration above 0, such as 250ms, 5s, 1m or 2h"},
        {MANIFEST_SIZE, "a size such as 512B, 64KiB or 2GiB"},
        {MANIFEST_STRING | MANIFEST_DIRECTORY | MANIFEST_DIRECTORIES, "a string that is not empty"},
    };
    for (size_t i = 0; i < sizeof rules / sizeof *rules; i++)
        if (key->types & rules[i].type)
            return rules[i].rule;
    return key->min > 1 ? "a path below \"/\", such as /shop/ledger" : "a path such as /shop";
}

int iris__manifest_values(const struct manifest_key *key, struct text *out)
{
    struct text list = {0};
    unsigned types = key->types;
    if (types & MANIFEST_INT)
        add_range(key, &list);
    if (types & MANIFEST_NUMBER)
        add_share(key, &list);
    add_words(types & MANIFEST_WORD ? key->words : NULL, &list);
    if (types & (MANIFEST_TEXTS | UNITS | MANIFEST_PATHS | MANIFEST_DIRECTORY))
        iris__text_addf(&list, "%s\n", text_rule(key));
    if (types & MANIFEST_OBJECT)
        iris__text_addf(&list, "an object\n");
    return join(&list, out);
}

/* ---- what was found ---- */

static void add_quoted(const struct reading *r, const char *text, struct text *out)
{
    char *hidden = iris__redacted(r->m->secrets, text); /* before it is cut */
    const char *s = hidden ? hidden : text;
    size_t n = strlen(s);
    int cut = n > SHOWN;
    for (n = cut ? SHOWN : n; cut && n > 0 && ((unsigned char)s[n] & 0xc0) == 0x80; n--)
        ;
    iris__text_addf(out, "\"%.*s%s\"", (int)n, s, cut ? "..." : "");
    free(hidden);
}

static void add_value(const struct reading *r, const json_t *v, struct text *out)
{
    static const char *const names[] = {[JSON_OBJECT] = "an object",
                                        [JSON_ARRAY] = "a list",
                                        [JSON_TRUE] = "true",
                                        [JSON_FALSE] = "false",
                                        [JSON_NULL] = "null"};
    if (json_is_string(v))
        add_quoted(r, json_string_value(v), out);
    else if (json_is_integer(v))
        iris__text_addf(out, "%lld", (long long)json_integer_value(v));
    else if (json_is_real(v))
        iris__text_addf(out, "%g", json_real_value(v));
    else
        iris__text_addf(out, "%s", names[json_typeof(v)]);
}

static void add_kind(const struct reading *r, const json_t *v, struct text *out)
{
    struct text value = {0};
    add_value(r, v, &value);
    if (json_is_string(v))
        iris__text_addf(out, "a string (%s)", value.data);
    else if (json_is_number(v))
        iris__text_addf(out, "a number (%s)", value.data);
    else
        iris__text_addf(out, "%s", value.data);
    iris__text_finish(&value);
}

/* ---- sentences ---- */

void iris__manifest_wrong_kind(struct reading *r, const struct manifest_key *key, const json_t *v)
{
    struct text expected = {0}, found = {0};
    iris__manifest_kinds(key, &expected);
    add_kind(r, v, &found);
    iris__manifest_problem(r, "wrong-type", "must be %s, but is %s", expected.data, found.data);
    iris__text_finish(&expected);
    iris__text_finish(&found);
}

static void add_advice(struct problem *p, const struct manifest_key *key, const json_t *v)
{
    struct nearest near = {.word = json_is_string(v) ? json_string_value(v) : ""};
    if (p && key->types & MANIFEST_WORD)
        iris__nearest_words(&near, key->words);
    if (near.best)
        iris__problem_hint(p, "did you mean \"%.*s\"?", (int)near.len, near.best);
    else if (key->types & MANIFEST_DURATION)
        iris__problem_hint(p, "a number and us, ms, s, m or h; a number without quotes is ms");
    else if (key->types & MANIFEST_SIZE)
        iris__problem_hint(p, "a number and B, KiB, MiB or GiB; a number without quotes is bytes");
}

void iris__manifest_wrong_value(struct reading *r, const struct manifest_key *key, const json_t *v)
{
    struct text expected = {0}, found = {0};
    if (key->types & (MANIFEST_PATH | MANIFEST_PATHS) &&
        json_string_length(v) > MANIFEST_PATH_MAX) {
        iris__manifest_problem(r, "bad-value",
                               "found a path of %zu characters; expected at most %d",
                               json_string_length(v), MANIFEST_PATH_MAX);
        return;
    }
    iris__manifest_values(key, &expected);
    add_value(r, v, &found);
    struct problem *p =
        iris__manifest_problem(r, "bad-value", "found %s; expected %s", found.data, expected.data);
    add_advice(p, key, v);
    iris__text_finish(&expected);
    iris__text_finish(&found);
}

void iris__manifest_at_key(struct problem *p)
{
    if (p)
        p->at_key = 1;
}

void iris__manifest_not_built(struct reading *r, const struct manifest_key *key, const char *what)
{
    struct problem *p =
        iris__manifest_problem(r, "not-built", "%sis part of the plan but not built yet", what);
    struct text values = {0};
    iris__manifest_values(key, &values);
    if (key->planned)
        iris__manifest_at_key(p);
    else
        iris__problem_hint(p, "this version takes %s", values.data);
    iris__text_finish(&values);
}

static void add_names(const char *where, struct text *out)
{
    for (const struct manifest_key *k = iris__manifest_keys; k->name; k++)
        if (!strcmp(k->where, where) && !k->planned)
            iris__text_addf(out, "%s%s", out->len ? ", " : "", k->name);
}

void iris__manifest_unknown_key(struct reading *r, const char *where, const char *name)
{
    struct problem *p = iris__manifest_problem(r, "unknown-key", "unknown key");
    if (!p)
        return;
    iris__manifest_at_key(p);
    struct nearest near = {.word = name};
    for (const struct manifest_key *k = iris__manifest_keys; k->name; k++)
        if (!strcmp(k->where, where))
            iris__nearest_try(&near, k->name, strlen(k->name));
    struct text names = {0};
    add_names(where, &names);
    if (near.best)
        iris__problem_hint(p, "did you mean \"%s\"?", near.best);
    else
        iris__problem_hint(p, "the keys here are %s; a key of your own begins with x-", names.data);
    iris__text_finish(&names);
}
