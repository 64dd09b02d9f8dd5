#include "manifest_reading.h"

#include <stdlib.h>
#include <string.h>

/* "hosts": what each language is started with. Of a language nothing is known here: its settings are put
 * together as one JSON text, directories made absolute, and handed to the host's start(). */

void iris__manifest_free_object(struct reading *r, const struct manifest_key *key, json_t *v,
                                void *base)
{
    if (iris__manifest_expand_all(r, v) == 0)
        iris__manifest_keep_json(r, key, v, base);
}

/* ---- directories ---- */

static const char *directory(struct reading *r, const struct manifest_key *key, json_t *v)
{
    const char *s = iris__manifest_text(r, key, v);
    return s ? iris__manifest_relative(r, s, strlen(s)) : NULL;
}

void iris__manifest_directory(struct reading *r, const struct manifest_key *key, json_t *v,
                              void *base)
{
    *(const char **)((char *)base + key->at - 1) = directory(r, key, v);
}

void iris__manifest_directories(struct reading *r, const struct manifest_key *key, json_t *v,
                                void *base)
{
    iris__manifest_strings(r, key, v, base, MANIFEST_DIRECTORY, directory);
}

/* ---- one host ---- */

static json_t *list_of(const struct manifest_host *h)
{
    json_t *list = h->nsearch ? json_array() : NULL;
    for (size_t i = 0; list && i < h->nsearch; i++)
        json_array_append_new(list, json_string(h->search[i]));
    return list;
}

static json_t *parsed(const char *text)
{
    return text ? json_loads(text, 0, NULL) : NULL;
}

/* What is not set is not there. */
static void put_together(struct reading *r, struct manifest_host *h)
{
    static const struct manifest_key at = {.at = offsetof(struct manifest_host, config) + 1};
    json_t *all =
        json_pack("{s:s*, s:s*, s:o*, s:o*, s:o*, s:o*}", "venv", h->venv, "cwd", h->cwd, "search",
                  list_of(h), "env", parsed(h->env), "options", parsed(h->options), "instances",
                  h->instances > 1 ? json_integer(h->instances) : NULL);
    iris__manifest_keep_json(r, &at, all, h);
    json_decref(all);
}

static void read_host(struct reading *r, const struct manifest_key *key, const char *name,
                      json_t *v, struct manifest_host *h)
{
    if (!*name || name[strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789_-")]) {
        iris__manifest_at_key(iris__manifest_problem(
            r, "bad-value", "expected a language's name, such as \"python\""));
        return;
    }
    h->name = iris__manifest_copy(r, name, strlen(name));
    iris__manifest_defaults(key->child, h);
    iris__manifest_object(r, key->child, v, h);
    put_together(r, h);
}

void iris__manifest_hosts(struct reading *r, const struct manifest_key *key, json_t *map)
{
    struct manifest *m = r->m;
    m->hosts = iris__manifest_alloc(r, json_object_size(map) * sizeof *m->hosts);
    for (void *i = m->hosts ? json_object_iter(map) : NULL; i; i = json_object_iter_next(map, i)) {
        const char *name = json_object_iter_key(i);
        size_t back = iris__pointer_key(&r->pointer, name, strlen(name));
        struct manifest_host *h = &m->hosts[m->nhosts];
        if (!iris__manifest_is_free(name))
            read_host(r, key, name, json_object_iter_value(i), h);
        m->nhosts += h->name != NULL;
        iris__pointer_back(&r->pointer, back);
    }
}
