#include "ready.h"

#include "app.h"
#include "elfcheck.h"
#include "fail.h"
#include "find.h"
#include "nearest.h"
#include "socket.h"
#include "source.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

/* A reason may bring its hint along, as a second line. */
static void problem_of_reason(const struct manifest *m, struct problems *all, const char *pointer,
                              const char *code)
{
    const char *reason = iris__reason(), *hint = strstr(reason, "\nhint: ");
    int n = (int)(hint ? (size_t)(hint - reason) : strlen(reason));
    struct problem *p = iris__problem_add(all, m->file, pointer, code, "%.*s", n, reason);
    if (hint)
        iris__problem_hint(p, "%s", hint + strlen("\nhint: "));
}

/* The first instance speaks for all. */
static int has_file(const struct manifest_actor *a)
{
    return !a->remote_at && !a->behind && a->number <= 1;
}

int iris__ready_migration(const struct manifest *m, size_t i, struct problems *all)
{
    const struct manifest_actor *a = &m->actors[i];
    struct origin from = {0};
    char pointer[64];
    int lacks = a->migrate && has_file(a) &&
                (iris__find_named(m, a->migrate, NULL, &from) || iris__source_look(from.file));
    snprintf(pointer, sizeof pointer, "/actors/%zu/swap/migrate", a->index);
    if (lacks)
        problem_of_reason(m, all, pointer, "handler");
    iris__origin_finish(&from);
    return lacks;
}

static char *find_handler(const struct manifest *m, size_t i, struct problems *all)
{
    const struct manifest_actor *a = &m->actors[i];
    char pointer[48];
    int no_host = iris__find_host(a->host);
    char *file = no_host ? NULL : iris__find_file(m, a);
    if (file && !iris__source_look(file))
        return file;
    snprintf(pointer, sizeof pointer, "/actors/%zu/%s", a->index,
             no_host && a->names_host ? "host" : "handler");
    problem_of_reason(m, all, pointer, no_host ? "host" : "handler");
    free(file);
    return NULL;
}

/* Its file, which the caller frees; NULL: that is a problem, and told. */
static char *find(const struct manifest *m, size_t i, struct problems *all)
{
    char *file = find_handler(m, i, all);
    if (file && !iris__ready_migration(m, i, all))
        return file;
    free(file);
    return NULL;
}

int iris__ready_actor(const struct manifest *m, size_t i, struct problems *all)
{
    if (!has_file(&m->actors[i]))
        return 0;
    char *file = find(m, i, all);
    free(file);
    return !file;
}

/* ---- what its file says of itself ---- */

struct look {
    struct hash_link link; /* first */
    struct look *next;
    char *why; /* NULL: nothing is against it */
    char file[];
};

static char *read_note(const char *file)
{
    struct source s;
    struct elf e;
    int failed = iris__source_read(&s, file);
    if (!failed) {
        failed = iris__elf_check(&e, file, s.code, PLUGIN_ENTRY);
        iris__source_free(&s);
    }
    return failed ? strdup(iris__reason()) : NULL;
}

static struct look *seen(const struct looks *all, const char *file, uint64_t key)
{
    struct hash_link *l = iris__hash_find(&all->by_file, key);
    while (l && strcmp(((struct look *)l)->file, file) != 0)
        l = iris__hash_same(l->next, key);
    return (struct look *)l;
}

/* NULL: no memory, and it is not looked at. */
static struct look *look(struct looks *all, const char *file)
{
    size_t len = strlen(file);
    uint64_t key = iris__hash_bytes(file, len);
    struct look *l = seen(all, file, key);
    if (l || !(l = calloc(1, sizeof *l + len + 1)))
        return l;
    memcpy(l->file, file, len + 1);
    l->why = read_note(file);
    l->next = all->first;
    all->first = l;
    iris__hash_add(&all->by_file, &l->link, key); /* if not: it is looked at again */
    return l;
}

