#include "socket.h"

#include "fail.h"
#include "text.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

/* ---- the directory ---- */

/* As the specification of XDG_RUNTIME_DIR has it: ours, else not to be used (sudo keeps it set). */
static int is_ours(const char *dir)
{
    struct stat st;
    return dir && dir[0] == '/' && !stat(dir, &st) && S_ISDIR(st.st_mode) && st.st_uid == geteuid();
}

int iris__socket_directory(char *dir, size_t room)
{
    const char *runtime = getenv("XDG_RUNTIME_DIR");
    int n;
    if (is_ours(runtime))
        n = snprintf(dir, room, "%s/iris", runtime);
    else if (geteuid() == 0)
        n = snprintf(dir, room, "/run/iris");
    else
        n = snprintf(dir, room, "/tmp/iris-%u", (unsigned)geteuid());
    return n >= 0 && (size_t)n < room
               ? IRIS_OK
               : iris__fail("XDG_RUNTIME_DIR=%s is too long for a socket", runtime);
}

static int is_default(const char *dir)
{
    char ours[IRIS_SOCKET_ROOM];
    return !iris__socket_directory(ours, sizeof ours) && !strcmp(dir, ours);
}

/* A directory that Iris did not make may belong to others too, as /tmp does: then it is the socket
 * that has to go elsewhere. */
static int refuse_directory(const char *dir, const struct stat *st, const char *path)
{
    const char *name = path ? strrchr(path, '/') + 1 : "";
    const char *end = path && strchr(name, '.') ? strchr(name, '.') : name + strlen(name);
    int ours = st->st_uid == geteuid();
    char what[64];
    snprintf(what, sizeof what, ours ? "mode 0%o lets others in" : "belongs to user %u",
             ours ? (unsigned)st->st_mode & 07777 : (unsigned)st->st_uid);
    if (path)
        return iris__fail("%s: %s; expected a directory of user %u with mode 0700\n"
                          "hint: put it in a directory of its own, e.g. %s/%.*s/%s",
                          dir, what, (unsigned)geteuid(), strcmp(dir, "/") ? dir : "",
                          (int)(end > name ? end - name : 4), end > name ? name : "iris", name);
    if (ours)
        return iris__fail("%s: %s; expected 0700\nhint: try: chmod 700 %s", dir, what, dir);
    return iris__fail("%s: %s; expected user %u\n"
                      "hint: set XDG_RUNTIME_DIR to a directory of yours with mode 0700",
                      dir, what, (unsigned)geteuid());
}

/* Its group has to come through it, may not put another socket into it, and nobody else may do anything. */
static int check_shared(const char *dir, const struct stat *st, gid_t group)
{
    if (st->st_gid == group && (st->st_mode & 0027) == 0 && st->st_mode & 0010)
        return IRIS_OK;
    return iris__fail(
        "%s: mode 0%o of group %u; a socket for group %u wants its directory 0710 and of that "
        "group\nhint: try: chgrp %u %s && chmod 710 %s",
        dir, (unsigned)st->st_mode & 07777, (unsigned)st->st_gid, (unsigned)group, (unsigned)group,
        dir, dir);
}

/* Anyone may make a directory in /tmp under our name: look at whose it is, and do not follow a
 * link. path: the socket that is to be in it, if the user chose where; NULL: we did. */
static int check_directory(const char *dir, const char *path, gid_t group)
{
    struct stat st;
    if (lstat(dir, &st))
        return iris__fail("%s: %s", dir, strerror(errno));
    if (!S_ISDIR(st.st_mode))
        return iris__fail("%s: not a directory; expected the directory of control sockets", dir);
    if (group != SOCKET_NO_GROUP && st.st_uid == geteuid())
        return check_shared(dir, &st, group);
    if (st.st_uid != geteuid() || st.st_mode & 077)
        return refuse_directory(dir, &st, path);
    return IRIS_OK;
}

