#include "save.h"

#include "app.h"
#include "fail.h"
#include "freeze.h"
#include "message.h"
#include "saved.h"
#include "send.h"
#include "verbs.h"

#include <stdlib.h>
#include <string.h>

/* Messages keep their sender: a pid of then, whose actor may begin later than who has its mail. So they are
 * held, in mailboxes where nobody begins them, until all pids of now are known. */
struct held {
    struct message *message;
    uint64_t from;
};

struct restore {
    struct saved saved;
    const struct saved_actor **by_path; /* those of `saved`, sorted */
    struct held *held;
    size_t nheld, room;
    char *file;
};

static int by_path(const void *a, const void *b)
{
    return strcmp((*(const struct saved_actor *const *)a)->path,
                  (*(const struct saved_actor *const *)b)->path);
}

static const struct saved_actor **place_of(const struct app *a, const char *path)
{
    const struct saved_actor key = {.path = (char *)path}, *wanted = &key;
    const struct restore *r = a->restore;
    return r && r->saved.n ? bsearch(&wanted, r->by_path, r->saved.n, sizeof *r->by_path, by_path)
                           : NULL;
}

static const struct saved_actor *saved_of(const struct app *a, const char *path)
{
    const struct saved_actor **at = place_of(a, path);
    return at ? *at : NULL;
}

/* Of two of one path only one could begin. */
static int sort(struct restore *r)
{
    size_t n = r->saved.n;
    r->by_path = calloc(n + 1, sizeof *r->by_path);
    if (!r->by_path)
        return iris__fail("no memory");
    for (size_t i = 0; i < n; i++)
        r->by_path[i] = &r->saved.actors[i];
    qsort(r->by_path, n, sizeof *r->by_path, by_path);
    for (size_t i = 1; i < n; i++)
        if (!by_path(&r->by_path[i - 1], &r->by_path[i]))
            return iris__fail("%s: %s is in it twice; it is no save of iris, or was damaged",
                              r->file, r->by_path[i]->path);
    return IRIS_OK;
}

/* ---- before anything runs ---- */

/* Not 0: the manifest has no such actor (any more), or a singleton, and it would be lost. */
static int check_lost(struct app *a, const struct saved_actor *s, int is_singleton)
{
    char count[COUNT_ROOM];
    if (!(s->has_state || s->messages))
        return 0;
    iris__app_say(a, a->options.leave_behind ? IRIS_APP_WARNING : IRIS_APP_ERROR,
                  "%s: the save has its state (%zu bytes) and %s, and %s%s", s->path, s->state.len,
                  iris__messages(count, s->messages),
                  is_singleton ? "in the manifest it is a singleton, which begins anew"
                               : "the manifest has no such actor",
                  a->options.leave_behind ? ": left behind" : "");
    return !a->options.leave_behind;
}

enum { IS_THERE = 1, IS_SINGLETON };

static int say_lost(struct app *a, const unsigned char *what)
{
    const struct saved *s = &a->restore->saved;
    int lost = 0;
    for (size_t i = 0; i < s->n; i++)
        lost += what[i] == IS_THERE ? 0 : check_lost(a, &s->actors[i], what[i] == IS_SINGLETON);
    if (lost)
        iris__app_say(a, IRIS_APP_ERROR,
                      "iris: nothing was started; put them back into the manifest, or let them go "
                      "with --leave-behind");
    return lost;
}

/* -1: no memory, with the reason. */
static int check_paths(struct app *a)
{
    const struct saved *s = &a->restore->saved;
    unsigned char *what = calloc(s->n + 1, 1);
    if (!what)
        return iris__fail("no memory"), -1;
    for (size_t i = 0; i < a->manifest->nactors; i++) {
        const struct saved_actor *one = saved_of(a, a->manifest->actors[i].path);
        if (one)
            what[one - s->actors] = a->manifest->actors[i].singleton ? IS_SINGLETON : IS_THERE;
    }
    int lost = say_lost(a, what);
    free(what);
    return lost;
}

int iris__restore_open(struct app *a)
{
    if (!a->options.restore)
        return IRIS_EXIT_OK;
    a->restore = calloc(1, sizeof *a->restore);
    if (a->restore)
        a->restore->file = iris__saved_name(a->options.restore, a->manifest->name);
    if (!a->restore || !a->restore->file) {
        iris__fail("no memory");
    } else if (!iris__saved_read(&a->restore->saved, a->restore->file) && !sort(a->restore)) {
        int lost = check_paths(a);
        if (lost >= 0)
            return lost ? IRIS_EXIT_FAILED : IRIS_EXIT_OK;
    }
    iris__app_say(a, IRIS_APP_ERROR, "iris: %s", iris__reason());
    return IRIS_EXIT_FAILED;
}

static void check_mail(struct app *a, const struct manifest_actor *m, const struct saved_actor *s,
                       struct problems *p)
{
    char pointer[48], count[COUNT_ROOM];
    if (!m->capacity || s->messages <= m->capacity || m->overflow == IRIS_BLOCK)
        return;
    snprintf(pointer, sizeof pointer, "/actors/%zu/mailbox", m->index);
    iris__problem_add(p, a->manifest->file, pointer, "restore",
                      "the save has %s for %s; expected a mailbox that takes them",
                      iris__messages(count, s->messages), m->path);
}

