#include "ready.h"

#include "app.h"
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

int iris__ready_actor(const struct manifest *m, size_t i, struct problems *all)
{
    const struct manifest_actor *a = &m->actors[i];
    char pointer[48];
    if (a->remote_at || a->behind || a->number > 1) /* the first instance speaks for all */
        return 0;
    int no_host = iris__find_host(a->host);
    char *file = no_host ? NULL : iris__find_file(m, a);
    int failed = !file || iris__source_look(file);
    snprintf(pointer, sizeof pointer, "/actors/%zu/%s", a->index,
             no_host && a->names_host ? "host" : "handler");
    if (failed)
        problem_of_reason(m, all, pointer, no_host ? "host" : "handler");
    free(file);
    return failed;
}

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
