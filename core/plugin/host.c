#include "host.h"

#include "api.h"
#include "behaviour.h"
#include "extensions.h"
#include "clock.h"
#include "fail.h"

#include <stdlib.h>
#include <string.h>

static struct host *create(struct hosts *h, struct library *lib)
{
    struct host *host = calloc(1, sizeof *host);
    if (!host)
        return NULL;
    host->library = lib;
    host->self.executor = &h->world->sched.pool;
    host->self.state = host; /* what it defines is its own: api.c */
    return host;
}

static struct host *with_library(struct hosts *h, const struct library *lib)
{
    struct host *host = h->list;
    while (host && host->library != lib)
        host = host->next;
    return host;
}

/* A limit that would mean nothing is refused, once the host has shown what it can do. */
static int check_limits(const struct host *host)
{
    int has_one = host->limits.instances > 1 && host->limits.instances > host->interrupts;
    if (!has_one && (!host->limits.turn || host->interrupts))
        return IRIS_OK;
    if (host->library->taken.plugin.host->stop)
        host->library->taken.plugin.host->stop(host->data);
    if (has_one)
        return iris__api_fail("instances: this language has only one; leave it out");
    return iris__api_fail("turn_limit: its handlers cannot be interrupted; leave it out");
}

static int start(struct host *host, const char *config, void *arg)
{
    const iris_plugin *p = &host->library->taken.plugin;
    iris__forget();
    if (p->host->start(&host->self, config, arg, &host->data) || check_limits(host))
        return iris__fail("host \"%s\" %s did not start: %s", p->name, p->version, iris__reason());
    host->started = 1;
    return IRIS_OK;
}

/* The reference to lib is taken over. */
static int welcome(struct hosts *h, struct library *lib, const char *file, const char *config,
                   void *arg, struct host_limits limits)
{
    struct host *host = with_library(h, lib);
    if (host) {
        iris__library_release(lib);
        return IRIS_OK;
    }
    if (!lib->taken.plugin.host) {
        iris__library_release(lib);
        return iris__fail("%s: it brings no host, only behaviours; give it as a handler instead",
                          file);
    }
    host = create(h, lib);
    if (host)
        host->limits = limits;
    if (!host || start(host, config, arg)) {
        free(host);
        iris__library_release(lib);
        return IRIS_FAIL;
    }
    host->next = h->list;
    h->list = host;
    return IRIS_OK;
}

int iris__host_add(struct hosts *h, const char *file, const char *config, struct host_limits limits)
{
    struct library *lib;
    if (iris__loader_open_host(h->loader, file, iris__api(), &lib))
        return IRIS_FAIL;
    return welcome(h, lib, file, config, NULL, limits);
}

int iris__host_attach(struct hosts *h, const iris_plugin *(*entry)(const iris_api *),
                      const char *name, const char *config, void *arg)
{
    struct library *lib;
    if (iris__loader_attach(h->loader, name, entry, iris__api(), &lib))
        return IRIS_FAIL;
    return welcome(h, lib, name, config, arg, (struct host_limits){0});
}

void iris__hosts_stop(struct hosts *h)
{
    for (struct host *host = h->list, *next; host; host = next) {
        next = host->next;
        if (host->library->taken.plugin.host->stop)
            host->library->taken.plugin.host->stop(host->data);
        iris__library_release(host->library);
        free(host);
    }
    h->list = NULL;
}

struct host *iris__host_named(struct hosts *h, const char *name)
{
    struct host *host = h->list;
    while (host && strcmp(host->library->taken.plugin.name, name) != 0)
        host = host->next;
    return host;
}

static int has_suffix(const char *suffixes, const char *ending)
{
    size_t len = strlen(ending);
    for (const char *at = suffixes; at && *at; at += strcspn(at, " ")) {
        at += strspn(at, " ");
        if (strncmp(at, ending, len) == 0 && strcspn(at, " ") == len)
            return 1;
    }
    return 0;
}

struct host *iris__host_for_file(struct hosts *h, const char *file)
{
    const char *ending = strrchr(file, '.');
    struct host *host = ending ? h->list : NULL;
    while (host && !has_suffix(host->library->taken.plugin.host->suffixes, ending))
        host = host->next;
    return host;
}

