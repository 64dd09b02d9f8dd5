#include "find.h"

#include "fail.h"
#include "runtime.h"

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

static char *refuse(const char *name, const char *dir, const char *installed, const char *cwd)
{
    iris__fail(
        "%s: there is no such file in %s%s%s%s%s; to name another place, write a path with a "
        "\"/\" in it",
        name, dir, *installed ? ", nor among the installed behaviours in " : "", installed,
        cwd ? ", nor in " : "", cwd ? cwd : "");
    return NULL;
}

static char *below(const char *dir, const char *name)
{
    char *path;
    if (*name == '/')
        return strdup(name);
    return asprintf(&path, "%s/%s", dir, strncmp(name, "./", 2) ? name : name + 2) < 0 ? NULL
                                                                                       : path;
}

char *iris__find_handler(const struct manifest *m, const char *name, const char *cwd)
{
    char installed[PATH_MAX];
    if (strchr(name, '/'))
        return below(m->dir, name);
    if (iris__runtime_dir(installed, sizeof installed, "behaviours"))
        *installed = '\0';
    char *path = try(m->dir, name);
    if (!path && *installed)
        path = try(installed, name);
    if (!path && cwd)
        path = try(cwd, name);
    return path ? path : refuse(name, m->dir, installed, cwd);
}
