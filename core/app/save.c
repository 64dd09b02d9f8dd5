#include "save.h"

#include "answer.h"
#include "api.h"
#include "app.h"
#include "change.h"
#include "fail.h"
#include "freeze.h"
#include "own.h"
#include "saved.h"
#include "singleton.h"
#include "swap.h"

#include <stdlib.h>
#include <string.h>

#define REST_ONE (5 * IRIS_SECOND) /* what an actor has to come to rest that says nothing else */
#define REST_LATE IRIS_SECOND      /* .. and to come back from save(), beyond that */

/* ---- one actor's answer ---- */

struct meeting {
    struct answer answer; /* first */
    struct gather gather;
    struct saved_actor got;
    uint32_t questions;
};

static void finish(struct answer *a)
{
    struct meeting *m = (struct meeting *)a;
    iris__text_finish(&m->got.state);
    iris__text_finish(&m->got.mail);
}

static struct meeting *meet(struct app *a)
{
    struct meeting *m = iris__answer_open(a, sizeof *m);
    if (m)
        m->answer.finish = finish;
    return m;
}

/* [any] It rests, or will not. */
static void rested(void *ctx, const struct swap_report *r)
{
    struct meeting *m = ctx;
    int short_of_memory = 0;
    if (r->state) {
        m->got.has_state = 1;
        m->got.state_version = r->state_version;
        short_of_memory = iris__text_add(&m->got.state, r->state->data, r->state->len);
    }
    iris__answer_give(&m->answer, short_of_memory ? IRIS_FAIL : r->result,
                      short_of_memory ? "no memory" : r->why);
}

/* [any] */
static void gathered(struct gather *ctx, const struct gathered *g)
{
    struct meeting *m = (struct meeting *)((char *)ctx - offsetof(struct meeting, gather));
    int short_of_memory = 0;
    for (uint32_t i = 0; i < g->nmail && !short_of_memory; i++) {
        const iris_message *one = &g->mail[i]->pub;
        short_of_memory = iris__saved_add_message(&m->got, one->from, one->data, one->len);
    }
    m->questions = g->questions;
    iris__answer_give(&m->answer, short_of_memory ? IRIS_FAIL : g->result,
                      short_of_memory ? "no memory" : g->why);
}

/* IRIS_AGAIN: it has not answered, or all are told to stop meanwhile. */
static int await(struct app *a, struct meeting *m, int64_t time)
{
    return iris__answer_await(&m->answer, iris__sched_after(&a->runtime->world.sched, time));
}

/* ---- all of them ---- */

struct save {
    struct app *app;
    struct saved saved;
    size_t *indices; /* of saved.actors, in app.actors */
    uint64_t messages, questions, others, singletons;
    struct own own;
    char *file;
};

static int take_down(struct save *s, size_t index, struct meeting *m)
{
    const struct manifest_actor *of = &s->app->manifest->actors[index];
    struct saved_actor *to = &s->saved.actors[s->saved.n];
    s->indices[s->saved.n++] = index;
    *to = (struct saved_actor){.path = strdup(of->path),
                               .handler = strdup(of->handler ? of->handler : ""),
                               .host = strdup(of->host ? of->host : ""),
                               .pid = atomic_load(&s->app->actors[index].pid),
                               .has_state = m->got.has_state,
                               .state_version = m->got.state_version,
                               .state = m->got.state};
    m->got.state = (struct text){0};
    s->app->actors[index].rests = 1;
    return to->path && to->handler && to->host ? IRIS_OK : iris__fail("%s: no memory", of->path);
}

static int say_restless(struct app *a, const struct manifest_actor *of, int64_t time)
{
    if (atomic_load(&a->stop))
        return iris__fail("the app was told to stop meanwhile");
    return iris__fail("%s: its handler has not returned within %.1f s", of->path,
                      (double)time / 1e9);
}

/* Another node begins it as soon as this one stops: what it knew here would come back to one that has gone on since.
 * So it ends as whenever its node stops, when it has done what waits in its mailbox. */
static int leave_out(struct save *s, uint64_t pid)
{
    char room[300];
    s->singletons += !iris__singleton_word(s->app, pid, room, sizeof room);
    return IRIS_OK;
}

