#include "keys.h"
#include "manifest_reading.h"

#include <iris/app.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

/* The schema says what `iris check` says, as far as one value can be judged alone. A string may come
 * from variables, whose values an editor does not know: each pattern also takes a "${". */

#define VARIABLE "\\$\\{"
#define DEFAULTS "defaults" /* the definition of what supervisors hand down */

static json_t *pattern(const char *of)
{
    return json_pack("{s:s, s:o}", "type", "string", "pattern",
                     json_sprintf("^(%s)$|%s", of, VARIABLE));
}

static json_t *reference(const char *where)
{
    struct text name = {0};
    for (const char *s = where; *s; s++)
        if (!strchr("[]*", *s) && !(*s == '.' && s[1] == '*'))
            iris__text_add(&name, s, 1);
    json_t *v = json_sprintf("#/definitions/%s", name.data ? name.data : "");
    iris__text_finish(&name);
    return json_pack("{s:o}", "$ref", v);
}

/* ---- one type of a value ---- */

static json_t *range(const struct manifest_key *k, const char *type)
{
    json_t *v = json_pack("{s:s, s:I}", "type", type, "minimum", (json_int_t)k->min);
    if (k->max)
        json_object_set_new(v, "maximum", json_integer((json_int_t)k->max));
    return v;
}

static json_t *path(const struct manifest_key *k)
{
    return pattern(k->min > 1 ? "(/[A-Za-z0-9_.@-]+)+" : "/|(/[A-Za-z0-9_.@-]+)+");
}

static json_t *string(const struct manifest_key *k)
{
    json_t *v = json_pack("{s:s}", "type", "string");
    if (k->min > 0)
        json_object_set_new(v, "minLength", json_integer((json_int_t)k->min));
    return v;
}

static json_t *words(const struct manifest_key *k)
{
    json_t *list = json_array();
    for (const char *word = k->words; word && *word; word += strcspn(word, " ") + 1)
        json_array_append_new(list, json_stringn(word, strcspn(word, " ")));
    return json_pack("{s:[{s:o}, {s:s, s:s}]}", "anyOf", "enum", list, "type", "string", "pattern",
                     VARIABLE);
}

static json_t *quantity(const struct manifest_key *k, const char *units)
{
    json_t *number = json_pack("{s:s, s:i}", "type", "integer", "minimum", k->min > 0);
    json_t *text = pattern(units);
    return json_pack("{s:[o, o]}", "anyOf", text, number);
}

static json_t *duration(const struct manifest_key *k)
{
    return quantity(k, "[0-9]{1,15}([.][0-9]+)?(us|ms|s|m|h)");
}

static json_t *size(const struct manifest_key *k)
{
    return quantity(k, "[0-9]{1,15}([.][0-9]+)?(B|kB|KiB|MB|MiB|GB|GiB)");
}

static json_t *integer(const struct manifest_key *k)
{
    return range(k, "integer");
}

static json_t *number(const struct manifest_key *k)
{
    return range(k, "number");
}

static json_t *boolean(const struct manifest_key *k)
{
    (void)k;
    return json_pack("{s:s}", "type", "boolean");
}

static json_t *list_of(json_t *items)
{
    return json_pack("{s:s, s:o}", "type", "array", "items", items);
}

static json_t *paths(const struct manifest_key *k)
{
    return list_of(path(k));
}

static json_t *strings(const struct manifest_key *k)
{
    return list_of(string(k));
}

static json_t *objects(const struct manifest_key *k)
{
    return list_of(reference(k->child));
}

static json_t *object(const struct manifest_key *k)
{
    int hands_down = !strcmp(k->where, "supervisors[]") && !strcmp(k->name, DEFAULTS);
    return reference(hands_down ? DEFAULTS : k->child);
}

/* A secret: {"file": FILE} or {"secret": TEXT}. */
static json_t *hidden(void)
{
    return json_pack("{s:s, s:{s:{s:s}, s:{s:s}}, s:b, s:i, s:i}", "type", "object", "properties",
                     "file", "type", "string", "secret", "type", "string", "additionalProperties",
                     0, "minProperties", 1, "maxProperties", 1);
}

static json_t *variables(const struct manifest_key *k)
{
    (void)k;
    return json_pack("{s:s, s:{s:{s:[{s:s}, o]}, s:{}}, s:b}", "type", "object",
                     "patternProperties", "^(?!//)[A-Za-z_][A-Za-z0-9_]{0,126}$", "anyOf", "type",
                     "string", hidden(), "^(//|x-)", "additionalProperties", 0);
}

static json_t *levels(const struct manifest_key *k)
{
    static const struct manifest_key level = {.words = MANIFEST_LEVEL_WORDS};
    (void)k;
    return json_pack("{s:s, s:{s:o, s:{}}, s:b}", "type", "object", "patternProperties",
                     "^(/|(/[A-Za-z0-9_.@-]+)+)$", words(&level), "^(//|x-)",
                     "additionalProperties", 0);
}

static json_t *map(const struct manifest_key *k)
{
    return json_pack("{s:s, s:{s:o, s:{}}, s:b}", "type", "object", "patternProperties",
                     "^(?!x-)[a-z0-9_-]+$", reference(k->child), "^(//|x-)", "additionalProperties",
                     0);
}

