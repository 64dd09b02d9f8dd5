/* PyRuntime: other nodes, by "iris.mesh/1" of the plugin "mesh", which is started when it is first needed.
 * What these calls raise and give is in iris/_mesh.py.
 *
 * The GIL is let go in each call of the mesh: whoever has the mesh's lock may want it, to let go of bytes. */
#include "runtime.h"

#include "wait.h"

#include <iris/ext/route.h>

#include <stdlib.h>
#include <string.h>

/* The mesh of this runtime; 0, or -1 with an exception. */
static int find(struct host *h)
{
    const void *table = NULL;
    void *net = NULL;
    int failed;
    if (h->mesh)
        return 0;
    if (!iris__ext.plugins)
        return PyErr_SetString(iris__error, "this libiris knows no plugins that offer a mesh"), -1;
    Py_BEGIN_ALLOW_THREADS;
    failed = iris__ext.plugins->use(h->self, "mesh", IRIS_MESH, &table, &net);
    Py_END_ALLOW_THREADS;
    if (failed)
        return iris__raise_reason(NULL), -1;
    if (!h->mesh) { /* another thread may have been here meanwhile, and uses it without the GIL */
        h->net = net;
        h->mesh = table;
    }
    return 0;
}

static struct host *begin(PyObject *self)
{
    struct host *h = iris__runtime_host(self);
    return h && find(h) == 0 ? h : NULL;
}

/* ---- settings and addresses ---- */

static PyObject *configure(PyObject *self, PyObject *args)
{
    struct host *h = begin(self);
    const char *options;
    int failed;
    if (!h || !PyArg_ParseTuple(args, "s:_mesh_configure", &options))
        return NULL;
    Py_BEGIN_ALLOW_THREADS;
    failed = h->mesh->configure(h->net, options);
    Py_END_ALLOW_THREADS;
    if (failed)
        return iris__raise_reason(NULL);
    Py_RETURN_NONE;
}

/* _mesh_listen(address, options or None): where that is. */
static PyObject *listen_at(PyObject *self, PyObject *args)
{
    struct host *h = begin(self);
    const char *address, *options;
    char bound[300] = "";
    int failed;
    if (!h || !PyArg_ParseTuple(args, "sz:_mesh_listen", &address, &options))
        return NULL;
    Py_BEGIN_ALLOW_THREADS;
    failed = h->mesh->listen(h->net, address, options, bound, sizeof bound);
    Py_END_ALLOW_THREADS;
    return failed ? iris__raise_reason(NULL) : PyUnicode_FromString(bound);
}

static PyObject *connect_to(PyObject *self, PyObject *args)
{
    struct host *h = begin(self);
    const char *address, *options;
    int failed;
    if (!h || !PyArg_ParseTuple(args, "sz:_mesh_connect", &address, &options))
        return NULL;
    Py_BEGIN_ALLOW_THREADS;
    failed = h->mesh->connect(h->net, address, options);
    Py_END_ALLOW_THREADS;
    if (failed)
        return iris__raise_reason(NULL);
    Py_RETURN_NONE;
}

enum at { UNLISTEN, DISCONNECT, IS_UP };

/* What the mesh says to a call with an address alone. */
static PyObject *by_address(PyObject *self, PyObject *args, enum at what)
{
    struct host *h = begin(self);
    const char *address;
    int result;
    if (!h || !PyArg_ParseTuple(args, "s", &address))
        return NULL;
    Py_BEGIN_ALLOW_THREADS;
    result = what == UNLISTEN     ? h->mesh->unlisten(h->net, address) == IRIS_OK
             : what == DISCONNECT ? h->mesh->disconnect(h->net, address) == IRIS_OK
                                  : h->mesh->is_up(h->net, address);
    Py_END_ALLOW_THREADS;
    return PyBool_FromLong(result);
}

static PyObject *unlisten(PyObject *self, PyObject *args)
{
    return by_address(self, args, UNLISTEN);
}

static PyObject *disconnect(PyObject *self, PyObject *args)
{
    return by_address(self, args, DISCONNECT);
}

static PyObject *is_up(PyObject *self, PyObject *args)
{
    return by_address(self, args, IS_UP);
}

/* ---- questions ---- */

enum question { RESOLVE, WHEREIS, PING, PROBE };

/* IRIS_OK: the answer comes. [no gil] */
static int put(struct host *h, int what, const char *at, const char *name, int64_t ns,
               iris_mesh_answer *answer)
{
    switch (what) {
    case RESOLVE:
        return h->mesh->resolve(h->net, at, name, ns, answer);
    case WHEREIS:
        return h->mesh->whereis(h->net, name, ns, answer);
    case PING:
        return h->mesh->ping(h->net, at, ns, answer);
    default:
        return h->mesh->probe(h->net, strtoull(name, NULL, 10), ns, answer);
    }
}

