#include "app.h"

#include "api.h"
#include "apply.h"
#include "become.h"
#include "fail.h"
#include "ready.h"
#include "sets.h"
#include "singleton.h"
#include "socket.h"
#include "verbs.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#define IDLE_LOOK (20 * IRIS_MILLISECOND) /* how often --until-idle looks */

const char *iris_app_version(void)
{
    return IRIS__VERSION;
}

void iris__app_look(struct app *a)
{
    pthread_rwlock_rdlock(&a->tree);
}

void iris__app_looked(struct app *a)
{
    pthread_rwlock_unlock(&a->tree);
}

void iris__app_hear(struct app *a)
{
    pthread_rwlock_rdlock(&a->news);
}

void iris__app_heard(struct app *a)
{
    pthread_rwlock_unlock(&a->news);
}

/* ---- the frame ---- */

static void destroy(struct app *a)
{
    if (a->bell >= 0)
        close(a->bell);
    iris__orders_finish(&a->orders);
    iris__census_finish(&a->census);
    iris__save_finish(&a->save);
    iris__logs_finish(&a->logs);
    iris__followers_finish(&a->followers);
    iris__events_finish(&a->events);
    iris__stories_finish(&a->stories);
    iris__trials_finish(&a->trials);
    pthread_mutex_destroy(&a->awaited.lock);
    pthread_mutex_destroy(&a->early.lock);
    iris__chores_finish(&a->chores);
    iris__singletons_finish(a);
    pthread_rwlock_destroy(&a->news);
    pthread_rwlock_destroy(&a->tree);
    if (a->first != a->manifest)
        iris__manifest_free(a->first);
    iris__manifest_free(a->manifest);
    free(a->file);
    free(a->restore_from);
    free(a->actors);
    free(a->configs);
    free(a);
}

static struct app *create(const iris_app_options *options)
{
    struct app *a = calloc(1, sizeof *a);
    if (!a)
        return NULL;
    memcpy(&a->options, options,
           options->size < sizeof a->options ? options->size : sizeof a->options);
    iris__events_init(&a->events);
    iris__followers_init(&a->followers);
    iris__stories_init(&a->stories);
    iris__trials_init(&a->trials);
    iris__orders_init(&a->orders);
    iris__save_init(&a->save);
    pthread_mutex_init(&a->awaited.lock, NULL);
    pthread_mutex_init(&a->early.lock, NULL);
    iris__chores_init(&a->chores);
    pthread_rwlock_init(&a->tree, NULL);
    pthread_rwlock_init(&a->news, NULL);
    a->bell = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    return a;
}

/* ---- opening ---- */

/* Of a program that has more to do than this app. */
static int refuse_process(const struct manifest *m, struct problems *problems)
{
    const struct manifest_process *p = &m->process;
    char pointer[32];
    snprintf(pointer, sizeof pointer, "/process/%s", p->user ? "user" : p->group ? "group" : "cwd");
    struct problem *one = iris__problem_add(
        problems, m->file, pointer, "process",
        "found \"%s\", but the process is not this app's alone; expected `iris run`",
        p->user    ? p->user
        : p->group ? p->group
                   : p->cwd);
    iris__problem_hint(one, "leave it out: the program that runs the app says who and where it is");
    return -1;
}

/* What the command line names is meant from where it was called. */
static int keep_restore(struct app *a)
{
    const char *dir = a->options.restore;
    char *here = dir && *dir != '/' ? getcwd(NULL, 0) : NULL;
    if (here && asprintf(&a->restore_from, "%s/%s", here, dir) < 0)
        a->restore_from = NULL;
    free(here);
    if (a->restore_from)
        a->options.restore = a->restore_from;
    return dir && *dir != '/' && !a->restore_from ? -1 : 0;
}

