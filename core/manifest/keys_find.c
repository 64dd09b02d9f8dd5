#include "keys.h"

#include "fail.h"
#include "nearest.h"

#include <iris/app.h>
#include <string.h>

int iris__key_where(const char *where, struct text *out)
{
    int failed = 0;
    for (const char *s = where; *s; s++) {
        if (*s == '[' || *s == ']')
            continue;
        failed |= *s == '*' ? iris__text_addf(out, "NAME") : iris__text_add(out, s, 1);
    }
    return failed;
}

int iris__key_path(const struct manifest_key *k, struct text *out)
{
    return iris__key_where(k->where, out) |
           iris__text_addf(out, "%s%s", *k->where ? "." : "", k->name);
}

/* One part of a key, without what stands in brackets behind it. */
static size_t part(const char *s, size_t *skip)
{
    size_t n = strcspn(s, ".");
    *skip = n + (s[n] == '.');
    return strcspn(s, "[") < n ? strcspn(s, "[") : n;
}

/* NAME in the table's path stands for any name. */
static int is_same(const char *typed, const char *path)
{
    while (*typed && *path) {
        size_t skip_a, skip_b, a = part(typed, &skip_a), b = part(path, &skip_b);
        int any = b == 4 && !strncmp(path, "NAME", b) && a > 0;
        if (!any && (a != b || strncmp(typed, path, a)))
            return 0;
        if (typed[skip_a] == '\0' && typed[skip_a - 1] == '.')
            return 0;
        typed += skip_a;
        path += skip_b;
    }
    return !*typed && !*path;
}

static int is_it(const struct manifest_key *k, const char *typed, struct nearest *near)
{
    struct text path = {0};
    if (iris__key_path(k, &path)) {
        iris__text_finish(&path);
        return 0;
    }
    int same = is_same(typed, path.data);
    iris__nearest_try(near, k->name, strlen(k->name));
    iris__text_finish(&path);
    return same;
}

static const struct manifest_key *of_name(const char *name)
{
    for (const struct manifest_key *k = iris__manifest_keys; k->name; k++)
        if (!k->planned && !strcmp(k->name, name))
            return k;
    return NULL;
}

/* "restart" alone may stand in several places: the first is named, to be typed. */
static int refuse(const char *typed, const struct nearest *near)
{
    const struct manifest_key *k = of_name(near->best ? near->best : typed);
    struct text path = {0};
    if (k)
        iris__key_path(k, &path);
    iris__fail(
        "no key \"%s\" in manifests%s%s%s\nhint: all keys: iris schema, or man iris-app.json",
        typed, path.data ? "; did you mean " : "", path.data ? path.data : "",
        path.data ? "?" : "");
    iris__text_finish(&path);
    return -1;
}

/* What supervisors hand down are keys of actors. */
static const char *without_defaults(const char *typed)
{
    static const char *const prefixes[] = {"supervisors.defaults.", "supervisors[].defaults."};
    for (int i = 0; i < 2; i++)
        if (!strncmp(typed, prefixes[i], strlen(prefixes[i])))
            return typed + strlen(prefixes[i]);
    return NULL;
}

const struct manifest_key *iris__key_find(const char *typed)
{
    const char *last = strrchr(typed, '.'), *handed = without_defaults(typed);
    struct nearest near = {.word = last ? last + 1 : typed};
    struct text of_actor = {0};
    if (handed && !iris__text_addf(&of_actor, "actors.%s", handed))
        typed = of_actor.data;
    const struct manifest_key *k = iris__manifest_keys;
    while (k->name && !is_it(k, typed, &near))
        k++;
    if (!k->name)
        refuse(typed, &near);
    iris__text_finish(&of_actor);
    return k->name ? k : NULL;
}

int iris__key_value(const struct manifest_key *k, struct text *out)
{
    unsigned types = k->types;
    if (types & MANIFEST_ANY)
        return iris__text_addf(out, "any JSON value");
    if (types & MANIFEST_PATHS)
        return iris__text_addf(out, "a list of paths such as /shop/ledger");
    if (types & MANIFEST_ADDRESSES)
        return iris__text_addf(
            out, "%sa list of addresses HOST:PORT, or of objects with address and compat",
            types & MANIFEST_ADDRESS ? "an address such as 127.0.0.1:9000, an object, or " : "");
    if (types & (MANIFEST_STRINGS | MANIFEST_DIRECTORIES))
        return iris__text_addf(out, "%sa list of %s",
                               types & MANIFEST_BOOL ? "true, false or " : "",
                               types & MANIFEST_STRINGS ? "strings" : "directories");
    if (types & MANIFEST_DIRECTORY)
        return iris__text_addf(out, "a directory; a relative one starts where the manifest is");
    if (types == MANIFEST_OBJECT || types & (MANIFEST_OBJECTS | MANIFEST_ENV | MANIFEST_MAP) ||
        types == MANIFEST_BOOL || types & (MANIFEST_FREE | MANIFEST_LEVELS) ||
        (types == MANIFEST_STRING && k->min == 0))
        return iris__manifest_kinds(k, out);
    return iris__manifest_values(k, out);
}

void iris_app_keys(void (*write)(void *ctx, const char *text), void *ctx)
{
    for (const struct manifest_key *k = iris__manifest_keys; k->name; k++) {
        struct text path = {0};
        if (!k->planned && !iris__key_path(k, &path) && !iris__text_addf(&path, " "))
            write(ctx, path.data);
        iris__text_finish(&path);
    }
}
