#include "plan.h"

#include <stdlib.h>
#include <string.h>

#define HERE_HINT "leave it as it is; or stop the app and run this manifest: iris stop, iris run"
#define ACTOR_HINT "leave it as it is; or take the actor out with one apply, and in with the next"

struct planning {
    const struct manifest *from, *to;
    const struct plan_facts *facts;
    struct plan *plan;
    struct problems *problems;
    size_t *new_of, *old_of; /* of each actor its place in the other one */
    unsigned char *changes;  /* of each new actor: there is a step */
};

/* ---- steps ---- */

static int make_room(struct plan *plan)
{
    size_t room = plan->room ? 2 * plan->room : 16;
    if (plan->n < plan->room)
        return 0;
    struct plan_step *more = realloc(plan->steps, room * sizeof *more);
    if (!more)
        return -1;
    plan->steps = more;
    plan->room = room;
    return 0;
}

static void add(struct planning *p, struct plan_step s, const char *path, struct text *why)
{
    struct plan *plan = p->plan;
    s.path = strdup(path);
    s.why = why && why->data ? why->data : strdup("");
    if (make_room(plan) || !s.path || !s.why) {
        plan->no_memory = 1;
        free(s.path);
        free(s.why);
        return;
    }
    plan->steps[plan->n++] = s;
    if (s.of == PLAN_ACTOR && s.to != PLAN_NONE)
        p->changes[s.to] = 1;
}

static void add_actor(struct planning *p, enum plan_what what, size_t from, size_t to,
                      struct text *why)
{
    const char *path = to != PLAN_NONE ? p->to->actors[to].path : p->from->actors[from].path;
    add(p, (struct plan_step){.what = what, .of = PLAN_ACTOR, .from = from, .to = to}, path, why);
}

/* ---- which is which ---- */

struct named {
    const char *path;
    size_t at;
};

static int by_path(const void *a, const void *b)
{
    return strcmp(((const struct named *)a)->path, ((const struct named *)b)->path);
}

static struct named *sorted(const struct manifest *m)
{
    struct named *all = malloc((m->nactors + 1) * sizeof *all);
    for (size_t i = 0; all && i < m->nactors; i++)
        all[i] = (struct named){m->actors[i].path, i};
    if (all && m->nactors)
        qsort(all, m->nactors, sizeof *all, by_path);
    return all;
}

size_t *iris__plan_actors(const struct manifest *from, const struct manifest *to)
{
    struct named *names = sorted(to);
    size_t *places = malloc((from->nactors + 1) * sizeof *places);
    for (size_t i = 0; names && places && i < from->nactors; i++) {
        struct named key = {from->actors[i].path, 0};
        const struct named *at =
            to->nactors ? bsearch(&key, names, to->nactors, sizeof key, by_path) : NULL;
        places[i] = at ? at->at : PLAN_NONE;
    }
    if (!names) {
        free(places);
        places = NULL;
    }
    free(names);
    return places;
}

static int is_gone(const struct planning *p, size_t from)
{
    return p->facts && p->facts->is_gone && p->facts->is_gone[from];
}

/* ---- what cannot be ---- */

static void refuse_root(struct planning *p, const struct manifest_key *k)
{
    char pointer[80];
    snprintf(pointer, sizeof pointer, "%s%s/%s", *k->where ? "/" : "", k->where, k->name);
    struct problem *problem =
        iris__problem_add(p->problems, p->to->file, pointer, "fixed",
                          "\"%s%s%s\" cannot change while the app runs; it keeps what it was "
                          "started with",
                          k->where, *k->where ? "." : "", k->name);
    iris__problem_hint(problem, HERE_HINT " %s", p->to->file);
}

/* "file" says "to", and any key inside of "logs" that it is there: the one that was written is named. */
static int is_implied(const struct planning *p, const struct manifest_key *k)
{
    const struct manifest_key *file = iris__manifest_key("logs", "file");
    if (!strcmp(k->where, "logs"))
        return k != file && !iris__plan_same(file, p->from, p->to);
    return !strcmp(k->name, "logs") &&
           iris__plan_differs("logs", MANIFEST_FIXED, p->from, p->to, NULL);
}

static void check_root(struct planning *p)
{
    for (const struct manifest_key *k = iris__manifest_keys; k->name; k++)
        if (k->live == MANIFEST_FIXED && !strchr(k->where, '[') &&
            !iris__plan_same(k, p->from, p->to) && !is_implied(p, k))
            refuse_root(p, k);
}

