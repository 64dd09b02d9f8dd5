#include "manifest_reading.h"

#include <stdlib.h>
#include <string.h>

#define INHERIT_MAX (64 * 1024 * 1024) /* bytes that all actors together may get from defaults */

/* One entry for each supervisor: {"/shop": [its object, bytes of what it hands down]}. A path that is no
 * text, or wrong, is told where supervisors are read. */
static void add_supervisor(struct reading *r, json_t *supervisor)
{
    const char *written = json_string_value(json_object_get(supervisor, "path"));
    const char *path = written ? iris__manifest_expand(r, written) : NULL;
    json_t *defaults = json_object_get(supervisor, "defaults");
    if (!path || (!defaults && !json_object_get(supervisor, "shutdown")))
        return;
    char *text = defaults ? json_dumps(defaults, JSON_COMPACT | JSON_ENCODE_ANY) : NULL;
    json_int_t weight = text ? (json_int_t)strlen(text) : 0;
    free(text);
    if (json_object_set_new(r->above, path, json_pack("[O, I]", supervisor, weight)))
        r->no_memory = 1;
}

static void list_supervisors(struct reading *r)
{
    json_t *all = json_object_get(r->root, "supervisors");
    r->above = json_object();
    if (!r->above)
        r->no_memory = 1;
    for (size_t i = 0; r->above && i < json_array_size(all); i++)
        add_supervisor(r, json_array_get(all, i));
}

/* A copy: reading replaces variables in place, and the next actor inherits what is written. */
static void read_copy(struct reading *r, const char *name, const json_t *value, void *actor)
{
    json_t *copy = json_deep_copy(value);
    if (copy)
        iris__manifest_member(r, "actors[]", name, copy, actor);
    else
        r->no_memory = 1;
    json_decref(copy);
}

static void inherit_from(struct reading *r, const json_t *entry, void *actor)
{
    const json_t *supervisor = json_array_get(entry, 0);
    const json_t *shutdown = json_object_get(supervisor, "shutdown");
    json_t *defaults = json_object_get(supervisor, "defaults");
    json_t *env = json_object_get(defaults, "env");
    if (r->only_env) {
        if (env)
            read_copy(r, "env", env, actor);
        return;
    }
    r->inherited += (size_t)json_integer_value(json_array_get(entry, 1));
    if (r->inherited > INHERIT_MAX)
        return;
    if (shutdown)
        read_copy(r, "shutdown", shutdown, actor);
    for (void *i = json_object_iter(defaults); i; i = json_object_iter_next(defaults, i))
        if (!iris__manifest_is_free(json_object_iter_key(i)))
            read_copy(r, json_object_iter_key(i), json_object_iter_value(i), actor);
}

/* From "/" down to the path itself: what is nearer comes later, and holds. */
static void inherit_along(struct reading *r, const char *path, void *actor)
{
    const json_t *root = json_object_get(r->above, "/");
    if (root)
        inherit_from(r, root, actor);
    for (size_t n = 1; path[n - 1]; n += path[n] ? 1 : 0) {
        n += strcspn(path + n, "/");
        char *prefix = strndup(path, n);
        const json_t *entry = prefix ? json_object_get(r->above, prefix) : NULL;
        free(prefix);
        if (entry)
            inherit_from(r, entry, actor);
        if (!path[n])
            break;
    }
}

/* Mistakes in defaults are told once, where they stand; here they are passed over. */
void iris__manifest_inherit(struct reading *r, const json_t *actor, void *base)
{
    const char *written = json_string_value(json_object_get(actor, "path"));
    struct problems *told = r->problems, silent = {0};
    size_t before = r->inherited;
    int of_defaults = r->of_defaults;
    r->problems = &silent;
    r->of_defaults = 1;
    if (!r->above)
        list_supervisors(r);
    const char *path = written ? iris__manifest_expand(r, written) : NULL;
    if (path && *path == '/' && strlen(path) <= MANIFEST_PATH_MAX)
        inherit_along(r, path, base);
    r->of_defaults = of_defaults;
    r->problems = told;
    iris__problems_finish(&silent);
    if (before <= INHERIT_MAX && r->inherited > INHERIT_MAX)
        iris__manifest_problem(r, "too-big",
                               "what actors inherit from \"defaults\" adds up to more than %d MiB",
                               INHERIT_MAX >> 20);
}