/* Ours and closed until the group is right. */
static int share_directory(const char *dir, gid_t group)
{
    if (group == SOCKET_NO_GROUP)
        return IRIS_OK;
    if (chown(dir, (uid_t)-1, group) || chmod(dir, 0710))
        return iris__fail("%s: %s; it has to be given to group %u", dir, strerror(errno),
                          (unsigned)group);
    return IRIS_OK;
}

static int make_directory(const char *path, gid_t group)
{
    char dir[IRIS_SOCKET_ROOM];
    snprintf(dir, sizeof dir, "%s", path);
    char *slash = strrchr(dir, '/');
    if (!slash || slash == dir)
        return iris__fail("%s: expected a directory for the control socket", path);
    *slash = '\0';
    if (!mkdir(dir, 0700)) {
        if (share_directory(dir, group))
            return rmdir(dir), IRIS_FAIL;
    } else if (errno != EEXIST) {
        return iris__fail("%s: %s; the control socket needs this directory", dir, strerror(errno));
    }
    return check_directory(dir, is_default(dir) ? NULL : path, group);
}

int iris__socket_look(const char *path, gid_t group)
{
    char dir[IRIS_SOCKET_ROOM];
    snprintf(dir, sizeof dir, "%s", path);
    char *slash = strrchr(dir, '/');
    if (!slash || slash == dir)
        return iris__fail("%s: expected a directory for the control socket", path);
    *slash = '\0';
    if (access(dir, F_OK) == 0)
        return check_directory(dir, is_default(dir) ? NULL : path, group);
    if ((slash = strrchr(dir, '/')) && slash > dir)
        *slash = '\0';
    if (access(dir, W_OK | X_OK))
        return iris__fail("%s: %s; the control socket needs a directory there", dir,
                          strerror(errno));
    return IRIS_OK;
}

/* ---- names ---- */

static int is_name(const char *name)
{
    size_t n = strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-");
    return n > 0 && n <= 64 && !name[n] && name[0] != '.';
}

int iris_socket_path(const char *name, char *path, size_t room)
{
    char dir[IRIS_SOCKET_ROOM] = "";
    int is_path = strchr(name, '/') != NULL;
    if (!is_path && !is_name(name))
        return iris__fail("app name \"%s\": expected up to 64 letters, digits, '.', '_' or '-'",
                          name);
    if (!is_path && iris__socket_directory(dir, sizeof dir))
        return IRIS_FAIL;
    size_t limit = room < IRIS_SOCKET_ROOM ? room : IRIS_SOCKET_ROOM;
    int n = is_path ? snprintf(path, limit, "%s", name)
                    : snprintf(path, limit, "%s/%s.sock", dir, name);
    if (n < 0 || (size_t)n >= limit)
        return iris__fail("%s%s%s: a socket's path has at most %zu bytes", dir, *dir ? "/" : "",
                          name, limit - 1);
    return IRIS_OK;
}

static void lock_path(const char *path, char *out, size_t room)
{
    size_t n = strlen(path);
    if (n > 5 && !strcmp(path + n - 5, ".sock"))
        n -= 5;
    snprintf(out, room, "%.*s.lock", (int)n, path);
}

/* ---- the lock ---- */

/* Locks of the open file description: unlike POSIX ones they also keep two apps of one process
 * apart, and unlike flock() one can ask for them without taking them. */
static int lock(int fd, int command)
{
    struct flock f = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
    if (fcntl(fd, command, &f))
        return -1;
    return command == F_OFD_GETLK && f.l_type != F_UNLCK;
}

/* The owner writes its pid right after it has the lock. */
static long owner(int fd)
{
    char text[24] = "";
    for (int tries = 0; tries < 20; tries++) {
        if (pread(fd, text, sizeof text - 1, 0) > 0)
            return strtol(text, NULL, 10);
        nanosleep(&(struct timespec){.tv_nsec = 5000000}, NULL);
    }
    return 0;
}

static int is_current(int fd, const char *path)
{
    struct stat a, b;
    return !fstat(fd, &a) && !stat(path, &b) && a.st_ino == b.st_ino && a.st_dev == b.st_dev;
}

