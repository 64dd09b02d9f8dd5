#include "loader.h"

#include "elfcheck.h"
#include "fail.h"
#include "mapping.h"
#include "nearest.h"
#include "text.h"

#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef const iris_plugin *entry_fn(const iris_api *);

/* ---- libraries that stay mapped ---- */

static void warn(struct loader *l)
{
    char sentence[200];
    snprintf(
        sentence, sizeof sentence,
        "%d loaded libraries cannot be unloaded any more (language hosts, thread-local variables, "
        "threads, C++ inline statics); at %d no other such library will be loaded",
        l->kept, IRIS__KEPT_MOST);
    l->warn_at *= 2;
    if (l->warn)
        l->warn(l->ctx, sentence);
}

static void keep(struct loader *l, struct library *lib, const char *why)
{
    if (lib->stays)
        return;
    lib->stays = why;
    if (++l->kept >= l->warn_at)
        warn(l);
}

static int check_room(const struct loader *l, const struct elf *e)
{
    if (!e->stays || l->kept < IRIS__KEPT_MOST)
        return 0;
    return iris__fail(
        "%s is not loaded: %d libraries that cannot be unloaded are loaded, which is the "
        "limit, and %s; restart the program, or build the plugin without that",
        e->file, l->kept, e->stays);
}

int iris__loader_kept(const struct loader *l)
{
    return l->kept;
}

/* ---- the list ---- */

static struct library *add(struct loader *l, const char *file)
{
    struct library *lib = calloc(1, sizeof *lib);
    if (!lib || !(lib->file = strdup(file))) {
        free(lib);
        return iris__fail("%s: no memory to load it", file), NULL;
    }
    lib->next = l->libraries;
    l->libraries = lib;
    return lib;
}

/* Out of the list and freed; its code is not its business. */
static void drop(struct loader *l, struct library *lib)
{
    struct library **at = &l->libraries;
    while (*at != lib)
        at = &(*at)->next;
    *at = lib->next;
    iris__handshake_undo(&lib->taken);
    iris__store_drop(&l->store, lib->copy);
    free(lib->file);
    free(lib);
}

static struct library *find(struct loader *l, const struct source *s)
{
    for (struct library *lib = l->libraries; lib; lib = lib->next)
        if (lib->copy && iris__copy_equals(lib->copy, s->code, s->hash))
            return lib;
    return NULL;
}

/* 1: it is unmapped and freed. 0: something else holds it, and it stays. */
static int close_library(struct loader *l, struct library *lib)
{
    lib->handle = iris__unmap(lib->handle, lib->copy->path);
    if (lib->handle)
        return keep(l, lib, "the dynamic linker keeps it"), 0;
    drop(l, lib);
    return 1;
}

/* ---- opening ---- */

static int map(struct library *lib, const struct elf *e)
{
    lib->handle = iris__map(e, lib->copy->path);
    if (!lib->handle)
        return -1;
    lib->copy->was_code = 1;
    lib->entry = (entry_fn *)dlsym(lib->handle, PLUGIN_ENTRY);
    return 0;
}

/* Bytes that are not loaded yet. */
static struct library *load(struct loader *l, const struct source *s)
{
    struct elf e;
    if (iris__elf_check(&e, s->file, s->code, PLUGIN_ENTRY) || check_room(l, &e))
        return NULL;
    struct library *lib = add(l, s->file);
    if (!lib)
        return NULL;
    lib->copy = s->copy ? iris__copy_share(s->copy)
                        : iris__store_copy(&l->store, s->file, s->code, s->hash);
    if (!lib->copy || map(lib, &e)) {
        drop(l, lib);
        return NULL;
    }
    if (e.stays)
        keep(l, lib, e.stays);
    return lib;
}

/* Also a second time, with a library that refused and could not be closed. */
static int shake_hands(struct loader *l, struct library *lib, const char *file, const iris_api *api)
{
    if (lib->taken.plugin.name)
        return 0;
    iris__forget();
    const iris_plugin *plugin = lib->entry(api);
    if (!plugin)
        return iris__fail("%s cannot run here: %s (so says its " PLUGIN_ENTRY ")", file,
                          iris__reason());
    if (iris__handshake(&lib->taken, file, plugin, api))
        return -1;
    if (lib->taken.plugin.host)
        keep(l, lib, "it is a language host");
    return 0;
}

static int welcome(struct loader *l, struct library *lib, const char *file, const iris_api *api,
                   struct library **out)
{
    if (shake_hands(l, lib, file, api)) {
        if (!lib->copy)
            drop(l, lib);
        else if (!lib->stays)
            close_library(l, lib);
        return -1;
    }
    iris__library_retain(lib);
    *out = lib;
    return 0;
}

int iris__loader_open_source(struct loader *l, const struct source *s, const iris_api *api,
                             struct library **out)
{
    struct library *lib = find(l, s);
    if (!lib)
        lib = load(l, s);
    return lib ? welcome(l, lib, s->file, api, out) : -1;
}

int iris__loader_open(struct loader *l, const char *file, const iris_api *api, struct library **out)
{
    struct source s;
    if (iris__source_read(&s, file))
        return -1;
    int result = iris__loader_open_source(l, &s, api, out);
    iris__source_free(&s);
    return result;
}

