#include "apply.h"

#include "api.h"
#include "find.h"
#include "source.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

/* What runs, beside what the manifests say of it: whether it has ended, and whether its code is still the one
 * that the new manifest names, byte by byte. */

/* ---- who has ended ---- */

/* One that ended by itself has done its work; but who is always to run, is. */
static int has_finished(struct app *a, const struct manifest_actor *m)
{
    struct story s;
    int by_itself = 0;
    if (m->restart == MANIFEST_ALWAYS)
        return 0;
    if (iris__story_open(&a->stories, m->path, &s))
        for (uint32_t i = 0; i < s.n; i++)
            if (s.tales[i]->e.kind == IRIS_EVENT_ENDED)
                by_itself = !strncmp(s.tales[i]->e.text, "normal", 6);
    iris__story_close(&s);
    return by_itself;
}

static void look_who_is_gone(struct apply *x, unsigned char *gone)
{
    struct app *a = x->app;
    for (size_t i = 0; i < a->manifest->nactors; i++)
        gone[i] = iris__actor_is_told(&a->runtime->world, atomic_load(&a->actors[i].pid)) &&
                  !has_finished(a, &a->manifest->actors[i]);
}

/* ---- whose code is another ---- */

struct looking { /* the file that was read last: many actors may be made of one */
    char *file;
    uint64_t hash;
    int is_read;
};

static int hash_of(struct looking *l, const char *file, uint64_t *hash)
{
    struct source s;
    if (!l->file || strcmp(l->file, file)) {
        free(l->file);
        l->file = strdup(file);
        l->is_read = !iris__source_read(&s, file);
        if (l->is_read) {
            l->hash = s.hash;
            iris__source_free(&s);
        }
    }
    *hash = l->hash;
    return l->is_read ? 0 : -1;
}

static int is_newer(const char *file, int64_t than)
{
    struct stat st;
    return !stat(file, &st) && (int64_t)st.st_ctim.tv_sec * IRIS_SECOND + st.st_ctim.tv_nsec > than;
}

static int same(const char *a, const char *b)
{
    return !strcmp(a ? a : "", b ? b : "");
}

/* Another name for the same bytes is no other code in C, where a file is all there is to it. */
static char *other_code(struct looking *l, const struct origin *o, const char *file,
                        const struct manifest_actor *m)
{
    uint64_t hash;
    char *why = NULL;
    int known = !hash_of(l, file, &hash); /* else loading it says why */
    int is_native = !strcmp(m->host, "native");
    if (!same(o->symbol, m->symbol) || (!is_native && !same(o->file, file)) ||
        (known && hash != o->hash && !same(o->file, file)))
        return asprintf(&why, "%s -> %s", o->handler ? o->handler : "its code", m->handler) < 0
                   ? NULL
                   : why;
    if (!known || hash != o->hash)
        return asprintf(&why, "%s has changed", m->handler_text) < 0 ? NULL : why;
    for (uint32_t i = 0; i < o->nuses; i++)
        if (is_newer(o->uses[i], o->loaded))
            return asprintf(&why, "%s has changed", o->uses[i]) < 0 ? NULL : why;
    return strdup("");
}

static char *look_at_code(struct apply *x, struct looking *l, const struct manifest_actor *m,
                          uint64_t pid)
{
    struct origin o;
    char *why = NULL;
    char *file = m->behind || m->remote_at ? NULL : iris__find_file(x->to, m);
    if (file && iris__origin(&x->app->runtime->world, pid, &o) == IRIS_OK) {
        if (o.file)
            why = other_code(l, &o, file, m);
        iris__origin_finish(&o);
    }
    free(file);
    return why;
}

static void look_at_all(struct apply *x, struct apply_facts *f, const size_t *old_of)
{
    struct looking looking = {0};
    for (size_t i = 0; i < x->to->nactors; i++) {
        if (old_of[i] == PLAN_NONE)
            continue;
        x->actors[i].pid = f->is_gone[old_of[i]] ? 0 : atomic_load(&x->app->actors[old_of[i]].pid);
        x->actors[i].took = x->app->actors[old_of[i]].took;
        if (x->actors[i].pid)
            f->code[i] = look_at_code(x, &looking, &x->to->actors[i], x->actors[i].pid);
    }
    free(looking.file);
}

int iris__apply_facts(struct apply *x, struct apply_facts *f)
{
    const struct manifest *from = x->app->manifest;
    size_t *old_of = iris__plan_actors(x->to, from);
    f->is_gone = calloc(from->nactors + 1, 1);
    f->code = calloc(x->to->nactors + 1, sizeof *f->code);
    int failed = !old_of || !f->is_gone || !f->code;
    if (!failed) {
        look_who_is_gone(x, f->is_gone);
        look_at_all(x, f, old_of);
    }
    f->plan = (struct plan_facts){(const char *const *)f->code, f->is_gone};
    free(old_of);
    return failed ? -1 : 0;
}

void iris__apply_facts_finish(const struct apply *x, struct apply_facts *f)
{
    for (size_t i = 0; f->code && i < x->to->nactors; i++)
        free(f->code[i]);
    free(f->code);
    free(f->is_gone);
}
