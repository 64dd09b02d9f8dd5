#include "manifest_reading.h"

#include <stdlib.h>
#include <string.h>

/* How far one --set key has been followed into the file. */
struct cursor {
    const struct manifest_set *set;
    const char *rest;  /* of its key */
    const char *where; /* the table's name for the object one is in */
    json_t *object;
    struct text pointer;
};

static struct problem *complain(struct reading *r, const struct manifest_set *set, const char *code,
                                const char *message)
{
    struct text file = {0};
    iris__text_addf(&file, "--set %s", set->key);
    struct problem *p =
        iris__problem_add(r->problems, file.data ? file.data : "--set", "", code, "%s", message);
    iris__text_finish(&file);
    return p;
}

static void unknown(struct reading *r, const struct cursor *c, const char *name)
{
    struct problem *p = complain(r, c->set, "unknown-key", "unknown key");
    struct nearest near = {.word = name};
    for (const struct manifest_key *k = iris__manifest_keys; k->name; k++)
        if (!strcmp(k->where, c->where) && !k->planned)
            iris__nearest_try(&near, k->name, strlen(k->name));
    if (near.best)
        iris__problem_hint(p, "did you mean \"%s\"?", near.best);
    else
        iris__problem_hint(p, "keys are written as in env.LOG=FILE or actors[0].budget=50");
}

/* "${" in a value is meant literally: "$" is doubled, because strings of the file are expanded. */
static json_t *literal(const struct manifest_key *key, const char *value)
{
    struct text out = {0};
    char *end;
    long long n = strtoll(value, &end, 10);
    if (key->types & (MANIFEST_INT | MANIFEST_DURATION | MANIFEST_SIZE) && *value && !*end)
        return json_integer(n);
    iris__text_add(&out, "", 0);
    for (; *value; value++)
        iris__text_addf(&out, *value == '$' ? "$$" : "%c", *value);
    json_t *v = out.data ? json_string(out.data) : NULL;
    iris__text_finish(&out);
    return v;
}

static void put(struct reading *r, const struct cursor *c, const struct manifest_key *key)
{
    json_t *v = literal(key, c->set->value);
    if (!v)
        complain(r, c->set, "not-utf8", "the value is not UTF-8 text");
    else if (json_object_set_new(c->object, key->name, v) ||
             json_object_set_new(r->set_keys, c->pointer.data,
                                 json_sprintf("--set %s", c->set->key)))
        r->no_memory = 1;
}

/* "[N]" behind a list: into its element. */
static int enter_element(struct cursor *c, const json_t *list)
{
    char *end;
    unsigned long i = strtoul(c->rest + 1, &end, 10);
    c->object = json_array_get(list, i);
    if (end == c->rest + 1 || strncmp(end, "].", 2) || !json_is_object(c->object))
        return -1;
    iris__pointer_index(&c->pointer, i);
    c->rest = end + 2;
    return 0;
}

/* ".NAME" behind a map: into what has that name, which may be new. */
static int enter_name(struct cursor *c, json_t *map)
{
    size_t n = strcspn(++c->rest, ".[");
    char *name = n && c->rest[n] == '.' ? strndup(c->rest, n) : NULL;
    json_t *v = name ? json_object_get(map, name) : NULL;
    if (name && !v)
        json_object_set_new(map, name, v = json_object());
    if (name)
        iris__pointer_key(&c->pointer, name, n);
    free(name);
    c->object = v;
    c->rest += n + 1;
    return json_is_object(v) ? 0 : -1;
}

static json_t *object_at(struct cursor *c, const struct manifest_key *key)
{
    json_t *v = json_object_get(c->object, key->name);
    if (!v)
        json_object_set_new(c->object, key->name, v = json_object());
    return v;
}

static int enter(struct cursor *c, const struct manifest_key *key)
{
    json_t *v = json_object_get(c->object, key->name);
    int failed = -1;
    if (*c->rest == '[' && key->types & MANIFEST_OBJECTS) {
        failed = enter_element(c, v);
    } else if (*c->rest == '.' && key->child && key->types & MANIFEST_OBJECT) {
        c->object = v = object_at(c, key);
        c->rest++;
        failed = !json_is_object(v);
    } else if (*c->rest == '.' && key->types & MANIFEST_MAP) {
        failed = enter_name(c, object_at(c, key));
    }
    c->where = key->child;
    return failed;
}

/* One name of the key. 1: there is more to follow. */
static int follow(struct reading *r, struct cursor *c)
{
    char name[64] = "";
    size_t n = strcspn(c->rest, ".[");
    if (n < sizeof name)
        memcpy(name, c->rest, n);
    const struct manifest_key *key = iris__manifest_key(c->where, name);
    if (!key)
        return unknown(r, c, name), 0;
    if (key->planned)
        return complain(r, c->set, "not-built", "is part of the plan but not built yet"), 0;
    iris__pointer_key(&c->pointer, name, n);
    c->rest += n;
    if (!*c->rest)
        return put(r, c, key), 0;
    if (!enter(c, key))
        return 1;
    complain(r, c->set, "unknown-key", "the manifest has no such place");
    return 0;
}

static void set_variable(struct reading *r, const struct manifest_set *set)
{
    const char *name = set->key + strlen("env.");
    json_t *v = json_string(set->value);
    if (!iris__manifest_is_variable(name))
        complain(r, set, "bad-value", MANIFEST_VARIABLE_RULE);
    else if (!v)
        complain(r, set, "not-utf8", "the value is not UTF-8 text");
    else
        json_object_set(r->env, name, v);
    json_decref(v);
}

static void try_keys(struct nearest *near, json_t *object)
{
    for (void *i = json_object_iter(object); i; i = json_object_iter_next(object, i))
        iris__nearest_try(near, json_object_iter_key(i), json_object_iter_key_len(i));
}

static void check_variable(struct reading *r, const struct manifest_set *set)
{
    const char *name = set->key + strlen("env.");
    json_t *env = json_object_get(r->root, "env");
    struct nearest near = {.word = name};
    if (!json_object_get(r->env, name) || json_object_get(r->used, name) ||
        json_object_get(env, name))
        return; /* it was refused, or is used */
    try_keys(&near, env);
    try_keys(&near, r->used);
    struct problem *p = complain(r, set, "unknown-variable", "nothing in the manifest uses it");
    if (near.best)
        iris__problem_hint(p, "did you mean env.%.*s?", (int)near.len, near.best);
    else
        iris__problem_hint(p, "it would be used as ${%s}, or named in \"env\"", name);
}

void iris__manifest_check_sets(struct reading *r)
{
    for (size_t i = 0; i < r->nsets; i++)
        if (!strncmp(r->sets[i].key, "env.", 4))
            check_variable(r, &r->sets[i]);
}

void iris__manifest_apply_sets(struct reading *r)
{
    for (size_t i = 0; i < r->nsets; i++) {
        struct cursor c = {
            .set = &r->sets[i], .rest = r->sets[i].key, .where = "", .object = r->root};
        if (!strncmp(c.rest, "env.", 4))
            set_variable(r, c.set);
        else
            while (follow(r, &c))
                ;
        iris__text_finish(&c.pointer);
    }
}
