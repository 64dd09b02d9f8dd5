#include "find.h"

#include "fail.h"
#include "nearest.h"
#include "runtime.h"

#include <iris/app.h>

#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* A colon or '#' in a directory's name is no separator. */
char *iris__split_handler(char *handler)
{
    char *slash = strrchr(handler, '/'), *name = slash ? slash + 1 : handler;
    char *at = strrchr(name, '#');
    if (!at)
        at = strrchr(name, ':');
    if (!at || at == name)
        return NULL;
    *at = '\0';
    return at + 1;
}

/* dir/name, if there is such a file. */
static char *try(const char *dir, const char *name)
{
    char *path;
    if (asprintf(&path, "%s/%s", dir, name) < 0)
        return NULL;
    if (access(path, F_OK) == 0)
        return path;
    free(path);
    return NULL;
}

/* ---- what was meant ---- */

/* The entry is gone when it has been looked at, so the best name is copied. */
static void try_names(struct nearest *near, char *best, size_t room, const char *dir)
{
    DIR *d = opendir(dir);
    for (struct dirent *e; d && (e = readdir(d));) {
        struct nearest one = {.word = near->word};
        iris__nearest_try(&one, e->d_name, strlen(e->d_name));
        if (one.best && (!*best || one.edits < near->edits)) {
            near->edits = one.edits;
            snprintf(best, room, "%s", e->d_name);
        }
    }
    if (d)
        closedir(d);
}

static char *refuse(const char *name, const char *dir, const char *installed, const char *cwd)
{
    char best[NAME_MAX + 1] = "";
    struct nearest near = {.word = name};
    try_names(&near, best, sizeof best, dir);
    if (*installed)
        try_names(&near, best, sizeof best, installed);
    if (cwd)
        try_names(&near, best, sizeof best, cwd);
    iris__fail("%s: there is no such file in %s%s%s%s%s\nhint: %s%s%s", name, dir,
               *installed ? ", nor among the installed behaviours in " : "", installed,
               cwd ? ", nor in " : "", cwd ? cwd : "", *best ? "did you mean \"" : "",
               *best ? best : "to name another place, write a path with a \"/\" in it",
               *best ? "\"?" : "");
    return NULL;
}

static char *refuse_path(char *path)
{
    char best[NAME_MAX + 1] = "", *slash = strrchr(path, '/');
    struct nearest near = {.word = slash + 1};
    *slash = '\0';
    try_names(&near, best, sizeof best, *path ? path : "/");
    *slash = '/';
    if (*best)
        iris__fail("%s: there is no such file\nhint: did you mean \"%s\"?", path, best);
    else
        iris__fail("%s: there is no such file", path);
    free(path);
    return NULL;
}

/* ---- hosts ---- */

static int is_host(const char *dir, const char *name)
{
    char file[PATH_MAX + 80];
    snprintf(file, sizeof file, "%s/%.60s.so", dir, name);
    return access(file, R_OK) == 0;
}

static const char *const known[] = {"native", "python", "node"};

static int is_known(const char *name)
{
    for (size_t i = 0; i < sizeof known / sizeof *known; i++)
        if (strcmp(known[i], name) == 0)
            return 1;
    return 0;
}

static void add_hosts(const char *dir, struct nearest *near, struct text *names)
{
    for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
        if (!is_host(dir, known[i]))
            continue;
        iris__nearest_try(near, known[i], strlen(known[i]));
        iris__text_addf(names, "%s\"%s\"", names->len ? ", " : "", known[i]);
    }
}

/* What a language is built from, as Debian calls it. */
static const char *package_of(const char *name)
{
    return strcmp(name, "node") == 0 ? "libnode-dev" : "python3-dev";
}

static void refuse_host(const char *name, const char *near, const char *names)
{
    const char *has = names ? names : "none at all";
    if (is_known(name))
        iris__fail("host \"%s\": this build of Iris has no such host\nhint: it has %s; tools/setup "
                   "installs %s, which that one is built from",
                   name, has, package_of(name));
    else if (near)
        iris__fail("host \"%s\": this build of Iris has no such host\nhint: did you mean \"%s\"?",
                   name, near);
    else
        iris__fail("host \"%s\": this build of Iris has no such host\nhint: it has %s", name, has);
}