static int enter(struct app *a, const struct sets *sets, struct problems *problems)
{
    const struct manifest_process *p = &a->manifest->process;
    if (!p->notify)
        a->options.tell = NULL;
    if (!p->user && !p->group && !p->cwd)
        return 0;
    if (!a->options.owns_process)
        return refuse_process(a->manifest, problems);
    if (iris__become(&a->manifest, sets, problems))
        return -1;
    if (a->manifest->process.cwd && keep_restore(a)) {
        iris__problem_add(problems, a->manifest->file, "", "process",
                          "the current directory is not known: %s", strerror(errno));
        return -1;
    }
    return iris__become_go(a->manifest, problems);
}

static int read_manifest(struct app *a)
{
    struct sets sets;
    struct problems problems = {0};
    const char *file = a->options.file ? a->options.file : "app.json";
    if (iris__sets_parse(&sets, a->options.sets, a->options.nsets)) {
        iris__app_say(a, IRIS_APP_ERROR, "iris: %s", iris__reason());
        return IRIS_EXIT_USAGE;
    }
    int failed = iris__manifest_read(file, sets.items, sets.n, &a->manifest, &problems);
    if (!failed && (failed = enter(a, &sets, &problems)))
        iris__manifest_locate(a->manifest, &problems);
    if (failed)
        iris__app_say_problems(a, &problems);
    iris__problems_finish(&problems);
    iris__sets_finish(&sets);
    a->first = a->manifest;
    if (!failed) /* a host may make another directory the current one */
        a->file = iris__manifest_path(a->manifest);
    return failed ? IRIS_EXIT_MANIFEST : IRIS_EXIT_OK;
}

static void on_exhausted(void *app)
{
    struct app *a = app;
    atomic_store(&a->stop, 1);
    iris__app_ring(a);
}

/* Each host gets them when it is started, which is when an actor needs it. */
static int set_configs(struct app *a)
{
    const struct manifest *m = a->manifest;
    a->configs = calloc(m->nhosts + 2, sizeof *a->configs);
    if (!a->configs)
        return iris__fail("no memory");
    for (size_t i = 0; i < m->nhosts; i++)
        a->configs[i] = (struct host_config){
            m->hosts[i].name,
            m->hosts[i].config,
            {m->hosts[i].turn_limit, m->hosts[i].load_limit, m->hosts[i].instances}};
    a->runtime->configs = a->configs;
    a->runtime->nconfigs = m->nhosts;
    if (m->mesh)
        a->configs[a->runtime->nconfigs++] =
            (struct host_config){.name = "mesh", .config = m->mesh};
    return IRIS_OK;
}

static int open_runtime(struct app *a)
{
    iris_options o = {.size = sizeof o,
                      .abi = IRIS_ABI,
                      .workers = a->options.workers ? a->options.workers
                                                    : (uint32_t)a->manifest->limit_threads,
                      .memory_max = (size_t)a->manifest->limit_memory,
                      .actors_max = (uint32_t)a->manifest->limit_actors,
                      .event = iris__app_event,
                      .ctx = a};
    if (iris_open(&o, &a->runtime))
        return IRIS_FAIL;
    a->runtime->on_fault = iris__stories_tell;
    a->runtime->on_fault_ctx = &a->stories;
    a->runtime->on_exhausted_ctx = a;
    a->runtime->on_exhausted = on_exhausted;
    a->opened = iris__sched_now(&a->runtime->world.sched);
    return set_configs(a);
}

/* To swap is to have any code run: whoever may use the socket may do so as us. */
static void announce(struct app *a)
{
    iris__app_say(
        a, IRIS_APP_WARNING,
        "group %s may use the control socket: each of its members can have this app run any code, "
        "as user %u",
        a->manifest->group, (unsigned)geteuid());
}

static int open_control(struct app *a)
{
    const struct manifest *m = a->manifest;
    const char *where = m->socket ? m->socket : m->name;
    struct problems problems = {0};
    gid_t group = SOCKET_NO_GROUP;
    if (iris__ready_group(m, &problems, &group)) {
        iris__manifest_locate(m, &problems);
        iris__app_say_problems(a, &problems);
        iris__problems_finish(&problems);
        return IRIS_EXIT_MANIFEST;
    }
    if (iris_socket_path(where, a->socket, sizeof a->socket) ||
        iris__control_open_for(a->socket, group, iris__verbs, a, &a->control)) {
        iris__app_say(a, IRIS_APP_ERROR, "iris: %s", iris__reason());
        return IRIS_EXIT_FAILED;
    }
    return IRIS_EXIT_OK;
}

