#include "python.h"

#include "runtime.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* A handler file becomes a module of its own each time it is loaded, with a name that none had before:
 * what runs keeps the globals that it was loaded with. It is compiled from the bytes that the core has
 * read, never through a .pyc: those are told apart by size and time only. */

/* "pay" of "/srv/shop/pay.py". */
static void stem_of(const char *file, char *stem, size_t room)
{
    const char *slash = strrchr(file, '/'), *base = slash ? slash + 1 : file;
    const char *dot = strrchr(base, '.');
    snprintf(stem, room, "%.*s", (int)(dot ? dot - base : (long)strlen(base)), base);
}

static PyObject *fresh_name(const char *file)
{
    static unsigned count; /* under the GIL */
    char stem[128];
    stem_of(file, stem, sizeof stem);
    return PyUnicode_FromFormat("iris_live.%s.v%u", stem, ++count);
}

/* Where imports begin, as a length of `file`: its directory, or where that is a package (has an __init__.py)
 * the one above all packages. */
static size_t root_of(const char *file, size_t directory)
{
    char init[PATH_MAX];
    size_t root = directory;
    while (root) {
        int len = snprintf(init, sizeof init, "%.*s/__init__.py", (int)root, file);
        if (len >= (int)sizeof init || access(init, R_OK))
            break;
        while (root && file[--root] != '/')
            ;
    }
    return root;
}

/* Its __package__, for relative imports: "shop.billing", or "": it is in none. */
static PyObject *package_of(const char *file)
{
    const char *slash = strrchr(file, '/');
    size_t end = slash ? (size_t)(slash - file) : 0, root = root_of(file, end);
    size_t from = root < end && file[root] == '/' ? root + 1 : root;
    PyObject *path =
        PyUnicode_DecodeFSDefaultAndSize(file + from, (Py_ssize_t)(root < end ? end - from : 0));
    PyObject *package = path ? PyObject_CallMethod(path, "replace", "ss", "/", ".") : NULL;
    Py_XDECREF(path);
    return package;
}

static int add_path(const char *file, size_t len, Py_ssize_t at)
{
    PyObject *path = PySys_GetObject("path");
    PyObject *dir = PyUnicode_DecodeFSDefaultAndSize(file, (Py_ssize_t)len);
    int has = dir && path && PyList_Check(path) ? PySequence_Contains(path, dir) : -1;
    int result = has == 0 ? PyList_Insert(path, at, dir) : 0;
    Py_XDECREF(dir);
    return has < 0 ? -1 : result;
}

/* What lies beside the handler can be imported, as for a program. Inside a package only what no other module
 * is called: a types.py there is not to be everybody's. */
static int add_directories(const char *file)
{
    const char *slash = strrchr(file, '/');
    size_t directory = slash ? (size_t)(slash - file) : 0, root = root_of(file, directory);
    if (add_path(file, root ? root : file[0] == '/', 0))
        return -1;
    return root < directory ? add_path(file, directory, PY_SSIZE_T_MAX) : 0;
}

/* Under `iris run`: modules beside handlers are as their files are, see _live.py. Who imports us has loaded
 * modules of its own, and is left alone. */
static int renew_modules(const char *file)
{
    const char *slash = strrchr(file, '/');
    PyObject *live = iris__door_live();
    if (!live || !slash)
        return PyErr_Occurred() ? -1 : 0;
    size_t root = root_of(file, (size_t)(slash - file));
    PyObject *done = PyObject_CallMethod(live, "begin", "s#", file, (Py_ssize_t)root);
    Py_XDECREF(done);
    return done ? 0 : -1;
}

#define ENDED "its load was ended: the app is stopping"

/* The exception becomes the reason. */
static void fail_load(const struct host *h, const iris_source *s, int is_late)
{
    iris__fail_raised();
    if (!is_late)
        return;
    const char *reason = iris__door_reason(), *trace = strchr(reason, '\n');
    char *where = strdup(trace ? trace : "");
    if (atomic_load(&h->ends_loads))
        iris__api->fail("%s: " ENDED "%s", s->file, where ? where : "");
    else
        iris__api->fail(
            "%s: it has not been run to its end within %g s (hosts.python.load_limit): a loop "
            "at its top does not end%s",
            s->file, (double)s->limit / 1e9, where ? where : "");
    free(where);
}

