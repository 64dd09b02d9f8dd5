#include "manifest_reading.h"

#include <string.h>

/* "singleton": true: one instance in the cluster, whose engine says where. */

static void say(struct reading *r, const char *words, const char *hint)
{
    size_t back = iris__pointer_key(&r->pointer, "singleton", strlen("singleton"));
    struct problem *p = iris__manifest_problem(r, "singleton", "%s", words);
    iris__problem_hint(p, "%s", hint);
    iris__pointer_back(&r->pointer, back);
}

void iris__manifest_singleton(struct reading *r, const json_t *actor,
                              const struct manifest_actor *a)
{
    if (!a->singleton)
        return;
    if (!json_object_get(json_object_get(r->root, "mesh"), "engine"))
        say(r, "needs \"mesh.engine\": where nodes agree on who has it",
            "as \"mesh\": {\"node\": \"a\", \"engine\": {\"etcd\": [\"http://127.0.0.1:2379\"]}}; "
            "see iris explain mesh.engine");
    else if (a->remote)
        say(r, "and \"remote\" do not go together: that actor is of one node already",
            "leave out one of them");
    else if (a->start == MANIFEST_LAZY)
        say(r, "and \"start\": \"lazy\" do not go together: it begins as soon as this node has it",
            "leave out one of them");
    else if (json_object_get(actor, "instances"))
        say(r, "and \"instances\" do not go together: there is one of it", "leave out one of them");
}

/* The plugin is told with its other settings. */
void iris__manifest_singletons(struct reading *r)
{
    json_t *paths = json_array(), *mesh = json_loads(r->m->mesh ? r->m->mesh : "{}", 0, NULL);
    json_t *engine = json_object_get(mesh, "engine");
    for (size_t i = 0; i < r->m->nactors; i++)
        if (r->m->actors[i].singleton && r->m->actors[i].path)
            json_array_append_new(paths, json_string(r->m->actors[i].path));
    if (engine && json_array_size(paths)) {
        static const struct manifest_key at = {.at = offsetof(struct manifest, mesh) + 1};
        json_object_set(engine, "singletons", paths);
        iris__manifest_keep_json(r, &at, mesh, r->m);
    }
    json_decref(paths);
    json_decref(mesh);
}