/* Arguments: what, at, name, timeout. */
struct asked {
    int what;
    const char *at, *name;
    int64_t ns;
};

/* 0 is the mesh's own time to it. */
static int time_of(PyObject *timeout, struct asked *a)
{
    if (iris__seconds(timeout, "timeout", &a->ns))
        return -1;
    a->ns = a->ns < 0 ? 0 : a->ns ? a->ns : 1;
    return 0;
}

struct waited {
    iris_mesh_answer answer;
    struct wait *wait;
};

/* On some thread of the runtime. [no gil] */
static void on_waited(iris_job *job)
{
    struct waited *k = (struct waited *)job;
    k->wait->pid = k->answer.pid;
    iris__wait_tell(k->wait, k->answer.result, k->answer.why);
    free(k);
}

/* Results of put(), and the answer in w. */
static int put_and_wait(struct host *h, const struct asked *a, struct wait *w)
{
    struct waited *k = calloc(1, sizeof *k);
    int refused = IRIS_FAIL;
    if (k) {
        *k = (struct waited){.answer.job.run = on_waited, .wait = w};
        Py_BEGIN_ALLOW_THREADS;
        refused = put(h, a->what, a->at, a->name, a->ns, &k->answer);
        Py_END_ALLOW_THREADS;
    }
    if (refused) { /* the mesh's side: it will not come */
        free(k);
        iris__wait_release(w);
        k ? iris__raise_reason(NULL) : PyErr_NoMemory();
        return -1;
    }
    return iris__wait_for(w, -1); /* the mesh keeps the time */
}

static PyObject *answer_of(int result, uint64_t pid, const char *why)
{
    return Py_BuildValue("iKs", result, (unsigned long long)pid, why ? why : "");
}

/* _mesh_wait(what, at, name, timeout): (result, pid, why), once it is there. */
static PyObject *wait_for_answer(PyObject *self, PyObject *args)
{
    struct host *h = begin(self);
    struct asked a;
    PyObject *timeout;
    if (!h || iris__waits_for_itself(h) ||
        !PyArg_ParseTuple(args, "issO:_mesh_wait", &a.what, &a.at, &a.name, &timeout) ||
        time_of(timeout, &a))
        return NULL;
    struct wait *w = iris__wait_create();
    if (!w)
        return NULL;
    int failed = put_and_wait(h, &a, w);
    PyObject *out = failed ? NULL : answer_of(w->result, w->pid, w->why);
    iris__wait_release(w);
    return out;
}

struct told {
    iris_mesh_answer answer;
    PyObject *told;
};

static void call(PyObject *told, PyObject *what)
{
    PyObject *done = what ? PyObject_CallObject(told, what) : NULL;
    if (!done) /* its event loop has gone */
        PyErr_Clear();
    Py_XDECREF(done);
    Py_XDECREF(what);
}

static void on_told(iris_job *job)
{
    struct told *k = (struct told *)job;
    PyGILState_STATE gil = PyGILState_Ensure();
    call(k->told, answer_of(k->answer.result, k->answer.pid, k->answer.why));
    Py_DECREF(k->told);
    PyGILState_Release(gil);
    free(k);
}

/* _mesh_ask(what, at, name, timeout, told): told(result, pid, why) on some thread. */
static PyObject *ask(PyObject *self, PyObject *args)
{
    struct host *h = begin(self);
    struct asked a;
    PyObject *timeout, *told;
    int refused;
    if (!h ||
        !PyArg_ParseTuple(args, "issOO:_mesh_ask", &a.what, &a.at, &a.name, &timeout, &told) ||
        time_of(timeout, &a))
        return NULL;
    struct told *k = calloc(1, sizeof *k);
    if (!k)
        return PyErr_NoMemory();
    *k = (struct told){.answer.job.run = on_told, .told = Py_NewRef(told)};
    Py_BEGIN_ALLOW_THREADS;
    refused = put(h, a.what, a.at, a.name, a.ns, &k->answer);
    Py_END_ALLOW_THREADS;
    if (!refused)
        Py_RETURN_NONE;
    Py_DECREF(told);
    free(k);
    return iris__raise_reason(NULL);
}

/* ---- looking ---- */

static int is_node_of(const iris_mesh_node *n, uint64_t pid)
{
    return n->index && n->index == IRIS_NODE(pid) && n->state == IRIS_MESH_UP;
}

struct look {
    uint64_t pid;
    int is_up;
};

static void look_at(void *ctx, const iris_mesh_node *n)
{
    struct look *l = ctx;
    l->is_up |= is_node_of(n, l->pid);
}

