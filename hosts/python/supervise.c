/* PyRuntime: supervisors, by the original's words. */
#include "runtime.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* A member that Python code makes anew. */
struct maker {
    iris_job job; /* gives it back on our thread */
    struct host *host;
    PyObject *factory;
};

static int make(void *ctx, uint64_t *pid)
{
    struct maker *m = ctx;
    PyGILState_STATE gil = PyGILState_Ensure();
    PyObject *made = PyObject_CallNoArgs(m->factory);
    int result = made && iris__pid(made, pid) == 0 ? IRIS_OK : iris__fail_raised();
    Py_XDECREF(made);
    PyGILState_Release(gil);
    return result;
}

static void give_back(iris_job *job)
{
    struct maker *m = (struct maker *)job;
    PyGILState_STATE gil = PyGILState_Ensure();
    Py_DECREF(m->factory);
    free(m);
    PyGILState_Release(gil);
}

/* [no gil] */
static void release(void *ctx)
{
    struct maker *m = ctx;
    m->job.run = give_back;
    iris__api->post(m->host->main.executor, &m->job);
}

static int strategy_of(const char *word, uint32_t *strategy)
{
    static const struct {
        const char *word;
        uint32_t strategy;
    } known[] = {{"restartone", IRIS_ONE_FOR_ONE}, {"restart_one", IRIS_ONE_FOR_ONE},
                 {"one", IRIS_ONE_FOR_ONE},        {"one_for_one", IRIS_ONE_FOR_ONE},
                 {"restartall", IRIS_ONE_FOR_ALL}, {"restart_all", IRIS_ONE_FOR_ALL},
                 {"all", IRIS_ONE_FOR_ALL},        {"one_for_all", IRIS_ONE_FOR_ALL},
                 {"rest", IRIS_REST_FOR_ONE},      {"rest_for_one", IRIS_REST_FOR_ONE}};
    for (size_t i = 0; i < sizeof known / sizeof *known; i++)
        if (strcasecmp(known[i].word, word) == 0) {
            *strategy = known[i].strategy;
            return 0;
        }
    PyErr_Format(PyExc_ValueError, "invalid strategy: \"%s\"; expected restart_one or restart_all",
                 word);
    return -1;
}

static PyObject *result_of(int result, uint64_t pid)
{
    if (result == IRIS_DEAD)
        return PyErr_Format(iris__no_such_actor, "there is no actor %llu to be supervised", pid),
               NULL;
    if (result < 0)
        return iris__raise_reason(PyExc_ValueError);
    Py_RETURN_NONE;
}

/* Whose thread makes: a factory may wait, as for another node, and hold up no handler. */
static iris_executor *maker(struct host *h)
{
    if (!h->maker.executor && iris__driver_open(h, &h->maker, "python-make", NULL))
        return iris__raise_reason(NULL), NULL;
    return h->maker.executor;
}

/* A supervisor that is missing is made, as the original does. */
static PyObject *supervise(struct host *h, const char *path, PyObject *target, PyObject *factory,
                           const char *strategy)
{
    iris_factory f = {
        .size = sizeof f, .abi = IRIS_ABI, .path = path, .make = make, .release = release};
    if (strategy_of(strategy, &f.strategy) || iris__pid(target, &f.pid))
        return NULL;
    if (!PyCallable_Check(factory))
        return PyErr_Format(PyExc_TypeError,
                            "a factory is called to make an actor, and gives its pid"),
               NULL;
    if (!(f.executor = maker(h)))
        return NULL;
    struct maker *m = malloc(sizeof *m);
    if (!m)
        return PyErr_NoMemory();
    *m = (struct maker){.host = h, .factory = Py_NewRef(factory)};
    f.ctx = m;
    int result = iris__ext.supervise->supervise(h->self, &f);
    if (result == IRIS_FAIL && iris__ext.supervise->create(h->self, path, NULL) == IRIS_OK)
        result = iris__ext.supervise->supervise(h->self, &f);
    if (result) {
        Py_DECREF(m->factory);
        free(m);
    }
    return result_of(result, f.pid);
}