static int is_loopback(const char *address)
{
    return !strncmp(address, "127.", 4) || !strncmp(address, "[::1]", 5) ||
           !strncmp(address, "localhost:", 10);
}

/* Paths, and how busy they are; nothing can be done there. */
static int open_metrics(struct app *a)
{
    const struct manifest *m = a->manifest;
    const char *where = m->metrics_listen;
    int port = 0;
    if (!where)
        return IRIS_OK;
    where += strncmp(where, "tcp://", 6) ? 0 : 6;
    a->metrics_verbs[0] = (struct control_verb){"GET", m->metrics_path, iris__verb_metrics, 0};
    if (iris__control_open_tcp(where, a->metrics_verbs, a, &port, &a->metrics_server)) {
        iris__app_say(a, IRIS_APP_ERROR, "iris: metrics.listen: %s", iris__reason());
        return IRIS_FAIL;
    }
    iris__app_say(a, IRIS_APP_EVENT, "metrics at http://%.*s:%d%s",
                  (int)(strrchr(where, ':') - where), where, port, m->metrics_path);
    if (!is_loopback(where))
        iris__app_say(a, IRIS_APP_WARNING,
                      "metrics.listen: whoever reaches %s from outside may read the paths of all "
                      "actors, and how busy they are",
                      where);
    return IRIS_OK;
}

static int open_logs(struct app *a)
{
    if (!iris__logs_open(&a->logs, a->manifest, &a->events, a->bell))
        return IRIS_OK;
    iris__app_say(a, IRIS_APP_ERROR, "iris: %s", iris__reason());
    return IRIS_FAIL;
}

static int open_all(struct app *a)
{
    a->actors = calloc(a->manifest->nactors + 1, sizeof *a->actors);
    if (a->bell < 0 || !a->actors) {
        iris__app_say(a, IRIS_APP_ERROR, "iris: %s", strerror(errno));
        return IRIS_EXIT_FAILED;
    }
    if (open_logs(a))
        return IRIS_EXIT_FAILED;
    for (size_t i = 0; i < a->manifest->nactors; i++)
        iris__stories_pin(&a->stories, a->manifest->actors[i].path);
    if (open_runtime(a)) {
        iris__app_say(a, IRIS_APP_ERROR, "iris: %s", iris__reason());
        return IRIS_EXIT_FAILED;
    }
    int status = open_control(a);
    if (status)
        return status;
    iris__app_say(a, IRIS_APP_HEADER, "iris %s  %s  pid %ld  socket %s", IRIS__VERSION,
                  a->manifest->name, (long)getpid(), a->socket);
    if (a->manifest->process.user || a->manifest->process.group)
        iris__app_say(a, IRIS_APP_EVENT, "as user %u, group %u", (unsigned)geteuid(),
                      (unsigned)getegid());
    if (a->manifest->group)
        announce(a);
    return IRIS_EXIT_OK;
}

/* ---- running ---- */

/* What one of these waits for itself may ring for another. */
static void look_at_all(struct app *a)
{
    do {
        a->heard = 0;
        iris__save_look(a);
        iris__apply_reload(a);
        iris__chores_run(a);
        iris__singletons_look(a);
    } while (a->heard && !atomic_load(&a->stop));
}

/* Until idle: whether there is anything left to do can only be seen by looking. */
static void wait_for_end(struct app *a)
{
    int looks = a->options.until_idle;
    int running = APP_STARTING;
    atomic_compare_exchange_strong(&a->phase, &running, APP_RUNNING); /* before it is said */
    if (!looks && !atomic_load(&a->stop)) /* it may have come while the actors were started */
        iris__app_say_ready(a);
    iris__app_tell(a, IRIS_APP_READY);
    while (!atomic_load(&a->stop) && !(looks && iris_is_idle(a->runtime))) {
        iris__app_wait(a, looks ? IDLE_LOOK : -1);
        look_at_all(a);
    }
}