/* A handler must not wait: there it is alive as long as its node is up. */
int iris__is_alive_far(PyObject *self, uint64_t pid)
{
    struct host *h = begin(self);
    struct look l = {pid, 0};
    char number[32];
    if (!h)
        return -1;
    if (iris__driver && iris__driver->host == h) {
        Py_BEGIN_ALLOW_THREADS;
        h->mesh->nodes(h->net, look_at, &l);
        Py_END_ALLOW_THREADS;
        return l.is_up;
    }
    snprintf(number, sizeof number, "%llu", (unsigned long long)pid);
    struct asked a = {.what = PROBE, .at = "", .name = number};
    struct wait *w = iris__wait_create();
    if (!w)
        return -1;
    int failed = put_and_wait(h, &a, w);
    int alive = failed ? -1 : w->result == IRIS_OK && w->pid;
    iris__wait_release(w);
    return alive;
}

/* ---- mail ---- */

/* _mesh_send(at, pid, data): the result of send. */
static PyObject *send_at(PyObject *self, PyObject *args)
{
    struct host *h = begin(self);
    const char *at;
    PyObject *to;
    Py_buffer data;
    uint64_t pid;
    int result;
    if (!h || !PyArg_ParseTuple(args, "sOy*:_mesh_send", &at, &to, &data))
        return NULL;
    if (iris__pid(to, &pid)) {
        PyBuffer_Release(&data);
        return NULL;
    }
    Py_BEGIN_ALLOW_THREADS;
    result = h->mesh->send(h->net, at, pid, data.buf, (size_t)data.len);
    Py_END_ALLOW_THREADS;
    PyBuffer_Release(&data);
    return PyLong_FromLong(result);
}

/* ---- nodes that come and go ---- */

static void on_change(void *ctx, const char *node, const char *address, int up, const char *why)
{
    PyGILState_STATE gil = PyGILState_Ensure();
    call(ctx, Py_BuildValue("ssOs", node ? node : "", address ? address : "",
                            up ? Py_True : Py_False, why ? why : ""));
    PyGILState_Release(gil);
}

/* _mesh_watch(at, told): its number, for _mesh_unwatch(), until which the caller keeps told.
 * told(node, address, up, why) on some thread. */
static PyObject *watch(PyObject *self, PyObject *args)
{
    struct host *h = begin(self);
    const char *at;
    PyObject *told;
    uint64_t id = 0;
    int failed;
    if (!h || !PyArg_ParseTuple(args, "sO:_mesh_watch", &at, &told))
        return NULL;
    Py_INCREF(told); /* the mesh's */
    Py_BEGIN_ALLOW_THREADS;
    failed = h->mesh->watch_node(h->net, at, on_change, told, &id);
    Py_END_ALLOW_THREADS;
    if (failed) {
        Py_DECREF(told);
        return iris__raise_reason(NULL);
    }
    return PyLong_FromUnsignedLongLong(id);
}

/* _mesh_unwatch(number, told): False: it was over already. Waits for one that is being told. */
static PyObject *unwatch(PyObject *self, PyObject *args)
{
    struct host *h = begin(self);
    unsigned long long id;
    PyObject *told;
    int result;
    if (!h || !PyArg_ParseTuple(args, "KO:_mesh_unwatch", &id, &told))
        return NULL;
    Py_BEGIN_ALLOW_THREADS;
    result = h->mesh->unwatch_node(h->net, id);
    Py_END_ALLOW_THREADS;
    if (result == IRIS_OK)
        Py_DECREF(told);
    return PyBool_FromLong(result == IRIS_OK);
}

/* _mesh_monitor(at): in the name of the actor whose handler this is. */
static PyObject *monitor(PyObject *self, PyObject *args)
{
    struct host *h = begin(self);
    const char *at;
    int failed;
    if (!h || !PyArg_ParseTuple(args, "s:_mesh_monitor", &at))
        return NULL;
    uint64_t pid = iris__api->pid(iris__caller(h));
    Py_BEGIN_ALLOW_THREADS;
    failed = h->mesh->monitor_node(h->net, pid, at);
    Py_END_ALLOW_THREADS;
    if (failed)
        return iris__raise_reason(NULL);
    Py_RETURN_NONE;
}

/* ---- who is there ---- */

struct row {
    struct row *next;
    iris_mesh_node node;
    char text[];
};

struct rows {
    struct row *first, **last;
};

static char *append(char *at, const char **text)
{
    size_t len = strlen(*text) + 1;
    memcpy(at, *text, len);
    *text = at;
    return at + len;
}

/* The mesh's lock is held, so the GIL cannot be. */
static void add_row(void *ctx, const iris_mesh_node *n)
{
    struct rows *all = ctx;
    size_t len = strlen(n->node) + strlen(n->address) + strlen(n->why) + strlen(n->stuck) + 4;
    struct row *r = malloc(sizeof *r + len);
    if (!r)
        return;
    r->next = NULL;
    r->node = *n;
    char *at = append(r->text, &r->node.node);
    at = append(at, &r->node.address);
    at = append(at, &r->node.why);
    append(at, &r->node.stuck);
    *all->last = r;
    all->last = &r->next;
}

