#include "restart.h"

#include "api.h"
#include "app.h"
#include "fail.h"

/* All that ever were in its story; of the newest one its kind (-1: there is none), and why. */
static uint64_t events_of(struct app *a, const char *path, int *kind, char *why, size_t room)
{
    struct story s;
    uint64_t n = 0;
    if (iris__story_open(&a->stories, path, &s)) {
        n = s.n + s.forgotten;
        *kind = s.n ? (int)s.tales[s.n - 1]->e.kind : -1;
        snprintf(why, room, "%s", s.n ? s.tales[s.n - 1]->e.text : "");
    }
    iris__story_close(&s);
    return n;
}

int iris__restart_begin(struct app *a, uint64_t pid, const char *path, struct restarting *r)
{
    char why[8];
    int kind;
    *r = (struct restarting){.app = a, .pid = pid};
    r->seen = events_of(a, path, &kind, why, sizeof why);
    return iris__supervisor_restart(&a->runtime->supervisors, pid);
}

int iris__restart_look(const struct restarting *r, iris_info *i)
{
    char why[400] = "";
    int kind = -1;
    *i = (iris_info){.size = sizeof *i, .abi = IRIS_ABI};
    if (iris__info(&r->app->runtime->world, r->pid, i) != IRIS_OK)
        return IRIS_DEAD;
    if (events_of(r->app, i->path, &kind, why, sizeof why) <= r->seen || kind == IRIS_EVENT_STUCK)
        return IRIS_AGAIN;
    return kind == IRIS_EVENT_RESTARTED ? IRIS_OK : iris__fail("%s", why);
}
