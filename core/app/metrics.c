#include "metrics.h"

#include "api.h"
#include "app.h"
#include "metrics_out.h"

#include <stdlib.h>
#include <string.h>

void iris__metrics_note(struct metrics *m, const iris_event *e)
{
    if (e->kind < METRICS_KINDS)
        atomic_fetch_add_explicit(&m->events[e->kind], 1, memory_order_relaxed);
}

/* ---- the app ---- */

static void add_totals(const iris_totals *t, struct text *out)
{
    const struct {
        const char *name, *type, *help;
        uint64_t n;
    } all[] = {
        {"iris_actors", "gauge", "Actors that live.", t->actors},
        {"iris_versions", "gauge", "Versions of code that are loaded.", t->versions},
        {"iris_message_bytes", "gauge", "Memory of messages.", t->bytes},
        {"iris_messages_total", "counter", "Messages handled, by all actors.", t->handled},
        {"iris_redirected_total", "counter", "Messages sent on by full mailboxes.", t->redirected},
        {"iris_spilled_total", "counter", "Messages of which a copy went on.", t->spilled},
        {"iris_waited_total", "counter", "Messages that waited for room.", t->waited},
    };
    for (size_t i = 0; i < sizeof all / sizeof *all; i++)
        iris__metric_alone(out, all[i].name, all[i].type, all[i].help, all[i].n);
}

static void add_dead_letters(const iris_totals *t, struct text *out)
{
    static const char name[] = "iris_dead_letters_total";
    iris__metric_family(out, name, "counter", "Messages accepted and not handled, by reason.");
    iris__metric(out, name, "reason", "crashed", t->crashed);
    iris__metric(out, name, "reason", "ended", t->ended);
    iris__metric(out, name, "reason", "stray", t->stray);
    iris__metric(out, name, "reason", "node", t->node);
    iris__metric(out, name, "reason", "unwanted", t->unwanted);
    iris__metric(out, name, "reason", "dropped", t->dropped);
}

static void add_events(struct app *a, struct text *out)
{
    static const char name[] = "iris_events_total";
    iris__metric_family(out, name, "counter", "What happened to actors: crashes, restarts, swaps.");
    for (uint32_t kind = 0; kind <= IRIS_EVENT_ROLLBACK; kind++)
        iris__metric(out, name, "kind", iris__event_word(kind),
                     atomic_load(&a->metrics.events[kind]));
}

static void add_build(const struct app *a, struct text *out)
{
    iris__metric_family(out, "iris_build_info", "gauge", "Which iris runs which app.");
    iris__text_addf(out, "iris_build_info");
    iris__metric_label(out, "{", "version", IRIS__VERSION);
    iris__metric_label(out, ",", "app", a->manifest->name);
    iris__text_addf(out, "} 1\n");
}

/* ---- labels of all ---- */

/* `name="value",` .. of the manifest's; empty: none. */
static void own_labels(const struct app *a, struct text *out)
{
    const char *json = a->manifest->metrics_labels;
    json_t *all = json ? json_loads(json, 0, NULL) : NULL;
    for (void *i = json_object_iter(all); i; i = json_object_iter_next(all, i)) {
        iris__metric_label(out, "", json_object_iter_key(i),
                           json_string_value(json_object_iter_value(i)));
        iris__text_add(out, ",", 1);
    }
    json_decref(all);
}

/* Into each line of a sample: behind its name, in front of what labels it has. */
static int add_labels(const struct text *labels, const struct text *from, struct text *out)
{
    int failed = 0;
    for (const char *at = from->data, *end; *at && !failed; at = end) {
        end = strchr(at, '\n') + 1;
        size_t name = *at == '#' ? 0 : strcspn(at, "{ ");
        int has = name && at[name] == '{';
        failed = iris__text_add(out, at, name);
        if (name)
            failed |= iris__text_addf(out, "{%.*s%s", (int)labels->len - !has, labels->data,
                                      has ? "" : "}");
        failed |= iris__text_add(out, at + name + has, (size_t)(end - at) - name - (size_t)has);
    }
    return failed;
}

static int with_labels(const struct app *a, struct text *out)
{
    struct text labels = {0}, plain = *out;
    own_labels(a, &labels);
    if (!labels.len)
        return out->data ? 0 : -1;
    *out = (struct text){0};
    int failed = !plain.data || add_labels(&labels, &plain, out);
    iris__text_finish(&plain);
    iris__text_finish(&labels);
    return failed ? -1 : 0;
}

int iris__metrics_text(struct app *a, struct text *out)
{
    iris_totals t = {.size = sizeof t, .abi = IRIS_ABI};
    add_build(a, out);
    iris__metrics_process(a, out);
    iris__metrics_executors(a, out);
    iris__metrics_mesh(a, out);
    if (iris__metrics_paths(a, &t, out))
        return -1;
    add_totals(&t, out);
    add_dead_letters(&t, out);
    add_events(a, out);
    return with_labels(a, out);
}