const char *iris__host_imports(const struct host *host)
{
    const iris_host *h = host ? host->library->taken.plugin.host : NULL;
    return h && h->size >= offsetof(iris_host, imports) + sizeof h->imports ? h->imports : NULL;
}

const struct host *iris__host_usage(struct hosts *h, const struct host *after, const char **name,
                                    iris_usage *out)
{
    for (const struct host *at = after ? after->next : h->list; at; at = at->next) {
        const iris_plugin *p = &at->library->taken.plugin;
        *out = (iris_usage){.size = sizeof *out, .abi = IRIS_ABI};
        *name = p->name;
        if (p->host->usage && p->host->usage(at->data, out) == IRIS_OK)
            return at;
    }
    return NULL;
}

const void *iris__host_offers(const struct host *host, const char *id)
{
    const iris_host *h = host->library->taken.plugin.host;
    return IRIS_HAS(h, offers) ? h->offers(host->data, id) : NULL;
}

void iris__hosts_end_loads(struct hosts *h)
{
    for (const struct host *at = h->list; at; at = at->next) {
        const iris_host *language = at->library->taken.plugin.host;
        if (IRIS_HAS(language, end_loads))
            language->end_loads(at->data);
    }
}

/* ---- loading a handler ---- */

struct request { /* what load() was called with; library.open() finds its way back */
    iris_source pub;
    struct source *source;
    struct hosts *hosts;
    struct host *host;
    const char *handler;
};

static int check_wanted(const struct request *r, const iris_version *v)
{
    if (r->pub.wanted == IRIS_MIGRATION)
        return v->b.migrate ? IRIS_OK
                            : iris__fail("%s: \"%s\" has no migrate()", r->handler, v->b.name);
    return iris__version_handles(v)
               ? IRIS_OK
               : iris__fail(
                     "%s: \"%s\" migrates states, and handles no messages; expected a handler",
                     r->handler, v->b.name);
}

static int load(struct request *r, iris_version **out)
{
    const iris_plugin *p = &r->host->library->taken.plugin;
    iris__forget();
    if (p->host->load(r->host->data, &r->pub, out))
        return iris__fail("%s", iris__reason());
    iris_version *v = *out;
    if (check_wanted(r, v)) {
        iris__version_release(v);
        *out = NULL;
        return IRIS_FAIL;
    }
    if (!v->host)
        v->host = r->host;
    if (!v->handler) {
        free(v->host_name);
        v->host_name = strdup(p->name);
        v->handler = strdup(r->handler);
    }
    if (!v->file) {
        v->file = strdup(r->pub.file);
        v->symbol = r->pub.symbol ? strdup(r->pub.symbol) : NULL;
    }
    return IRIS_OK;
}

int iris__host_load(struct hosts *h, struct host *host, const struct host_wish *wish,
                    iris_version **out)
{
    struct source source;
    int64_t began = iris__file_now();
    if (iris__loader_read(h->loader, wish->file, &source))
        return IRIS_FAIL;
    struct request r = {
        .pub = {.size = sizeof(iris_source),
                .abi = IRIS_ABI,
                .file = source.file,
                .symbol = wish->symbol,
                .code = source.code,
                .config = wish->config,
                .copy = source.copy->path,
                .limit = host->limits.load,
                .place = wish->place,
                .wanted = wish->wanted},
        .source = &source,
        .hosts = h,
        .host = host,
        .handler = wish->handler,
    };
    int result = load(&r, out);
    if (result == IRIS_OK) {
        (*out)->place = wish->place;
        (*out)->hash = source.hash;
        (*out)->loaded = began;
    }
    iris__loader_free(h->loader, &source);
    return result;
}

static int open_library(iris_actor *self, const iris_source *source, iris_version **out)
{
    const struct request *r = (const struct request *)source;
    struct library *lib;
    if (iris__loader_open_source(r->hosts->loader, r->source, iris__api(), &lib))
        return IRIS_FAIL;
    const iris_behaviour *b = iris__library_behaviour(lib, source->symbol);
    const char *name = r->host->library->taken.plugin.name;
    if (!b || iris__version_define(iris__world_of(self), b, lib, r->host, name, r->handler, out)) {
        iris__library_release(lib);
        return IRIS_FAIL;
    }
    return IRIS_OK;
}

const iris_library iris__library_ext = {sizeof(iris_library), IRIS_ABI, open_library,
                                        iris__version_uses};
