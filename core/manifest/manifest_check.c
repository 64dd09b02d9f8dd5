#include "manifest_reading.h"

#include <string.h>

/* Beyond max, initial would never be what it says. */
static void check_backoff(struct reading *r, const struct manifest_supervisor *s)
{
    if (!s->backs_off || s->initial <= s->max)
        return;
    size_t back = iris__pointer_key(&r->pointer, "backoff", strlen("backoff"));
    iris__manifest_problem(r, "bad-value", "\"initial\" (%.3f s) is longer than \"max\" (%.3f s)",
                           (double)s->initial / 1e9, (double)s->max / 1e9);
    iris__pointer_back(&r->pointer, back);
}

static void finish_element(struct reading *r, const char *where, json_t *object, void *element)
{
    if (!strcmp(where, "actors[].timers[]")) {
        iris__manifest_timer(r, object, element);
    } else if (!strcmp(where, "actors[]")) {
        iris__manifest_remote(r, object, element);
        iris__manifest_handler(r, element);
        iris__manifest_begins(r, element);
        iris__manifest_route(r, object, element);
        iris__manifest_tags(r, object, element);
        iris__manifest_singleton(r, object, element);
    } else {
        check_backoff(r, element);
    }
}

/* Checked here, once; each actor below gets them when it is read. */
static void read_defaults(struct reading *r, json_t *v)
{
    struct manifest_actor nobody = {0};
    r->of_defaults = 1;
    iris__manifest_actor_env(r, v, &nobody, 0);
    iris__manifest_object(r, "actors[]", v, &nobody);
    iris__manifest_tags(r, v, &nobody);
    iris__manifest_actor_env_end(r);
    r->of_defaults = 0;
}

static void note_object(const struct manifest_key *key, void *base)
{
    if (key->at && base && !(key->types & ~(unsigned)MANIFEST_OBJECT))
        *(int *)((char *)base + key->at - 1) = 1;
}

static size_t element_size(const char *where)
{
    if (!strcmp(where, "actors[].timers[]"))
        return sizeof(struct manifest_timer);
    return !strcmp(where, "actors[]") ? sizeof(struct manifest_actor)
                                      : sizeof(struct manifest_supervisor);
}

static void begin_actor(struct reading *r, json_t *object, struct manifest_actor *a)
{
    a->log_level = -1;
    iris__manifest_actor_env(r, object, a, 1);
    iris__manifest_inherit(r, object, a);
}

static void read_objects(struct reading *r, const struct manifest_key *key, json_t *v, void *base)
{
    size_t size = element_size(key->child), n = json_array_size(v);
    char *elements = iris__manifest_alloc(r, n * size);
    if (!elements)
        return;
    iris__manifest_keep_list(key, base, elements, n);
    for (size_t i = 0; i < n; i++) {
        size_t back = iris__pointer_index(&r->pointer, i);
        iris__manifest_defaults(key->child, elements + i * size);
        if (!strcmp(key->child, "actors[]"))
            begin_actor(r, json_array_get(v, i), (void *)(elements + i * size));
        iris__manifest_object(r, key->child, json_array_get(v, i), elements + i * size);
        finish_element(r, key->child, json_array_get(v, i), elements + i * size);
        if (!strcmp(key->child, "actors[]"))
            iris__manifest_actor_env_end(r);
        iris__pointer_back(&r->pointer, back);
    }
}

