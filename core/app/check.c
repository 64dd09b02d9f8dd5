/* iris_app_check(): what is wrong with a manifest, and nothing else. */
#include "check.h"

#include "become.h"
#include "fail.h"
#include "ready.h"
#include "sets.h"

#include <iris/app.h>

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

static int as_json(const char *file, const struct problems *problems, struct text *out)
{
    struct text list = {0};
    int failed = iris__problems_json(problems, &list);
    json_t *errors = failed ? NULL : json_loads(list.data, 0, NULL);
    json_t *name = json_string(file);
    json_t *all = json_pack("{s:i, s:o, s:o}", "iris", 1, "file", name ? name : json_null(),
                            "errors", errors);
    char *line = all ? json_dumps(all, JSON_COMPACT) : NULL;
    failed = !line || iris__text_addf(out, "%s\n", line);
    free(line);
    json_decref(all);
    iris__text_finish(&list);
    return failed;
}

/* What is wrong with the command line; the answer has the shape of all others. */
static int refuse_sets(int json, struct text *out)
{
    const char *reason = iris__reason();
    size_t n = strcspn(reason, "\n");
    char *line = NULL;
    json_t *all = !json ? NULL
                        : json_pack("{s:i, s:{s:s, s:s%}}", "iris", 1, "error", "code",
                                    "bad-request", "message", reason, n);
    int failed = all ? !(line = json_dumps(all, JSON_COMPACT)) || iris__text_addf(out, "%s\n", line)
                     : iris__text_addf(out, "iris: %s\n", reason);
    free(line);
    json_decref(all);
    return failed;
}

struct manifest *iris__check_read(const char *file, const struct sets *sets,
                                  struct problems *problems)
{
    struct looks looks = {0};
    struct manifest *m;
    if (iris__manifest_read(file, sets->items, sets->n, &m, problems))
        return NULL;
    iris__ready_hosts(m, problems);
    for (size_t i = 0; i < m->nactors; i++)
        iris__ready_code(m, i, problems, &looks);
    iris__looks_finish(&looks);
    iris__ready_supervisors(m, problems);
    iris__become_check(m, problems);
    if (!iris__becomes_other(m))
        iris__ready_socket(m, problems);
    iris__manifest_locate(m, problems);
    return m;
}

int iris_app_check(const char *file, const char *const *sets, uint32_t nsets, int json,
                   void (*write)(void *ctx, const char *text), void *ctx)
{
    struct sets parsed;
    struct problems problems = {0};
    struct text out = {0};
    if (iris__sets_parse(&parsed, sets, nsets)) {
        if (!refuse_sets(json, &out))
            write(ctx, out.data);
        iris__text_finish(&out);
        return IRIS_EXIT_USAGE;
    }
    iris__manifest_free(iris__check_read(file, &parsed, &problems));
    int status = iris__problems_count(&problems) ? IRIS_EXIT_MANIFEST : IRIS_EXIT_OK;
    int failed = json ? as_json(file, &problems, &out) : iris__problems_text(&problems, 0, &out);
    if (!failed && out.len)
        write(ctx, out.data);
    iris__text_finish(&out);
    iris__problems_finish(&problems);
    iris__sets_finish(&parsed);
    return status;
}
