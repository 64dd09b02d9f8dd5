/* iris_app_describe(): what a plugin is. Its bytes are read and checked here; its code runs in a child
 * that may do little, for a short time, and can take nothing with it when it falls. */
#include "api.h"
#include "elfnote.h"
#include "fail.h"
#include "loader.h"
#include "text.h"

#include <iris/app.h>

#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define ENTRY "iris_plugin_entry"
#define MEMORY_MORE (4ull << 30) /* bytes of addresses beyond those of now: libnode maps much */
#define ANSWER_MAX (1 << 20)

/* ---- in the child ---- */

static json_t *behaviours_of(const struct taken *t)
{
    json_t *all = json_array();
    for (int i = 0; i < t->n; i++) {
        const iris_behaviour *b = &t->copies[i];
        json_array_append_new(all, json_pack("{s:s, s:s, s:I, s:s, s:b, s:b, s:b}", "name", b->name,
                                             "version", b->version ? b->version : "",
                                             "state_version", (json_int_t)b->state_version, "kind",
                                             b->flags & IRIS_PULL ? "pull" : "push", "saves",
                                             b->save != NULL, "upgrades", b->upgrade != NULL,
                                             "own_thread", !!(b->flags & IRIS_OWN_THREAD)));
    }
    return all;
}

static json_t *strings_of(const char *const *list)
{
    json_t *all = json_array();
    for (; list && *list; list++)
        json_array_append_new(all, json_string(*list));
    return all;
}

static json_t *host_of(const iris_host *h)
{
    if (!h)
        return json_null();
    return json_pack("{s:s*, s:s*, s:s*}", "runtime", h->runtime, "suffixes", h->suffixes,
                     "imports", h->imports);
}

static json_t *taken_of(const struct library *lib)
{
    const iris_plugin *p = &lib->taken.plugin;
    return json_pack("{s:s, s:s, s:I, s:o, s:o, s:o}", "name", p->name, "version",
                     p->version ? p->version : "", "abi", (json_int_t)p->abi, "behaviours",
                     behaviours_of(&lib->taken), "host", host_of(p->host), "needs",
                     strings_of(p->needs));
}

static uint64_t addresses(void)
{
    unsigned long long pages = 0;
    FILE *f = fopen("/proc/self/statm", "re");
    if (f && fscanf(f, "%llu", &pages) != 1)
        pages = 0;
    if (f)
        fclose(f);
    return pages * (uint64_t)sysconf(_SC_PAGESIZE);
}

static int limit(int what, uint64_t most)
{
    struct rlimit now;
    if (getrlimit(what, &now))
        return -1;
    now.rlim_cur = most < now.rlim_max ? most : now.rlim_max;
    now.rlim_max = now.rlim_cur;
    return setrlimit(what, &now);
}

/* It writes no file, leaves no core, and goes when its parent goes. Nothing that set-user-id could give it
 * is to be had. What it prints is lost. */
static int keep_only(int fd)
{
    return (fd > 3 && close_range(3, (unsigned)fd - 1, 0)) || close_range((unsigned)fd + 1, ~0u, 0);
}

static int confine(int answer, const struct source *s, int64_t timeout_ms)
{
    int is_in_memory = s->copy->fd >= 0; /* then it is opened by the number of its descriptor */
    int null = open("/dev/null", O_RDWR | O_CLOEXEC);
    uint64_t memory = addresses() + MEMORY_MORE;
    if (null < 0 || dup2(null, 0) < 0 || dup2(null, 1) < 0 || dup2(null, 2) < 0 ||
        (!is_in_memory && keep_only(answer)))
        return iris__fail("its descriptors: %s", strerror(errno));
    if (setpgid(0, 0) || prctl(PR_SET_PDEATHSIG, SIGKILL) ||
        prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) || limit(RLIMIT_CORE, 0) || limit(RLIMIT_FSIZE, 0) ||
        limit(RLIMIT_NOFILE, 64) || limit(RLIMIT_CPU, (uint64_t)timeout_ms / 1000 + 1) ||
        limit(RLIMIT_AS, memory))
        return iris__fail("its limits: %s", strerror(errno));
    return 0;
}

__attribute__((noreturn)) static void answer(int fd, json_t *v)
{
    char *text = v ? json_dumps(v, JSON_COMPACT) : NULL;
    for (size_t at = 0, n; text && at < strlen(text); at += n) {
        ssize_t done = write(fd, text + at, strlen(text + at));
        if (done <= 0)
            break;
        n = (size_t)done;
    }
    _exit(0); /* no destructor of the plugin runs: it is none of our business what they do */
}

__attribute__((noreturn)) static void look(struct loader *l, const struct source *s, int fd,
                                           int64_t timeout_ms)
{
    struct library *lib;
    if (confine(fd, s, timeout_ms))
        _exit(1);
    if (iris__loader_open_source(l, s, iris__api(), &lib))
        answer(fd, json_pack("{s:s}", "reason", iris__reason()));
    answer(fd, taken_of(lib));
}