static void read_value(struct reading *r, const struct manifest_key *key, json_t *v, void *base)
{
    if (json_is_object(v) && key->types & MANIFEST_OBJECT && !strcmp(key->child, "actors[]"))
        read_defaults(r, v);
    else if (json_is_object(v) && key->types & MANIFEST_OBJECT && !strcmp(key->child, "mesh"))
        iris__manifest_mesh(r, key, v, base);
    else if (json_is_array(v) && key->types & MANIFEST_ADDRESSES)
        iris__manifest_addresses(r, key, v, base);
    else if (json_is_object(v) && key->types & MANIFEST_OBJECT) {
        note_object(key, base);
        iris__manifest_object(r, key->child, v, base);
    } else if (json_is_array(v) && key->types & MANIFEST_OBJECTS)
        read_objects(r, key, v, base);
    else if (json_is_array(v) && key->types & MANIFEST_PATHS)
        iris__manifest_strings(r, key, v, base, MANIFEST_PATH, iris__manifest_text);
    else if (json_is_array(v) && key->types & MANIFEST_STRINGS)
        iris__manifest_strings(r, key, v, base, MANIFEST_STRING, iris__manifest_text);
    else if (json_is_object(v) && key->types & MANIFEST_MAP)
        iris__manifest_hosts(r, key, v);
    else if (json_is_object(v) && key->types & MANIFEST_LEVELS)
        iris__manifest_levels(r, key, v, base);
    else if (json_is_object(v) && key->types & MANIFEST_FREE)
        iris__manifest_free_object(r, key, v, base);
    else if (json_is_string(v) && key->types & MANIFEST_DIRECTORY)
        iris__manifest_directory(r, key, v, base);
    else if (json_is_array(v) && key->types & MANIFEST_DIRECTORIES)
        iris__manifest_directories(r, key, v, base);
    else if (json_is_object(v) && key->types & MANIFEST_ENV && key->at)
        iris__manifest_variables(r, key, v, base);
    else if (json_is_object(v) && key->types & MANIFEST_ENV)
        return; /* the app's: read before all else, as other strings need it */
    else if (iris__manifest_scalar(r, key, v, base))
        iris__manifest_wrong_kind(r, key, v);
}

int iris__manifest_is_free(const char *name)
{
    return !strncmp(name, "//", 2) || !strncmp(name, "x-", 2);
}

int iris__manifest_is_own(const char *where, const char *name)
{
    return !strcmp(where, "actors[]") &&
           (!strcmp(name, "path") || !strcmp(name, "handler") || !strcmp(name, "name") ||
            !strcmp(name, "remote") || !strcmp(name, "singleton"));
}

void iris__manifest_member(struct reading *r, const char *where, const char *name, json_t *v,
                           void *base)
{
    const struct manifest_key *key = iris__manifest_key(where, name);
    size_t back = iris__pointer_key(&r->pointer, name, strlen(name));
    if (iris__manifest_is_free(name) || iris__manifest_is_read(r, where, name))
        ;
    else if (!key)
        iris__manifest_unknown_key(r, where, name);
    else if (r->of_defaults && iris__manifest_is_own(where, name))
        iris__manifest_at_key(iris__manifest_problem(
            r, "bad-default", "is each actor's own; expected a key that several may share"));
    else if (key->planned)
        iris__manifest_not_built(r, key, "");
    else
        read_value(r, key, v, base);
    iris__pointer_back(&r->pointer, back);
}

/* A key that is nearly this one: that is told, and enough. */
static int is_misspelt(const char *where, const char *key, json_t *object)
{
    for (void *i = json_object_iter(object); i; i = json_object_iter_next(object, i)) {
        const char *name = json_object_iter_key(i);
        struct nearest near = {.word = name};
        if (iris__manifest_is_free(name) || iris__manifest_key(where, name))
            continue;
        iris__nearest_try(&near, key, strlen(key));
        if (near.best)
            return 1;
    }
    return 0;
}

static void missing_keys(struct reading *r, const char *where, json_t *object)
{
    for (const struct manifest_key *k = iris__manifest_keys; k->name; k++) {
        if (!k->required || strcmp(k->where, where) || json_object_get(object, k->name) ||
            (k->unless && json_object_get(object, k->unless)) ||
            is_misspelt(where, k->name, object))
            continue;
        struct problem *p = iris__manifest_problem(r, "missing-key", "\"%s\" is missing", k->name);
        iris__problem_hint(p, "%s", k->meaning);
    }
}

void iris__manifest_object(struct reading *r, const char *where, json_t *object, void *base)
{
    if (!json_is_object(object)) {
        static const struct manifest_key element = {.types = MANIFEST_OBJECT};
        iris__manifest_wrong_kind(r, &element, object);
        return;
    }
    for (void *i = json_object_iter(object); i; i = json_object_iter_next(object, i))
        iris__manifest_member(r, where, json_object_iter_key(i), json_object_iter_value(i), base);
    if (!r->of_defaults || strcmp(where, "actors[]"))
        missing_keys(r, where, object);
}

void iris__manifest_check(struct reading *r)
{
    iris__manifest_object(r, "", r->root, r->m);
}
