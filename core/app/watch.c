#include "watch.h"

#include "api.h"
#include "app.h"
#include "fail.h"
#include "find.h"
#include "manifest_keys.h"
#include "source.h"
#include "verbs.h"

#include <stdlib.h>
#include <string.h>
#include <uv.h>

/* Directories are watched, not files: who saves by writing another file and renaming it leaves a new file
 * under the old name. What changed is looked at a moment later, once, and counts when it holds other bytes
 * than before and nobody is writing it. What does not load is refused as any swap is; the next save comes
 * here again. Of languages nothing is known but what a host says: which files each version is made of. A directory that
 * was removed or renamed is watched anew as soon as there is one under its name (rm -rf build). */

#define SETTLE_MS 50 /* an editor's writing and renaming is one change */
#define TRIES 100    /* as often a file may be missing or half written */
#define GONE_MS 200  /* how often it is looked whether a directory is back */

struct directory {
    struct directory *next;
    struct watch *watch;
    uv_fs_event_t event;
    int is_gone;
    char path[]; /* with the slash */
};

struct file {
    struct file *next;
    uint64_t hash;
    int has_hash, is_dirty, tries;
    int is_wanted; /* a version is made of it, or a manifest names it; else it only lies beside those */
    char path[]; /* as the actor's version has it */
};

struct watch {
    struct app *app;
    uv_loop_t loop;
    uv_timer_t timer;
    struct directory *directories;
    struct file *files;
};

static const char *base_of(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash ? slash + 1 : path;
}

/* With the slash: "" where there is none. */
static size_t directory_length(const char *path)
{
    return (size_t)(base_of(path) - path);
}

static int is_beside(const char *a, const char *b)
{
    size_t n = directory_length(a);
    return n == directory_length(b) && !memcmp(a, b, n);
}

/* ---- what changed ---- */

static struct file *file_at(const struct watch *w, const char *path)
{
    struct file *f = w->files;
    while (f && strcmp(f->path, path))
        f = f->next;
    return f;
}

static struct file *add_file(struct watch *w, const char *path)
{
    size_t n = strlen(path) + 1;
    struct file *f = calloc(1, sizeof *f + n);
    if (!f)
        return NULL;
    memcpy(f->path, path, n);
    f->next = w->files;
    return w->files = f;
}

static void look_later(struct watch *w);

/* What libuv calls the watched directory: the name behind the last slash of its path, or ".". */
static int is_itself(const char *name)
{
    return !*name || !strcmp(name, ".");
}

/* Any file of a watched directory: a handler, or what one may import. Hidden ones are editors' own, but for those
 * that a manifest lists. */
static void on_change(uv_fs_event_t *event, const char *name, int events, int status)
{
    struct directory *d = event->data;
    char *path;
    if (!status && name && is_itself(name) && events & UV_RENAME) {
        d->is_gone = 1;
        look_later(d->watch);
    }
    if (status || !name || is_itself(name) || asprintf(&path, "%s%s", d->path, name) < 0)
        return;
    struct file *f = file_at(d->watch, path);
    if (!f && *name != '.')
        f = add_file(d->watch, path);
    free(path);
    if (!f)
        return;
    f->is_dirty = 1;
    f->tries = 0;
    look_later(d->watch);
}

/* 1: it holds other bytes than it did; 0: the same; -1: it cannot be read now. */
static int look_at(struct file *f)
{
    struct source s;
    if (iris__source_read(&s, f->path))
        return -1;
    int is_new = !f->has_hash || f->hash != s.hash;
    f->hash = s.hash;
    f->has_hash = 1;
    iris__source_free(&s);
    return is_new;
}

/* ---- who runs it ---- */

struct watched {
    uint64_t pid;
    const struct manifest_actor *asks; /* NULL: it has not; all are watched */
};

struct all_watched {
    struct watched *list;
    size_t n, room;
};

static void add_watched(struct all_watched *all, struct watched one)
{
    if (all->n == all->room) {
        size_t room = all->room ? all->room * 2 : 64;
        struct watched *list = realloc(all->list, room * sizeof *list);
        if (!list)
            return;
        all->list = list;
        all->room = room;
    }
    all->list[all->n++] = one;
}

static void add_pid(void *ctx, uint64_t pid)
{
    add_watched(ctx, (struct watched){.pid = pid});
}

/* Youngest first. Of a router there is no file. */
static void find_watched(const struct app *a, struct all_watched *all)
{
    const struct manifest *m = a->manifest;
    if (a->options.watch)
        iris__runtime_walk(a->runtime, add_pid, all);
    for (size_t i = m->nactors; i-- > 0;) {
        uint64_t pid = atomic_load(&a->actors[i].pid);
        if (m->actors[i].watch && !m->actors[i].behind && pid)
            add_watched(all, (struct watched){pid, &m->actors[i]});
    }
}

