/* PyRuntime: looking at actors, ending them, names and paths. */
#include "runtime.h"

#include "wait.h"

#include <iris/ext/route.h>

/* The arguments of a call with one, "pid". */
#define ARGUMENTS PyObject *const *args, Py_ssize_t n, PyObject *keywords

/* IRIS_OK, IRIS_DEAD, or -1 with an exception. */
static int info_of(PyObject *self, ARGUMENTS, const char *call, iris_info *i)
{
    struct host *h = iris__runtime_host(self);
    uint64_t pid;
    *i = (iris_info){.size = sizeof *i, .abi = IRIS_ABI};
    if (!h || iris__take_pid(args, n, keywords, call, &pid))
        return -1;
    i->pid = pid;
    return iris__ext.control->info(h->self, pid, i);
}

static PyObject *is_alive(PyObject *self, ARGUMENTS)
{
    iris_info i;
    int result = info_of(self, args, n, keywords, "is_alive", &i);
    if (result != IRIS_OK && !PyErr_Occurred() && IRIS_NODE(i.pid))
        return (result = iris__is_alive_far(self, i.pid)) < 0 ? NULL : PyBool_FromLong(result);
    return result < 0 && PyErr_Occurred() ? NULL : PyBool_FromLong(result == IRIS_OK);
}

static PyObject *mailbox_size(PyObject *self, ARGUMENTS)
{
    iris_info i;
    int result = info_of(self, args, n, keywords, "mailbox_size", &i);
    if (result < 0 && PyErr_Occurred())
        return NULL;
    if (result != IRIS_OK)
        Py_RETURN_NONE;
    return PyLong_FromUnsignedLongLong(i.mailbox);
}

static PyObject *behavior_version(PyObject *self, ARGUMENTS)
{
    iris_info i;
    int result = info_of(self, args, n, keywords, "behavior_version", &i);
    if (result < 0 && PyErr_Occurred())
        return NULL;
    if (result != IRIS_OK)
        return PyErr_Format(iris__no_such_actor, "there is no actor %llu",
                            (unsigned long long)i.pid),
               NULL;
    return PyLong_FromUnsignedLong(i.rev);
}

static PyObject *info(PyObject *self, ARGUMENTS)
{
    static const char *const states[] = {"running", "stuck",  "stopping",
                                         "backoff", "asleep", "starting"};
    iris_info i;
    int result = info_of(self, args, n, keywords, "info", &i);
    if (result < 0 && PyErr_Occurred())
        return NULL;
    if (result != IRIS_OK)
        Py_RETURN_NONE;
    return Py_BuildValue(
        "{s:K,s:K,s:K,s:I,s:I,s:I,s:I,s:I,s:s,s:s,s:s,s:s,s:s,s:s}", "pid", i.pid, "mailbox",
        i.mailbox, "handled", i.handled, "capacity", i.capacity, "restarts", i.restarts, "rev",
        i.rev, "of", i.of, "state_version", i.state_version, "state",
        i.state < sizeof states / sizeof *states ? states[i.state] : "?", "path", i.path, "host",
        i.host, "handler", i.handler, "behaviour", i.behaviour, "version", i.version);
}

static PyObject *stop(PyObject *self, ARGUMENTS)
{
    struct host *h = iris__runtime_host(self);
    uint64_t pid;
    if (!h || iris__take_pid(args, n, keywords, "stop", &pid))
        return NULL;
    iris__ext.watch->stop(h->self, pid);
    Py_RETURN_NONE;
}

static PyObject *kill_actor(PyObject *self, ARGUMENTS)
{
    struct host *h = iris__runtime_host(self);
    uint64_t pid;
    if (!h || iris__take_pid(args, n, keywords, "kill", &pid))
        return NULL;
    if (iris__ext.watch->kill(h->self, pid) == IRIS_FAIL)
        return iris__raise_reason(NULL);
    Py_RETURN_NONE;
}

static PyObject *self_pid(PyObject *self, PyObject *unused)
{
    struct host *h = iris__runtime_host(self);
    (void)unused;
    if (!h)
        return NULL;
    uint64_t pid = iris__api->pid(iris__caller(h));
    if (!pid)
        Py_RETURN_NONE;
    return PyLong_FromUnsignedLongLong(pid);
}

static void add_variable(void *ctx, const char *name, const char *value)
{
    PyObject **all = ctx, *text = *all ? PyUnicode_FromString(value) : NULL;
    if (*all && (!text || PyDict_SetItemString(*all, name, text)))
        Py_CLEAR(*all);
    Py_XDECREF(text);
}

