#include "restart.h"

#include "api.h"
#include "app.h"
#include "fail.h"

/* How it went: that it has begun again, or the last word on that it will not. Others, as that its mailbox is full, come
 * when they want. */
static int is_outcome(const iris_event *e)
{
    return e->kind == IRIS_EVENT_RESTARTED || e->kind == IRIS_EVENT_CRASHED ||
           e->kind == IRIS_EVENT_DECIDED || e->kind == IRIS_EVENT_EXHAUSTED ||
           e->kind == IRIS_EVENT_ENDED;
}

/* All that ever were in its story; of those behind the first `seen` the outcome (-1: there is none), and why. */
static uint64_t events_of(struct app *a, const char *path, uint64_t seen, int *kind, char *why,
                          size_t room)
{
    struct story s;
    *kind = -1;
    iris__story_open(&a->stories, path, &s);
    uint64_t n = s.n + s.forgotten;
    for (uint32_t i = 0; i < s.n && *kind != IRIS_EVENT_RESTARTED; i++) {
        const iris_event *e = &s.tales[i]->e;
        if (s.forgotten + i < seen || !is_outcome(e))
            continue;
        *kind = (int)e->kind;
        snprintf(why, room, "%s", e->text);
    }
    iris__story_close(&s);
    return n;
}

int iris__restart_begin(struct app *a, uint64_t pid, const char *path, struct restarting *r)
{
    char why[8];
    int kind;
    *r = (struct restarting){.app = a, .pid = pid};
    r->seen = events_of(a, path, UINT64_MAX, &kind, why, sizeof why);
    return iris__supervisor_restart(&a->runtime->supervisors, pid);
}

int iris__restart_look(const struct restarting *r, iris_info *i)
{
    char why[400] = "";
    int kind;
    *i = (iris_info){.size = sizeof *i, .abi = IRIS_ABI};
    if (iris__info(&r->app->runtime->world, r->pid, i) != IRIS_OK)
        return IRIS_DEAD;
    events_of(r->app, i->path, r->seen, &kind, why, sizeof why);
    if (kind < 0)
        return IRIS_AGAIN;
    return kind == IRIS_EVENT_RESTARTED ? IRIS_OK : iris__fail("%s", why);
}
