/* iris_app_describe(): what a plugin is. Its bytes are read and checked here; its code runs in a child
 * that may do little, for a short time, and can take nothing with it when it falls. */
#include "api.h"
#include "behaviour.h"
#include "child.h"
#include "elfnote.h"
#include "fail.h"
#include "loader.h"
#include "process.h"
#include "text.h"

#include <iris/app.h>

#include <errno.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

#define MEMORY_MORE (4ull << 30) /* bytes of addresses beyond those of now: libnode maps much */

/* ---- in the child ---- */

static json_t *behaviours_of(const struct taken *t)
{
    json_t *all = json_array();
    for (int i = 0; i < t->n; i++) {
        const iris_behaviour *b = &t->copies[i];
        json_array_append_new(all, json_pack("{s:s, s:s, s:I, s:s, s:b, s:b, s:b}", "name", b->name,
                                             "version", b->version ? b->version : "",
                                             "state_version", (json_int_t)b->state_version, "kind",
                                             iris__behaviour_pulls(b) ? "pull" : "push", "saves",
                                             b->save != NULL, "upgrades", b->upgrade != NULL,
                                             "own_thread", !!(b->flags & IRIS_OWN_THREAD)));
    }
    return all;
}

static json_t *strings_of(const char *const *list)
{
    json_t *all = json_array();
    for (; list && *list; list++)
        json_array_append_new(all, json_string(*list));
    return all;
}

static json_t *host_of(const iris_host *h)
{
    if (!h)
        return json_null();
    return json_pack("{s:s*, s:s*, s:s*}", "runtime", h->runtime, "suffixes", h->suffixes,
                     "imports", h->imports);
}

static json_t *taken_of(const struct library *lib)
{
    const iris_plugin *p = &lib->taken.plugin;
    return json_pack("{s:s, s:s, s:I, s:o, s:o, s:o}", "name", p->name, "version",
                     p->version ? p->version : "", "abi", (json_int_t)p->abi, "behaviours",
                     behaviours_of(&lib->taken), "host", host_of(p->host), "needs",
                     strings_of(p->needs));
}

static int limit(int what, uint64_t most)
{
    struct rlimit now;
    if (getrlimit(what, &now))
        return -1;
    now.rlim_cur = most < now.rlim_max ? most : now.rlim_max;
    now.rlim_max = now.rlim_cur;
    return setrlimit(what, &now);
}

/* It writes no file and leaves no core. Nothing that set-user-id could give it is to be had. */
static int keep_only(int fd)
{
    return (fd > 3 && close_range(3, (unsigned)fd - 1, 0)) || close_range((unsigned)fd + 1, ~0u, 0);
}

static int confine(int answer, const struct source *s, int64_t timeout_ms)
{
    int is_in_memory = s->copy->fd >= 0; /* then it is opened by the number of its descriptor */
    uint64_t memory = iris__process_memory().addresses + MEMORY_MORE;
    if (iris__child_hush() || (!is_in_memory && keep_only(answer)))
        return iris__fail("its descriptors: %s", strerror(errno));
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) || limit(RLIMIT_CORE, 0) || limit(RLIMIT_FSIZE, 0) ||
        limit(RLIMIT_NOFILE, 64) || limit(RLIMIT_CPU, (uint64_t)timeout_ms / 1000 + 1) ||
        limit(RLIMIT_AS, memory))
        return iris__fail("its limits: %s", strerror(errno));
    return 0;
}

struct asked {
    struct loader *loader;
    const struct source *source;
    int64_t timeout_ms;
};

static void look(int fd, void *ctx)
{
    const struct asked *a = ctx;
    struct library *lib;
    if (confine(fd, a->source, a->timeout_ms))
        _exit(1);
    if (iris__loader_open_source(a->loader, a->source, iris__api(), &lib))
        iris__child_answer(fd, json_pack("{s:s}", "reason", iris__reason()));
    iris__child_answer(fd, taken_of(lib));
}

/* ---- what the file says ---- */

static json_t *note_of(const struct elf *e)
{
    struct elf_note n;
    if (!iris__elf_note(e, &n))
        return json_null();
    return json_pack("{s:I, s:s, s:s}", "abi", (json_int_t)n.abi, "name", n.name, "version",
                     n.version);
}

static void add_file(json_t *v, const struct elf *e)
{
    json_t *libraries = json_array();
    const char *name;
    for (uint64_t i = 0; (name = iris__elf_needed(e, i)); i++)
        json_array_append_new(libraries, json_string(name));
    json_object_set_new(v, "iris", json_integer(1));
    json_object_set_new(v, "file", json_string(e->file));
    json_object_set_new(v, "note", note_of(e));
    json_object_set_new(v, "libraries", libraries);
    json_object_set_new(v, "stays", e->stays ? json_string(e->stays) : json_null());
}

static json_t *ask(struct loader *l, const struct source *s, int64_t timeout_ms)
{
    struct asked a = {l, s, timeout_ms};
    return iris__child_ask(s->file, "a constructor, or its " PLUGIN_ENTRY, timeout_ms, look, &a);
}

/* The copy is made out here, with limits of nobody; the child only maps it. */
static json_t *describe(struct loader *l, const char *file, int64_t timeout_ms)
{
    struct source s;
    struct elf e;
    json_t *v = NULL;
    if (iris__loader_read(l, file, &s))
        return NULL;
    if (!iris__elf_check(&e, file, s.code, PLUGIN_ENTRY) && (v = ask(l, &s, timeout_ms)))
        add_file(v, &e);
    iris__loader_free(l, &s);
    return v;
}

int iris_app_describe(const char *file, int64_t timeout_ms,
                      void (*write)(void *ctx, const char *text), void *ctx)
{
    struct loader l;
    iris__loader_init(&l);
    json_t *v = describe(&l, file, timeout_ms);
    char *text = v ? json_dumps(v, JSON_COMPACT) : NULL;
    int failed = !text;
    if (text)
        write(ctx, text);
    free(text);
    json_decref(v);
    iris__loader_finish(&l);
    return !failed ? IRIS_EXIT_OK : IRIS_EXIT_FAILED;
}