static int lists(const struct manifest_actor *m, const char *path)
{
    size_t i = 0;
    while (i < m->nwatch && strcmp(m->watch[i], path))
        i++;
    return i < m->nwatch;
}

/* One that it is made of. Where that is not known, as what was refused last may want another one: also one
 * beside it that its language imports. */
static int concerns(const struct origin *o, const char *path)
{
    const char *ending = strrchr(base_of(path), '.');
    if (!strcmp(o->file, path))
        return 1;
    for (uint32_t i = 0; i < o->nuses; i++)
        if (!strcmp(o->uses[i], path))
            return 1;
    if (o->nuses && !o->is_dated)
        return 0;
    return ending && o->imports && is_beside(o->file, path) &&
           iris__manifest_word(o->imports, ending + 1) >= 0;
}

/* Where all are watched, who asks as well stands there twice: the second time for its list. */
static int is_to_swap(const struct app *a, const struct watched *x, const struct origin *o,
                      const char *path)
{
    if (!x->asks || !a->options.watch)
        return concerns(o, path) || (x->asks && lists(x->asks, path));
    return lists(x->asks, path) && !concerns(o, path);
}

static int runs(struct app *a, const struct watched *x, const char *path)
{
    struct origin o;
    int it_does = iris__origin(&a->runtime->world, x->pid, &o) == IRIS_OK && o.file &&
                  is_to_swap(a, x, &o, path);
    iris__origin_finish(&o);
    return it_does;
}

static void swap_all(struct app *a, const char *path)
{
    struct all_watched all = {0};
    find_watched(a, &all);
    for (size_t i = all.n; i-- > 0;) /* oldest first */
        if (runs(a, &all.list[i], path))
            iris__swap_again(a, all.list[i].pid);
    free(all.list);
}

static int is_run(struct app *a, const char *path)
{
    struct all_watched all = {0};
    int found = 0;
    find_watched(a, &all);
    for (size_t i = 0; i < all.n && !found; i++)
        found = runs(a, &all.list[i], path);
    free(all.list);
    return found;
}

/* Returns whether it is to be looked at again. What only lies there, as a log that is written, is not read. */
static int settle(struct watch *w, struct file *f)
{
    f->is_dirty = f->is_wanted || is_run(w->app, f->path);
    if (!f->is_dirty)
        return 0;
    int changed = look_at(f);
    if (changed < 0 && f->tries++ < TRIES && is_run(w->app, f->path))
        return 1;
    f->is_dirty = 0;
    if (changed > 0)
        swap_all(w->app, f->path);
    else if (changed < 0 && is_run(w->app, f->path))
        iris__app_say(w->app, IRIS_APP_WARNING, "%s; what runs goes on", iris__reason());
    return 0;
}

/* Those that are of no use any more; there may be many. */
static void forget_unwanted(struct watch *w)
{
    for (struct file **at = &w->files, *f; (f = *at);) {
        if (f->is_wanted || f->is_dirty || f->has_hash) {
            at = &f->next;
            continue;
        }
        *at = f->next;
        free(f);
    }
}

static int settle_all(struct watch *w)
{
    int again = 0;
    int running = atomic_load(&w->app->phase) == APP_RUNNING && !iris__orders_are_held(w->app);
    for (struct file *f = w->files; f; f = f->next)
        if (f->is_dirty)
            again |= running ? settle(w, f) : 1;
    forget_unwanted(w);
    return again;
}

static int begin_directory(struct directory *d);

/* All that is in it may be other than it was. Returns whether some are still missing. */
static int find_gone(struct watch *w)
{
    int missing = 0;
    for (struct directory *d = w->directories; d; d = d->next) {
        if (!d->is_gone)
            continue;
        uv_fs_event_stop(&d->event);
        d->is_gone = begin_directory(d) != 0;
        missing |= d->is_gone;
        for (struct file *f = d->is_gone ? NULL : w->files; f; f = f->next)
            if (is_beside(f->path, d->path))
                f->is_dirty = 1, f->tries = 0;
    }
    return missing;
}

static void on_timer(uv_timer_t *timer)
{
    struct watch *w = timer->data;
    int missing = find_gone(w);
    if (settle_all(w))
        look_later(w);
    else if (missing)
        uv_timer_start(&w->timer, on_timer, GONE_MS, 0);
}

static void look_later(struct watch *w)
{
    if (!uv_is_active((uv_handle_t *)&w->timer) || uv_timer_get_due_in(&w->timer) > SETTLE_MS)
        uv_timer_start(&w->timer, on_timer, SETTLE_MS, 0);
}

/* ---- what is watched ---- */

static int begin_directory(struct directory *d)
{
    return uv_fs_event_start(&d->event, on_change, *d->path ? d->path : ".", 0);
}