/* As -a takes it: the name of what is in our directory, else the whole path. */
static void app_word(const char *path, char *word, size_t room)
{
    char at[IRIS_SOCKET_ROOM];
    const char *slash = strrchr(path, '/');
    int n = slash ? (int)strlen(slash + 1) - (int)strlen(".sock") : 0;
    snprintf(word, room, "%.*s", n > 0 ? n : 0, slash ? slash + 1 : "");
    if (!*word || iris_socket_path(word, at, sizeof at) || strcmp(at, path))
        snprintf(word, room, "%s", path);
}

static int refuse_second(int fd, const char *path)
{
    char word[IRIS_SOCKET_ROOM];
    long pid = owner(fd);
    close(fd);
    app_word(path, word, sizeof word);
    return iris__fail("%s: an app of this name runs already, pid %ld\n"
                      "hint: stop it with: iris stop -a %s; or give this one another name: "
                      "iris run --set name=NAME",
                      path, pid, word);
}

static int refuse_lock(const struct socket_claim *c)
{
    int is_full = errno == ENOSPC || errno == EDQUOT;
    return iris__fail("%s: %s; the control socket's lock has to be written there%s", c->lock_path,
                      strerror(errno),
                      is_full ? "\nhint: make room there, or set XDG_RUNTIME_DIR to another "
                                "directory of yours with mode 0700"
                              : "");
}

static int take_lock(struct socket_claim *c)
{
    for (;;) {
        int fd = open(c->lock_path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
        if (fd < 0)
            return refuse_lock(c);
        if (lock(fd, F_OFD_SETLK))
            return refuse_second(fd, c->path);
        if (is_current(fd, c->lock_path)) {
            c->lock = fd;
            break;
        }
        close(fd); /* its owner removed it while we waited at the door */
    }
    if (c->group != SOCKET_NO_GROUP &&
        (fchown(c->lock, (uid_t)-1, c->group) || fchmod(c->lock, 0640)))
        return iris__fail("%s: %s; group %u has to read it", c->lock_path, strerror(errno),
                          (unsigned)c->group);
    if (ftruncate(c->lock, 0) || dprintf(c->lock, "%ld\n", (long)getpid()) < 0)
        return refuse_lock(c);
    return IRIS_OK;
}

/* ---- owning ---- */

static int remove_stale(const char *path)
{
    struct stat st;
    if (lstat(path, &st))
        return IRIS_OK;
    if (!S_ISSOCK(st.st_mode))
        return iris__fail("%s: not a socket; move it away, or choose another name", path);
    if (unlink(path))
        return iris__fail("%s: %s", path, strerror(errno));
    return IRIS_OK;
}

int iris__socket_claim(struct socket_claim *c, const char *path, gid_t group)
{
    c->lock = -1;
    c->group = group;
    if (strlen(path) >= sizeof c->path)
        return iris__fail("%s: a socket's path has at most %zu bytes", path, sizeof c->path - 1);
    snprintf(c->path, sizeof c->path, "%s", path);
    lock_path(path, c->lock_path, sizeof c->lock_path);
    if (make_directory(path, group))
        return IRIS_FAIL;
    if (!take_lock(c) && !remove_stale(path))
        return IRIS_OK;
    if (c->lock >= 0) {
        unlink(c->lock_path);
        close(c->lock);
        c->lock = -1;
    }
    return IRIS_FAIL;
}

void iris__socket_note_end(const struct socket_claim *c, int in_order)
{
    dprintf(c->lock, in_order ? "stopped\n" : "stuck\n"); /* unsaid, it looks killed */
}

void iris__socket_release(struct socket_claim *c)
{
    if (c->lock < 0)
        return;
    unlink(c->path);
    unlink(c->lock_path); /* before it is unlocked: see is_current() */
    close(c->lock);
    c->lock = -1;
}

static int share(const struct socket_claim *c)
{
    return c->group != SOCKET_NO_GROUP &&
           (chown(c->path, (uid_t)-1, c->group) || chmod(c->path, 0660));
}

int iris__socket_listen(const struct socket_claim *c)
{
    struct sockaddr_un at = {.sun_family = AF_UNIX};
    memcpy(at.sun_path, c->path, sizeof at.sun_path);
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0)
        return iris__fail("%s: %s", c->path, strerror(errno));
    /* The mode before the name: at no moment can others connect. */
    if (fchmod(fd, 0600) || bind(fd, (struct sockaddr *)&at, sizeof at) || chmod(c->path, 0600) ||
        share(c) || listen(fd, 64)) {
        iris__fail("%s: %s", c->path, strerror(errno));
        close(fd);
        return -1;
    }
    return fd;
}

