#include "runtime.h"

#include "fail.h"

#include <dlfcn.h>
#include <limits.h>
#include <semaphore.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Loading is the loader thread's: it may block, and it does one thing after the other. */

/* ---- where things are ---- */

static int parent_of(char *path)
{
    char *slash = strrchr(path, '/');
    if (!slash)
        return -1;
    *slash = '\0';
    return 0;
}

/* <dir>/iris/<what>, if there is such a directory. */
static int try_dir(const char *lib, char *dir, size_t room, const char *what)
{
    int n = snprintf(dir, room, "%s/iris/%s", lib, what);
    return n > 0 && (size_t)n < room && access(dir, R_OK | X_OK) == 0 ? 0 : -1;
}

/* Beside libiris; or, where it is linked in, in ../lib from the program. */
int iris__runtime_dir(char *dir, size_t room, const char *what)
{
    char path[PATH_MAX];
    Dl_info self;
    const char *named = getenv("IRIS_LIB");
    if (named)
        return try_dir(named, dir, room, what);
    if (dladdr((void *)iris__runtime_dir, &self) && realpath(self.dli_fname, path) &&
        parent_of(path) == 0 && try_dir(path, dir, room, what) == 0)
        return 0;
    ssize_t n = readlink("/proc/self/exe", path, sizeof path - 1);
    if (n <= 0)
        return -1;
    path[n] = '\0';
    if (parent_of(path))
        return -1;
    char lib[PATH_MAX + 8];
    snprintf(lib, sizeof lib, "%s/../lib", path);
    return try_dir(lib, dir, room, what);
}

/* ---- hosts ---- */

/* The endings of today's languages. The core needs no more of a language than its plugin's name. */
static const struct {
    const char *ending, *host;
} known[] = {
    {".so", "native"}, {".py", "python"}, {".js", "node"}, {".mjs", "node"}, {".cjs", "node"}};

static const char *host_name_for(const char *file)
{
    const char *ending = file ? strrchr(file, '.') : NULL;
    for (size_t i = 0; ending && i < sizeof known / sizeof *known; i++)
        if (strcmp(known[i].ending, ending) == 0)
            return known[i].host;
    return NULL;
}

static struct host_config config_of(const iris_runtime *rt, const char *name)
{
    for (size_t i = 0; i < rt->nconfigs; i++)
        if (strcmp(rt->configs[i].name, name) == 0)
            return rt->configs[i];
    return (struct host_config){.limits = {.load = IRIS__LOAD_LIMIT}};
}

static struct host *load_host(iris_runtime *rt, const char *name)
{
    char dir[PATH_MAX - 64], file[PATH_MAX];
    if (iris__runtime_dir(dir, sizeof dir, "hosts"))
        return iris__fail("host \"%s\": there is no directory iris/hosts beside libiris; is Iris "
                          "installed whole?",
                          name),
               NULL;
    snprintf(file, sizeof file, "%s/%.60s.so", dir, name);
    if (access(file, R_OK))
        return iris__fail("host \"%s\": there is no %s; this build of Iris has no such host", name,
                          file),
               NULL;
    struct host_config c = config_of(rt, name);
    if (iris__host_add(&rt->hosts, file, c.config, c.limits))
        return NULL;
    struct host *h = iris__host_named(&rt->hosts, name);
    if (!h)
        iris__fail("host \"%s\": the plugin %s calls itself otherwise", name, file);
    return h;
}

struct host *iris__runtime_host(iris_runtime *rt, const char *name, const char *file)
{
    struct host *h =
        name ? iris__host_named(&rt->hosts, name) : iris__host_for_file(&rt->hosts, file);
    const char *wanted = name ? name : host_name_for(file);
    if (h)
        return h;
    if (!wanted)
        return iris__fail("%s: no host takes such files; a handler ends in .so (native)", file),
               NULL;
    return load_host(rt, wanted);
}

/* ---- orders ---- */

/* A host that starts now sees the flag, or is seen in the list. */
void iris__runtime_end_loads(iris_runtime *rt)
{
    atomic_store(&rt->ends_loads, 1);
    iris__hosts_end_loads(&rt->hosts);
}

static int load_one(iris_runtime *rt, const char *host, const struct host_wish *wish,
                    iris_version **out)
{
    struct host *h = iris__runtime_host(rt, host, wish->file);
    if (!h)
        return IRIS_FAIL;
    if (atomic_load(&rt->ends_loads))
        return iris__fail("%s: it is not loaded: the app is stopping", wish->file);
    return iris__host_load(&rt->hosts, h, wish, out);
}

/* In the instance of its language that has the handler, if both are of one. */
static int load_migration(iris_runtime *rt, struct load_order *o)
{
    const struct host_wish wish = {.file = o->migration.file,
                                   .symbol = o->migration.symbol,
                                   .handler = o->migration.handler,
                                   .place = o->place,
                                   .wanted = IRIS_MIGRATION};
    if (!wish.file || load_one(rt, NULL, &wish, &o->version->migration) == IRIS_OK)
        return IRIS_OK;
    iris__version_release(o->version);
    o->version = NULL;
    return iris__fail("migrate: %s", iris__reason());
}