static PyObject *compile_source(const iris_source *s)
{
    PyObject *builtins = PyImport_ImportModule("builtins"), *code = NULL;
    PyObject *file = PyUnicode_DecodeFSDefault(s->file);
    if (builtins && file)
        code = PyObject_CallMethod(builtins, "compile", "y#Osii", (const char *)s->code.data,
                                   (Py_ssize_t)s->code.len, file, "exec", 0, 1);
    Py_XDECREF(file);
    Py_XDECREF(builtins);
    return code;
}

/* Tracebacks show the lines that were loaded, also when the file has other ones by now: linecache has one
 * entry for each file, so each version brings its own along. */
static const char LINES[] = "__iris_lines__";

static void remember_lines(const iris_source *s, PyObject *module)
{
    PyObject *text = PyUnicode_DecodeUTF8(s->code.data, (Py_ssize_t)s->code.len, "replace");
    PyObject *lines = text ? PyUnicode_Splitlines(text, 1) : NULL;
    PyObject *entry =
        lines ? Py_BuildValue("(nOOs)", (Py_ssize_t)s->code.len, Py_None, lines, s->file) : NULL;
    if (!entry || PyObject_SetAttrString(module, LINES, entry))
        PyErr_Clear();
    Py_XDECREF(entry);
    Py_XDECREF(lines);
    Py_XDECREF(text);
}

void iris__show_lines(const struct script *s)
{
    PyObject *type, *value, *trace;
    if (!s->module)
        return;
    PyErr_Fetch(&type, &value, &trace);
    PyObject *module = PyDict_GetItem(PyImport_GetModuleDict(), s->module);
    PyObject *entry = module ? PyObject_GetAttrString(module, LINES) : NULL;
    PyObject *linecache = entry ? PyImport_ImportModule("linecache") : NULL;
    PyObject *cache = linecache ? PyObject_GetAttrString(linecache, "cache") : NULL;
    if (cache)
        PyObject_SetItem(cache, PyTuple_GET_ITEM(entry, 3), entry);
    Py_XDECREF(cache);
    Py_XDECREF(linecache);
    Py_XDECREF(entry);
    PyErr_Restore(type, value, trace); /* in place of what may have failed here */
}

/* What a module knows of itself. Its parent is there too: pickle imports a class by the name of its module. */
static int name_module(const iris_source *s, PyObject *dict)
{
    PyObject *file = PyUnicode_DecodeFSDefault(s->file);
    PyObject *package = file ? package_of(s->file) : NULL;
    int failed = !package || !PyImport_AddModule("iris_live") ||
                 PyDict_SetItemString(dict, "__file__", file) ||
                 PyDict_SetItemString(dict, "__package__", package) ||
                 PyDict_SetItemString(dict, "__builtins__", PyEval_GetBuiltins());
    Py_XDECREF(package);
    Py_XDECREF(file);
    return failed ? -1 : 0;
}

static PyObject *run_module(const iris_source *s, PyObject *name)
{
    PyObject *code = compile_source(s), *modules = PyImport_GetModuleDict();
    PyObject *module = code ? PyModule_NewObject(name) : NULL;
    PyObject *dict = module ? PyModule_GetDict(module) : NULL, *done = NULL;
    if (dict && name_module(s, dict) == 0 && PyDict_SetItem(modules, name, module) == 0) {
        done = PyEval_EvalCode(code, dict, dict);
        if (!done) {
            PyObject *type, *value, *trace;
            PyErr_Fetch(&type, &value, &trace);
            if (PyDict_DelItem(modules, name))
                PyErr_Clear();
            PyErr_Restore(type, value, trace);
        }
    }
    if (!done)
        Py_CLEAR(module);
    Py_XDECREF(done);
    Py_XDECREF(code);
    return module;
}

