/* iris_app_doctor(): what this machine lacks, and what to do about it. */
#include "doctor.h"

#include "check.h"
#include "fail.h"
#include "find.h"
#include "privatedir.h"
#include "problem.h"
#include "runtime.h"
#include "sets.h"
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

void iris__doctor_note(struct doctor *d, const char *check, enum finding state, const char *fix,
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
    d->problems += state == FOUND_PROBLEM;
}

void iris__doctor_reason(struct doctor *d, const char *check, enum finding state, const char *fix)
{
    const char *reason = iris__reason(), *hint = strstr(reason, "\nhint: ");
    int n = (int)(hint ? (size_t)(hint - reason) : strlen(reason));
    char *kept = strndup(reason, (size_t)n), *mend = hint ? strdup(hint + 7) : NULL;
    iris__doctor_note(d, check, state, mend ? mend : fix, "%s", kept ? kept : "?");
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
    if (iris_app_describe(file, DOCTOR_MS, keep, &v)) {
        iris__doctor_reason(d, check, FOUND_PROBLEM,
                            "install what it names, or install Iris again");
        return;
    }
    const char *runtime = json_string_value(json_object_get(json_object_get(v, "host"), "runtime"));
    const char *files = json_string_value(json_object_get(json_object_get(v, "host"), "suffixes"));
    iris__doctor_note(d, check, FOUND_OK, NULL, "%s, for %s", runtime ? runtime : "a host",
                      files ? files : "no files");
    json_decref(v);
}

static void check_hosts(struct doctor *d)
{
    static const char *const names[] = {"native", "python", "node"};
    char dir[PATH_MAX], file[PATH_MAX + 80], check[80];
    if (iris__runtime_dir(dir, sizeof dir, "hosts")) {
        iris__doctor_note(d, "hosts", FOUND_PROBLEM,
                          "install Iris whole: bin/iris and lib/iris/ belong together",
                          "there is no directory iris/hosts beside libiris");
        return;
    }
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        snprintf(file, sizeof file, "%s/%s.so", dir, names[i]);
        snprintf(check, sizeof check, "host %s", names[i]);
        if (access(file, R_OK) == 0)
            check_host(d, names[i], file);
        else if (iris__find_host(names[i]))
            iris__doctor_reason(d, check, i ? FOUND_WARNING : FOUND_PROBLEM, "install Iris again");
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
        if (iris_app_describe(file, DOCTOR_MS, keep, &v))
            iris__doctor_reason(d, "behaviours", FOUND_PROBLEM,
                                "build it again for this Iris, or remove it");
        else
            n++;
        json_decref(v);
    }
    if (entries) {
        closedir(entries);
        iris__doctor_note(d, "behaviours", FOUND_OK, NULL, "%d in %s speak this ABI", n, dir);
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
        iris__doctor_note(d, "open files", FOUND_OK, NULL, "up to %llu", now);
    else if (most >= FILES_WANTED)
        iris__doctor_note(d, "open files", FOUND_WARNING,
                          "ulimit -n 4096, or LimitNOFILE=65536 in the unit of systemd",
                          "up to %llu, though up to %llu would be allowed", now, most);
    else
        iris__doctor_note(d, "open files", FOUND_WARNING,
                          "raise nofile in /etc/security/limits.conf, then log in again",
                          "up to %llu", now);
}

/* Each kept version of a library takes five mappings or so. */
static void check_maps(struct doctor *d)
{
    long maps = number_in("/proc/sys/vm/max_map_count");
    if (maps < 0)
        return;
    iris__doctor_note(d, "memory maps", maps < MAPS_WANTED ? FOUND_WARNING : FOUND_OK,
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
    iris__doctor_note(d, "threads", n < 512 ? FOUND_WARNING : FOUND_OK,
                      n < 512 ? "ulimit -u 4096, or TasksMax=4096 in the unit of systemd" : NULL,
                      "up to %llu", n);
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
        iris__doctor_note(
            d, "private copies", FOUND_WARNING,
            "set IRIS_STATE_DIR to a directory of yours on a file system without noexec",
            "no directory may hold code; copies are kept in memory");
        return;
    }
    char *slash = strrchr(dir.path, '/');
    *slash = '\0';
    d->is_full = !has_room(dir.path, &room);
    if (d->is_full)
        iris__doctor_note(d, "private copies", FOUND_PROBLEM,
                          "make room there, or set IRIS_STATE_DIR to another directory",
                          "in %s, where %llu KiB are free; expected %u", dir.path,
                          (unsigned long long)room / 1024, CODE_WANTED / 1024);
    else
        iris__doctor_note(d, "private copies", FOUND_OK, NULL, "in %s", dir.path);
    *slash = '/';
    iris__privatedir_remove(&dir);
}