static PyObject *supervise_with_factory(PyObject *self, PyObject *args, PyObject *keywords)
{
    static char *names[] = {"pid", "py_factory", "strategy", NULL};
    struct host *h = iris__runtime_host(self);
    PyObject *target, *factory;
    const char *strategy;
    if (!h || !PyArg_ParseTupleAndKeywords(args, keywords, "OOs:supervise_with_factory", names,
                                           &target, &factory, &strategy))
        return NULL;
    return supervise(h, "/", target, factory, strategy);
}

static PyObject *path_supervise_with_factory(PyObject *self, PyObject *args, PyObject *keywords)
{
    static char *names[] = {"path", "pid", "py_factory", "strategy", NULL};
    struct host *h = iris__runtime_host(self);
    PyObject *target, *factory;
    const char *path, *strategy;
    if (!h || !PyArg_ParseTupleAndKeywords(args, keywords, "sOOs:path_supervise_with_factory",
                                           names, &path, &target, &factory, &strategy))
        return NULL;
    return supervise(h, path, target, factory, strategy);
}

/* ---- in place ---- */

static PyObject *watch(PyObject *self, PyObject *args, PyObject *keywords)
{
    static char *names[] = {"pid", "strategy", NULL};
    struct host *h = iris__runtime_host(self);
    PyObject *target;
    const char *strategy = "one";
    uint64_t pid;
    uint32_t unused;
    if (!h ||
        !PyArg_ParseTupleAndKeywords(args, keywords, "O|s:watch", names, &target, &strategy) ||
        strategy_of(strategy, &unused) || iris__pid(target, &pid))
        return NULL;
    return result_of(iris__ext.supervise->watch(h->self, "/", pid), pid);
}

static PyObject *watch_path(PyObject *self, PyObject *args, PyObject *keywords)
{
    static char *names[] = {"prefix", NULL};
    struct host *h = iris__runtime_host(self);
    const char *prefix;
    if (!h || !PyArg_ParseTupleAndKeywords(args, keywords, "s:watch_path", names, &prefix))
        return NULL;
    int watched = iris__ext.supervise->watch_path(h->self, prefix);
    return result_of(watched < 0 ? watched : IRIS_OK, 0);
}

static PyObject *path_watch(PyObject *self, PyObject *args, PyObject *keywords)
{
    static char *names[] = {"path", "pid", NULL};
    struct host *h = iris__runtime_host(self);
    const char *path;
    PyObject *target;
    uint64_t pid;
    if (!h ||
        !PyArg_ParseTupleAndKeywords(args, keywords, "sO:path_supervisor_watch", names, &path,
                                     &target) ||
        iris__pid(target, &pid))
        return NULL;
    int result = iris__ext.supervise->watch(h->self, path, pid);
    if (result == IRIS_FAIL) /* no supervisor there: the one of all */
        result = iris__ext.supervise->watch(h->self, "/", pid);
    return result_of(result, pid);
}

static PyObject *create(PyObject *self, PyObject *args, PyObject *keywords)
{
    static char *names[] = {"path", "strategy", "intensity", "period", NULL};
    struct host *h = iris__runtime_host(self);
    iris_supervision how = {.size = sizeof how, .abi = IRIS_ABI};
    const char *path, *strategy = "one";
    double period = 0;
    if (!h ||
        !PyArg_ParseTupleAndKeywords(args, keywords, "s|sId:create_path_supervisor", names, &path,
                                     &strategy, &how.intensity, &period) ||
        strategy_of(strategy, &how.strategy))
        return NULL;
    how.period = (int64_t)(period * 1e9);
    return result_of(iris__ext.supervise->create(h->self, path, &how), 0);
}