/* It has ended meanwhile, or is not there: then it begins anew when it is restored. */
static int rest_one(struct save *s, size_t index)
{
    struct app *a = s->app;
    struct world *w = &a->runtime->world;
    const struct manifest_actor *of = &a->manifest->actors[index];
    uint64_t pid = atomic_load(&a->actors[index].pid);
    int64_t time = of->shutdown > 0 ? of->shutdown : REST_ONE;
    if (of->remote_at || !pid || !iris__actor_alive(w, pid))
        return IRIS_OK;
    if (of->singleton)
        return leave_out(s, pid);
    struct meeting *m = meet(a);
    if (!m)
        return iris__fail("%s: no memory", of->path);
    struct swap_order order = {.now = 1, .freeze = 1, .tell = rested, .ctx = m};
    int result = iris__swap(w, pid, &order);
    if (result) {
        iris__answer_drop(&m->answer);
        iris__answer_drop(&m->answer);
        return result == IRIS_DEAD ? IRIS_OK : IRIS_FAIL;
    }
    result = await(a, m, time);
    if (result == IRIS_AGAIN) {
        iris__swap_cancel(w, pid);
        a->actors[index].rests = 1; /* perhaps: it is let go with the others */
        result = await(a, m, REST_LATE) ? say_restless(a, of, time) : take_down(s, index, m);
    } else if (result == IRIS_DEAD) {
        result = IRIS_OK;
    } else {
        result = result ? iris__fail("%s: %s", of->path, iris__change_why(m->answer.why))
                        : take_down(s, index, m);
    }
    iris__answer_drop(&m->answer);
    return result;
}

/* Who depends on another one, and may still ask it something, comes to rest first. */
static int rest_all(struct save *s)
{
    const struct manifest *m = s->app->manifest;
    s->saved.actors = calloc(m->nactors + 1, sizeof *s->saved.actors);
    s->indices = calloc(m->nactors + 1, sizeof *s->indices);
    s->saved.app = strdup(m->name);
    if (!s->saved.actors || !s->indices || !s->saved.app)
        return iris__fail("no memory");
    for (size_t i = m->nactors; i-- > 0;)
        if (rest_one(s, m->start_order[i]))
            return IRIS_FAIL;
    return IRIS_OK;
}

static int gather_one(struct save *s, struct saved_actor *to)
{
    struct meeting *m = meet(s->app);
    if (!m)
        return iris__fail("%s: no memory", to->path);
    m->gather.tell = gathered;
    iris__gather(&s->app->runtime->world, to->pid, &m->gather);
    int result = await(s->app, m, REST_ONE);
    if (result) {
        result =
            iris__fail("%s: %s", to->path,
                       result == IRIS_AGAIN ? "its thread does other work and does not come back"
                                            : m->answer.why);
    } else {
        to->mail = m->got.mail;
        to->messages = m->got.messages;
        m->got.mail = (struct text){0};
        s->questions += m->questions;
        s->messages += to->messages;
    }
    iris__answer_drop(&m->answer);
    return result;
}

static int gather_all(struct save *s)
{
    for (size_t i = 0; i < s->saved.n; i++)
        if (gather_one(s, &s->saved.actors[i]))
            return IRIS_FAIL;
    return IRIS_OK;
}

static void count_others(void *ctx, uint64_t pid)
{
    struct save *s = ctx;
    s->others += !iris__own_has(&s->own, pid);
}

static int carry_out(struct save *s, const char *dir)
{
    if (rest_all(s))
        return IRIS_FAIL;
    if (iris__own_take(s->app, &s->own))
        return iris__fail("no memory");
    iris__runtime_walk(s->app->runtime, count_others, s);
    s->file = iris__saved_name(dir, s->app->manifest->name);
    if (!s->file)
        return iris__fail("no memory");
    return gather_all(s) || iris__saved_write(&s->saved, s->file) ? IRIS_FAIL : IRIS_OK;
}

/* ---- and then ---- */

/* Those that others need go on first. */
static void go_on(struct app *a)
{
    for (size_t i = 0; i < a->manifest->nactors; i++) {
        struct app_actor *actor = &a->actors[a->manifest->start_order[i]];
        if (actor->rests)
            iris__thaw(&a->runtime->world, atomic_load(&actor->pid));
        actor->rests = 0;
    }
}

