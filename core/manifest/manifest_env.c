#include "manifest_reading.h"

#include <string.h>

static void read_variable(struct reading *r, const char *name, json_t *v, json_t *env)
{
    static const struct manifest_key string = {.types = MANIFEST_STRING};
    if (iris__manifest_is_free(name))
        return;
    if (!iris__manifest_is_variable(name)) {
        iris__manifest_at_key(iris__manifest_problem(r, "bad-value", MANIFEST_VARIABLE_RULE));
    } else if (json_object_get(env, name)) { /* --set said it already */
        if (json_is_object(v))
            iris__manifest_hide(r, json_string_value(json_object_get(env, name)));
    } else if (!json_is_string(v) && !json_is_object(v)) {
        iris__manifest_wrong_kind(r, &string, v);
    } else {
        const char *value = json_is_object(v) ? iris__manifest_secret(r, v)
                                              : iris__manifest_expand(r, json_string_value(v));
        json_object_set_new(env, name, json_string(value ? value : ""));
    }
}

/* The pointer is at their object. */
static void read_variables(struct reading *r, json_t *variables, json_t *env)
{
    for (void *i = json_object_iter(variables); i; i = json_object_iter_next(variables, i)) {
        const char *name = json_object_iter_key(i);
        size_t back = iris__pointer_key(&r->pointer, name, strlen(name));
        read_variable(r, name, json_object_iter_value(i), env);
        iris__pointer_back(&r->pointer, back);
    }
}

static json_t *parsed(const char *text)
{
    return text ? json_loads(text, 0, NULL) : json_object();
}

void iris__manifest_variables(struct reading *r, const struct manifest_key *key, json_t *variables,
                              void *base)
{
    json_t *env = json_object();
    json_t *before = parsed(*(const char **)((char *)base + key->at - 1));
    if (env && before) {
        read_variables(r, variables, env);
        json_object_update_missing(env, before);
    }
    iris__manifest_keep_json(r, key, before ? env : NULL, base);
    json_decref(env);
    json_decref(before);
}

/* ---- of one actor ---- */

int iris__manifest_is_read(const struct reading *r, const char *where, const char *name)
{
    return r->own && !strcmp(where, "actors[]") && !strcmp(name, "env");
}

void iris__manifest_actor_env(struct reading *r, json_t *object, struct manifest_actor *a,
                              int inherits)
{
    json_t *env = json_object_get(object, "env");
    r->only_env = 1;
    if (inherits)
        iris__manifest_inherit(r, object, a);
    if (env)
        iris__manifest_member(r, "actors[]", "env", env, a);
    r->only_env = 0;
    r->own = parsed(a->env);
    if (!r->own)
        r->no_memory = 1;
}

void iris__manifest_actor_env_end(struct reading *r)
{
    json_decref(r->own);
    r->own = NULL;
}

/* ---- of the app ---- */

static void keep(struct reading *r)
{
    struct manifest *m = r->m;
    m->env = iris__manifest_alloc(r, json_object_size(r->env) * sizeof *m->env);
    if (!m->env)
        return;
    for (void *i = json_object_iter(r->env); i; i = json_object_iter_next(r->env, i)) {
        const char *name = json_object_iter_key(i);
        const char *value = json_string_value(json_object_iter_value(i));
        m->env[m->nenv].name = iris__manifest_copy(r, name, strlen(name));
        m->env[m->nenv++].value = iris__manifest_copy(r, value, strlen(value));
    }
}

/* Until it is replaced, r->env has what --set said: an env value may use that and the process's
 * environment, but not its neighbours, so their order does not matter. */
void iris__manifest_env(struct reading *r)
{
    json_t *env = json_copy(r->env);
    if (!env) {
        r->no_memory = 1;
        return;
    }
    size_t back = iris__pointer_key(&r->pointer, "env", 3);
    read_variables(r, json_object_get(r->root, "env"), env);
    iris__pointer_back(&r->pointer, back);
    json_decref(r->env);
    r->env = env;
    keep(r);
}
