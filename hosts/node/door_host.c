/* The door of `iris run`, and of whoever embeds libiris: node.so brings libnode along. */
#include "host.h"
#include "shim.h"

#include <dlfcn.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { STACK = 8 << 20 }; /* bytes; V8 counts on a megabyte of it */

struct door {
    pthread_t thread;
    pthread_mutex_t lock;
    pthread_cond_t changed;
    char boot[PATH_MAX * 2];
    struct host *host; /* once boot.js has made the runtime */
    int is_ready, is_refused, has_ended;
    unsigned instances; /* that the settings ask for */
    const char *config; /* of start(), during that */
    void *env;          /* what shim_stop() takes, under lock; NULL: it does not run */
    char *why;
};

static _Thread_local struct door *own; /* of an environment's thread */

/* The core loads plugins for themselves alone; addons look for libnode in the process. */
static int promote_libnode(void)
{
    Dl_info info;
    if (!dladdr((void *)(uintptr_t)napi_create_object, &info) ||
        !dlopen(info.dli_fname, RTLD_NOW | RTLD_GLOBAL | RTLD_NOLOAD))
        return iris__api->fail("node: libnode is in no file of its own (%s); addons could not be "
                               "required",
                               dlerror());
    return IRIS_OK;
}

/* Where boot.js is: beside the hosts. */
static int find_package(char *dir, size_t room)
{
    char path[PATH_MAX], file[PATH_MAX + 64];
    Dl_info info;
    const char *named = getenv("IRIS_LIB");
    if (named)
        snprintf(path, sizeof path, "%s/", named);
    else if (!dladdr((void *)(uintptr_t)iris__api->fail, &info) || !realpath(info.dli_fname, path))
        return iris__api->fail("node: it is not known where libiris is");
    *strrchr(path, '/') = '\0';
    static const char *const places[] = {"iris/node", "../lib/iris/node"};
    for (size_t i = 0; i < sizeof places / sizeof *places; i++) {
        snprintf(dir, room, "%s/%s", path, places[i]);
        snprintf(file, sizeof file, "%s/boot.js", dir);
        if (access(file, R_OK) == 0)
            return IRIS_OK;
    }
    return iris__api->fail("node: there is no iris/node/boot.js beside libiris; is Iris installed "
                           "whole?");
}

static void say(struct door *d, int *what)
{
    pthread_mutex_lock(&d->lock);
    *what = 1;
    pthread_cond_broadcast(&d->changed);
    pthread_mutex_unlock(&d->lock);
}

static void is_there(void *arg, void *env)
{
    struct door *d = arg;
    pthread_mutex_lock(&d->lock);
    d->env = env;
    pthread_mutex_unlock(&d->lock);
}

/* [any] It may end by itself meanwhile. */
static void stop(struct door *d)
{
    pthread_mutex_lock(&d->lock);
    if (d->env)
        iris__shim_stop(d->env);
    pthread_mutex_unlock(&d->lock);
}

static void *run(void *arg)
{
    struct door *d = own = arg;
    pthread_setname_np(pthread_self(), "iris-node");
    iris__shim_run(d->boot, iris__module_init, is_there, d, &d->why);
    say(d, &d->has_ended);
    return NULL;
}

static int start_thread(struct door *d)
{
    pthread_attr_t attr;
    pthread_attr_init(&attr);
    pthread_attr_setstacksize(&attr, STACK);
    int failed = pthread_create(&d->thread, &attr, run, d);
    pthread_attr_destroy(&attr);
    return failed ? iris__api->fail("node: no thread for its environment") : IRIS_OK;
}

/* boot.js has made a runtime, and then refused the settings. */
static int refuse(struct door *d)
{
    stop(d);
    pthread_join(d->thread, NULL);
    iris__host_release(d->host);
    return iris__api->fail("%s", d->why ? d->why : "its settings are refused");
}

static int wait_until_ready(struct door *d)
{
    pthread_mutex_lock(&d->lock);
    while (!d->is_ready && !d->has_ended)
        pthread_cond_wait(&d->changed, &d->lock);
    pthread_mutex_unlock(&d->lock);
    if (d->is_refused)
        return refuse(d);
    if (d->is_ready)
        return IRIS_OK;
    pthread_join(d->thread, NULL);
    return iris__api->fail("node: its environment does not start: %s",
                           d->why ? d->why : "see what it has printed");
}

static void free_door(struct door *d)
{
    pthread_mutex_destroy(&d->lock);
    pthread_cond_destroy(&d->changed);
    free(d->why);
    free(d);
}

int iris__door_start(struct host **out, iris_actor *self, const char *config, void *arg,
                     unsigned number, unsigned *instances)
{
    char dir[PATH_MAX + 32];
    (void)arg;
    if (promote_libnode() || find_package(dir, sizeof dir))
        return IRIS_FAIL;
    struct door *d = calloc(1, sizeof *d);
    if (!d)
        return iris__api->fail("node: no memory");
    pthread_mutex_init(&d->lock, NULL);
    pthread_cond_init(&d->changed, NULL);
    snprintf(d->boot, sizeof d->boot, "require('module').createRequire('%s/')('./boot.js')", dir);
    d->config = config;
    if (start_thread(d) || wait_until_ready(d)) {
        free_door(d);
        return IRIS_FAIL;
    }
    d->config = NULL;
    d->host->self = self;
    d->host->number = number;
    *instances = d->instances;
    *out = d->host;
    return iris__driver_open(d->host);
}