void iris__restore_check(struct app *a, struct problems *p)
{
    for (size_t i = 0; a->restore && i < a->manifest->nactors; i++) {
        const struct manifest_actor *m = &a->manifest->actors[i];
        const struct saved_actor *s = saved_of(a, m->path);
        const iris_version *v = a->actors[i].version;
        char pointer[48];
        if (!s)
            continue;
        check_mail(a, m, s, p);
        if (!s->has_state || !v || v->b.upgrade)
            continue;
        snprintf(pointer, sizeof pointer, "/actors/%zu/handler", m->index);
        iris__problem_add(p, a->manifest->file, pointer, "restore",
                          "\"%s\" has no upgrade(); the save has its state, %zu bytes of format %u "
                          "by %s",
                          v->b.name, s->state.len, s->state_version, s->handler);
    }
}

/* ---- one actor ---- */

int iris__restore_has_state(const struct app *a, const char *path)
{
    const struct saved_actor *s = saved_of(a, path);
    return s && s->has_state;
}

int iris__restore_state(struct app *a, const struct manifest_actor *m, struct restored **out)
{
    const struct saved_actor *s = saved_of(a, m->path);
    *out = NULL;
    if (!s || !s->has_state)
        return 0;
    *out = malloc(sizeof **out + s->state.len + 1);
    if (!*out)
        return iris__fail("%s: no memory", m->path);
    (*out)->from = s->state_version;
    (*out)->len = s->state.len;
    if (s->state.len)
        memcpy((*out)->data, s->state.data, s->state.len);
    return 0;
}

static int hold(struct restore *r, struct message *m, uint64_t from)
{
    if (r->nheld == r->room) {
        size_t room = r->room ? r->room * 2 : 64;
        struct held *held = realloc(r->held, room * sizeof *held);
        if (!held)
            return -1;
        r->held = held;
        r->room = room;
    }
    atomic_fetch_add(&m->refs, 1);
    r->held[r->nheld++] = (struct held){m, from};
    return 0;
}

static int deliver(struct app *a, uint64_t pid, const struct saved_message *from)
{
    struct world *w = &a->runtime->world;
    struct message *m = iris__message_new(w->pool, from->len);
    if (!m || hold(a->restore, m, from->from)) {
        if (m)
            iris__message_drop(w->pool, m);
        return iris__fail("no memory for a message of the save");
    }
    m->pub.kind = IRIS_USER;
    m->pub.from = 0;
    m->pub.to = pid;
    m->pub.ref = 0;
    if (from->len)
        memcpy(m->body, from->data, from->len);
    if (iris__post(w, NULL, m, OVERFLOW_ALONE) == IRIS_OK)
        return IRIS_OK;
    iris__message_drop(w->pool, m);
    return iris__fail("its mailbox takes not all messages of the save");
}

int iris__restore_mail(struct app *a, const struct manifest_actor *m, uint64_t pid)
{
    const struct saved_actor *s = saved_of(a, m->path);
    struct saved_message one;
    size_t at = 0;
    while (s && iris__saved_next(s, &at, &one))
        if (deliver(a, pid, &one))
            return IRIS_FAIL;
    return IRIS_OK;
}

/* ---- all of them ---- */

struct pids {
    uint64_t then, now;
};

static int by_then(const void *a, const void *b)
{
    uint64_t x = ((const struct pids *)a)->then, y = ((const struct pids *)b)->then;
    return (x > y) - (x < y);
}

/* Sorted; NULL: no memory, and senders are lost. */
static struct pids *pids_of(const struct app *a, size_t *n)
{
    struct pids *all = calloc(a->manifest->nactors + 1, sizeof *all);
    *n = 0;
    for (size_t i = 0; all && i < a->manifest->nactors; i++) {
        const struct saved_actor *s = saved_of(a, a->manifest->actors[i].path);
        if (s && s->pid)
            all[(*n)++] = (struct pids){s->pid, atomic_load(&a->actors[i].pid)};
    }
    if (*n)
        qsort(all, *n, sizeof *all, by_then);
    return all;
}

/* Who sent it may not be there any more: then nobody did. */
static void name_senders(struct app *a)
{
    struct restore *r = a->restore;
    size_t n;
    struct pids *all = r->nheld ? pids_of(a, &n) : NULL;
    for (size_t i = 0; all && i < r->nheld; i++) {
        const struct pids key = {.then = r->held[i].from};
        const struct pids *at = n ? bsearch(&key, all, n, sizeof *all, by_then) : NULL;
        r->held[i].message->pub.from = at ? at->now : 0;
    }
    free(all);
}

static void let_mail_go(struct app *a)
{
    struct restore *r = a->restore;
    for (size_t i = 0; i < r->nheld; i++)
        iris__message_drop(a->runtime->world.pool, r->held[i].message);
    free(r->held);
    r->held = NULL;
    r->nheld = r->room = 0;
}

void iris__restore_done(struct app *a)
{
    struct restore *r = a->restore;
    char count[COUNT_ROOM];
    if (!r)
        return;
    uint64_t messages = r->nheld;
    name_senders(a);
    let_mail_go(a);
    for (size_t i = 0; i < a->manifest->nactors; i++) {
        struct app_actor *actor = &a->actors[a->manifest->start_order[i]];
        actor->rests = 0;
        iris__thaw(&a->runtime->world, atomic_load(&actor->pid));
    }
    iris__app_say(a, IRIS_APP_NOTE, "restored %zu actors with %s from %s, of %s by iris %s",
                  r->saved.n, iris__messages(count, messages), r->file, r->saved.time,
                  r->saved.iris);
    iris__restore_close(a); /* who begins from now on begins as usual */
}

/* While the runtime is there, if there was one. */
void iris__restore_close(struct app *a)
{
    struct restore *r = a->restore;
    if (!r)
        return;
    if (a->runtime)
        let_mail_go(a);
    iris__saved_finish(&r->saved);
    free(r->held);
    free(r->by_path);
    free(r->file);
    free(r);
    a->restore = NULL;
}
