#include "manifest_reading.h"

#include "redact.h"

#include <stdlib.h>
#include <string.h>

/* Labels that figures have themselves. */
static const char own[] = "app host kind le path reason version ";

static const char *objection(const struct reading *r, const char *name, const char *value)
{
    char *hidden = iris__redacted(r->m->secrets, value);
    free(hidden);
    if (hidden)
        return "holds a secret, and would show it to whoever reads the figures";
    if (!strncmp(name, "__", 2))
        return "expected another name: Prometheus keeps those with \"__\" for itself";
    if (iris__manifest_word(own, name) >= 0)
        return "expected another name: some figures have a label of this one";
    return NULL;
}

static void complain(struct reading *r, const char *name, const char *why)
{
    size_t back = iris__pointer_key(&r->pointer, name, strlen(name));
    iris__manifest_at_key(iris__manifest_problem(r, "bad-value", "%s", why));
    iris__pointer_back(&r->pointer, back);
}

void iris__manifest_tags(struct reading *r, const json_t *object, const struct manifest_actor *a)
{
    json_t *written = json_object_get(object, "tags");
    json_t *tags = written && a->tags ? json_loads(a->tags, 0, NULL) : NULL;
    const json_t *labels = json_object_get(json_object_get(r->root, "metrics"), "labels");
    size_t back = iris__pointer_key(&r->pointer, "tags", 4);
    for (void *i = tags ? json_object_iter(written) : NULL; i;
         i = json_object_iter_next(written, i)) {
        const char *name = json_object_iter_key(i);
        const char *value = json_string_value(json_object_get(tags, name));
        const char *why = !value                          ? NULL
                          : json_object_get(labels, name) ? "expected another name: all figures "
                                                            "have this one from metrics.labels"
                                                          : objection(r, name, value);
        if (why)
            complain(r, name, why);
    }
    iris__pointer_back(&r->pointer, back);
    json_decref(tags);
}

void iris__manifest_metrics(struct reading *r)
{
    json_t *labels = r->m->metrics_labels ? json_loads(r->m->metrics_labels, 0, NULL) : NULL;
    for (void *i = json_object_iter(labels); i; i = json_object_iter_next(labels, i)) {
        const char *name = json_object_iter_key(i);
        const char *why = objection(r, name, json_string_value(json_object_iter_value(i)));
        if (!why)
            continue;
        size_t back = iris__pointer_key(&r->pointer, "metrics", 7);
        iris__pointer_key(&r->pointer, "labels", 6);
        complain(r, name, why);
        iris__pointer_back(&r->pointer, back);
    }
    json_decref(labels);
}