static PyObject *seconds(int64_t ns)
{
    return ns < 0 ? Py_NewRef(Py_None) : PyFloat_FromDouble((double)ns / 1e9);
}

static PyObject *row_object(const iris_mesh_node *n)
{
    static const char *const states[] = {"dialling", "greeting", "up", "backoff", "gone"};
    return Py_BuildValue(
        "{s:s,s:s,s:s,s:K,s:N,s:N,s:N,s:K,s:K,s:K,s:K,s:K,s:K,s:K,s:N,s:N,s:s,s:s}", "node",
        n->node, "address", n->address, "state", n->state < 5 ? states[n->state] : "?", "creation",
        (unsigned long long)n->creation, "since", seconds(n->since), "rtt", seconds(n->rtt),
        "silent", seconds(n->silent), "queued", (unsigned long long)n->queued, "sent",
        (unsigned long long)n->sent, "received", (unsigned long long)n->received, "acknowledged",
        (unsigned long long)n->acknowledged, "refused", (unsigned long long)n->refused, "lost",
        (unsigned long long)n->lost, "frames_refused", (unsigned long long)n->frames_refused,
        "compat", PyBool_FromLong(n->compat), "dialled", PyBool_FromLong(n->dialled), "why", n->why,
        "stuck", n->stuck);
}

static PyObject *nodes(PyObject *self, PyObject *unused)
{
    struct host *h = begin(self);
    struct rows all = {NULL, &all.first};
    (void)unused;
    if (!h)
        return NULL;
    Py_BEGIN_ALLOW_THREADS;
    h->mesh->nodes(h->net, add_row, &all);
    Py_END_ALLOW_THREADS;
    PyObject *out = PyList_New(0);
    for (struct row *r = all.first, *next; r; r = next) {
        PyObject *object = out ? row_object(&r->node) : NULL;
        next = r->next;
        if (out && (!object || PyList_Append(out, object)))
            Py_CLEAR(out);
        Py_XDECREF(object);
        free(r);
    }
    return out;
}

/* _mesh_self(): (this node's name, its address or ""). */
static PyObject *own(PyObject *self, PyObject *unused)
{
    struct host *h = begin(self);
    char node[300] = "", address[300] = "";
    int failed;
    (void)unused;
    if (!h)
        return NULL;
    Py_BEGIN_ALLOW_THREADS;
    failed = h->mesh->self(h->net, node, sizeof node, address, sizeof address);
    Py_END_ALLOW_THREADS;
    return failed ? iris__raise_reason(NULL) : Py_BuildValue("ss", node, address);
}

/* _mesh_proxy(path or None, at, name, stay): its pid. */
static PyObject *proxy(PyObject *self, PyObject *args)
{
    struct host *h = begin(self);
    const char *path, *at, *name;
    int stay, failed;
    uint64_t pid = 0;
    if (!h || !PyArg_ParseTuple(args, "zssp:_mesh_proxy", &path, &at, &name, &stay))
        return NULL;
    Py_BEGIN_ALLOW_THREADS;
    failed = h->mesh->proxy(h->net, path, at, name, stay, &pid);
    Py_END_ALLOW_THREADS;
    return failed ? iris__raise_reason(NULL) : PyLong_FromUnsignedLongLong(pid);
}

PyMethodDef iris__mesh_methods[] = {
    {"_mesh_configure", configure, METH_VARARGS, NULL},
    {"_mesh_listen", listen_at, METH_VARARGS, NULL},
    {"_mesh_unlisten", unlisten, METH_VARARGS, NULL},
    {"_mesh_connect", connect_to, METH_VARARGS, NULL},
    {"_mesh_disconnect", disconnect, METH_VARARGS, NULL},
    {"_mesh_is_up", is_up, METH_VARARGS, NULL},
    {"_mesh_wait", wait_for_answer, METH_VARARGS, NULL},
    {"_mesh_ask", ask, METH_VARARGS, NULL},
    {"_mesh_send", send_at, METH_VARARGS, NULL},
    {"_mesh_watch", watch, METH_VARARGS, NULL},
    {"_mesh_unwatch", unwatch, METH_VARARGS, NULL},
    {"_mesh_monitor", monitor, METH_VARARGS, NULL},
    {"_mesh_nodes", nodes, METH_NOARGS, NULL},
    {"_mesh_self", own, METH_NOARGS, NULL},
    {"_mesh_proxy", proxy, METH_VARARGS, NULL},
    {0},
};