/* ---- the handler in it ---- */

/* "on_msg", or "Counter.add" inside a class. */
static PyObject *find(PyObject *module, const char *symbol)
{
    PyObject *at = Py_NewRef(module);
    for (const char *from = symbol; at && from;) {
        const char *dot = strchr(from, '.');
        PyObject *name = PyUnicode_FromStringAndSize(from, dot ? dot - from : (long)strlen(from));
        Py_SETREF(at, name ? PyObject_GetAttr(at, name) : NULL);
        Py_XDECREF(name);
        from = dot ? dot + 1 : NULL;
    }
    return at;
}

/* What the file itself defines, for who has misspelt it: "on_message, Counter". */
static PyObject *offers(PyObject *module)
{
    PyObject *names = PyList_New(0), *key, *value, *comma = PyUnicode_FromString(", "),
             *text = NULL;
    PyObject *own = PyObject_GetAttrString(module, "__name__");
    for (Py_ssize_t at = 0;
         names && own && PyDict_Next(PyModule_GetDict(module), &at, &key, &value);) {
        PyObject *home =
            PyCallable_Check(value) ? PyObject_GetAttrString(value, "__module__") : NULL;
        if (home && PyUnicode_Check(home) && PyUnicode_Compare(home, own) == 0)
            PyList_Append(names, key);
        Py_XDECREF(home);
        PyErr_Clear();
    }
    if (names && comma && PyList_GET_SIZE(names))
        text = PyUnicode_Join(comma, names);
    Py_XDECREF(own);
    Py_XDECREF(comma);
    Py_XDECREF(names);
    return text ? text : PyUnicode_FromString("nothing that can be called");
}

static int refuse_symbol(const iris_source *s, PyObject *module, const char *symbol)
{
    PyErr_Clear();
    PyObject *text = offers(module);
    const char *words = text ? PyUnicode_AsUTF8(text) : NULL;
    iris__api->fail("%s: it has no \"%s\" that can be called; it has: %s", s->file, symbol,
                    words ? words : "?");
    Py_XDECREF(text);
    return IRIS_FAIL;
}

static const char *version_of(PyObject *module, PyObject **holder)
{
    *holder = PyObject_GetAttrString(module, "__version__");
    const char *text = *holder && PyUnicode_Check(*holder) ? PyUnicode_AsUTF8(*holder) : NULL;
    PyErr_Clear();
    return text ? text : "";
}

static int has_async_code(PyObject *function)
{
    PyObject *code = PyObject_GetAttrString(function, "__code__");
    int is = code && PyCode_Check(code) && ((PyCodeObject *)code)->co_flags & CO_COROUTINE;
    Py_XDECREF(code);
    PyErr_Clear();
    return is;
}

/* async def, a method of that kind, or an object whose on_msg or __call__ is. */
int iris__is_async(PyObject *callable)
{
    if (has_async_code(callable))
        return 1;
    PyObject *call = PyObject_GetAttrString(callable, "on_msg");
    if (!call) {
        PyErr_Clear();
        call = PyType_Check(callable) || !PyFunction_Check(callable)
                   ? PyObject_GetAttrString(callable, "__call__")
                   : NULL;
    }
    int is = call && has_async_code(call);
    Py_XDECREF(call);
    PyErr_Clear();
    return is;
}

/* def handler(mailbox): a pull handler is told by the name of its argument. */
static int is_pull(PyObject *callable)
{
    PyObject *code = PyObject_GetAttrString(callable, "__code__");
    PyObject *names = code ? PyObject_GetAttrString(code, "co_varnames") : NULL;
    int is = PyFunction_Check(callable) && names && PyTuple_Check(names) &&
             ((PyCodeObject *)code)->co_argcount == 1 &&
             PyUnicode_CompareWithASCIIString(PyTuple_GET_ITEM(names, 0), "mailbox") == 0;
    Py_XDECREF(names);
    Py_XDECREF(code);
    PyErr_Clear();
    return is;
}

