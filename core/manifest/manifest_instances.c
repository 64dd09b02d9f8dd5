#include "manifest_reading.h"

#include <iris/plugin.h>

#include <sched.h>
#include <stdlib.h>
#include <string.h>

#define ACTORS_MAX 100000 /* of one app: a small file can ask for many */

static void refuse(struct reading *r, const char *key, const char *why, const char *hint)
{
    size_t back = iris__pointer_key(&r->pointer, key, strlen(key));
    struct problem *p = iris__manifest_problem(r, "bad-value", "%s", why);
    iris__manifest_at_key(p);
    iris__problem_hint(p, "%s", hint);
    iris__pointer_back(&r->pointer, back);
}

void iris__manifest_route(struct reading *r, const json_t *object, struct manifest_actor *a)
{
    int says_route = json_object_get(object, "route") != NULL;
    int says_instances = json_object_get(object, "instances") != NULL;
    if (a->remote_at && says_instances && a->instances != 1)
        refuse(r, "instances", "a remote actor is one; the others would be the same",
               "write it where the actor runs");
    if (a->remote_at)
        a->instances = 1;
    if (says_route && !says_instances && a->instances == 1)
        refuse(r, "route", "there is only one instance to send to",
               "add \"instances\": 4, or \"cores\"; or leave it out");
}

static int64_t cores(void)
{
    cpu_set_t set;
    return sched_getaffinity(0, sizeof set, &set) ? 1 : CPU_COUNT(&set);
}

/* ---- what the numbers behind a path run into ---- */

static size_t digits(int64_t n)
{
    size_t count = 1;
    while (n /= 10)
        count++;
    return count;
}

static void problem_at(struct reading *r, size_t i, const char *key, const char *code,
                       const char *text, const char *hint)
{
    size_t back = iris__pointer_key(&r->pointer, "actors", strlen("actors"));
    iris__pointer_index(&r->pointer, i);
    iris__pointer_key(&r->pointer, key, strlen(key));
    iris__problem_hint(iris__manifest_problem(r, code, "%s", text), "%s", hint);
    iris__pointer_back(&r->pointer, back);
}

/* "/a/3", where "/a" has five. */
static int is_instance(const char *path, const struct manifest_actor *a)
{
    size_t n = a->path ? strlen(a->path) : 0;
    if (!n || a->instances == 1 || strncmp(path, a->path, n) || path[n] != '/')
        return 0;
    const char *number = path + n + 1;
    return *number != '0' && strspn(number, "0123456789") == strlen(number) &&
           strlen(number) <= 5 && strtoll(number, NULL, 10) <= a->instances;
}

static void check_path(struct reading *r, size_t i)
{
    const struct manifest *m = r->m;
    char text[320], hint[320];
    for (size_t k = 0; k < m->nactors && m->actors[i].path; k++) {
        if (!is_instance(m->actors[i].path, &m->actors[k]))
            continue;
        snprintf(text, sizeof text, "found \"%s\", which is an instance of \"%s\"",
                 m->actors[i].path, m->actors[k].path);
        snprintf(hint, sizeof hint, "that one is actors[%zu], and has %lld", k,
                 (long long)m->actors[k].instances);
        problem_at(r, i, "path", "duplicate-path", text, hint);
    }
}

/* Returns whether any has several. */
static int check(struct reading *r, size_t *count)
{
    int several = 0;
    for (size_t i = 0; i < r->m->nactors; i++) {
        struct manifest_actor *a = &r->m->actors[i];
        a->index = i;
        if (!a->instances)
            a->instances = cores();
        *count += (size_t)a->instances + (a->instances > 1);
        several |= a->instances > 1;
        if (a->path && a->instances > 1 &&
            strlen(a->path) + 1 + digits(a->instances) > MANIFEST_PATH_MAX)
            problem_at(r, i, "instances", "bad-value", "the paths of its instances are too long",
                       "a path has at most 255 bytes, and theirs have a number more");
    }
    for (size_t i = 0; several && i < r->m->nactors; i++)
        check_path(r, i);
    if (*count > ACTORS_MAX)
        iris__manifest_problem(r, "too-big", "all instances together are more than %d actors",
                               ACTORS_MAX);
    return several;
}

