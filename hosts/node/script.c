#include "host.h"

#include <stdlib.h>

/* The behaviours of JavaScript, by numbers that engine.js hands back. A number is free again once its
 * behaviour is: then engine.js is told to forget it. */

static void free_number(struct host *h, uint32_t number)
{
    h->scripts[number] = (struct script *)(((uintptr_t)h->free_script << 1) | 1);
    h->free_script = number;
}

static int take_number(struct host *h, uint32_t *number)
{
    if (h->free_script != UINT32_MAX) {
        *number = h->free_script;
        h->free_script = (uint32_t)((uintptr_t)h->scripts[*number] >> 1);
        return 0;
    }
    uint32_t n = h->nscripts ? h->nscripts * 2 : 64;
    struct script **scripts = realloc(h->scripts, n * sizeof *scripts);
    if (!scripts)
        return -1;
    h->scripts = scripts;
    for (uint32_t i = n; i-- > h->nscripts + 1;)
        free_number(h, i);
    *number = h->nscripts;
    h->nscripts = n;
    return 0;
}

/* [exec] or, when the runtime ends, by who ends it: then nobody looks at numbers any more. */
static void free_script(const iris_behaviour *b)
{
    struct script *s = b->data;
    struct host *h = s->host;
    atomic_fetch_sub(&h->versions, 1);
    if (pthread_equal(h->thread, pthread_self())) {
        napi_handle_scope scope;
        if (h->may_run && napi_open_handle_scope(h->env, &scope) == napi_ok) {
            napi_value number = iris__number(h->env, s->number);
            iris__hook(h, HOOK_FORGET, 1, &number);
            napi_close_handle_scope(h->env, scope);
        }
        free_number(h, s->number);
        free(s);
    } /* else it goes with the host */
    iris__host_release(h);
}

/* Links tell, and never kill: as the original has it. */
static void fill(iris_behaviour *b, const struct script *s)
{
    b->migrate = s->flags & SCRIPT_MIGRATES ? iris__state_migrate : NULL;
    if (s->kind == KIND_MIGRATION)
        return;
    int has_state = s->kind != KIND_CALL || s->flags & SCRIPT_NOTED;
    b->flags = IRIS_TRAPS | (s->kind == KIND_PULL ? IRIS_SIGNALS | IRIS_RUNS_ON : 0);
    b->handle = iris__handle;
    b->cancel = iris__cancel;
    b->init = has_state ? iris__state_init : NULL;
    b->fini = has_state || s->flags & SCRIPT_BORROW ? iris__state_fini : NULL;
    b->adopt = iris__state_adopt;
    if (s->kind == KIND_PULL)
        return;
    if (!has_state && !(s->flags & SCRIPT_SAVES))
        return;
    b->save = iris__state_save;
    b->upgrade = iris__state_upgrade;
    b->downgrade = iris__state_downgrade;
}

int iris__script_define(struct host *h, enum kind kind, unsigned flags, const char *name,
                        const char *version, uint32_t state_version, uint32_t *number)
{
    struct script *s = malloc(sizeof *s);
    if (!s || take_number(h, number)) {
        free(s);
        return iris__api->fail("%s: no memory", name);
    }
    *s =
        (struct script){.host = h, .number = *number, .kind = kind, .flags = flags, .reach = BATCH};
    iris_behaviour b = {.size = sizeof b,
                        .abi = IRIS_ABI,
                        .name = name,
                        .version = version,
                        .state_version = state_version,
                        .executor = h->executor,
                        .data = s,
                        .free = free_script};
    fill(&b, s);
    if (iris__api->define(h->self, &b, &s->version)) {
        free_number(h, *number);
        free(s);
        return IRIS_FAIL;
    }
    iris__host_retain(h);
    h->scripts[*number] = s;
    atomic_fetch_add(&h->versions, 1);
    return IRIS_OK;
}

static struct script *script_at(struct host *h, uint32_t number)
{
    return number < h->nscripts && !((uintptr_t)h->scripts[number] & 1) ? h->scripts[number] : NULL;
}

int iris__script_retain(struct host *h, uint32_t number, iris_version **out)
{
    struct script *s = script_at(h, number);
    if (!s || iris__api->retain(s->version) != IRIS_OK)
        return IRIS_DEAD;
    *out = s->version;
    return IRIS_OK;
}

void iris__script_uses(struct host *h, uint32_t number, const char *file)
{
    const iris_library *library = iris__ext.library;
    iris_version *v;
    if (!library || !IRIS_HAS(library, uses) || iris__script_retain(h, number, &v) != IRIS_OK)
        return;
    library->uses(v, file);
    iris__api->release(v);
}

void iris__script_release_own(struct host *h, uint32_t number)
{
    struct script *s = script_at(h, number);
    if (s)
        iris__api->release(s->version);
}