/* As os.environ has it, where hosts.python.env is too. */
static PyObject *process_variable(const char *name, PyObject *otherwise)
{
    PyObject *os = PyImport_ImportModule("os"), *value = NULL;
    PyObject *environ = os ? PyObject_GetAttrString(os, "environ") : NULL;
    if (environ)
        value = PyObject_CallMethod(environ, "get", "sO", name, otherwise);
    Py_XDECREF(environ);
    Py_XDECREF(os);
    return value;
}

static PyObject *own_variables(struct host *h)
{
    PyObject *all = PyDict_New();
    iris__ext.env->each(iris__caller(h), add_variable, &all);
    return all;
}

static PyObject *env(PyObject *self, PyObject *args, PyObject *keywords)
{
    static char *names[] = {"name", "default", NULL};
    struct host *h = iris__runtime_host(self);
    const char *name = NULL, *value = NULL;
    PyObject *otherwise = Py_None;
    if (!h || !PyArg_ParseTupleAndKeywords(args, keywords, "|zO:env", names, &name, &otherwise))
        return NULL;
    if (!iris__ext.env || !iris__api->pid(iris__caller(h)))
        return PyErr_SetString(iris__error, "env(): nobody knows whose handler this is; call it in "
                                            "a handler or its __init__, before the first await"),
               NULL;
    if (!name)
        return own_variables(h);
    value = iris__ext.env->get(iris__caller(h), name);
    return value ? PyUnicode_FromString(value) : process_variable(name, otherwise);
}

PyMethodDef iris__control_methods[] = {
    {"is_alive", (PyCFunction)(void (*)(void))is_alive, METH_FASTCALL | METH_KEYWORDS,
     "is_alive($self, pid)\n--\n\nWhether it has not ended."},
    {"mailbox_size", (PyCFunction)(void (*)(void))mailbox_size, METH_FASTCALL | METH_KEYWORDS,
     "mailbox_size($self, pid)\n--\n\nMessages accepted and not yet begun; None: there is no such actor."},
    {"behavior_version", (PyCFunction)(void (*)(void))behavior_version,
     METH_FASTCALL | METH_KEYWORDS,
     "behavior_version($self, pid)\n--\n\nHow many handlers it has had: 1, and one more with each swap or "
     "rollback."},
    {"info", (PyCFunction)(void (*)(void))info, METH_FASTCALL | METH_KEYWORDS,
     "info($self, pid)\n--\n\nWhat `iris ps` shows of it, as a dict; None: no such actor."},
    {"stop", (PyCFunction)(void (*)(void))stop, METH_FASTCALL | METH_KEYWORDS,
     "stop($self, pid)\n--\n\nThe actor handles what it has accepted, then ends; so do its children. Nobody "
     "there: nothing happens."},
    {"kill", (PyCFunction)(void (*)(void))kill_actor, METH_FASTCALL | METH_KEYWORDS,
     "kill($self, pid)\n--\n\nThe actor ends after the message that it is in; its mail becomes dead letters."},
    {"self", self_pid, METH_NOARGS,
     "self($self)\n--\n\nThe pid of the actor whose handler this is; None: of none."},
    {"env", (PyCFunction)(void (*)(void))env, METH_VARARGS | METH_KEYWORDS,
     "env($self, name=None, default=None)\n--\n\nA variable of the actor whose handler this is (the manifest's "
     "actors[].env), or else of the process. Without a name: a dict of the actor's own."},
    {0},
};

/* ---- names ---- */

static PyObject *set_name(PyObject *self, PyObject *args, PyObject *keywords, char *what)
{
    char *names[] = {what, "pid", NULL};
    struct host *h = iris__runtime_host(self);
    const char *name;
    PyObject *target;
    uint64_t pid;
    if (!h || !PyArg_ParseTupleAndKeywords(args, keywords, "sO:register", names, &name, &target) ||
        iris__pid(target, &pid))
        return NULL;
    int result = iris__ext.name->set(h->self, name, pid);
    if (result == IRIS_FAIL && iris__ext.name->find(h->self, name)) { /* the newer one gets it */
        iris__ext.name->clear(h->self, name);
        result = iris__ext.name->set(h->self, name, pid);
    }
    if (result == IRIS_DEAD)
        return PyErr_Format(iris__no_such_actor, "there is no actor %llu to be called %s", pid,
                            name),
               NULL;
    if (result)
        return iris__raise_reason(PyExc_ValueError);
    Py_RETURN_NONE;
}

static PyObject *clear_name(PyObject *self, PyObject *args, PyObject *keywords, char *what)
{
    char *names[] = {what, NULL};
    struct host *h = iris__runtime_host(self);
    const char *name;
    if (!h || !PyArg_ParseTupleAndKeywords(args, keywords, "s:unregister", names, &name))
        return NULL;
    iris__ext.name->clear(h->self, name);
    Py_RETURN_NONE;
}