/* ---- one by one ---- */

static const char *numbered(struct reading *r, const char *path, uint32_t number)
{
    struct text out = {0};
    iris__text_addf(&out, "%s/%u", path, number);
    const char *copy = iris__manifest_copy(r, out.data ? out.data : "", out.len);
    iris__text_finish(&out);
    return copy;
}

/* Its mailbox holds as many, but it is the router that waits for it: what is too much meets the router's. */
static struct manifest_actor instance_of(struct reading *r, const struct manifest_actor *a,
                                         uint32_t number)
{
    struct manifest_actor one = *a;
    one.path = numbered(r, a->path, number);
    one.number = number;
    one.name = NULL;
    one.overflow = IRIS_BLOCK;
    one.fallback = NULL;
    return one;
}

/* It does nothing of what the file says of the others; a stop empties its mailbox as it does theirs. */
static struct manifest_actor router_of(const struct manifest_actor *a)
{
    static const char *const words[] = {"round_robin", "least_mailbox", "hash", "broadcast"};
    struct manifest_actor one = *a;
    one.behind = (uint32_t)a->instances;
    one.handler = words[a->route];
    one.handler_text = one.handler_file = one.symbol = one.args = one.migrate = NULL;
    one.host = "core";
    one.restart = MANIFEST_ON_FAILURE;
    one.start = MANIFEST_EAGER;
    one.ready = MANIFEST_STARTED;
    one.idle_ns = 0;
    one.kind = MANIFEST_KIND_ANY;
    one.timers = NULL;
    one.ntimers = 0;
    return one;
}

static void expand(struct reading *r, struct manifest_actor *list, size_t *first)
{
    size_t n = 0;
    for (size_t i = 0; i < r->m->nwritten; i++) {
        const struct manifest_actor *a = &r->m->written[i];
        first[i] = n;
        for (uint32_t k = 1; a->instances > 1 && k <= a->instances; k++)
            list[n++] = instance_of(r, a, k);
        list[n++] = a->instances > 1 ? router_of(a) : *a;
    }
}

/* Of more hosts than these there are none. */
static void number_places(struct manifest *m)
{
    struct {
        const char *host;
        uint32_t n;
    } seen[16] = {0};
    const size_t most = sizeof seen / sizeof *seen;
    for (size_t i = 0; i < m->nactors; i++) {
        struct manifest_actor *a = &m->actors[i];
        size_t at = 0;
        while (at < most && a->host && seen[at].host && strcmp(seen[at].host, a->host) != 0)
            at++;
        if (at == most || !a->host)
            continue;
        seen[at].host = a->host;
        a->place = seen[at].n++;
    }
}

static void lay_out(struct reading *r)
{
    struct manifest *m = r->m;
    size_t count = 0, before = iris__problems_count(r->problems), n = 0;
    m->written = m->actors;
    m->nwritten = m->nactors;
    if (!check(r, &count) || before || iris__problems_count(r->problems) || r->no_memory)
        return;
    struct manifest_actor *list = iris__manifest_alloc(r, count * sizeof *list);
    size_t *order = iris__manifest_alloc(r, count * sizeof *order);
    size_t *first = iris__manifest_alloc(r, m->nwritten * sizeof *first);
    if (r->no_memory)
        return;
    expand(r, list, first);
    for (size_t i = 0; i < m->nwritten; i++) {
        size_t at = m->start_order[i], many = (size_t)m->written[at].instances;
        for (size_t k = 0; k < many + (many > 1); k++)
            order[n++] = first[at] + k;
    }
    m->actors = list;
    m->nactors = count;
    m->start_order = order;
}

void iris__manifest_instances(struct reading *r)
{
    lay_out(r);
    number_places(r->m);
}