static int wants_migration(const iris_source *s)
{
    return IRIS_HAS(s, wanted) && s->wanted == IRIS_MIGRATION;
}

static int be_migration(struct script *s, const iris_source *source, const char *symbol)
{
    if (iris__is_async(s->callable))
        return iris__api->fail("%s: \"%s\" is async, and a swap does not wait for it; expected a "
                               "plain function(saved, from_version)",
                               source->file, symbol);
    s->asked = s->kind = KIND_CALL;
    s->migrate = s->callable;
    s->flags = SCRIPT_LOADED | SCRIPT_MIGRATES;
    return IRIS_OK;
}

static int define(struct host *h, const iris_source *s, PyObject *module, PyObject *name,
                  const char *symbol, iris_version **out)
{
    PyObject *callable = find(module, symbol), *holder;
    if (!callable || !PyCallable_Check(callable)) {
        Py_XDECREF(callable);
        return refuse_symbol(s, module, symbol);
    }
    enum kind asked = is_pull(callable) ? KIND_PULL : KIND_CALL;
    struct script like = {.callable = callable,
                          .module = name,
                          .asked = asked,
                          .kind = iris__script_kind(callable, asked),
                          .flags = SCRIPT_LOADED | (PyType_Check(callable) ? SCRIPT_CLASS : 0)};
    if (wants_migration(s) && be_migration(&like, s, symbol)) {
        Py_DECREF(callable);
        return IRIS_FAIL;
    }
    const char *version = version_of(module, &holder);
    int result = iris__script_define(h, &like, symbol, version, iris__state_version(callable), out);
    Py_XDECREF(holder);
    Py_DECREF(callable);
    return result;
}

/* Tells which files it was made of, for who watches them. That is no reason to fail. */
static void tell_uses(const iris_source *s, iris_version *v)
{
    const iris_library *library = iris__ext.library;
    const char *slash = strrchr(s->file, '/');
    PyObject *live = library && IRIS_HAS(library, uses) && slash ? iris__door_live() : NULL;
    PyObject *files = live ? PyObject_CallMethod(live, "files", "ss#", s->file, s->file,
                                                 (Py_ssize_t)root_of(s->file, slash - s->file))
                           : NULL;
    for (Py_ssize_t i = 0; files && PyList_Check(files) && i < PyList_GET_SIZE(files); i++) {
        PyObject *path = PyUnicode_EncodeFSDefault(PyList_GET_ITEM(files, i));
        if (path)
            library->uses(v, PyBytes_AS_STRING(path));
        Py_XDECREF(path);
    }
    Py_XDECREF(files);
    PyErr_Clear();
}

static int load(struct host *h, const iris_source *s, iris_version **out)
{
    PyObject *name =
        add_directories(s->file) || renew_modules(s->file) ? NULL : fresh_name(s->file);
    PyObject *module = name ? run_module(s, name) : NULL;
    int result = IRIS_FAIL, is_late = iris__guard_end();
    if (module) {
        remember_lines(s, module);
        const char *usual = wants_migration(s) ? "migrate" : "on_msg";
        result = define(h, s, module, name, s->symbol ? s->symbol : usual, out);
        if (result == IRIS_OK)
            tell_uses(s, *out);
    } else
        fail_load(h, s, is_late);
    if (module && result) {
        PyDict_DelItem(PyImport_GetModuleDict(), name);
        PyErr_Clear();
    }
    Py_XDECREF(module);
    Py_XDECREF(name);
    return result;
}

int iris__load(struct host *h, const iris_source *s, iris_version **out)
{
    PyGILState_STATE gil = PyGILState_Ensure();
    iris__current = (struct current){h, h->self}; /* what a module does when it is run */
    iris__guard_begin(h, IRIS_HAS(s, limit) ? s->limit : 0);
    int result = atomic_load(&h->ends_loads) /* which is said before the guard is looked at */
        ? iris__guard_end(),
        iris__api->fail("%s: " ENDED, s->file) : load(h, s, out);
    iris__current = (struct current){NULL, NULL};
    PyGILState_Release(gil);
    return result;
}