static int watch_directory(struct watch *w, const char *file)
{
    size_t n = directory_length(file);
    for (struct directory *d = w->directories; d; d = d->next)
        if (strlen(d->path) == n && !memcmp(d->path, file, n))
            return IRIS_OK;
    struct directory *d = calloc(1, sizeof *d + n + 1);
    if (!d)
        return iris__fail("watch: no memory");
    memcpy(d->path, file, n);
    d->watch = w;
    d->next = w->directories;
    w->directories = d;
    uv_fs_event_init(&w->loop, &d->event);
    d->event.data = d;
    int error = begin_directory(d);
    return error ? iris__fail("watch: %s: %s", d->path, uv_strerror(error)) : IRIS_OK;
}

static int add(struct watch *w, const char *path)
{
    struct file *f = file_at(w, path);
    if (watch_directory(w, path))
        return IRIS_FAIL;
    f = f ? f : add_file(w, path);
    if (!f)
        return iris__fail("watch: no memory");
    f->is_wanted = 1;
    if (!f->has_hash)
        look_at(f);
    return IRIS_OK;
}

/* A handler that is not there is told where it is loaded. */
static int add_manifest(struct watch *w)
{
    const struct manifest *m = w->app->manifest;
    int result = IRIS_OK;
    for (size_t i = 0; i < m->nwritten && !result; i++) {
        int is_watched = w->app->options.watch || m->written[i].watch;
        char *file = is_watched ? iris__find_file(m, &m->written[i]) : NULL;
        if (file)
            result = add(w, file);
        free(file);
    }
    return result;
}

/* 1: it was not watched so far. */
static int add_once(struct watch *w, const char *path)
{
    const struct file *f = file_at(w, path);
    int is_new = !f || !f->is_wanted;
    if (is_new && add(w, path))
        iris__app_say(w->app, IRIS_APP_WARNING, "%s", iris__reason());
    return is_new;
}

/* Saved again between its load and this: that is a change which nobody tells. */
static void compare(struct watch *w, const struct origin *o)
{
    struct file *f = file_at(w, o->file);
    if (!f || !f->has_hash || f->hash == o->hash || o->is_dated)
        return;
    f->hash = o->hash;
    f->is_dirty = 1;
    look_later(w);
}

static void add_origin(struct watch *w, const struct origin *o)
{
    if (add_once(w, o->file))
        compare(w, o);
    for (uint32_t i = 0; i < o->nuses; i++)
        add_once(w, o->uses[i]);
}

static void add_watched_files(struct watch *w, const struct watched *x)
{
    struct origin o;
    if (iris__origin(&w->app->runtime->world, x->pid, &o) == IRIS_OK && o.file)
        add_origin(w, &o);
    iris__origin_finish(&o);
    for (size_t i = 0; x->asks && i < x->asks->nwatch; i++)
        add_once(w, x->asks->watch[i]);
}

void iris__watch_refresh(struct watch *w)
{
    struct all_watched all = {0};
    find_watched(w->app, &all);
    for (size_t i = 0; i < all.n; i++)
        add_watched_files(w, &all.list[i]);
    free(all.list);
    iris__watch_run(w);
}

int iris__watch_is_wanted(const struct app *a)
{
    int found = a->options.watch;
    for (size_t i = 0; i < a->manifest->nwritten && !found; i++)
        found = a->manifest->written[i].watch != NULL;
    return found;
}

struct watch *iris__watch_open(struct app *a)
{
    struct watch *w = calloc(1, sizeof *w);
    if (!w || uv_loop_init(&w->loop)) {
        free(w);
        return iris__fail("watch: no memory, or no descriptors"), NULL;
    }
    w->app = a;
    w->timer.data = w;
    uv_timer_init(&w->loop, &w->timer);
    if (add_manifest(w)) {
        iris__watch_close(w);
        return NULL;
    }
    iris__watch_run(w); /* from here on its descriptor tells */
    return w;
}

static void close_handle(uv_handle_t *handle, void *unused)
{
    (void)unused;
    if (!uv_is_closing(handle))
        uv_close(handle, NULL);
}

void iris__watch_close(struct watch *w)
{
    if (!w)
        return;
    uv_walk(&w->loop, close_handle, NULL);
    uv_run(&w->loop, UV_RUN_DEFAULT);
    uv_loop_close(&w->loop);
    for (struct directory *d = w->directories, *next; d; d = next) {
        next = d->next;
        free(d);
    }
    for (struct file *f = w->files, *next; f; f = next) {
        next = f->next;
        free(f);
    }
    free(w);
}

/* ---- in the main thread's wait ---- */

int iris__watch_fd(const struct watch *w)
{
    return uv_backend_fd(&w->loop);
}

int iris__watch_timeout(const struct watch *w)
{
    return uv_backend_timeout(&w->loop);
}

void iris__watch_run(struct watch *w)
{
    uv_run(&w->loop, UV_RUN_NOWAIT);
}