static PyObject *remove_supervisor(PyObject *self, PyObject *args, PyObject *keywords)
{
    static char *names[] = {"path", NULL};
    struct host *h = iris__runtime_host(self);
    const char *path;
    if (!h ||
        !PyArg_ParseTupleAndKeywords(args, keywords, "s:remove_path_supervisor", names, &path))
        return NULL;
    int result = iris__ext.supervise->remove(h->self, path);
    return result_of(result == IRIS_DEAD ? IRIS_OK : result, 0);
}

static void add_pid(void *ctx, uint64_t pid)
{
    PyObject *number = pid ? PyLong_FromUnsignedLongLong(pid) : NULL;
    if (number)
        PyList_Append(ctx, number);
    Py_XDECREF(number);
}

static PyObject *children_of(struct host *h, const char *path)
{
    PyObject *list = PyList_New(0);
    if (list && iris__ext.supervise->children(h->self, path, add_pid, list) < 0) {
        Py_DECREF(list);
        return iris__raise_reason(PyExc_ValueError);
    }
    return list;
}

static PyObject *path_children(PyObject *self, PyObject *args, PyObject *keywords)
{
    static char *names[] = {"path", NULL};
    struct host *h = iris__runtime_host(self);
    const char *path;
    if (!h ||
        !PyArg_ParseTupleAndKeywords(args, keywords, "s:path_supervisor_children", names, &path))
        return NULL;
    return children_of(h, path);
}

static PyObject *child_pids(PyObject *self, PyObject *unused)
{
    struct host *h = iris__runtime_host(self);
    (void)unused;
    return h ? children_of(h, "/") : NULL;
}

static PyObject *children_count(PyObject *self, PyObject *unused)
{
    PyObject *list = child_pids(self, unused);
    PyObject *count = list ? PyLong_FromSsize_t(PyList_GET_SIZE(list)) : NULL;
    Py_XDECREF(list);
    return count;
}

#define KEYWORDS(function) (PyCFunction)(void (*)(void))(function), METH_VARARGS | METH_KEYWORDS

PyMethodDef iris__supervise_methods[] = {
    {"supervise_with_factory", KEYWORDS(supervise_with_factory),
     "supervise_with_factory($self, pid, py_factory, strategy)\n--\n\nWhenever the actor ends, py_factory() makes "
     "another one, and gives its pid. strategy: \"restart_one\",\nor \"restart_all\": the others end and "
     "are made anew too."},
    {"path_supervise_with_factory", KEYWORDS(path_supervise_with_factory),
     "path_supervise_with_factory($self, path, pid, py_factory, strategy)\n--\n\nThe same, by the supervisor of this "
     "path."},
    {"watch", KEYWORDS(watch),
     "watch($self, pid, strategy='restart_one')\n--\n\nThe actor begins again, with the same pid, when it crashes; "
     "3 times in 5 seconds at most."},
    {"watch_path", KEYWORDS(watch_path),
     "watch_path($self, prefix)\n--\n\nThe same for each actor that is registered one level below it."},
    {"create_path_supervisor", KEYWORDS(create),
     "create_path_supervisor($self, path, strategy='restart_one', intensity=3, period=5.0)\n--\n\nA supervisor of "
     "its own for what is below this path."},
    {"remove_path_supervisor", KEYWORDS(remove_supervisor),
     "remove_path_supervisor($self, path)\n--\n\nIts actors live on, supervised no more."},
    {"path_supervisor_watch", KEYWORDS(path_watch),
     "path_supervisor_watch($self, path, pid)\n--\n\nAs watch(), by the supervisor of this path. pid may be of another node (resolve)\n"
     "that allows it (mesh.allow.supervise)."},
    {"path_supervisor_children", KEYWORDS(path_children),
     "path_supervisor_children($self, path)\n--\n\nThe pids that the supervisor of this path watches."},
    {"child_pids", child_pids, METH_NOARGS,
     "child_pids($self)\n--\n\nThe pids that the supervisor of all, \"/\", watches."},
    {"children_count", children_count, METH_NOARGS,
     "children_count($self)\n--\n\nHow many these are."},
    {0},
};