static void refuse_actor(struct planning *p, const struct manifest_actor *to, const char *keys)
{
    char pointer[80];
    size_t n = strcspn(keys, ",.");
    snprintf(pointer, sizeof pointer, "/actors/%zu/%.*s", to->index, (int)n, keys);
    struct problem *problem =
        iris__problem_add(p->problems, p->to->file, pointer, "fixed",
                          "\"%s\" of %s cannot change while the app runs", keys, to->path);
    iris__problem_hint(problem, ACTOR_HINT);
}

/* A mailbox is bounded or not for life, by messages and by bytes. */
static const char *fixed_mailbox(const struct manifest_actor *a, const struct manifest_actor *b)
{
    return !a->capacity != !b->capacity ? "mailbox.capacity"
           : !a->bytes != !b->bytes     ? "mailbox.bytes"
                                        : NULL;
}

static void check_actor(struct planning *p, const struct manifest_actor *from,
                        const struct manifest_actor *to)
{
    struct text keys = {0};
    const char *mailbox = fixed_mailbox(from, to);
    if (!from->behind != !to->behind) /* of one actor and many behind a router */
        refuse_actor(p, to, "instances");
    else if (to->behind || to->number > 1) /* the first instance speaks for all */
        return;
    else if (iris__plan_differs("actors[]", MANIFEST_FIXED, from, to, &keys))
        refuse_actor(p, to, keys.data ? keys.data : "start");
    else if (mailbox)
        refuse_actor(p, to, mailbox);
    else if (to->singleton && (iris__plan_differs("actors[]", MANIFEST_SWAPS, from, to, &keys) ||
                               iris__plan_differs("actors[]", MANIFEST_RESTARTS, from, to, &keys) ||
                               iris__plan_differs("actors[]", MANIFEST_AT_ONCE, from, to, &keys)))
        refuse_actor(p, to, keys.data ? keys.data : "singleton");
    iris__text_finish(&keys);
}

/* ---- supervisors ---- */

static size_t supervisor_at(const struct manifest *m, const char *path)
{
    for (size_t i = 0; i < m->nsupervisors; i++)
        if (!strcmp(m->supervisors[i].path, path))
            return i;
    return PLAN_NONE;
}

static void plan_supervisors(struct planning *p)
{
    for (size_t i = 0; i < p->to->nsupervisors; i++) {
        const struct manifest_supervisor *s = &p->to->supervisors[i];
        size_t from = supervisor_at(p->from, s->path);
        struct plan_step step = {.what = PLAN_ADD, .of = PLAN_SUPERVISOR, .from = from, .to = i};
        struct text why = {0};
        if (from == PLAN_NONE) {
            add(p, step, s->path, NULL);
        } else if (iris__plan_differs("supervisors[]", MANIFEST_AT_ONCE,
                                      &p->from->supervisors[from], s, &why)) {
            step.what = PLAN_SET;
            add(p, step, s->path, &why);
        }
    }
}

static void end_supervisors(struct planning *p)
{
    for (size_t i = 0; i < p->from->nsupervisors; i++) {
        const char *path = p->from->supervisors[i].path;
        struct plan_step step = {
            .what = PLAN_REMOVE, .of = PLAN_SUPERVISOR, .from = i, .to = PLAN_NONE};
        if (supervisor_at(p->to, path) == PLAN_NONE)
            add(p, step, path, NULL);
    }
}

/* ---- actors ---- */

static int is_new(const struct planning *p, size_t to)
{
    if (p->to->actors[to].singleton) /* where it runs and whether is the engine's affair */
        return p->old_of[to] == PLAN_NONE;
    return p->old_of[to] == PLAN_NONE || is_gone(p, p->old_of[to]);
}

static void plan_new(struct planning *p)
{
    for (size_t i = 0; i < p->to->nactors; i++) {
        size_t to = p->to->start_order[i];
        struct text why = {0};
        if (!is_new(p, to) || p->to->actors[to].behind)
            continue;
        iris__text_addf(&why, p->old_of[to] == PLAN_NONE ? "%s" : "%s, which has ended",
                        p->to->actors[to].handler);
        add_actor(p, PLAN_ADD, p->old_of[to], to, &why);
    }
    for (size_t i = 0; i < p->to->nactors; i++) { /* behind their instances */
        size_t to = p->to->start_order[i];
        struct text why = {0};
        if (!is_new(p, to) || !p->to->actors[to].behind)
            continue;
        iris__text_addf(&why, "%s of %u", p->to->actors[to].handler, p->to->actors[to].behind);
        add_actor(p, PLAN_ADD, p->old_of[to], to, &why);
    }
}