/* ---- the end ---- */

static int is_exhausted(struct app *a)
{
    return atomic_load(&a->runtime->exhausted);
}

static int judge(struct app *a, const iris_totals *t)
{
    if (is_exhausted(a)) {
        iris__app_say(a, IRIS_APP_ERROR,
                      "stopped: more restarts than supervisor %s allows; the reasons are above",
                      a->runtime->exhausted_by ? a->runtime->exhausted_by : "/");
        return IRIS_EXIT_FAILED;
    }
    if (!a->options.until_idle)
        return IRIS_EXIT_OK;
    return t->dead_letters || atomic_load(&a->exhausted) ? IRIS_EXIT_FAILED : IRIS_EXIT_OK;
}

/* The name is held until all is over: another app of it may not start beside what still runs, and who
 * waits for the end sees that. Returns the number of threads that did not come back. */
static int close_all(struct app *a, int64_t left)
{
    struct socket_claim claim;
    iris__control_take_claim(a->control, &claim);
    iris__control_close(a->control);
    iris__control_close(a->metrics_server);
    int stuck = iris_close(a->runtime, left);
    iris__logs_close(&a->logs);
    iris__app_say_events(a);
    if (stuck)
        iris__app_say_stuck(a);
    iris__socket_note_end(&claim, !stuck);
    iris__socket_release(&claim);
    return stuck;
}

/* Threads that are stuck still tell the app their events: then its memory stays. */
static int end(struct app *a, int status)
{
    iris_totals totals = {.size = sizeof totals, .abi = IRIS_ABI};
    iris__save_look(a); /* who asked too late is told */
    iris__app_tell(a, IRIS_APP_STOPPING);
    iris__chores_refuse(a);
    iris__watch_close(a->watch);
    a->watch = NULL;
    int64_t left = iris__app_stop(a);
    iris__singletons_end(a);
    iris__restore_close(a);
    iris_count(a->runtime, &totals);
    if (!status)
        status = judge(a, &totals);
    int idle = a->options.until_idle && a->started;
    if (close_all(a, left))
        return IRIS_EXIT_FAILED;
    if (idle)
        iris__app_say_totals(a, &totals);
    if (idle && !status)
        iris__app_say_next(a);
    destroy(a);
    return status;
}

static int watch(struct app *a)
{
    if (!iris__watch_is_wanted(a))
        return IRIS_OK;
    a->watch = iris__watch_open(a);
    if (!a->watch)
        iris__app_say(a, IRIS_APP_ERROR, "iris: %s", iris__reason());
    return a->watch ? IRIS_OK : IRIS_FAIL;
}

static int run(struct app *a)
{
    int status = read_manifest(a);
    if (!status)
        status = iris__restore_open(a);
    if (!status)
        status = open_all(a);
    if (!a->control) {
        iris__restore_close(a);
        iris_close(a->runtime, IRIS_SECOND);
        iris__logs_close(&a->logs);
        destroy(a);
        return status;
    }
    status = watch(a) || open_metrics(a) ? IRIS_EXIT_FAILED : iris__app_start(a);
    iris__early_admit(a, 1);
    a->started = !status;
    if (a->watch && a->started)
        iris__watch_refresh(a->watch);
    if (!status)
        wait_for_end(a);
    return end(a, status);
}

int iris_app_run(const iris_app_options *options)
{
    if (options->abi != IRIS_ABI) {
        iris__fail("iris_app_run: options of ABI %u, this library speaks ABI %u", options->abi,
                   IRIS_ABI);
        return IRIS_EXIT_USAGE;
    }
    struct app *a = create(options);
    if (!a) {
        iris__fail("iris_app_run: no memory");
        return IRIS_EXIT_FAILED;
    }
    return run(a);
}
