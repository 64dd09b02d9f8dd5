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
        iris__pointer_key(&r->pointer, name, strlen(name));
        iris__manifest_at_key(iris__manifest_problem(r, "bad-value", "%s", why));
        iris__pointer_back(&r->pointer, back);
    }
    json_decref(labels);
}