/* ---- the end ---- */

static void quit(struct host *h, struct errand *e)
{
    struct door *d = h->door;
    if (h->may_run)
        iris__hook(h, HOOK_QUIT, 0, NULL);
    free(e);
    stop(d);
}

void iris__door_stop(struct host *h)
{
    struct door *d = h->door;
    struct errand *e = calloc(1, sizeof *e);
    if (e) {
        e->run = quit;
        iris__post(h, e);
    } else
        stop(d);
    pthread_join(d->thread, NULL);
    iris__host_release(h);
    free_door(d);
}

static void on_exit_of_env(void *arg)
{
    iris__host_leave(arg);
}

/* ---- what boot.js calls ---- */

static napi_value open_runtime(napi_env env, napi_callback_info info)
{
    napi_value argv[2];
    size_t argc = 2;
    if (!own || own->host) {
        napi_throw_error(env, "IRIS_ERROR",
                         "this thread is not the environment's: a worker sends to actors over "
                         "its parentPort");
        return NULL;
    }
    if (napi_get_cb_info(env, info, &argc, argv, NULL, NULL) != napi_ok)
        return NULL;
    struct host *h = iris__host_create(env, argv[1]);
    if (!h)
        return NULL;
    uv_ref((uv_handle_t *)h->bell);
    h->waits = 1; /* the loop stays until it is stopped */
    h->is_busy = 1;
    h->door = own;
    own->host = h;
    iris__host_retain(h);
    napi_add_env_cleanup_hook(env, on_exit_of_env, h);
    return iris__calls_of(h);
}

/* ready(why, instances): null: its runtime is there; or why not. How many environments there are to be. */
static napi_value ready(napi_env env, napi_callback_info info)
{
    napi_value argv[2];
    napi_valuetype type;
    iris__begin_closed(env, info, 2, argv);
    if (!own)
        return NULL;
    napi_get_value_uint32(env, argv[1], &own->instances);
    napi_typeof(env, argv[0], &type);
    if (type == napi_string) {
        own->why = iris__text(env, argv[0], "a reason");
        own->is_refused = 1;
    }
    say(own, &own->is_ready);
    return NULL;
}

/* chdir(path): false: it cannot. Node itself allows that only to who owns the process. */
static napi_value change_directory(napi_env env, napi_callback_info info)
{
    napi_value argv[1];
    iris__begin_closed(env, info, 1, argv);
    char *path = iris__word(env, argv[0], "a directory");
    int failed = !path || chdir(path);
    free(path);
    return iris__boolean(env, !failed);
}

/* where(code): [line, its text] of a syntax error; null: there is none. */
static napi_value where(napi_env env, napi_callback_info info)
{
    napi_value argv[1], pair;
    char *line = NULL, *code;
    iris__begin_closed(env, info, 1, argv);
    if (!(code = iris__text(env, argv[0], "code")))
        return NULL;
    int number = iris__shim_where(code, &line);
    if (!number || napi_create_array(env, &pair) != napi_ok)
        pair = iris__null(env);
    else {
        napi_set_element(env, pair, 0, iris__number(env, number));
        napi_set_element(env, pair, 1, iris__string(env, line, line ? strlen(line) : 0));
    }
    free(line);
    free(code);
    return pair;
}

napi_value iris__module_init(napi_env env, napi_value exports)
{
    napi_value open, is_ready, find, change;
    if (napi_create_function(env, "chdir", NAPI_AUTO_LENGTH, change_directory, NULL, &change) ==
        napi_ok)
        iris__set(env, exports, "chdir", change);
    if (napi_create_function(env, "where", NAPI_AUTO_LENGTH, where, NULL, &find) == napi_ok)
        iris__set(env, exports, "where", find);
    if (napi_create_function(env, "open", NAPI_AUTO_LENGTH, open_runtime, NULL, &open) == napi_ok)
        iris__set(env, exports, "open", open);
    if (napi_create_function(env, "ready", NAPI_AUTO_LENGTH, ready, NULL, &is_ready) == napi_ok)
        iris__set(env, exports, "ready", is_ready);
    iris__add_throws(env, exports);
    iris__set(env, exports, "version", iris__string(env, IRIS_VERSION, strlen(IRIS_VERSION)));
    iris__set(env, exports, "isHost", iris__boolean(env, 1));
    if (own && own->config)
        iris__set(env, exports, "config", iris__string(env, own->config, strlen(own->config)));
    return exports;
}

/* The core is in the process already; we are not linked with it. */
const char *iris__door_reason(void)
{
    const char *(*reason)(void) = (const char *(*)(void))dlsym(RTLD_DEFAULT, "iris_reason");
    return reason ? reason() : "the runtime refused";
}

uint64_t iris__door_heap(void)
{
    return iris__shim_heap();
}

int iris__door_is_idle(struct host *h)
{
    (void)h;
    return 1;
}
