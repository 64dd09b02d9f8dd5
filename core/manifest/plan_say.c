#include "plan.h"

static const char *const words[] = {"add", "remove", "swap", "restart", "set"};

int iris__plan_line(const struct plan_step *s, struct text *out)
{
    return iris__text_addf(out, "%-8s %s%s%s%s", words[s->what],
                           s->of == PLAN_SUPERVISOR ? "supervisor " : "", s->path,
                           *s->why ? "  " : "", s->why);
}

int iris__plan_json(const struct plan *plan, json_t *out)
{
    static const char *const of[] = {"actor", "supervisor", "logs", "metrics", "mesh"};
    json_t *list = json_array();
    for (size_t i = 0; i < plan->n; i++) {
        const struct plan_step *s = &plan->steps[i];
        json_array_append_new(list, json_pack("{s:s, s:s, s:s, s:s}", "what", words[s->what], "of",
                                              of[s->of], "path", s->path, "why", s->why));
    }
    int failed = json_array_size(list) != plan->n || json_object_set(out, "steps", list) ||
                 json_object_set_new(out, "keep", json_integer((json_int_t)plan->kept));
    json_decref(list);
    return failed ? -1 : 0;
}