/* In both runtimes it is one that stays: nobody unmaps it from under the other. */
static struct library *join(struct loader *l, const struct source *s)
{
    struct copy *copy = iris__store_mapped(&l->store, s->file, s->code, s->hash);
    struct library *lib = copy ? add(l, s->file) : NULL;
    if (!lib) {
        iris__store_drop(&l->store, copy);
        return NULL;
    }
    lib->copy = copy;
    lib->handle = dlopen(copy->path, RTLD_NOW | RTLD_LOCAL | RTLD_NOLOAD);
    lib->entry = lib->handle ? (entry_fn *)dlsym(lib->handle, PLUGIN_ENTRY) : NULL;
    if (!lib->entry) {
        drop(l, lib);
        return NULL;
    }
    keep(l, lib, "it is a language host");
    return lib;
}

int iris__loader_open_host(struct loader *l, const char *file, const iris_api *api,
                           struct library **out)
{
    struct source s;
    if (iris__source_read(&s, file))
        return -1;
    struct library *lib = find(l, &s);
    if (!lib)
        lib = join(l, &s);
    int result =
        lib ? welcome(l, lib, s.file, api, out) : iris__loader_open_source(l, &s, api, out);
    iris__source_free(&s);
    return result;
}

int iris__loader_attach(struct loader *l, const char *file, entry_fn *entry, const iris_api *api,
                        struct library **out)
{
    struct library *lib = l->libraries;
    while (lib && (lib->copy || lib->entry != entry))
        lib = lib->next;
    if (!lib && !(lib = add(l, file)))
        return -1;
    lib->entry = entry;
    lib->stays = "it is a part of the program";
    return welcome(l, lib, file, api, out);
}

/* It becomes the newest; the oldest goes. */
static void remember(struct loader *l, struct copy *copy)
{
    int i = 0;
    while (i < IRIS__READ_KEPT - 1 && l->read[i] != copy)
        i++;
    iris__store_recycle(&l->store, l->read[i]);
    memmove(l->read + 1, l->read, (size_t)i * sizeof *l->read);
    l->read[0] = iris__copy_share(copy);
}

static void forget(struct loader *l)
{
    for (int i = 0; i < IRIS__READ_KEPT; i++) {
        iris__store_drop(&l->store, l->read[i]);
        l->read[i] = NULL;
    }
}

int iris__loader_read(struct loader *l, const char *file, struct source *s)
{
    if (iris__source_read(s, file))
        return -1;
    s->copy = iris__store_copy(&l->store, file, s->code, s->hash);
    if (s->copy)
        return remember(l, s->copy), 0;
    iris__source_free(s);
    return -1;
}

void iris__loader_free(struct loader *l, struct source *s)
{
    iris__store_drop(&l->store, s->copy);
    iris__source_free(s);
}

/* ---- references ---- */

void iris__library_retain(struct library *lib)
{
    atomic_fetch_add_explicit(&lib->refs, 1, memory_order_relaxed);
}

/* Release: what this thread did with the code comes before its end. Nothing of *lib is touched
 * after. */
void iris__library_release(struct library *lib)
{
    atomic_fetch_sub_explicit(&lib->refs, 1, memory_order_release);
}

static int in_use(struct library *lib)
{
    return atomic_load_explicit(&lib->refs, memory_order_acquire) > 0;
}

int iris__loader_sweep(struct loader *l)
{
    int closed = 0;
    for (struct library *lib = l->libraries, *next; lib; lib = next) {
        next = lib->next;
        if (!in_use(lib) && !lib->stays)
            closed += close_library(l, lib);
    }
    return closed;
}

/* What is still in use is left alone, memory and all: its user could not be told. */
void iris__loader_finish(struct loader *l)
{
    iris__loader_sweep(l);
    forget(l);
    for (struct library *lib = l->libraries, *next; lib; lib = next) {
        next = lib->next;
        lib->copy = NULL;
        if (in_use(lib))
            continue;
        iris__handshake_undo(&lib->taken);
        free(lib->file);
        free(lib);
    }
    iris__store_finish(&l->store);
    *l = (struct loader){0};
}

void iris__loader_init(struct loader *l)
{
    *l = (struct loader){.warn_at = IRIS__KEPT_WARN};
    iris__store_init(&l->store);
}

/* ---- behaviours ---- */

static void no_such(const struct library *lib, const char *name)
{
    struct text known = {0};
    struct nearest near = {.word = name};
    for (int i = 0; i < lib->taken.n; i++) {
        iris__text_addf(&known, "%s%s", i ? ", " : "", lib->taken.copies[i].name);
        iris__nearest_try(&near, lib->taken.copies[i].name, strlen(lib->taken.copies[i].name));
    }
    iris__fail("%s has no behaviour \"%s\"; it has: %s%s%s%s", lib->file, name,
               known.data ? known.data : "?", near.best ? "; did you mean \"" : "",
               near.best ? near.best : "", near.best ? "\"?" : "");
    iris__text_finish(&known);
}

const iris_behaviour *iris__library_behaviour(const struct library *lib, const char *name)
{
    const struct taken *t = &lib->taken;
    for (int i = 0; i < t->n; i++)
        if (!name || !strcmp(name, t->copies[i].name))
            return &t->copies[i];
    if (t->n == 0)
        iris__fail(
            "%s has no behaviours of its own: it is the host of %s, which makes them of other "
            "files",
            lib->file, t->host.runtime ? t->host.runtime : t->plugin.name);
    else
        no_such(lib, name);
    return NULL;
}