static void check_socket(struct doctor *d)
{
    char path[IRIS_SOCKET_ROOM];
    if (iris_socket_path("doctor", path, sizeof path) || iris__socket_look(path, SOCKET_NO_GROUP)) {
        iris__doctor_reason(d, "control sockets", FOUND_PROBLEM,
                            "set XDG_RUNTIME_DIR to a directory of yours with mode 0700");
        return;
    }
    *strrchr(path, '/') = '\0';
    iris__doctor_note(d, "control sockets", FOUND_OK, NULL, "in %s, for this user alone", path);
}

static void check_apps(struct doctor *d)
{
    char path[IRIS_SOCKET_ROOM];
    switch (iris_socket_find(NULL, path, sizeof path)) {
    case IRIS_OK:
        iris__doctor_note(d, "running", FOUND_OK, NULL, "%s", path);
        break;
    case IRIS_DEAD:
        if (strstr(iris__reason(), "was killed"))
            iris__doctor_reason(d, "running", FOUND_WARNING,
                                "iris run of its manifest takes its place");
        else
            iris__doctor_note(d, "running", FOUND_OK, NULL, "no app; iris run app.json starts one");
        break;
    case IRIS_AGAIN:
        iris__doctor_note(d, "running", FOUND_OK, NULL, "%s", iris__reason());
        break;
    default:
        iris__doctor_reason(d, "running", FOUND_PROBLEM, "see its permissions");
    }
}

static void check_machine(struct doctor *d)
{
    check_code(d);
    if (!d->is_full) {
        check_hosts(d);
        check_behaviours(d);
    }
    check_files(d);
    check_maps(d);
    check_threads(d);
    check_socket(d);
    check_apps(d);
}

/* As `iris check` says it; what mends it stands apart. */
static void note_problem(struct doctor *d, const struct problem *p)
{
    struct problem bare = *p;
    struct problems one = {.items = &bare, .n = 1};
    struct text out = {0};
    bare.hint = NULL;
    if (!iris__problems_text(&one, 0, &out) && out.len)
        iris__doctor_note(d, "manifest", FOUND_PROBLEM,
                          p->hint ? p->hint : "mend the manifest there: iris explain KEY", "%.*s",
                          (int)out.len - 1, out.data);
    iris__text_finish(&out);
}

/* Without its manifest nothing of the app is known. */
static void check_app(struct doctor *d, const char *file, const struct sets *sets)
{
    struct problems problems = {0};
    struct manifest *m = iris__check_read(file, sets, &problems);
    size_t n = iris__problems_count(&problems);
    for (size_t i = 0; i < problems.n; i++)
        note_problem(d, &problems.items[i]);
    if (m && !n)
        iris__doctor_note(d, "manifest", FOUND_OK, NULL, "%s: no errors", file);
    if (m)
        iris__doctor_app(d, m);
    iris__problems_finish(&problems);
    iris__manifest_free(m);
}

static int tell(struct doctor *d, void (*write)(void *ctx, const char *text), void *ctx)
{
    json_t *all = json_pack("{s:i, s:o}", "iris", 1, "checks", d->checks);
    char *text = all ? json_dumps(all, JSON_COMPACT) : NULL;
    if (text)
        write(ctx, text);
    int failed = !text || d->problems;
    free(text);
    json_decref(all);
    return failed ? IRIS_EXIT_FAILED : IRIS_EXIT_OK;
}

int iris_app_doctor(void (*write)(void *ctx, const char *text), void *ctx)
{
    struct doctor d = {.checks = json_array()};
    check_machine(&d);
    return tell(&d, write, ctx);
}

int iris_app_doctor_of(const char *file, const char *const *sets, uint32_t nsets,
                       void (*write)(void *ctx, const char *text), void *ctx)
{
    struct doctor d = {.checks = json_array()};
    struct sets parsed;
    check_machine(&d);
    if (iris__sets_parse(&parsed, sets, nsets)) {
        iris__doctor_reason(&d, "manifest", FOUND_PROBLEM, "see: iris doctor --help");
    } else {
        check_app(&d, file, &parsed);
        iris__sets_finish(&parsed);
    }
    return tell(&d, write, ctx);
}
