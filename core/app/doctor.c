/* iris_app_doctor(): what this machine lacks, and what to do about it. */
#include "fail.h"
#include "find.h"
#include "privatedir.h"
#include "runtime.h"
#include "socket.h"
#include "text.h"

#include <iris/app.h>

#include <dirent.h>
#include <jansson.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/statvfs.h>
#include <unistd.h>

#define FILES_WANTED 4096      /* an app of thousands of connections or watched files */
#define MAPS_WANTED 65530      /* the kernel's own default */
#define CODE_WANTED (4u << 20) /* copies of the hosts, and some behaviours */
#define TIMEOUT_MS 10000

enum state { OK, WARNING, PROBLEM };

struct doctor {
    json_t *checks;
    int problems;
    int is_full; /* where copies are made: what is loaded from there is not looked at */
};

static void note(struct doctor *d, const char *check, enum state state, const char *fix,
                 const char *fmt, ...) __attribute__((format(printf, 5, 6)));

static void note(struct doctor *d, const char *check, enum state state, const char *fix,
                 const char *fmt, ...)
{
    static const char *const states[] = {"ok", "warning", "problem"};
    va_list args;
    va_start(args, fmt);
    json_t *found = json_vsprintf(fmt, args);
    va_end(args);
    json_array_append_new(d->checks,
                          json_pack("{s:s, s:s, s:o, s:s*}", "check", check, "state", states[state],
                                    "found", found ? found : json_string("?"), "fix", fix));
    d->problems += state == PROBLEM;
}

/* The last reason: its sentence is what was found, its hint how it is mended. */
static void note_reason(struct doctor *d, const char *check, enum state state, const char *fix)
{
    const char *reason = iris__reason(), *hint = strstr(reason, "\nhint: ");
    int n = (int)(hint ? (size_t)(hint - reason) : strlen(reason));
    char *kept = strndup(reason, (size_t)n), *mend = hint ? strdup(hint + 7) : NULL;
    note(d, check, state, mend ? mend : fix, "%s", kept ? kept : "?");
    free(kept);
    free(mend);
}

/* ---- languages ---- */

static void keep(void *ctx, const char *text)
{
    *(json_t **)ctx = json_loads(text, 0, NULL);
}

/* Of a host: which language it brings, and whether all that it links is there. */
static void check_host(struct doctor *d, const char *name, const char *file)
{
    json_t *v = NULL;
    char check[80];
    snprintf(check, sizeof check, "host %.60s", name);
    if (iris_app_describe(file, TIMEOUT_MS, keep, &v)) {
        note_reason(d, check, PROBLEM, "install what it names, or install Iris again");
        return;
    }
    const char *runtime = json_string_value(json_object_get(json_object_get(v, "host"), "runtime"));
    const char *files = json_string_value(json_object_get(json_object_get(v, "host"), "suffixes"));
    note(d, check, OK, NULL, "%s, for %s", runtime ? runtime : "a host",
         files ? files : "no files");
    json_decref(v);
}

static void check_hosts(struct doctor *d)
{
    static const char *const names[] = {"native", "python", "node"};
    char dir[PATH_MAX], file[PATH_MAX + 80], check[80];
    if (iris__runtime_dir(dir, sizeof dir, "hosts")) {
        note(d, "hosts", PROBLEM, "install Iris whole: bin/iris and lib/iris/ belong together",
             "there is no directory iris/hosts beside libiris");
        return;
    }
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        snprintf(file, sizeof file, "%s/%s.so", dir, names[i]);
        snprintf(check, sizeof check, "host %s", names[i]);
        if (access(file, R_OK) == 0)
            check_host(d, names[i], file);
        else if (iris__find_host(names[i]))
            note_reason(d, check, i ? WARNING : PROBLEM, "install Iris again");
    }
}

/* Installed behaviours: their ABI notes and entries. Those that are well are counted. */
static void check_behaviours(struct doctor *d)
{
    char dir[PATH_MAX], file[PATH_MAX + NAME_MAX + 2];
    DIR *entries = iris__runtime_dir(dir, sizeof dir, "behaviours") ? NULL : opendir(dir);
    int n = 0;
    for (struct dirent *e; entries && (e = readdir(entries));) {
        json_t *v = NULL;
        size_t len = strlen(e->d_name);
        if (len < 4 || strcmp(e->d_name + len - 3, ".so") != 0)
            continue;
        snprintf(file, sizeof file, "%s/%s", dir, e->d_name);
        if (iris_app_describe(file, TIMEOUT_MS, keep, &v))
            note_reason(d, "behaviours", PROBLEM, "build it again for this Iris, or remove it");
        else
            n++;
        json_decref(v);
    }
    if (entries) {
        closedir(entries);
        note(d, "behaviours", OK, NULL, "%d in %s speak this ABI", n, dir);
    }
}

/* ---- limits ---- */

static long number_in(const char *file)
{
    long n = -1;
    FILE *f = fopen(file, "re");
    if (f && fscanf(f, "%ld", &n) != 1)
        n = -1;
    if (f)
        fclose(f);
    return n;
}