int iris__find_host(const char *name)
{
    char dir[PATH_MAX];
    struct nearest near = {.word = name};
    struct text names = {0};
    if (iris__runtime_dir(dir, sizeof dir, "hosts"))
        return iris__fail("host \"%s\": there is no directory iris/hosts beside libiris; is Iris "
                          "installed whole?",
                          name);
    if (is_host(dir, name))
        return IRIS_OK;
    add_hosts(dir, &near, &names);
    refuse_host(name, near.best, names.data);
    iris__text_finish(&names);
    return IRIS_FAIL;
}

int iris_app_has_host(const char *name)
{
    return iris__find_host(name);
}

/* ---- files ---- */

static char *below(const char *dir, const char *name)
{
    char *path;
    if (*name == '/')
        return strdup(name);
    return asprintf(&path, "%s/%s", dir, strncmp(name, "./", 2) ? name : name + 2) < 0 ? NULL
                                                                                       : path;
}

/* "shop.payment" is shop/payment.py there, or shop/payment/__init__.py. */
static char *try_module(const char *dir, const char *name)
{
    static const char *const endings[] = {".py", "/__init__.py"};
    size_t len = strlen(name);
    char *path = NULL, *file = NULL;
    for (size_t i = 0; i < 2 && !path && asprintf(&file, "%s%s", name, endings[i]) >= 0; i++) {
        for (size_t at = 0; at < len; at++)
            file[at] = (char)(file[at] == '.' ? '/' : file[at]);
        path = try(dir, file);
        free(file);
    }
    return path;
}

static char *find_module(const struct manifest *m, const char *name)
{
    if (iris__handler_host(name) || !iris__handler_is_module(name, strlen(name)))
        return NULL;
    char *path = try_module(m->dir, name);
    for (size_t i = 0; i < m->nhosts && !path; i++)
        for (size_t j = 0; j < m->hosts[i].nsearch && !path; j++)
            path = try_module(m->hosts[i].search[j], name);
    return path;
}

char *iris__find_handler(const struct manifest *m, const char *name, const char *cwd)
{
    char installed[PATH_MAX];
    if (strchr(name, '/'))
        return below(m->dir, name);
    char *path = try(m->dir, name);
    if (path)
        return path;
    if (iris__runtime_dir(installed, sizeof installed, "behaviours"))
        *installed = '\0';
    if (*installed)
        path = try(installed, name);
    if (!path && cwd)
        path = try(cwd, name);
    if (!path)
        path = find_module(m, name);
    return path ? path : refuse(name, m->dir, installed, cwd);
}

int iris__find_named(const struct manifest *m, const char *handler, const char *cwd,
                     struct origin *out)
{
    char *text = strdup(handler), *symbol = text ? iris__split_handler(text) : NULL;
    const char *host = text ? iris__handler_host(text) : NULL;
    if (!text)
        return iris__fail("no memory");
    if (host && iris__find_host(host)) { /* more to the point than that there is no such file */
        free(text);
        return IRIS_FAIL;
    }
    out->file = iris__find_handler(m, text, cwd);
    out->symbol = symbol ? strdup(symbol) : NULL;
    out->handler = strdup(handler);
    free(text);
    return out->file ? IRIS_OK : IRIS_FAIL;
}

char *iris__find_file(const struct manifest *m, const struct manifest_actor *a)
{
    int elsewhere = !a->handler_file || !strchr(a->handler_text, '/');
    char *file = elsewhere ? iris__find_handler(m, a->handler_text, NULL) : strdup(a->handler_file);
    if (!file || access(file, F_OK) == 0 || (errno != ENOENT && errno != ENOTDIR))
        return file; /* what may not be seen may be there */
    return refuse_path(file);
}