int iris__socket_group(const char *name, gid_t *group)
{
    char room[16384];
    struct group one, *found = NULL;
    int error = getgrnam_r(name, &one, room, sizeof room, &found);
    if (!found)
        return iris__fail("found \"%s\"; expected a group of this machine%s%s", name,
                          error ? ": " : "", error ? strerror(error) : "");
    *group = found->gr_gid;
    return IRIS_OK;
}

/* Of all the groups that it has. */
static int is_member(int fd, const struct ucred *peer, gid_t group)
{
    gid_t groups[1024];
    socklen_t len = sizeof groups;
    if (group == SOCKET_NO_GROUP)
        return 0;
    if (peer->gid == group)
        return 1;
    if (getsockopt(fd, SOL_SOCKET, SO_PEERGROUPS, groups, &len))
        return 0;
    for (socklen_t i = 0; i < len / sizeof *groups; i++)
        if (groups[i] == group)
            return 1;
    return 0;
}

int iris__socket_peer(int fd, gid_t group)
{
    struct ucred peer;
    socklen_t len = sizeof peer;
    if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &len))
        return iris__fail("who calls is unknown: %s", strerror(errno));
    if (peer.uid != geteuid() && peer.uid != 0 && !is_member(fd, &peer, group))
        return iris__fail("user %u may not control an app of user %u", (unsigned)peer.uid,
                          (unsigned)geteuid());
    return 0;
}

/* ---- finding ---- */

