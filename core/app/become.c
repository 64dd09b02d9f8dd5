#include "become.h"

#include "fail.h"
#include "socket.h"

#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <unistd.h>

struct identity {
    uid_t user;
    gid_t group;
    int other_user, other_group; /* than this process has */
    const char *name, *home;     /* name NULL: this machine does not know the user */
    char room[16384];
};

/* ---- who that is ---- */

/* The real one and the saved one too: else there is a way back. */
static int is_user(uid_t user)
{
    uid_t real, now, saved;
    return !getresuid(&real, &now, &saved) && real == user && now == user && saved == user;
}

static int is_group(gid_t group)
{
    gid_t real, now, saved;
    return !getresgid(&real, &now, &saved) && real == group && now == group && saved == group;
}

static int find_user(const struct manifest *m, struct identity *id, struct problems *all)
{
    const char *name = m->process.user;
    struct passwd one, *found = NULL;
    int error = name ? getpwnam_r(name, &one, id->room, sizeof id->room, &found)
                     : getpwuid_r(geteuid(), &one, id->room, sizeof id->room, &found);
    id->user = found ? found->pw_uid : geteuid();
    id->group = name && found ? found->pw_gid : getegid();
    id->name = found ? found->pw_name : NULL;
    id->home = found ? found->pw_dir : NULL;
    id->other_user = name && !is_user(id->user);
    if (found || !name)
        return 0;
    iris__problem_add(all, m->file, "/process/user", "process",
                      "found \"%s\"; expected a user of this machine%s%s", name, error ? ": " : "",
                      error ? strerror(error) : "");
    return -1;
}

/* Of somebody else the primary group comes along; of oneself all stays as it is. */
static int find_group(const struct manifest *m, struct identity *id, struct problems *all)
{
    const char *name = m->process.group;
    if (name && iris__socket_group(name, &id->group)) {
        iris__problem_add(all, m->file, "/process/group", "process", "%s", iris__reason());
        return -1;
    }
    id->other_group = (name || id->other_user) && !is_group(id->group);
    return 0;
}

static int find(const struct manifest *m, struct identity *id, struct problems *all)
{
    int no_user = find_user(m, id, all);
    return find_group(m, id, all) || no_user ? -1 : 0;
}

static void check_directory(const struct manifest *m, struct problems *all)
{
    const char *dir = m->process.cwd;
    struct stat st;
    errno = ENOTDIR;
    if (dir && (stat(dir, &st) || (errno = ENOTDIR, !S_ISDIR(st.st_mode))))
        iris__problem_add(all, m->file, "/process/cwd", "process",
                          "found \"%s\"; expected a directory: %s", dir, strerror(errno));
}

void iris__become_check(const struct manifest *m, struct problems *all)
{
    struct identity id;
    find(m, &id, all);
    if (!iris__becomes_other(m) || !geteuid()) /* else it may be there, and not for our eyes */
        check_directory(m, all);
}

int iris__becomes_other(const struct manifest *m)
{
    struct identity id;
    struct problems none = {0};
    int other = m->process.user && !find_user(m, &id, &none) && id.other_user;
    iris__problems_finish(&none);
    return other;
}

/* ---- becoming that one ---- */

/* A directory of whoever started it is not to be used by the other. */
static void leave_directory(const char *variable, uid_t user)
{
    const char *dir = getenv(variable);
    struct stat st;
    if (dir && (stat(dir, &st) || st.st_uid != user))
        unsetenv(variable);
}

/* -1: no memory. */
static int change_environment(const struct identity *id)
{
    static const char *const directories[] = {"XDG_RUNTIME_DIR", "XDG_STATE_HOME", "XDG_CACHE_HOME",
                                              "XDG_CONFIG_HOME", "XDG_DATA_HOME"};
    for (size_t i = 0; i < sizeof directories / sizeof *directories; i++)
        leave_directory(directories[i], id->user);
    return setenv("USER", id->name, 1) || setenv("LOGNAME", id->name, 1) ||
                   setenv("HOME", *id->home ? id->home : "/", 1)
               ? -1
               : 0;
}

static int read_again(struct manifest **m, const struct sets *sets, struct problems *all)
{
    struct manifest *old = *m;
    if (iris__manifest_parse(old->file, old->text, old->len, sets->items, sets->n, m, all))
        return *m = old, -1;
    iris__manifest_free(old);
    return 0;
}

/* Where it did not work halfway, the process is to end. Threads that are there (who waits for signals) change with it:
 * the C library sees to that. */
static int change(const struct identity *id)
{
    if (id->name ? initgroups(id->name, id->group) : setgroups(1, &id->group))
        return -1;
    if (setresgid(id->group, id->group, id->group))
        return -1;
    return id->other_user ? setresuid(id->user, id->user, id->user) : 0;
}

/* As who kept a capability may; so that no such way is left open, it is tried. */
static int can_come_back(const struct identity *id)
{
    return id->other_user && id->user && (!setuid(0) || !seteuid(0) || !setgid(0) || !setegid(0));
}

static void refuse(const struct manifest *m, const struct identity *id, struct problems *all)
{
    const char *reason = strerror(errno);
    const char *key = id->other_user ? "user" : "group";
    const char *name = id->other_user ? m->process.user : m->process.group;
    char pointer[32];
    snprintf(pointer, sizeof pointer, "/process/%s", key);
    struct problem *p = iris__problem_add(
        all, m->file, pointer, "process",
        "found \"%s\"; user %u may not become that %s (%s); expected to be started by root", name,
        (unsigned)geteuid(), key, reason);
    iris__problem_hint(p, id->other_user ? "start it as root or as that user, or leave \"user\" out"
                                         : "start it as root, or leave \"group\" out");
}

static void refuse_half(const struct manifest *m, struct problems *all)
{
    struct problem *p = iris__problem_add(
        all, m->file, "/process/user", "process",
        "found \"%s\"; having become that user, it could still become root", m->process.user);
    iris__problem_hint(p, "start it as root with its usual capabilities and securebits");
}

/* The kernel then hides the process from its own user: no core, no debugger, /proc of root. But that user runs all
 * code of the app, and nothing that root may do is left in it: as any process of that user, then. */
static int become(const struct manifest *m, const struct identity *id, struct problems *all)
{
    int dumpable = prctl(PR_GET_DUMPABLE);
    if (change(id))
        return refuse(m, id, all), -1;
    if (can_come_back(id))
        return refuse_half(m, all), -1;
    if (dumpable == 1)
        prctl(PR_SET_DUMPABLE, 1);
    return 0;
}

int iris__become(struct manifest **m, const struct sets *sets, struct problems *all)
{
    struct identity id;
    if (find(*m, &id, all))
        return -1;
    if (!id.other_user && !id.other_group)
        return 0;
    if (id.other_user && change_environment(&id)) {
        iris__problem_add(all, (*m)->file, "", "no-memory", "no memory is left");
        return -1;
    }
    if (id.other_user && sets && read_again(m, sets, all))
        return -1;
    return become(*m, &id, all);
}

int iris__become_go(const struct manifest *m, struct problems *all)
{
    if (!m->process.cwd || !chdir(m->process.cwd))
        return 0;
    iris__problem_add(all, m->file, "/process/cwd", "process",
                      "found \"%s\"; expected a directory that user %u can enter: %s",
                      m->process.cwd, (unsigned)geteuid(), strerror(errno));
    return -1;
}