static int load(iris_runtime *rt, struct load_order *o)
{
    const struct host_wish wish = {.file = o->file,
                                   .symbol = o->symbol,
                                   .handler = o->handler,
                                   .config = o->config,
                                   .place = o->place};
    iris__loader_sweep(&rt->loader);
    int failed = load_one(rt, o->host, &wish, &o->version);
    return failed ? IRIS_FAIL : load_migration(rt, o);
}

static void carry_out(iris_job *job)
{
    struct load_order *o = (struct load_order *)job;
    o->result = load(o->runtime, o);
    o->why = o->result ? iris__reason() : NULL;
    o->done(o);
}

void iris__runtime_load(iris_runtime *rt, struct load_order *o)
{
    o->runtime = rt;
    o->job.run = carry_out;
    iris__executor_post(rt->loading, &o->job);
}

/* A semaphore: who waits for a condition is woken up twice, the second time for its lock. */
struct waiting {
    sem_t done;
    char *why;
};

static void wake(struct waiting *k, const char *why)
{
    k->why = why ? strdup(why) : NULL; /* the reason is the loader thread's */
    sem_post(&k->done);
}

/* Gives the result back, and its reason to this thread. */
static int await(iris_runtime *rt, struct waiting *k, const int *result)
{
    int is_done = 0;
    while (rt->world.sched.seeded && !(is_done = !sem_trywait(&k->done)) && iris_step(rt))
        ;
    while (!is_done && sem_wait(&k->done))
        ;
    sem_destroy(&k->done);
    if (*result)
        iris__fail("%s", k->why ? k->why : "no reason was given");
    free(k->why);
    return *result;
}

/* Posts the job that ends with wake(). */
static int post_and_await(iris_runtime *rt, iris_job *job, struct waiting *k, const int *result)
{
    sem_init(&k->done, 0, 0);
    iris__executor_post(rt->loading, job);
    return await(rt, k, result);
}

struct host_order {
    iris_job job;
    iris_runtime *runtime;
    const char *name;
    int result;
    struct waiting waiting;
};

static void start_host(iris_job *job)
{
    struct host_order *o = (struct host_order *)job;
    o->result = iris__runtime_host(o->runtime, o->name, NULL) ? IRIS_OK : IRIS_FAIL;
    wake(&o->waiting, o->result ? iris__reason() : NULL);
}

int iris__runtime_start_host(iris_runtime *rt, const char *name)
{
    struct host_order o = {.job.run = start_host, .runtime = rt, .name = name};
    return post_and_await(rt, &o.job, &o.waiting, &o.result);
}

static void loaded(struct load_order *o)
{
    wake(o->ctx, o->why);
}

int iris__runtime_load_wait(iris_runtime *rt, struct load_order *o)
{
    struct waiting k = {0};
    o->done = loaded;
    o->ctx = &k;
    sem_init(&k.done, 0, 0);
    iris__runtime_load(rt, o);
    return await(rt, &k, &o->result);
}

/* "./libpay.so:name" or "pay.mjs#name" -> file and name. In a directory's name they separate nothing. */
static char *split(char *handler)
{
    char *slash = strrchr(handler, '/');
    char *at = strpbrk(slash ? slash : handler, ":#");
    if (!at)
        return NULL;
    *at = '\0';
    return at + 1;
}

static int resolve(const char *dir, const char *file, char *out, size_t room)
{
    int n = !dir || *file == '/' ? snprintf(out, room, "%s", file)
                                 : snprintf(out, room, "%s/%s", dir, file);
    return n > 0 && (size_t)n < room ? IRIS_OK : iris__fail("%s: the name is too long", file);
}

int iris_load(iris_runtime *rt, const char *handler, const char *dir, iris_version **out)
{
    char name[PATH_MAX], file[PATH_MAX];
    if (snprintf(name, sizeof name, "%s", handler) >= (int)sizeof name)
        return iris__fail("handler: the name is too long");
    if (!iris__world_is_here(&rt->world))
        return IRIS_FAIL;
    if (atomic_load(&rt->world.closing))
        return iris__fail("%s is not loaded: the runtime is closed", handler);
    struct load_order o = {.handler = handler, .symbol = split(name)};
    if (resolve(dir, name, file, sizeof file))
        return IRIS_FAIL;
    o.file = file;
    int result = iris__runtime_load_wait(rt, &o);
    *out = o.version;
    return result;
}

/* The hosts and libraries are the loader thread's, so it attaches too. */
struct attach_order {
    iris_job job;
    iris_runtime *runtime;
    const iris_plugin *(*entry)(const iris_api *);
    const char *config;
    void *arg;
    int result;
    struct waiting waiting;
};

static void attach(iris_job *job)
{
    struct attach_order *o = (struct attach_order *)job;
    o->result = iris__host_attach(&o->runtime->hosts, o->entry, "(attached)", o->config, o->arg);
    wake(&o->waiting, o->result ? iris__reason() : NULL);
}

int iris_attach(iris_runtime *rt, const iris_plugin *(*entry)(const iris_api *), const char *config,
                void *arg)
{
    struct attach_order o = {
        .job.run = attach, .runtime = rt, .entry = entry, .config = config, .arg = arg};
    if (!iris__world_is_here(&rt->world))
        return IRIS_FAIL;
    if (atomic_load(&rt->world.closing))
        return iris__fail("attach: the runtime is closed");
    return post_and_await(rt, &o.job, &o.waiting, &o.result);
}