/* To read is enough to ask for a lock, and all that a group may do. */
static int open_lock(const char *file)
{
    return open(file, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
}

/* 1, 0, or -1 with the reason: it cannot be known. */
static int is_running(const char *path)
{
    char file[IRIS_SOCKET_ROOM + 8];
    lock_path(path, file, sizeof file);
    int fd = open_lock(file);
    if (fd < 0 && (errno == ENOENT || errno == ENOTDIR))
        return 0;
    if (fd < 0)
        return iris__fail("%s: %s; an app is reached by the user who runs it, and by root", path,
                          strerror(errno));
    int held = lock(fd, F_OFD_GETLK) == 1;
    close(fd);
    return held;
}

/* The pid of an app that left its lock behind without having stopped, or 0. */
static long was_killed(const char *path)
{
    char file[IRIS_SOCKET_ROOM + 8], text[64] = "";
    lock_path(path, file, sizeof file);
    int fd = open_lock(file);
    if (fd < 0)
        return 0;
    int is_over = lock(fd, F_OFD_GETLK) == 0 && pread(fd, text, sizeof text - 1, 0) > 0 &&
                  !strstr(text, "\nstopped\n");
    close(fd);
    return is_over ? strtol(text, NULL, 10) : 0;
}

int iris__socket_owner(const char *path, long *pid)
{
    char file[IRIS_SOCKET_ROOM + 256], text[64] = "";
    lock_path(path, file, sizeof file);
    int fd = open_lock(file);
    *pid = 0;
    if (fd < 0)
        return 0;
    int held = lock(fd, F_OFD_GETLK) == 1;
    if (pread(fd, text, sizeof text - 1, 0) > 0)
        *pid = strtol(text, NULL, 10);
    close(fd);
    return held;
}

int iris_app_watch(const char *path)
{
    char file[IRIS_SOCKET_ROOM + 8];
    lock_path(path, file, sizeof file);
    int fd = open_lock(file);
    if (fd < 0)
        iris__fail("%s: %s", file, strerror(errno));
    return fd;
}

/* It is the file that was opened: the next app of this name has another. */
int iris_app_watched(int watch)
{
    char text[64] = "";
    if (lock(watch, F_OFD_GETLK) == 1)
        return IRIS_AGAIN;
    if (pread(watch, text, sizeof text - 1, 0) > 0 && strstr(text, "\nstopped\n"))
        return IRIS_OK;
    iris__fail(strstr(text, "\nstuck\n")
                   ? "the app was ended, but not in order: a handler did not return"
                   : "the app was killed before it had stopped");
    return IRIS_FAIL;
}

struct found {
    struct text running; /* names, ", " between them */
    struct text killed;  /* "; shop was killed before it had stopped, pid 42" */
    int n;               /* how many run */
};

static void look_at(struct found *f, const char *at, const char *name, int len, char *path,
                    size_t room)
{
    long pid;
    if (is_running(at) == 1) {
        iris__text_addf(&f->running, "%s%.*s", f->n++ ? ", " : "", len, name);
        snprintf(path, room, "%s", at);
    } else if ((pid = was_killed(at))) {
        iris__text_addf(&f->killed, "; %.*s was killed before it had stopped, pid %ld", len, name,
                        pid);
    }
}

/* All apps of a directory; the path of the last one that runs is left in path. 0, or -1. */
static int list(const char *dir, struct found *f, char *path, size_t room)
{
    DIR *d = opendir(dir);
    if (!d)
        return errno == ENOENT ? 0 : iris__fail("%s: %s", dir, strerror(errno));
    for (struct dirent *e; (e = readdir(d));) {
        char at[IRIS_SOCKET_ROOM];
        size_t len = strlen(e->d_name);
        if (len > 5 && !strcmp(e->d_name + len - 5, ".sock") &&
            (size_t)snprintf(at, sizeof at, "%s/%s", dir, e->d_name) < sizeof at)
            look_at(f, at, e->d_name, (int)len - 5, path, room);
    }
    closedir(d);
    return 0;
}

static int find_named(const char *name, char *path, size_t room)
{
    if (iris_socket_path(name, path, room))
        return IRIS_FAIL;
    int running = is_running(path);
    if (running)
        return running > 0 ? IRIS_OK : IRIS_FAIL;
    long killed = was_killed(path);
    if (killed)
        iris__fail("no app \"%s\" runs here: pid %ld was killed before it had stopped, and left %s",
                   name, killed, path);
    else
        iris__fail("no app \"%s\" runs here (nobody listens at %s)", name, path);
    return IRIS_DEAD;
}

static int find_only(char *path, size_t room)
{
    char dir[IRIS_SOCKET_ROOM];
    if (iris__socket_directory(dir, sizeof dir))
        return IRIS_FAIL;
    if (!access(dir, F_OK) && check_directory(dir, NULL, SOCKET_NO_GROUP))
        return IRIS_FAIL;
    struct found f = {0};
    int result = list(dir, &f, path, room) ? IRIS_FAIL : IRIS_OK;
    if (f.n > 1) {
        iris__fail("%d apps run here: %s; choose one with -a NAME or IRIS_APP=NAME", f.n,
                   f.running.data);
        result = IRIS_AGAIN;
    }
    if (f.n == 0 && !result) {
        iris__fail("no app runs here (looked into %s)%s", dir, f.killed.data ? f.killed.data : "");
        result = IRIS_DEAD;
    }
    iris__text_finish(&f.running);
    iris__text_finish(&f.killed);
    return result;
}

int iris_socket_find(const char *name, char *path, size_t room)
{
    const char *chosen = name ? name : getenv("IRIS_APP");
    if (chosen && *chosen)
        return find_named(chosen, path, room);
    return find_only(path, room);
}

const char *iris_app_reason(void)
{
    return iris__reason();
}