static void say_saved(struct save *s, struct control_reply *reply)
{
    struct app *a = s->app;
    char count[COUNT_ROOM];
    for (size_t i = 0; i < s->saved.n; i++)
        iris__freeze_is_safe(&a->runtime->world, s->saved.actors[i].pid);
    iris__app_say(a, IRIS_APP_NOTE, "saved %zu actors with %s in %s", s->saved.n,
                  iris__messages(count, s->messages), s->file);
    if (s->others)
        iris__app_say(a, IRIS_APP_WARNING,
                      "%llu actors that the manifest does not name are not in the save",
                      (unsigned long long)s->others);
    if (s->singletons)
        iris__app_say(a, IRIS_APP_WARNING,
                      "not in the save: %llu singleton%s, begun anew by whoever is next",
                      (unsigned long long)s->singletons, s->singletons == 1 ? "" : "s");
    if (s->questions)
        iris__app_say(a, IRIS_APP_WARNING,
                      "%llu questions that nobody had begun are not in the save: who asked is told",
                      (unsigned long long)s->questions);
    atomic_store(&a->stop, 1);
    iris__control_reply(reply, 200,
                        json_pack("{s:b, s:o, s:s, s:I, s:I, s:I, s:I, s:I}", "stopping", 1,
                                  "manifest", iris__verb_manifest(a), "saved", s->file, "actors",
                                  (json_int_t)s->saved.n, "messages", (json_int_t)s->messages,
                                  "questions", (json_int_t)s->questions, "others",
                                  (json_int_t)s->others, "singletons", (json_int_t)s->singletons));
}

/* Another one may be asked for. */
static void forget(struct save_order *o)
{
    pthread_mutex_lock(&o->lock);
    free(o->dir);
    o->dir = NULL;
    pthread_mutex_unlock(&o->lock);
}

static void refuse(struct app *a, struct control_reply *reply)
{
    char *reason = strdup(iris__reason());
    iris__app_say(a, IRIS_APP_WARNING, "not saved: %s", reason ? reason : "no memory");
    go_on(a);
    forget(&a->save);
    iris__control_error(reply, "save-refused", "nothing was stopped: the app goes on",
                        "not saved: %s", reason ? reason : "no memory");
    free(reason);
}

static void save(struct app *a, const char *dir, struct control_reply *reply)
{
    struct save s = {.app = a};
    if (carry_out(&s, dir))
        refuse(a, reply);
    else
        say_saved(&s, reply);
    iris__saved_finish(&s.saved);
    iris__own_finish(&s.own);
    free(s.indices);
    free(s.file);
}

/* ---- being asked ---- */

void iris__save_init(struct save_order *o)
{
    *o = (struct save_order){0};
    pthread_mutex_init(&o->lock, NULL);
}

void iris__save_finish(struct save_order *o)
{
    pthread_mutex_destroy(&o->lock);
    free(o->dir);
}

void iris__save_ask(struct app *a, const char *dir, struct control_reply *reply)
{
    struct save_order *o = &a->save;
    if (atomic_load(&a->phase) != APP_RUNNING || atomic_load(&a->stop)) {
        int starting = atomic_load(&a->phase) == APP_STARTING;
        iris__control_error(reply, starting ? "busy" : "stopping", NULL, "the app is %s",
                            starting ? "still starting" : "stopping");
        return;
    }
    pthread_mutex_lock(&o->lock);
    int taken = o->dir != NULL;
    if (!taken) {
        o->dir = strdup(dir);
        o->reply = reply;
    }
    pthread_mutex_unlock(&o->lock);
    if (taken)
        iris__control_error(reply, "busy", NULL, "it is being saved already");
    iris__app_ring(a);
}

void iris__save_look(struct app *a)
{
    struct save_order *o = &a->save;
    pthread_mutex_lock(&o->lock);
    struct control_reply *reply = o->reply;
    o->reply = NULL;
    pthread_mutex_unlock(&o->lock);
    if (!reply)
        return;
    save(a, o->dir, reply);
}
