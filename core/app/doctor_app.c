/* What one app needs of this machine beyond its manifest's mistakes. Languages and the mesh are started in a child
 * process: what they change, and how they fall, stays there. */
#include "become.h"
#include "child.h"
#include "doctor.h"
#include "fail.h"
#include "find.h"
#include "runtime.h"

#include <iris/app.h>
#include <iris/ext/mesh.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#define MESH_MS 120000 /* it asks DNS, and waits two seconds for each address of an engine */
#define FILES_SPARE 64 /* of a process that does nothing yet */
#define NODE_SPACE (4ull << 30) /* bytes of addresses that V8 reserves */

/* ---- in the child ---- */

struct start {
    const struct manifest *manifest;
    const char *name; /* of the host */
};

/* Zeroed but for what the host is told; it is never closed. NULL with a reason. */
static iris_runtime *open_with(const char *name, const char *config,
                               const struct host_config *limits, struct host_config *room)
{
    iris_options o = {.size = sizeof o, .abi = IRIS_ABI, .workers = 1};
    iris_runtime *rt;
    if (iris_open(&o, &rt))
        return NULL;
    *room = (struct host_config){.name = name, .config = config};
    if (limits)
        *room = *limits;
    rt->configs = room;
    rt->nconfigs = config || limits ? 1 : 0;
    return rt;
}

static const struct manifest_host *settings_of(const struct manifest *m, const char *name)
{
    for (size_t i = 0; i < m->nhosts; i++)
        if (!strcmp(m->hosts[i].name, name))
            return &m->hosts[i];
    return NULL;
}

static void start_language(int fd, void *ctx)
{
    const struct start *s = ctx;
    const struct manifest_host *h = settings_of(s->manifest, s->name);
    struct host_config room, limits = {.name = s->name};
    if (h)
        limits =
            (struct host_config){h->name, h->config, {h->turn_limit, h->load_limit, h->instances}};
    iris_runtime *rt = iris__child_hush() ? NULL : open_with(s->name, NULL, &limits, &room);
    if (!rt || iris__runtime_start_host(rt, s->name))
        iris__child_answer(fd, json_pack("{s:s}", "reason", iris__reason()));
    iris__child_answer(fd, json_pack("{s:b}", "started", 1));
}

/* [any] */
static void add_finding(void *ctx, int state, const char *key, const char *text)
{
    json_array_append_new(ctx,
                          json_pack("{s:i, s:s, s:s}", "state", state, "key", key, "text", text));
}

static void look_at_mesh(int fd, void *ctx)
{
    const struct start *s = ctx;
    struct host_config room;
    const void *table;
    void *mesh;
    json_t *findings = json_array();
    iris_runtime *rt = iris__child_hush() ? NULL : open_with("mesh", NULL, NULL, &room);
    if (!rt || iris__runtime_use(rt, "mesh", IRIS_MESH, &table, &mesh) ||
        ((const iris_mesh *)table)->check(mesh, s->manifest->mesh, add_finding, findings))
        iris__child_answer(fd, json_pack("{s:s}", "reason", iris__reason()));
    iris__child_answer(fd, json_pack("{s:o}", "findings", findings));
}

/* ---- languages ---- */

static int is_used(const struct manifest *m, const char *host)
{
    for (size_t i = 0; i < m->nactors; i++)
        if (!m->actors[i].behind && !m->actors[i].remote_at && !strcmp(m->actors[i].host, host))
            return 1;
    return 0;
}

/* One that is not there is an error of the manifest, and was told. */
static void check_language(struct doctor *d, const struct manifest *m, const char *name)
{
    char check[80], what[80];
    struct start s = {m, name};
    const struct manifest_host *h = settings_of(m, name);
    if ((!h && !is_used(m, name)) || iris__find_host(name))
        return;
    snprintf(check, sizeof check, "hosts.%.60s", name);
    snprintf(what, sizeof what, "host \"%.60s\"", name);
    json_t *v = iris__child_ask(what, "its start", DOCTOR_MS, start_language, &s);
    if (!v)
        iris__doctor_reason(d, check, FOUND_PROBLEM, "mend what it names in \"hosts\"");
    else
        iris__doctor_note(d, check, FOUND_OK, NULL, "begins%s%s", h && h->venv ? " with venv " : "",
                          h && h->venv ? h->venv : "");
    json_decref(v);
}

