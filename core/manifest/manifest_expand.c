#include "manifest_reading.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#define NAME_CHARACTERS "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_"
#define NAME_LONGEST 127

/* ${NAME} ${NAME:-default} ${NAME:?message}; all point into the string it stands in. */
struct variable {
    char name[NAME_LONGEST + 1];
    char how; /* '-', '?' or 0 */
    const char *operand, *end;
};

int iris__manifest_is_variable(const char *name)
{
    size_t n = strspn(name, NAME_CHARACTERS);
    return n > 0 && n <= NAME_LONGEST && !name[n] && !isdigit((unsigned char)*name);
}

/* `s` is behind "${". A default has no variables of its own: "}" would end the outer one. */
static int parse(const char *s, struct variable *v)
{
    size_t n = strspn(s, NAME_CHARACTERS);
    const char *rest = s + n;
    *v = (struct variable){.end = strchr(s, '}')};
    if (!v->end || n == 0 || n > NAME_LONGEST || isdigit((unsigned char)*s))
        return -1;
    memcpy(v->name, s, n);
    if (rest == v->end)
        return 0;
    if (rest[0] != ':' || (rest[1] != '-' && rest[1] != '?'))
        return -1;
    v->how = rest[1];
    v->operand = rest + 2;
    const char *inner = strstr(v->operand, "${");
    return inner && inner < v->end ? -1 : 0;
}

static int malformed(struct reading *r, const char *dollar)
{
    const char *end = strchr(dollar, '}');
    size_t n = end ? (size_t)(end - dollar) + 1 : strlen(dollar);
    if (dollar[1] != '{')
        n = 1 + strspn(dollar + 1, NAME_CHARACTERS);
    struct problem *p = iris__manifest_problem(
        r, "bad-variable",
        "found \"%.*s%s\"; expected ${NAME}, ${NAME:-default} or ${NAME:?message}",
        n > 40 ? 40 : (int)n, dollar, n > 40 ? "..." : "");
    iris__problem_hint(p, "a plain $ is written $$");
    return -1;
}

/* What is being read is a value of "env". */
static int is_neighbour(const struct reading *r, const char *name)
{
    return r->pointer.data && !strncmp(r->pointer.data, "/env/", 5) &&
           json_object_get(json_object_get(r->root, "env"), name);
}

static int unset(struct reading *r, const struct variable *v)
{
    if (is_neighbour(r, v->name)) {
        iris__manifest_problem(r, "unset-variable",
                               "found ${%s}; a value of \"env\" cannot refer to \"env\"", v->name);
        return -1;
    }
    int n = v->how == '?' ? (int)(v->end - v->operand) : 0;
    struct problem *p = iris__manifest_problem(r, "unset-variable", "${%s} is not set%s%.*s",
                                               v->name, n ? ": " : "", n, n ? v->operand : "");
    iris__problem_hint(p, "--set env.%s=VALUE, or a default: ${%s:-VALUE}", v->name, v->name);
    return -1;
}

static int too_large(struct reading *r)
{
    if (r->grown <= MANIFEST_GROWTH_MAX) /* once is enough */
        iris__manifest_problem(r, "too-big", "variables add up to more than %d MiB",
                               MANIFEST_GROWTH_MAX >> 20);
    r->grown = MANIFEST_GROWTH_MAX + 1;
    return -1;
}

/* A few names in a small file can stand for gigabytes: the sum is bounded. */
static int add(struct reading *r, struct text *out, const char *s, size_t n)
{
    if (r->grown + n > MANIFEST_GROWTH_MAX)
        return too_large(r);
    r->grown += n;
    if (iris__text_add(out, s, n))
        r->no_memory = 1;
    return r->no_memory ? -1 : 0;
}

/* An app has to find the files that came with it wherever it is started from; of what the process's
 * environment says of that name nobody knows whose directory it is. */
static const char *look_up(const struct reading *r, const char *name)
{
    const char *value = json_string_value(json_object_get(r->own, name));
    if (!value)
        value = json_string_value(json_object_get(r->env, name));
    if (!value && !strcmp(name, "IRIS_APP_DIR"))
        return r->m->dir;
    return value ? value : getenv(name);
}

static int add_variable(struct reading *r, const char **s, struct text *out)
{
    struct variable v;
    if (parse(*s + 2, &v))
        return malformed(r, *s);
    if (json_object_set_new(r->used, v.name, json_true()))
        r->no_memory = 1;
    const char *value = look_up(r, v.name);
    if (value && !*value && v.how) /* as in the shell, ':' takes empty for unset */
        value = NULL;
    *s = v.end + 1;
    if (value)
        return add(r, out, value, strlen(value));
    if (v.how == '-')
        return add(r, out, v.operand, (size_t)(v.end - v.operand));
    return unset(r, &v);
}

/* One piece of the string: up to the next '$', or what begins with it. */
static int add_piece(struct reading *r, const char **s, struct text *out)
{
    size_t n = strcspn(*s, "$");
    const char *at = *s;
    if (n == 0 && at[1] == '{')
        return add_variable(r, s, out);
    if (n == 0 && (isalpha((unsigned char)at[1]) || at[1] == '_'))
        return malformed(r, at);
    if (n == 0) /* "$$", or a '$' that cannot be meant for a variable, as in "5 $" */
        n = 1;
    *s += n + (at[0] == '$' && at[1] == '$');
    return add(r, out, at, n);
}

static int is_utf8(const struct text *t)
{
    for (size_t i = 0, n; i < t->len; i += n)
        if (!(n = iris__utf8(t->data + i, t->len - i)))
            return 0;
    return 1;
}

static int expand(struct reading *r, const char *s, struct text *out)
{
    while (*s)
        if (add_piece(r, &s, out))
            return -1;
    if (is_utf8(out))
        return 0;
    iris__manifest_problem(r, "not-utf8", "a variable here is not UTF-8 text");
    return -1;
}

const char *iris__manifest_expand(struct reading *r, const char *s)
{
    if (!strchr(s, '$'))
        return iris__manifest_copy(r, s, strlen(s));
    struct text out = {0};
    const char *copy = NULL;
    if (!expand(r, s, &out))
        copy = iris__manifest_copy(r, out.data ? out.data : "", out.len);
    iris__text_finish(&out);
    return copy;
}

static int expand_string(struct reading *r, json_t *v)
{
    struct text out = {0};
    int failed = 0;
    if (strchr(json_string_value(v), '$'))
        failed =
            expand(r, json_string_value(v), &out) || json_string_set(v, out.data ? out.data : "");
    iris__text_finish(&out);
    return failed;
}

int iris__manifest_expand_all(struct reading *r, json_t *v)
{
    size_t back = r->pointer.len;
    int failed = json_is_string(v) && expand_string(r, v);
    for (size_t i = 0; i < json_array_size(v); i++) {
        iris__pointer_index(&r->pointer, i);
        failed |= iris__manifest_expand_all(r, json_array_get(v, i));
        iris__pointer_back(&r->pointer, back);
    }
    for (void *i = json_object_iter(v); i; i = json_object_iter_next(v, i)) {
        iris__pointer_key(&r->pointer, json_object_iter_key(i), json_object_iter_key_len(i));
        failed |= iris__manifest_expand_all(r, json_object_iter_value(i));
        iris__pointer_back(&r->pointer, back);
    }
    return failed ? -1 : 0;
}
