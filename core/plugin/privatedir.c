#include "privatedir.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#define PREFIX PRIVATEDIR_PREFIX /* nothing else below a base is ever touched */
#define LOCK "lock"

/* ---- removing ---- */

static void remove_tree(int parent, const char *name);

static void remove_entries(int dir)
{
    DIR *entries = fdopendir(dir); /* takes the descriptor */
    if (!entries) {
        close(dir);
        return;
    }
    for (struct dirent *e; (e = readdir(entries));)
        if (strcmp(e->d_name, ".") != 0 && strcmp(e->d_name, "..") != 0)
            remove_tree(dirfd(entries), e->d_name);
    closedir(entries);
}

/* Never through a symbolic link. A host may have left directories beside a copy (__pycache__). */
static void remove_tree(int parent, const char *name)
{
    if (unlinkat(parent, name, 0) == 0 || errno == ENOENT)
        return;
    int dir = openat(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (dir < 0)
        return;
    remove_entries(dir);
    unlinkat(parent, name, AT_REMOVEDIR);
}

/* ---- locks ---- */

/* A descriptor that holds the lock, or -1. The kernel drops it when the process ends, however. */
static int lock_file(int dir, const char *name, int how)
{
    int fd = openat(dir, name, O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);
    if (fd < 0)
        return -1;
    int result;
    do
        result = flock(fd, how);
    while (result < 0 && errno == EINTR);
    if (result < 0)
        close(fd);
    return result < 0 ? -1 : fd;
}

/* Called under the lock of the base, so that no directory is seen that is not locked yet. */
static void remove_if_dead(int base, const char *name)
{
    int dir = openat(base, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (dir < 0)
        return;
    int lock = lock_file(dir, LOCK, LOCK_EX | LOCK_NB);
    close(dir);
    if (lock < 0)
        return;
    remove_tree(base, name);
    close(lock);
}

static void remove_dead(int base)
{
    int again = openat(base, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *entries = again < 0 ? NULL : fdopendir(again);
    if (!entries)
        return;
    for (struct dirent *e; (e = readdir(entries));)
        if (!strncmp(e->d_name, PREFIX, strlen(PREFIX)))
            remove_if_dead(base, e->d_name);
    closedir(entries);
}

/* ---- making ---- */

/* mkdir -p, each part 0700. */
static int make_parents(const char *path)
{
    char *part = strdup(path);
    if (!part)
        return -1;
    for (char *slash = strchr(part + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
        *slash = '\0';
        mkdir(part, 0700);
        *slash = '/';
    }
    int result = mkdir(part, 0700);
    free(part);
    return result < 0 && errno != EEXIST ? -1 : 0;
}

/* Whoever else could write into it could exchange what we load. */
static int is_ours(int dir)
{
    struct stat st;
    return fstat(dir, &st) == 0 && S_ISDIR(st.st_mode) && st.st_uid == geteuid() &&
           !(st.st_mode & (S_IWGRP | S_IWOTH));
}

/* Asked as the dynamic linker will: a file system mounted noexec, or a security module, says no. */
static int may_hold_code(int file)
{
    void *page = mmap(NULL, 1, PROT_READ | PROT_EXEC, MAP_PRIVATE, file, 0);
    if (page == MAP_FAILED)
        return 0;
    munmap(page, 1);
    return 1;
}

/* The number makes it unique, and starts at 0 again on purpose: a library that could not be
 * closed is found by its old name by the next runtime of this process, instead of being mapped
 * once more. */
static int make_numbered(struct privatedir *d, const char *base)
{
    for (int n = 0; n < 100000; n++) {
        char name[48];
        snprintf(name, sizeof name, PREFIX "%ld-%d", (long)d->pid, n);
        if (mkdirat(d->base, name, 0700) == 0)
            return asprintf(&d->path, "%s/%s", base, name) < 0 ? (d->path = NULL, -1) : 0;
        if (errno != EEXIST)
            return -1;
    }
    return -1;
}

static int make_own(struct privatedir *d, const char *base)
{
    if (make_numbered(d, base))
        return -1;
    d->own = open(d->path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (d->own < 0)
        return -1;
    d->lock = lock_file(d->own, LOCK, LOCK_EX | LOCK_NB);
    if (d->lock < 0 || !may_hold_code(d->lock))
        return -1;
    flock(d->own,
          LOCK_SH | LOCK_NB); /* so that systemd-tmpfiles does not tidy it away after days */
    return 0;
}

static int make_below(struct privatedir *d, const char *base)
{
    d->base = open(base, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (d->base < 0 || !is_ours(d->base))
        return -1;
    int lock = lock_file(d->base, ".lock", LOCK_EX);
    if (lock < 0)
        return -1;
    remove_dead(d->base);
    int result = make_own(d, base);
    close(lock);
    return result;
}

int iris__privatedir_make(struct privatedir *d, const char *base)
{
    *d = (struct privatedir){.base = -1, .own = -1, .lock = -1, .pid = getpid()};
    char *absolute = make_parents(base) ? NULL : realpath(base, NULL);
    int result = absolute ? make_below(d, absolute) : -1;
    free(absolute);
    if (result)
        iris__privatedir_remove(d);
    return result;
}

void iris__privatedir_remove(struct privatedir *d)
{
    if (d->path && d->pid == getpid())
        remove_tree(d->base, strrchr(d->path, '/') + 1);
    if (d->base >= 0)
        close(d->base);
    if (d->own >= 0)
        close(d->own);
    if (d->lock >= 0)
        close(d->lock);
    free(d->path);
    *d = (struct privatedir){.base = -1, .own = -1, .lock = -1};
}

/* ---- finding a place ---- */

/* Not in another user's home, where sudo without -H leaves $HOME: that user could not use it
 * after. */
static int not_ours(const char *home)
{
    struct stat st;
    return stat(home, &st) == 0 && st.st_uid != geteuid();
}

static int try_below(struct privatedir *d, const char *home, const char *rest)
{
    if (!home || home[0] != '/' || not_ours(home))
        return -1;
    char *base = NULL;
    if (asprintf(&base, "%s%s", home, rest) < 0)
        return -1;
    int result = iris__privatedir_make(d, base);
    free(base);
    return result;
}

static int try_tmp(struct privatedir *d)
{
    char base[48];
    snprintf(base, sizeof base, "/tmp/iris-%lu", (unsigned long)geteuid());
    return iris__privatedir_make(d, base);
}

int iris__privatedir_find(struct privatedir *d)
{
    const char *told = secure_getenv("IRIS_STATE_DIR");
    if ((told && *told && !iris__privatedir_make(d, told)) ||
        !try_below(d, secure_getenv("XDG_STATE_HOME"), "/iris") ||
        !try_below(d, secure_getenv("HOME"), "/.local/state/iris") ||
        !try_below(d, "/var/lib", "/iris") ||
        !try_below(d, secure_getenv("XDG_RUNTIME_DIR"), "/iris") || !try_below(d, "/run", "/iris"))
        return 0;
    return try_tmp(d);
}