static PyObject *find_name(PyObject *self, PyObject *args, PyObject *keywords, char *what)
{
    char *names[] = {what, NULL};
    struct host *h = iris__runtime_host(self);
    const char *name;
    if (!h || !PyArg_ParseTupleAndKeywords(args, keywords, "s:whereis", names, &name))
        return NULL;
    uint64_t pid = iris__ext.name->find(h->self, name);
    if (!pid)
        Py_RETURN_NONE;
    return PyLong_FromUnsignedLongLong(pid);
}

static void add_entry(void *ctx, const char *name, uint64_t pid)
{
    PyObject *entry = Py_BuildValue("(sK)", name, (unsigned long long)pid);
    if (entry)
        PyList_Append(ctx, entry);
    Py_XDECREF(entry);
}

static PyObject *list(PyObject *self, PyObject *args, PyObject *keywords, int direct)
{
    static char *names[] = {"prefix", NULL};
    struct host *h = iris__runtime_host(self);
    const char *prefix = "/";
    if (!h || !PyArg_ParseTupleAndKeywords(args, keywords, "|s:list_children", names, &prefix))
        return NULL;
    PyObject *out = PyList_New(0);
    if (!out)
        return NULL;
    int n = direct ? iris__ext.name->children_direct(h->self, prefix, add_entry, out)
                   : iris__ext.name->children(h->self, prefix, add_entry, out);
    if (n >= 0 && !PyErr_Occurred())
        return out;
    Py_DECREF(out);
    return PyErr_Occurred() ? NULL : iris__raise_reason(PyExc_ValueError);
}

static PyObject *list_children(PyObject *self, PyObject *args, PyObject *keywords)
{
    return list(self, args, keywords, 0);
}

static PyObject *list_children_direct(PyObject *self, PyObject *args, PyObject *keywords)
{
    return list(self, args, keywords, 1);
}

static PyObject *names_of(PyObject *self, PyObject *target)
{
    struct host *h = iris__runtime_host(self);
    uint64_t pid;
    if (!h || iris__pid(target, &pid))
        return NULL;
    PyObject *out = PyList_New(0);
    if (out && iris__ext.name->names(h->self, pid, add_entry, out) < 0 && !PyErr_Occurred())
        iris__raise_reason(NULL);
    if (PyErr_Occurred())
        Py_CLEAR(out);
    return out;
}

/* The same calls, by a name or a path: what their argument is called. */
#define BY(function, call, what)                                              \
    static PyObject *call(PyObject *self, PyObject *args, PyObject *keywords) \
    {                                                                         \
        static char name[] = what;                                            \
        return function(self, args, keywords, name);                          \
    }
BY(set_name, register_name, "name")
BY(set_name, register_path, "path")
BY(clear_name, unregister_name, "name")
BY(clear_name, unregister_path, "path")
BY(find_name, whereis_name, "name")
BY(find_name, whereis_path, "path")

#define KEYWORDS(function) (PyCFunction)(void (*)(void))(function), METH_VARARGS | METH_KEYWORDS
#define NAMES(call, arg, what) call "($self, " arg ")\n--\n\n" what

PyMethodDef iris__name_methods[] = {
    {"register", KEYWORDS(register_name),
     "register($self, name, pid)\n--\n\nFrom now on the actor is found by this name; who had it has it no more. "
     "It is free again\nwhen the actor ends."},
    {"register_path", KEYWORDS(register_path),
     "register_path($self, path, pid)\n--\n\nThe same for a path."},
    {"unregister", KEYWORDS(unregister_name),
     NAMES("unregister", "name", "Nobody has it any more.")},
    {"unregister_path", KEYWORDS(unregister_path),
     NAMES("unregister_path", "path", "Nobody has it any more.")},
    {"whereis", KEYWORDS(whereis_name),
     NAMES("whereis", "name", "The pid of who has this name, or None.")},
    {"resolve", KEYWORDS(whereis_name),
     NAMES("resolve", "name", "The pid of who has this name, or None.")},
    {"whereis_path", KEYWORDS(whereis_path),
     NAMES("whereis_path", "path", "The pid at this path, or None.")},
    {"list_children", KEYWORDS(list_children),
     "list_children($self, prefix='/')\n--\n\n(path, pid) of all registered below it, at any depth."},
    {"list_children_direct", KEYWORDS(list_children_direct),
     "list_children_direct($self, prefix='/')\n--\n\n(path, pid) of those one level below it."},
    {"_names", names_of, METH_O, NULL},
    {0},
};
