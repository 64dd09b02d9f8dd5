#include "manifest_reading.h"

#include <string.h>

/* ---- "levels" ---- */

static void read_level(struct reading *r, const char *path, json_t *v, struct manifest_level *to)
{
    static const struct manifest_key word = {.name = "",
                                             .types = MANIFEST_WORD,
                                             .words = MANIFEST_LEVEL_WORDS,
                                             .at = offsetof(struct manifest_level, level) + 1};
    if (!iris__manifest_is_path(path, 1))
        iris__manifest_at_key(
            iris__manifest_problem(r, "bad-value", "expected a path such as /shop"));
    else if (iris__manifest_scalar(r, &word, v, to))
        iris__manifest_wrong_kind(r, &word, v);
    else
        to->path = iris__manifest_copy(r, path, strlen(path));
}

void iris__manifest_levels(struct reading *r, const struct manifest_key *key, json_t *map,
                           void *base)
{
    struct manifest_level *all = iris__manifest_alloc(r, json_object_size(map) * sizeof *all);
    size_t n = 0;
    for (void *i = all ? json_object_iter(map) : NULL; i; i = json_object_iter_next(map, i)) {
        const char *path = json_object_iter_key(i);
        size_t back = iris__pointer_key(&r->pointer, path, strlen(path));
        if (!iris__manifest_is_free(path))
            read_level(r, path, json_object_iter_value(i), &all[n]);
        n += all[n].path != NULL;
        iris__pointer_back(&r->pointer, back);
    }
    iris__manifest_keep_list(key, base, all, n);
}

/* ---- all of it ---- */

static void complain(struct reading *r, const char *key, const char *message)
{
    size_t back = iris__pointer_key(&r->pointer, "logs", 4);
    iris__pointer_key(&r->pointer, key, strlen(key));
    iris__manifest_problem(r, "bad-value", "%s", message);
    iris__pointer_back(&r->pointer, back);
}

void iris__manifest_logs(struct reading *r)
{
    struct manifest_logs *l = &r->m->logs;
    if (l->file && l->to != MANIFEST_TO_ANY && l->to != MANIFEST_FILE)
        complain(r, "file", "nothing is written to it; \"to\" says where the logs go");
    else if (!l->file && l->to == MANIFEST_FILE)
        complain(r, "to", "which file? expected \"file\" beside it");
    if (!l->file)
        return;
    l->file = iris__manifest_relative(r, l->file, strlen(l->file));
    l->to = MANIFEST_FILE;
}
