/* Any text is either a manifest or gets a list of problems, each with its place: see P10. */
#include "manifest.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(int truth)
{
    if (!truth)
        abort();
}

/* Also what proves that libfyaml and jansson read the same: a pointer of one is found by the other. */
static void check_problems(const struct problems *problems)
{
    struct text out = {0};
    must(iris__problems_count(problems) > 0 && problems->n <= PROBLEMS_MAX);
    for (size_t i = 0; i < problems->n; i++) {
        const struct problem *p = &problems->items[i];
        must(!strcmp(p->file, "app.json") || !strncmp(p->file, "--set ", 6));
        int in_text =
            *p->pointer || !strcmp(p->code, "missing-key") || !strcmp(p->code, "wrong-type");
        must(!in_text || *p->file == '-' || (p->line && p->column && p->source));
        must(!p->source || p->caret + p->width <= strlen(p->source));
    }
    must(!iris__problems_text(problems, 1, &out) && !iris__problems_json(problems, &out));
    iris__text_finish(&out);
}

static size_t find(const struct manifest *m, const char *path)
{
    size_t i = 0;
    while (strcmp(m->actors[m->start_order[i]].path, path))
        i++;
    return i;
}

static void check_manifest(const struct manifest *m)
{
    must(m->name && m->dir && *m->dir == '/');
    for (size_t i = 0; i < m->nactors && i < 100; i++) {
        const struct manifest_actor *a = &m->actors[m->start_order[i]];
        must(a->path && a->handler && a->handler_text && a->host && a->line && a->budget > 0);
        must(m->start_order[i] < m->nactors && find(m, a->path) == i);
        for (size_t j = 0; j < a->ndepends_on; j++)
            must(find(m, a->depends_on[j]) < i);
    }
    for (size_t i = 0; i < m->nsupervisors; i++)
        must(m->supervisors[i].path && m->supervisors[i].period_ns > 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const struct manifest_set sets[] = {
        {"env.A", "${B}"}, {"name", "$x"}, {"actors[0].budget", "7"}, {"control.socket", "s"}};
    struct manifest *m = NULL;
    struct problems problems = {0};
    size_t nsets = size % 8 ? 0 : sizeof sets / sizeof *sets;
    int failed =
        iris__manifest_parse("app.json", (const char *)data, size, sets, nsets, &m, &problems);
    if (failed)
        check_problems(&problems);
    else
        check_manifest(m);
    must(failed || !iris__problems_count(&problems));
    iris__manifest_free(m);
    iris__problems_finish(&problems);
    return 0;
}