static json_t *name(const struct manifest_key *k)
{
    if (k->types & MANIFEST_NAME)
        return pattern("[a-z][a-z0-9-]{0,62}");
    return pattern(k->types & MANIFEST_HOST ? "[a-z][a-z0-9_-]{0,62}"
                                            : "[A-Za-z_][A-Za-z0-9_.@-]{0,127}");
}

static json_t *free_object(const struct manifest_key *k)
{
    (void)k;
    return json_pack("{s:s}", "type", "object");
}

static json_t *address(const struct manifest_key *k)
{
    (void)k;
    return pattern("(tcp://)?([^:]+|\\[.+\\]):[0-9]{1,5}");
}

static json_t *addresses(const struct manifest_key *k)
{
    return list_of(json_pack("{s:[o, o]}", "anyOf", address(k), reference(k->child)));
}

static json_t *node(const struct manifest_key *k)
{
    (void)k;
    return pattern("[A-Za-z0-9_.-]{1,255}");
}

static json_t *remote(const struct manifest_key *k)
{
    (void)k;
    return pattern(".+@[A-Za-z0-9_.-]{1,255}");
}

static const struct {
    unsigned types;
    json_t *(*schema)(const struct manifest_key *);
} makers[] = {
    {MANIFEST_STRING | MANIFEST_DIRECTORY, string},
    {MANIFEST_WORD, words},
    {MANIFEST_NAME | MANIFEST_LABEL | MANIFEST_HOST, name},
    {MANIFEST_PATH, path},
    {MANIFEST_DURATION, duration},
    {MANIFEST_SIZE, size},
    {MANIFEST_INT, integer},
    {MANIFEST_NUMBER, number},
    {MANIFEST_BOOL, boolean},
    {MANIFEST_PATHS, paths},
    {MANIFEST_STRINGS | MANIFEST_DIRECTORIES, strings},
    {MANIFEST_ADDRESS, address},
    {MANIFEST_ADDRESSES, addresses},
    {MANIFEST_NODE, node},
    {MANIFEST_REMOTE, remote},
    {MANIFEST_OBJECTS, objects},
    {MANIFEST_OBJECT, object},
    {MANIFEST_ENV, variables},
    {MANIFEST_MAP, map},
    {MANIFEST_FREE, free_object},
    {MANIFEST_LEVELS, levels},
};

/* ---- one key ---- */

static json_t *alternatives(const struct manifest_key *k)
{
    unsigned types = k->types;
    json_t *all = json_array();
    for (size_t i = 0; i < sizeof makers / sizeof *makers && !(types & MANIFEST_ANY); i++)
        if (types & makers[i].types)
            json_array_append_new(all, makers[i].schema(k));
    return all;
}

static json_t *default_of(const struct manifest_key *k)
{
    json_t *v = json_loads(k->def, JSON_DECODE_ANY, NULL);
    return v ? v : json_string(k->def);
}

/* Beside a "$ref" draft-07 reads nothing, so each key is a list of alternatives. */
static json_t *key_schema(const struct manifest_key *k)
{
    json_t *all = alternatives(k);
    json_t *v =
        json_pack("{s:o}", "description",
                  json_sprintf("%s%s%s", k->meaning, k->more ? "\n" : "", k->more ? k->more : ""));
    if (json_array_size(all))
        json_object_set(v, "anyOf", all);
    if (k->def)
        json_object_set_new(v, "default", default_of(k));
    json_decref(all);
    return v;
}

static json_t *object_schema(const char *where, int of_defaults)
{
    json_t *properties = json_object(), *required = json_array();
    for (const struct manifest_key *k = iris__manifest_keys; k->name; k++) {
        if (strcmp(k->where, where) || k->planned ||
            (of_defaults && iris__manifest_is_own(where, k->name)))
            continue;
        json_object_set_new(properties, k->name, key_schema(k));
        if (k->required && !k->unless && !of_defaults)
            json_array_append_new(required, json_string(k->name));
    }
    json_t *v = json_pack("{s:s, s:o, s:{s:{}}, s:b}", "type", "object", "properties", properties,
                          "patternProperties", "^(//|x-)", "additionalProperties", 0);
    if (json_array_size(required))
        json_object_set(v, "required", required);
    json_decref(required);
    return v;
}

static void define(json_t *definitions, const char *where)
{
    json_t *ref = reference(where);
    const char *name = json_string_value(json_object_get(ref, "$ref"));
    name = name ? strrchr(name, '/') + 1 : "";
    if (*name && !json_object_get(definitions, name))
        json_object_set_new(definitions, name, object_schema(where, 0));
    json_decref(ref);
}

static json_t *schema(void)
{
    json_t *definitions = json_object(), *all = object_schema("", 0);
    for (const struct manifest_key *k = iris__manifest_keys; k->name; k++)
        if (*k->where)
            define(definitions, k->where);
    json_object_set_new(definitions, DEFAULTS, object_schema("actors[]", 1));
    json_object_set_new(all, "$schema", json_string("http://json-schema.org/draft-07/schema#"));
    json_object_set_new(all, "title", json_string("The manifest of an app of Iris"));
    json_object_set_new(all, "definitions", definitions);
    return all;
}

void iris_app_schema(void (*write)(void *ctx, const char *text), void *ctx)
{
    json_t *all = schema();
    char *text = all ? json_dumps(all, JSON_INDENT(2)) : NULL;
    if (text) {
        write(ctx, text);
        write(ctx, "\n");
    }
    free(text);
    json_decref(all);
}