static void check_languages(struct doctor *d, const struct manifest *m)
{
    static const char *const names[] = {"python", "node"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        check_language(d, m, names[i]);
}

/* ---- the mesh ---- */

static const char *fix_of(const char *key)
{
    return !strcmp(key, "tls")      ? "make certificates with: iris mesh cert NODE --ca DIR"
           : !strcmp(key, "engine") ? "start the engine, or mend \"mesh.engine\""
                                    : "mend the file, or \"mesh.cookie\"";
}

static void check_mesh(struct doctor *d, const struct manifest *m)
{
    struct start s = {m, "mesh"};
    size_t i;
    json_t *one;
    if (!m->mesh)
        return;
    json_t *v = iris__child_ask("mesh", "its plugin", MESH_MS, look_at_mesh, &s);
    if (!v)
        iris__doctor_reason(d, "mesh", FOUND_PROBLEM, "mend it: iris explain mesh");
    json_array_foreach(json_object_get(v, "findings"), i, one)
    {
        char check[80];
        const char *key = json_string_value(json_object_get(one, "key"));
        enum finding state = (enum finding)json_integer_value(json_object_get(one, "state"));
        snprintf(check, sizeof check, "mesh.%.60s", key);
        iris__doctor_note(d, check, state, state == FOUND_OK ? NULL : fix_of(key), "%s",
                          json_string_value(json_object_get(one, "text")));
    }
    json_decref(v);
}

/* ---- limits ---- */

static unsigned long long memory_here(void)
{
    unsigned long long all =
        (unsigned long long)sysconf(_SC_PHYS_PAGES) * (unsigned long long)sysconf(_SC_PAGESIZE);
    unsigned long long group = all;
    FILE *f = fopen("/sys/fs/cgroup/memory.max", "re"); /* "max": no limit */
    if (f && fscanf(f, "%llu", &group) != 1)
        group = all;
    if (f)
        fclose(f);
    return group < all ? group : all;
}

static void check_memory(struct doctor *d, const struct manifest *m)
{
    struct rlimit space;
    unsigned long long here = memory_here() >> 20, most = (unsigned long long)m->limit_memory >> 20;
    int bounded = !getrlimit(RLIMIT_AS, &space) && space.rlim_cur != RLIM_INFINITY;
    if (most > here)
        iris__doctor_note(d, "limits.memory", FOUND_WARNING,
                          "set limits.memory below it: messages are not all that a process has",
                          "messages may take %llu MiB, and this process may have %llu", most, here);
    else
        iris__doctor_note(d, "limits.memory", FOUND_OK, NULL, "%llu MiB are here; messages may %s",
                          here,
                          most ? "take a part" : "take all of it (limits.memory bounds that)");
    if (bounded && space.rlim_cur < NODE_SPACE && is_used(m, "node"))
        iris__doctor_note(d, "address space", FOUND_PROBLEM,
                          "ulimit -v unlimited, or no LimitAS in the unit of systemd",
                          "up to %llu MiB; Node reserves more than it uses",
                          (unsigned long long)space.rlim_cur >> 20);
}

/* Each other node is a connection, as is whoever asks. */
static void check_files(struct doctor *d, const struct manifest *m)
{
    struct rlimit files;
    unsigned long long wanted = FILES_SPARE + (m->mesh ? 256 : 0) + 64 * m->nhosts;
    if (!getrlimit(RLIMIT_NOFILE, &files) && files.rlim_cur < wanted)
        iris__doctor_note(d, "open files of it", FOUND_PROBLEM,
                          "ulimit -n 4096, or LimitNOFILE=65536 in the unit of systemd",
                          "up to %llu; this app may need %llu", (unsigned long long)files.rlim_cur,
                          wanted);
}

/* ---- what it writes, and as who ---- */

/* 0, or errno: this process cannot. Real user and group are meant. */
static int cannot_write(const char *file)
{
    char *dir = strdup(file), *slash = dir ? strrchr(dir, '/') : NULL;
    if (slash)
        slash[slash == dir] = '\0';
    int cannot = dir && (!access(file, F_OK) ? access(file, W_OK) : access(dir, W_OK | X_OK));
    int reason = cannot ? errno : 0;
    free(dir);
    return reason;
}

static void note_log(struct doctor *d, const struct manifest *m, int reason)
{
    if (reason)
        iris__doctor_note(d, "logs.file", FOUND_PROBLEM,
                          "make its directory, owned by the user who runs the app",
                          "%s cannot be written: %s", m->logs.file, strerror(reason));
    else
        iris__doctor_note(d, "logs.file", FOUND_OK, NULL, "%s", m->logs.file);
}

/* In the child, which then is that user. */
static void become(int fd, void *ctx)
{
    struct manifest *m = ctx;
    struct problems problems = {0};
    if (iris__child_hush() || iris__become(&m, NULL, &problems) || iris__become_go(m, &problems))
        iris__child_answer(
            fd, json_pack("{s:s}", "reason", problems.n ? problems.items[0].message : "no memory"));
    iris__child_answer(fd, json_pack("{s:i, s:i}", "user", (int)geteuid(), "log",
                                     m->logs.file ? cannot_write(m->logs.file) : 0));
}

/* Root may do all: what that user may is asked as that user. Who is not root cannot; `iris run` may be started by root. */
static void check_process(struct doctor *d, struct manifest *m)
{
    const struct manifest_process *p = &m->process;
    int is_asked = p->user || p->group || p->cwd;
    json_t *v =
        is_asked ? iris__child_ask("process", "becoming its user", DOCTOR_MS, become, m) : NULL;
    if (is_asked && !v)
        iris__doctor_reason(d, "process", geteuid() ? FOUND_WARNING : FOUND_PROBLEM,
                            "start it as root, or mend \"process\"");
    else if (v)
        iris__doctor_note(d, "process", FOUND_OK, NULL, "user %d%s%s",
                          (int)json_integer_value(json_object_get(v, "user")),
                          p->cwd ? ", in " : "", p->cwd ? p->cwd : "");
    if (m->logs.file && (v || !iris__becomes_other(m)))
        note_log(d, m,
                 v ? (int)json_integer_value(json_object_get(v, "log"))
                   : cannot_write(m->logs.file));
    json_decref(v);
}

void iris__doctor_app(struct doctor *d, struct manifest *m)
{
    check_languages(d, m);
    check_mesh(d, m);
    check_memory(d, m);
    check_files(d, m);
    check_process(d, m);
}
