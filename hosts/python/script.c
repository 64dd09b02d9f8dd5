#include "python.h"

#include "async.h"
#include "mailbox.h"

#include <stdlib.h>
#include <string.h>

/* A callable that is spawned again has its version already: a million actors of one lambda are one
 * version. The table does not own what it lists: a script leaves it in its free(), under the GIL, and
 * a version that is on its way there says so when it is retained. */

static struct {
    struct script **slots;
    size_t size, used;
} table;

static size_t slot_of(PyObject *callable)
{
    uint64_t key = (uint64_t)(uintptr_t)callable * UINT64_C(0x9E3779B97F4A7C15);
    return (size_t)(key >> 32) & (table.size - 1);
}

static int grow(void)
{
    size_t size = table.size ? table.size * 2 : 64, before = table.size;
    struct script **slots = calloc(size, sizeof *slots), **old = table.slots;
    if (!slots)
        return before ? 0 : -1;
    table.slots = slots;
    table.size = size;
    for (size_t i = 0; i < before; i++)
        for (struct script *s = old[i], *next; s; s = next) {
            next = s->next;
            struct script **at = &slots[slot_of(s->callable)];
            s->next = *at;
            *at = s;
        }
    free(old);
    return 0;
}

static void enter(struct script *s)
{
    if (table.used >= table.size && grow())
        return; /* then it is defined once more next time */
    struct script **at = &table.slots[slot_of(s->callable)];
    s->next = *at;
    *at = s;
    table.used++;
}

static void leave(struct script *s)
{
    for (struct script **at = table.size ? &table.slots[slot_of(s->callable)] : NULL; at && *at;
         at = &(*at)->next)
        if (*at == s) {
            *at = s->next;
            table.used--;
            return;
        }
}

/* ---- behaviours ---- */

static void forget_module(PyObject *name)
{
    PyObject *modules = PyImport_GetModuleDict();
    if (modules && PyDict_DelItem(modules, name))
        PyErr_Clear();
}

static void free_script(const iris_behaviour *b)
{
    struct script *s = b->data;
    atomic_fetch_sub(&s->host->versions, 1);
    PyGILState_STATE gil = PyGILState_Ensure();
    leave(s);
    if (s->module)
        forget_module(s->module);
    Py_XDECREF(s->module);
    Py_XDECREF(s->migrate);
    Py_DECREF(s->callable);
    free(s);
    PyGILState_Release(gil);
}

/* Links tell, and never kill: as the original has it. */
static uint32_t behaviour_flags(const struct script *s)
{
    if (s->kind == KIND_PULL)
        return IRIS_PULL | IRIS_OWN_THREAD | IRIS_SIGNALS | IRIS_TRAPS;
    return IRIS_TRAPS | IRIS_ROAMS | (s->flags & SCRIPT_THREAD ? IRIS_OWN_THREAD : 0) |
           (s->kind == KIND_ASYNC_PULL ? IRIS_RUNS_ON : 0) |
           (s->kind == KIND_OBSERVED || s->kind == KIND_ASYNC_PULL ? IRIS_SIGNALS : 0);
}

static void fill_pull(iris_behaviour *b, const struct script *s)
{
    if (s->kind == KIND_PULL) {
        b->handle = iris__mailbox_handle;
        b->fini = iris__state_fini;
        return;
    }
    b->init = iris__box_init;
    b->handle = iris__box_handle;
    b->fini = iris__box_fini;
    b->cancel = iris__box_cancel;
    b->adopt = iris__box_adopt;
}

static void fill_push(iris_behaviour *b, const struct script *s)
{
    b->migrate = s->migrate ? iris__state_migrate : NULL;
    if (s->flags & SCRIPT_MIGRATES)
        return;
    int has_state = s->flags & SCRIPT_CLASS,
        is_special = s->flags & (SCRIPT_THREAD | SCRIPT_VIEW) || s->asked;
    b->handle = s->kind == KIND_ASYNC      ? iris__async_handle
                : s->flags & SCRIPT_THREAD ? iris__handle_away
                                           : iris__handle;
    b->cancel = s->kind == KIND_ASYNC ? iris__async_cancel : NULL;
    b->adopt = iris__state_adopt;
    b->init = has_state ? iris__state_init : NULL;
    b->fini = has_state || is_special ? iris__state_fini : NULL;
    if (!(s->flags & SCRIPT_LOADED) && !has_state)
        return;
    b->upgrade = iris__state_upgrade; /* a function's says what it cannot take */
    b->save = has_state ? iris__state_save : NULL;
    b->downgrade = has_state ? iris__state_downgrade : NULL;
}