static int has_new_instances(const struct planning *p, size_t router)
{
    for (size_t i = 1; i <= p->to->actors[router].behind; i++)
        if (is_new(p, router - i))
            return 1;
    return 0;
}

static int other_code(const struct planning *p, size_t to, struct text *why)
{
    const struct manifest_actor *a = &p->from->actors[p->old_of[to]], *b = &p->to->actors[to];
    if (b->singleton)
        return 0;
    const char *told = p->facts && p->facts->code ? p->facts->code[to] : NULL;
    if (b->behind) {
        if (a->behind == b->behind && a->route == b->route && !has_new_instances(p, to))
            return 0;
        iris__text_addf(why, "%s of %u -> %s of %u", a->handler, a->behind, b->handler, b->behind);
        return 1;
    }
    if (told)
        return *told && !iris__text_addf(why, "%s", told);
    if (!iris__plan_differs("actors[]", MANIFEST_SWAPS, a, b, NULL))
        return 0;
    iris__text_addf(why, "%s -> %s", a->handler, b->handler);
    return 1;
}

static int other_keys(const struct planning *p, size_t to, int live, struct text *why)
{
    const struct manifest_actor *a = &p->from->actors[p->old_of[to]], *b = &p->to->actors[to];
    struct manifest_actor one = *a; /* how many, and which gets what, is the router's code */
    one.instances = b->instances;
    one.route = b->route;
    if (b->behind)
        one.args = b->args;
    return iris__plan_differs("actors[]", live, &one, b, why);
}

static void plan_changes(struct planning *p, enum plan_what what)
{
    for (size_t i = 0; i < p->to->nactors; i++) {
        size_t to = p->to->start_order[i];
        struct text why = {0};
        if (is_new(p, to))
            continue;
        if (what == PLAN_SWAP
                ? other_code(p, to, &why)
                : other_keys(p, to, what == PLAN_SET ? MANIFEST_AT_ONCE : MANIFEST_RESTARTS, &why))
            add_actor(p, what, p->old_of[to], to, &why);
        else
            iris__text_finish(&why);
    }
}

static void plan_ends(struct planning *p)
{
    for (size_t i = p->from->nactors; i-- > 0;) {
        size_t from = p->from->start_order[i];
        if (p->new_of[from] == PLAN_NONE && !is_gone(p, from))
            add_actor(p, PLAN_REMOVE, from, PLAN_NONE, NULL);
    }
}

static void check_actors(struct planning *p)
{
    for (size_t to = 0; to < p->to->nactors; to++)
        if (!is_new(p, to))
            check_actor(p, &p->from->actors[p->old_of[to]], &p->to->actors[to]);
}

/* ---- all of it ---- */

static void plan_rest(struct planning *p)
{
    static const struct {
        const char *section;
        enum plan_of of;
    } sections[] = {{"logs", PLAN_LOGS}, {"metrics", PLAN_METRICS}, {"mesh", PLAN_MESH}};
    for (size_t i = 0; i < sizeof sections / sizeof *sections; i++) {
        struct text why = {0};
        struct plan_step step = {.what = PLAN_SET, .of = sections[i].of};
        if (iris__plan_differs(sections[i].section, MANIFEST_AT_ONCE, p->from, p->to, &why))
            add(p, step, sections[i].section, &why);
    }
}

static void plan_all(struct planning *p)
{
    check_root(p);
    check_actors(p);
    plan_rest(p);
    plan_supervisors(p);
    plan_new(p);
    plan_changes(p, PLAN_SET);
    plan_changes(p, PLAN_SWAP);
    plan_changes(p, PLAN_RESTART);
    plan_ends(p);
    end_supervisors(p);
    for (size_t i = 0; i < p->to->nactors; i++)
        p->plan->kept += !p->changes[i];
}

void iris__plan(const struct manifest *from, const struct manifest *to,
                const struct plan_facts *facts, struct plan *plan, struct problems *problems)
{
    struct planning p = {.from = from,
                         .to = to,
                         .facts = facts,
                         .plan = plan,
                         .problems = problems,
                         .new_of = iris__plan_actors(from, to),
                         .old_of = iris__plan_actors(to, from),
                         .changes = calloc(to->nactors + 1, 1)};
    *plan = (struct plan){0};
    if (p.new_of && p.old_of && p.changes)
        plan_all(&p);
    else
        plan->no_memory = 1;
    free(p.new_of);
    free(p.old_of);
    free(p.changes);
}

void iris__plan_finish(struct plan *plan)
{
    for (size_t i = 0; i < plan->n; i++) {
        free(plan->steps[i].path);
        free(plan->steps[i].why);
    }
    free(plan->steps);
    *plan = (struct plan){0};
}
