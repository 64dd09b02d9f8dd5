#include "plan.h"

#include <string.h>

/* ---- one key ---- */

static int same_text(const char *a, const char *b)
{
    return a == b || (a && b && !strcmp(a, b));
}

/* Also whether there is one. */
static int same_lists(const void *a, const void *b)
{
    const char *const *x = *(const char *const *const *)a, *const *y =
                                                               *(const char *const *const *)b;
    size_t n = *(const size_t *)((const char *)a + sizeof x);
    if (!x != !y || n != *(const size_t *)((const char *)b + sizeof y))
        return 0;
    for (size_t i = 0; i < n; i++)
        if (strcmp(x[i], y[i]))
            return 0;
    return 1;
}

static int same_timers(const struct manifest_actor *a, const struct manifest_actor *b)
{
    if (a->ntimers != b->ntimers)
        return 0;
    for (size_t i = 0; i < a->ntimers; i++) {
        const struct manifest_timer *x = &a->timers[i], *y = &b->timers[i];
        if (x->every_ns != y->every_ns || x->after_ns != y->after_ns || x->len != y->len ||
            memcmp(x->send, y->send, x->len))
            return 0;
    }
    return 1;
}

static int same_hosts(const struct manifest *a, const struct manifest *b)
{
    if (a->nhosts != b->nhosts)
        return 0;
    for (size_t i = 0; i < a->nhosts; i++) {
        const struct manifest_host *x = &a->hosts[i], *y = &b->hosts[i];
        if (!same_text(x->name, y->name) || !same_text(x->config, y->config) ||
            x->turn_limit != y->turn_limit || x->load_limit != y->load_limit ||
            x->instances != y->instances)
            return 0;
    }
    return 1;
}

static int same_levels(const struct manifest *a, const struct manifest *b)
{
    if (a->logs.nlevels != b->logs.nlevels)
        return 0;
    for (size_t i = 0; i < a->logs.nlevels; i++)
        if (a->logs.levels[i].level != b->logs.levels[i].level ||
            !same_text(a->logs.levels[i].path, b->logs.levels[i].path))
            return 0;
    return 1;
}

/* ---- the mesh, which is kept as one text ---- */

static int is_in_mesh(const struct manifest_key *k)
{
    return !strncmp(k->where, "mesh", strlen("mesh"));
}

/* "allow" of "mesh.tls", the reference is the caller's; NULL: it is not there. */
static json_t *in_mesh(const struct manifest *m, const struct manifest_key *k)
{
    json_t *all = json_loads(m->mesh ? m->mesh : "{}", 0, NULL), *at = all;
    if (k->where[strlen("mesh")])
        at = json_object_get(all, k->where + strlen("mesh."));
    at = json_incref(json_object_get(at, k->name));
    json_decref(all);
    return at;
}

static int same_in_mesh(const struct manifest_key *k, const struct manifest *a,
                        const struct manifest *b)
{
    json_t *x = in_mesh(a, k), *y = in_mesh(b, k);
    int same = x == y || json_equal(x, y);
    json_decref(x);
    json_decref(y);
    return same;
}

/* All but what can change while it runs. */
static json_t *rest_of_mesh(const struct manifest *m)
{
    json_t *all = json_loads(m->mesh, 0, NULL);
    for (const struct manifest_key *k = iris__manifest_keys; k->name; k++)
        if (is_in_mesh(k) && k->live == MANIFEST_AT_ONCE)
            json_object_del(json_object_get(all, k->where + strlen("mesh.")), k->name);
    if (!json_object_size(json_object_get(all, "allow")))
        json_object_del(all, "allow");
    return all;
}

static int same_mesh(const struct manifest *a, const struct manifest *b)
{
    if (!a->mesh || !b->mesh)
        return a->mesh == b->mesh;
    json_t *x = rest_of_mesh(a), *y = rest_of_mesh(b);
    int same = json_equal(x, y);
    json_decref(x);
    json_decref(y);
    return same;
}

/* ---- any key ---- */

/* As manifest_value.c keeps them. */
int iris__plan_same(const struct manifest_key *k, const void *a, const void *b)
{
    if (is_in_mesh(k) && k->live == MANIFEST_AT_ONCE)
        return same_in_mesh(k, a, b);
    if (!k->at)
        return 1;
    if (k->at == offsetof(struct manifest, mesh) + 1 && !*k->where)
        return same_mesh(a, b);
    const char *x = (const char *)a + k->at - 1, *y = (const char *)b + k->at - 1;
    if (k->types & MANIFEST_OBJECTS)
        return same_timers(a, b); /* the only such list inside of an element */
    if (k->types & MANIFEST_DIRECTORIES)
        return same_lists(x, y);
    if (k->types & MANIFEST_MAP)
        return same_hosts(a, b);
    if (k->types & MANIFEST_LEVELS)
        return same_levels(a, b);
    if (k->types & (MANIFEST_INT | MANIFEST_DURATION | MANIFEST_SIZE))
        return *(const int64_t *)x == *(const int64_t *)y;
    if (k->types & MANIFEST_NUMBER)
        return *(const double *)x == *(const double *)y;
    if (k->types & (MANIFEST_WORD | MANIFEST_BOOL) || k->types == MANIFEST_OBJECT)
        return *(const int *)x == *(const int *)y;
    return same_text(*(const char *const *)x, *(const char *const *)y);
}

/* ---- a section ---- */

/* "actors[].mailbox" is inside of "actors[]": "mailbox."; NULL: it is not. */
static const char *below(const char *where, const char *section)
{
    size_t n = strlen(section);
    if (strncmp(where, section, n))
        return NULL;
    return where[n] == '.' ? where + n + 1 : where[n] ? NULL : "";
}

/* Two keys may mean one member: "mailbox", and "capacity" inside of it. */
static int was_told(const struct manifest_key *k)
{
    for (const struct manifest_key *i = iris__manifest_keys; i < k; i++)
        if (k->at && i->at == k->at && i->live == k->live && below(k->where, i->where))
            return 1;
    return 0;
}

int iris__plan_differs(const char *section, int live, const void *a, const void *b,
                       struct text *out)
{
    int n = 0;
    for (const struct manifest_key *k = iris__manifest_keys; k->name; k++) {
        const char *inside = below(k->where, section);
        if (!inside || k->live != live || was_told(k) || iris__plan_same(k, a, b))
            continue;
        if (n++ && out)
            iris__text_addf(out, ", ");
        if (out)
            iris__text_addf(out, "%s%s%s", inside, *inside ? "." : "", k->name);
    }
    return n;
}