void iris__ready_code(const struct manifest *m, size_t i, struct problems *all, struct looks *looks)
{
    const struct manifest_actor *a = &m->actors[i];
    char pointer[48];
    char *file = has_file(a) ? find(m, i, all) : NULL;
    const struct look *l = file && !strcmp(a->host, "native") ? look(looks, file) : NULL;
    snprintf(pointer, sizeof pointer, "/actors/%zu/handler", a->index);
    if (l && l->why) {
        iris__fail("%s", l->why);
        problem_of_reason(m, all, pointer, "handler");
    }
    free(file);
}

void iris__looks_finish(struct looks *all)
{
    for (struct look *l = all->first, *next; l; l = next) {
        next = l->next;
        free(l->why);
        free(l);
    }
    iris__hash_finish(&all->by_file);
}

/* ---- supervisors ---- */

static int is_below(const char *path, const char *supervisor)
{
    size_t n = strlen(supervisor);
    return n == 1 || (!strncmp(path, supervisor, n) && path[n] == '/');
}

/* It looks after actors of the manifest, and nobody else. */
static void check_supervisor(const struct manifest *m, size_t i, struct problems *all)
{
    const char *path = m->supervisors[i].path;
    struct nearest near = {.word = path};
    char pointer[48];
    for (size_t j = 0; j < m->nactors; j++) {
        const char *actor = m->actors[j].path, *slash = strrchr(actor, '/');
        if (is_below(actor, path))
            return;
        if (slash > actor)
            iris__nearest_try(&near, actor, (size_t)(slash - actor));
    }
    snprintf(pointer, sizeof pointer, "/supervisors/%zu/path", i);
    struct problem *p =
        iris__problem_add(all, m->file, pointer, "supervisor",
                          "found \"%s\"; expected a path with actors below it", path);
    if (near.best)
        iris__problem_hint(p, "did you mean \"%.*s\"?", (int)near.len, near.best);
}

/* ---- hosts ---- */

static void check_directory(const struct manifest *m, const char *pointer, const char *dir,
                            struct problems *all)
{
    struct stat st;
    errno = 0;
    if (dir && (stat(dir, &st) || !S_ISDIR(st.st_mode)))
        iris__problem_add(all, m->file, pointer, "host", "found \"%s\"; expected a directory: %s",
                          dir, strerror(errno ? errno : ENOTDIR));
}

static void check_host(const struct manifest *m, const struct manifest_host *h,
                       struct problems *all)
{
    char pointer[160];
    int n = snprintf(pointer, sizeof pointer, "/hosts/%.64s", h->name);
    char *rest = pointer + n;
    size_t room = sizeof pointer - (size_t)n;
    if (iris__find_host(h->name)) {
        problem_of_reason(m, all, pointer, "host");
        if (all->n)
            all->items[all->n - 1].at_key = 1;
        return;
    }
    snprintf(rest, room, "/venv");
    check_directory(m, pointer, h->venv, all);
    snprintf(rest, room, "/cwd");
    check_directory(m, pointer, h->cwd, all);
    for (size_t i = 0; i < h->nsearch; i++) {
        snprintf(rest, room, "/search/%zu", i);
        check_directory(m, pointer, h->search[i], all);
    }
}

void iris__ready_hosts(const struct manifest *m, struct problems *all)
{
    for (size_t i = 0; i < m->nhosts; i++)
        check_host(m, &m->hosts[i], all);
}

void iris__ready_supervisors(const struct manifest *m, struct problems *all)
{
    for (size_t i = 0; i < m->nsupervisors && m->nactors; i++)
        check_supervisor(m, i, all);
}

int iris__ready_group(const struct manifest *m, struct problems *all, gid_t *group)
{
    *group = SOCKET_NO_GROUP;
    if (!m->group || !iris__socket_group(m->group, group))
        return 0;
    problem_of_reason(m, all, "/control/group", "socket");
    return -1;
}

void iris__ready_socket(const struct manifest *m, struct problems *all)
{
    char path[IRIS_SOCKET_ROOM];
    gid_t group;
    if (iris__ready_group(m, all, &group))
        return;
    if (!iris_socket_path(m->socket ? m->socket : m->name, path, sizeof path) &&
        !iris__socket_look(path, group))
        return;
    problem_of_reason(m, all, m->socket ? "/control/socket" : "", "socket");
}