static void check_files(struct doctor *d)
{
    struct rlimit files;
    if (getrlimit(RLIMIT_NOFILE, &files))
        return;
    unsigned long long now = files.rlim_cur, most = files.rlim_max;
    if (now >= FILES_WANTED)
        note(d, "open files", OK, NULL, "up to %llu", now);
    else if (most >= FILES_WANTED)
        note(d, "open files", WARNING,
             "ulimit -n 4096, or LimitNOFILE=65536 in the unit of systemd",
             "up to %llu, though up to %llu would be allowed", now, most);
    else
        note(d, "open files", WARNING,
             "raise nofile in /etc/security/limits.conf, then log in again", "up to %llu", now);
}

/* Each kept version of a library takes five mappings or so. */
static void check_maps(struct doctor *d)
{
    long maps = number_in("/proc/sys/vm/max_map_count");
    if (maps < 0)
        return;
    note(d, "memory maps", maps < MAPS_WANTED ? WARNING : OK,
         maps < MAPS_WANTED ? "sysctl -w vm.max_map_count=262144" : NULL,
         "up to %ld; versions of libraries that stay take some", maps);
}

static void check_threads(struct doctor *d)
{
    struct rlimit threads;
    if (getrlimit(RLIMIT_NPROC, &threads))
        return;
    unsigned long long n = threads.rlim_cur;
    long kernel = number_in("/proc/sys/kernel/threads-max");
    if (kernel > 0 && (unsigned long long)kernel < n)
        n = (unsigned long long)kernel;
    note(d, "threads", n < 512 ? WARNING : OK,
         n < 512 ? "ulimit -u 4096, or TasksMax=4096 in the unit of systemd" : NULL, "up to %llu",
         n);
}

/* ---- directories ---- */

static int has_room(const char *dir, uint64_t *room)
{
    struct statvfs fs;
    *room = CODE_WANTED;
    if (!statvfs(dir, &fs))
        *room = (uint64_t)fs.f_bavail * fs.f_frsize;
    return *room >= CODE_WANTED;
}

static void check_code(struct doctor *d)
{
    struct privatedir dir;
    uint64_t room;
    if (iris__privatedir_find(&dir)) {
        note(d, "private copies", WARNING,
             "set IRIS_STATE_DIR to a directory of yours on a file system without noexec",
             "no directory may hold code; copies are kept in memory");
        return;
    }
    char *slash = strrchr(dir.path, '/');
    *slash = '\0';
    d->is_full = !has_room(dir.path, &room);
    if (d->is_full)
        note(d, "private copies", PROBLEM,
             "make room there, or set IRIS_STATE_DIR to another directory",
             "in %s, where %llu KiB are free; expected %u", dir.path,
             (unsigned long long)room / 1024, CODE_WANTED / 1024);
    else
        note(d, "private copies", OK, NULL, "in %s", dir.path);
    *slash = '/';
    iris__privatedir_remove(&dir);
}

static void check_socket(struct doctor *d)
{
    char path[IRIS_SOCKET_ROOM];
    if (iris_socket_path("doctor", path, sizeof path) || iris__socket_look(path, SOCKET_NO_GROUP)) {
        note_reason(d, "control sockets", PROBLEM,
                    "set XDG_RUNTIME_DIR to a directory of yours with mode 0700");
        return;
    }
    *strrchr(path, '/') = '\0';
    note(d, "control sockets", OK, NULL, "in %s, for this user alone", path);
}

static void check_apps(struct doctor *d)
{
    char path[IRIS_SOCKET_ROOM];
    switch (iris_socket_find(NULL, path, sizeof path)) {
    case IRIS_OK:
        note(d, "running", OK, NULL, "%s", path);
        break;
    case IRIS_DEAD:
        if (strstr(iris__reason(), "was killed"))
            note_reason(d, "running", WARNING, "iris run of its manifest takes its place");
        else
            note(d, "running", OK, NULL, "no app; iris run app.json starts one");
        break;
    case IRIS_AGAIN:
        note(d, "running", OK, NULL, "%s", iris__reason());
        break;
    default:
        note_reason(d, "running", PROBLEM, "see its permissions");
    }
}

int iris_app_doctor(void (*write)(void *ctx, const char *text), void *ctx)
{
    struct doctor d = {.checks = json_array()};
    check_code(&d);
    if (!d.is_full) {
        check_hosts(&d);
        check_behaviours(&d);
    }
    check_files(&d);
    check_maps(&d);
    check_threads(&d);
    check_socket(&d);
    check_apps(&d);
    json_t *all = json_pack("{s:i, s:o}", "iris", 1, "checks", d.checks);
    char *text = all ? json_dumps(all, JSON_COMPACT) : NULL;
    if (text)
        write(ctx, text);
    int failed = !text || d.problems;
    free(text);
    json_decref(all);
    return failed ? IRIS_EXIT_FAILED : IRIS_EXIT_OK;
}
