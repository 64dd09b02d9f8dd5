/* All control sockets of a directory, for who lists apps. */
#include "fail.h"
#include "socket.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { PLACES = 4 };

struct listing {
    char *paths[PLACES * 1024]; /* heap */
    size_t n;
    struct stat seen[PLACES]; /* directories */
    size_t nseen;
};

static int is_seen(struct listing *l, const char *dir)
{
    struct stat st;
    if (stat(dir, &st))
        return 0;
    for (size_t i = 0; i < l->nseen; i++)
        if (l->seen[i].st_ino == st.st_ino && l->seen[i].st_dev == st.st_dev)
            return 1;
    if (l->nseen < PLACES)
        l->seen[l->nseen++] = st;
    return 0;
}

static int is_socket(const char *name)
{
    size_t len = strlen(name);
    return len > 5 && !strcmp(name + len - 5, ".sock");
}

static int read_directory(struct listing *l, const char *dir)
{
    DIR *d = opendir(dir);
    int skips = is_seen(l, dir);
    char *path;
    if (!d)
        return iris__fail("%s: %s; expected a directory of control sockets", dir, strerror(errno));
    for (struct dirent *e; !skips && (e = readdir(d));) {
        if (is_socket(e->d_name) && l->n < sizeof l->paths / sizeof *l->paths &&
            asprintf(&path, "%s/%s", dir, e->d_name) >= 0)
            l->paths[l->n++] = path;
    }
    closedir(d);
    return IRIS_OK;
}

/* Who starts an app need not have the XDG_RUNTIME_DIR of who looks for it. */
static int read_defaults(struct listing *l)
{
    char places[PLACES][IRIS_SOCKET_ROOM + 16];
    unsigned user = (unsigned)geteuid();
    if (iris__socket_directory(places[0], sizeof places[0]))
        return IRIS_FAIL;
    snprintf(places[1], sizeof places[1], "/run/user/%u/iris", user);
    snprintf(places[2], sizeof places[2], "/tmp/iris-%u", user);
    snprintf(places[3], sizeof places[3], user ? "/tmp/iris-%u" : "/run/iris", user);
    for (int i = 0; i < PLACES; i++) {
        struct stat st;
        int is_there = !lstat(places[i], &st) && S_ISDIR(st.st_mode) && st.st_uid == user;
        if (is_there && read_directory(l, places[i]))
            return IRIS_FAIL;
    }
    return IRIS_OK;
}

static int by_text(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

static void tell(const char *path, void (*each)(void *, const iris_socket *), void *ctx)
{
    char name[IRIS_SOCKET_ROOM + 256];
    const char *slash = strrchr(path, '/');
    iris_socket s = {.size = sizeof s, .abi = IRIS_ABI, .name = name, .path = path};
    snprintf(name, sizeof name, "%.*s", (int)(strlen(slash + 1) - 5), slash + 1);
    long pid;
    s.runs = iris__socket_owner(path, &pid);
    s.pid = pid;
    each(ctx, &s);
}

int iris_sockets(const char *dir, void (*each)(void *ctx, const iris_socket *), void *ctx)
{
    struct listing *l = calloc(1, sizeof *l);
    if (!l)
        return iris__fail("no memory");
    int result = dir ? read_directory(l, dir) : read_defaults(l);
    qsort(l->paths, l->n, sizeof *l->paths, by_text);
    for (size_t i = 0; i < l->n; i++) {
        if (result == IRIS_OK)
            tell(l->paths[i], each, ctx);
        free(l->paths[i]);
    }
    free(l);
    return result;
}