/* ---- in the parent ---- */

static int64_t now_ms(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

/* 0: it said all; 1: the time was over. */
static int listen_to(int fd, int64_t until, struct text *out)
{
    char piece[4096];
    while (out->len < ANSWER_MAX) {
        struct pollfd p = {.fd = fd, .events = POLLIN};
        int64_t left = until - now_ms();
        if (left <= 0)
            return 1;
        if (poll(&p, 1, (int)left) <= 0)
            continue;
        ssize_t n = read(fd, piece, sizeof piece);
        if (n <= 0)
            return 0;
        iris__text_add(out, piece, (size_t)n);
    }
    return 0;
}

static int fell(const char *file, int status)
{
    static const char where[] = "a constructor, or its " ENTRY;
    if (WIFSIGNALED(status))
        return iris__fail("%s: its code ended the process that looked at it (%s, in %s); expected "
                          "that it loads and returns",
                          file, strsignal(WTERMSIG(status)), where);
    return iris__fail("%s: its code ended the process that looked at it (exit status %d, in %s); "
                      "expected that it loads and returns",
                      file, WEXITSTATUS(status), where);
}

static json_t *judge(const char *file, int late, int64_t timeout_ms, int status,
                     const struct text *said)
{
    json_t *v = said->data ? json_loads(said->data, 0, NULL) : NULL;
    const char *reason = json_string_value(json_object_get(v, "reason"));
    if (v && !reason)
        return v;
    if (reason)
        iris__fail("%s", reason);
    else if (late)
        iris__fail("%s: its code did not return within %lld ms (a constructor, or its " ENTRY
                   "); expected that loading waits for nothing",
                   file, (long long)timeout_ms);
    else
        fell(file, status);
    json_decref(v);
    return NULL;
}

static json_t *ask_child(struct loader *l, const struct source *s, int64_t timeout_ms)
{
    int ends[2], status = 0;
    struct text said = {0};
    if (pipe2(ends, O_CLOEXEC))
        return iris__fail("%s: %s", s->file, strerror(errno)), NULL;
    pid_t child = fork();
    if (child == 0)
        look(l, s, ends[1], timeout_ms);
    close(ends[1]);
    int late = child < 0 ? 0 : listen_to(ends[0], now_ms() + timeout_ms, &said);
    close(ends[0]);
    if (child < 0)
        return iris__fail("%s: no process to look at it in: %s", s->file, strerror(errno)), NULL;
    if (late)
        kill(child, SIGKILL);
    kill(-child, SIGKILL); /* also what it has started */
    while (waitpid(child, &status, 0) < 0 && errno == EINTR)
        ;
    json_t *v = judge(s->file, late, timeout_ms, status, &said);
    iris__text_finish(&said);
    return v;
}

/* ---- what the file says ---- */

static json_t *note_of(const struct elf *e)
{
    struct elf_note n;
    if (!iris__elf_note(e, &n))
        return json_null();
    return json_pack("{s:I, s:s, s:s}", "abi", (json_int_t)n.abi, "name", n.name, "version",
                     n.version);
}

static void add_file(json_t *v, const struct elf *e)
{
    json_t *libraries = json_array();
    const char *name;
    for (uint64_t i = 0; (name = iris__elf_needed(e, i)); i++)
        json_array_append_new(libraries, json_string(name));
    json_object_set_new(v, "iris", json_integer(1));
    json_object_set_new(v, "file", json_string(e->file));
    json_object_set_new(v, "note", note_of(e));
    json_object_set_new(v, "libraries", libraries);
    json_object_set_new(v, "stays", e->stays ? json_string(e->stays) : json_null());
}

/* The copy is made out here, with limits of nobody; the child only maps it. */
static json_t *describe(struct loader *l, const char *file, int64_t timeout_ms)
{
    struct source s;
    struct elf e;
    json_t *v = NULL;
    if (iris__loader_read(l, file, &s))
        return NULL;
    if (!iris__elf_check(&e, file, s.code, ENTRY) && (v = ask_child(l, &s, timeout_ms)))
        add_file(v, &e);
    iris__loader_free(l, &s);
    return v;
}

int iris_app_describe(const char *file, int64_t timeout_ms,
                      void (*write)(void *ctx, const char *text), void *ctx)
{
    struct loader l;
    iris__loader_init(&l);
    json_t *v = describe(&l, file, timeout_ms);
    char *text = v ? json_dumps(v, JSON_COMPACT) : NULL;
    int failed = !text;
    if (text)
        write(ctx, text);
    free(text);
    json_decref(v);
    iris__loader_finish(&l);
    return !failed ? IRIS_EXIT_OK : IRIS_EXIT_FAILED;
}