/* Where its turns are had. */
static int choose_executor(iris_behaviour *b, const struct script *s)
{
    if (s->kind == KIND_PULL || s->flags & SCRIPT_THREAD)
        return IRIS_OK;
    struct loop *l = s->kind >= KIND_ASYNC ? iris__loop_get(s->host) : NULL;
    if (s->kind >= KIND_ASYNC && !l)
        return IRIS_FAIL;
    b->executor = l ? l->driver.executor : s->host->main.executor;
    return IRIS_OK;
}

int iris__script_define(struct host *h, struct script *like, const char *name, const char *version,
                        uint32_t state_version, iris_version **out)
{
    struct script *s = malloc(sizeof *s);
    if (!s)
        return iris__api->fail("%s: no memory", name);
    *s = *like;
    s->host = h;
    iris_behaviour b = {.size = sizeof b,
                        .abi = IRIS_ABI,
                        .name = name,
                        .version = version,
                        .state_version = state_version,
                        .flags = behaviour_flags(s),
                        .data = s,
                        .free = free_script};
    (s->kind == KIND_PULL || s->kind == KIND_ASYNC_PULL ? fill_pull : fill_push)(&b, s);
    if (choose_executor(&b, s) || iris__api->define(h->self, &b, out)) {
        free(s);
        return IRIS_FAIL;
    }
    s->version = *out;
    atomic_fetch_add(&h->versions, 1);
    Py_INCREF(s->callable);
    Py_XINCREF(s->module);
    Py_XINCREF(s->migrate);
    if (!(s->flags & SCRIPT_LOADED) && !s->migrate)
        enter(s);
    return IRIS_OK;
}

static const char *name_of(PyObject *callable, PyObject **holder)
{
    *holder = PyObject_GetAttrString(callable, "__qualname__");
    const char *name = *holder && PyUnicode_Check(*holder) ? PyUnicode_AsUTF8(*holder) : NULL;
    if (!name)
        PyErr_Clear();
    return name ? name : Py_TYPE(callable)->tp_name;
}

static struct script *listed(struct host *h, PyObject *callable, enum kind kind, unsigned flags)
{
    struct script *s = table.size ? table.slots[slot_of(callable)] : NULL;
    while (s && !(s->callable == callable && s->host == h && s->asked == kind && s->flags == flags))
        s = s->next;
    return s;
}

enum kind iris__script_kind(PyObject *callable, enum kind asked)
{
    if (asked == KIND_OBSERVED || !iris__is_async(callable))
        return asked;
    return asked == KIND_PULL ? KIND_ASYNC_PULL : KIND_ASYNC;
}

int iris__script_find(struct host *h, PyObject *callable, enum kind kind, unsigned flags,
                      iris_version **out)
{
    struct script *s = listed(h, callable, kind, flags);
    if (s && iris__api->retain(s->version) == IRIS_OK) {
        *out = s->version;
        return IRIS_OK;
    }
    if (s) /* it is on its way to free(), which will not find it */
        leave(s);
    return iris__script_make(h, callable, NULL, kind, flags, out);
}

int iris__script_make(struct host *h, PyObject *callable, PyObject *migrate, enum kind kind,
                      unsigned flags, iris_version **out)
{
    struct script like = {.callable = callable,
                          .migrate = migrate,
                          .asked = kind,
                          .kind = iris__script_kind(callable, kind),
                          .flags = flags};
    PyObject *holder;
    const char *name = name_of(callable, &holder);
    int result = iris__script_define(h, &like, name, "", iris__state_version(callable), out);
    Py_XDECREF(holder);
    return result;
}
