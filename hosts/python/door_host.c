/* The door of `iris run`, and of whoever embeds libiris: pyhost.so brings an interpreter along. */
#include "runtime.h"

#include <dlfcn.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* The core loads plugins for themselves alone; extension modules look for libpython in the process. */
static int promote_libpython(void)
{
    Dl_info info;
    if (!dladdr((void *)Py_IsInitialized, &info) ||
        !dlopen(info.dli_fname, RTLD_NOW | RTLD_GLOBAL | RTLD_NOLOAD))
        return iris__api->fail("python: libpython is in no file of its own (%s); extension modules "
                               "could not be imported",
                               dlerror());
    return IRIS_OK;
}

static int configure(PyConfig *c)
{
    PyConfig_InitPythonConfig(c);
    c->install_signal_handlers = 0; /* signals are the program's */
    c->parse_argv = 0;
    c->site_import = 0; /* which packages there are, settings decide */
    PyStatus s = PyConfig_SetBytesString(c, &c->executable, IRIS_PYTHON);
    if (!PyStatus_Exception(s))
        s = Py_InitializeFromConfig(c);
    PyConfig_Clear(c);
    return PyStatus_Exception(s) ? iris__api->fail("python: the interpreter does not start: %s",
                                                   s.err_msg ? s.err_msg : "it wants to exit")
                                 : IRIS_OK;
}

/* Where the package is: beside the hosts, or (in a wheel) around libiris. */
static void find_package(char *dir, size_t room)
{
    static const char *const places[] = {"iris/python", "../lib/iris/python", "../.."};
    char path[PATH_MAX], file[PATH_MAX + 64];
    Dl_info info;
    const char *named = getenv("IRIS_LIB");
    *dir = '\0';
    if (named)
        snprintf(path, sizeof path, "%s/", named);
    else if (!dladdr((void *)(uintptr_t)iris__api->fail, &info) || !realpath(info.dli_fname, path))
        return;
    *strrchr(path, '/') = '\0';
    for (size_t i = 0; i < sizeof places / sizeof *places; i++) {
        snprintf(dir, room, "%s/%s", path, places[i]);
        snprintf(file, sizeof file, "%s/iris/_check.py", dir);
        if (access(file, R_OK) == 0)
            return;
    }
}

/* Whatever else is called `iris`, beside a handler or installed: a handler's `import iris` is this one. */
static const char finder[] = "import sys\n"
                             "class _Package:\n"
                             "    @staticmethod\n"
                             "    def find_spec(name, path=None, target=None):\n"
                             "        if name == 'iris':\n"
                             "            from importlib.machinery import PathFinder\n"
                             "            return PathFinder.find_spec(name, [directory])\n"
                             "sys.meta_path.insert(0, _Package)\n"
                             "sys.path.append(directory)\n"
                             "with open(directory + '/iris/_settings.py', 'rb') as file:\n"
                             "    exec(compile(file.read(), file.name, 'exec'))\n";

/* A line that a handler prints is seen when it is printed; threads change hands soon. */
static const char manners[] =
    "import sys\n"
    "for f in (sys.stdout, sys.stderr):\n"
    "    if hasattr(f, 'reconfigure'): f.reconfigure(line_buffering=True)\n"
    "sys.setswitchinterval(0.0005)\n"
    "import subprocess\n" /* signals: see _runtime.py */
    "subprocess._USE_VFORK = subprocess._USE_POSIX_SPAWN = False\n";

static int run(const char *text, PyObject *names)
{
    PyObject *done = PyRun_String(text, Py_file_input, names, names);
    Py_XDECREF(done);
    return done ? 0 : -1;
}

/* What _settings.py has; kept for another runtime of this process. */
static PyObject *names;

static int make_names(void)
{
    char dir[PATH_MAX + 32];
    find_package(dir, sizeof dir);
    PyObject *directory = PyUnicode_DecodeFSDefault(dir);
    names = PyDict_New();
    int failed = !names || !directory ||
                 PyDict_SetItemString(names, "__builtins__", PyEval_GetBuiltins()) ||
                 PyDict_SetItemString(names, "directory", directory) || run(manners, names) ||
                 run(finder, names);
    Py_XDECREF(directory);
    return failed;
}

/* The settings' own sentence, or whatever was raised. */
static int settle(PyObject *why)
{
    const char *text = why && why != Py_None ? PyUnicode_AsUTF8(why) : NULL;
    int result = why == Py_None ? IRIS_OK
                 : text         ? iris__api->fail("%s", text)
                                : iris__fail_raised();
    Py_XDECREF(why);
    return result;
}

static int prepare(const char *config)
{
    PyObject *module = iris__module_create();
    int failed = !module || PyDict_SetItemString(PyImport_GetModuleDict(), "iris._iris", module) ||
                 make_names();
    PyObject *limits = failed ? NULL : PyObject_GetAttrString(module, "_set_release_gil_limits");
    PyObject *start = limits ? PyDict_GetItemString(names, "start") : NULL;
    int result =
        start ? settle(PyObject_CallFunction(start, "zO", config, limits)) : iris__fail_raised();
    Py_XDECREF(limits);
    Py_XDECREF(module);
    return result;
}

static int prepare_again(const char *config)
{
    PyObject *again = names ? PyDict_GetItemString(names, "again") : NULL;
    return again ? settle(PyObject_CallFunction(again, "z", config)) : IRIS_OK;
}

static int begin(const char *config)
{
    PyConfig python;
    if (promote_libpython() || configure(&python))
        return IRIS_FAIL;
    int result = prepare(config);
    PyEval_SaveThread();
    return result;
}

/* Executed once it is needed, as _settings.py is; without the package, whose import takes longer. */
PyObject *iris__door_live(void)
{
    static const char text[] = "import types\n"
                               "live = types.ModuleType('iris._live')\n"
                               "with open(directory + '/iris/_live.py', 'rb') as file:\n"
                               "    exec(compile(file.read(), file.name, 'exec'), vars(live))\n";
    PyObject *live = names ? PyDict_GetItemString(names, "live") : NULL;
    if (!live && names && run(text, names) == 0)
        live = PyDict_GetItemString(names, "live");
    return live;
}

static struct host *first; /* the runtime that `import iris` finds */

int iris__door_start(struct host *h, const char *config, void *arg)
{
    (void)arg;
    if (!first)
        first = h;
    if (!Py_IsInitialized())
        return begin(config);
    PyGILState_STATE gil =
        PyGILState_Ensure(); /* somebody else's interpreter, or of an earlier runtime */
    int result = iris__error ? prepare_again(config) : prepare(config);
    PyGILState_Release(gil);
    return result;
}

void iris__door_leave(struct host *h)
{
    if (first == h)
        first = NULL;
}

void iris__door_stop(struct host *h)
{
    (void)h;
    PyGILState_STATE gil = PyGILState_Ensure();
    PyRun_SimpleString("import atexit, sys\n"
                       "atexit._run_exitfuncs()\n"
                       "sys.stdout.flush(), sys.stderr.flush()\n");
    PyGILState_Release(gil);
}

/* Under `iris run` there is one runtime: the one that runs. */
int iris__door_open(struct runtime *r, PyObject *args, PyObject *keywords)
{
    (void)args, (void)keywords;
    r->host = iris__current.host ? iris__current.host : first;
    if (r->host)
        return 0;
    PyErr_SetString(iris__error, "no runtime runs in this process any more");
    return -1;
}

struct host *iris__door_running(void)
{
    return iris__current.host ? iris__current.host : first;
}

void iris__door_forked(void)
{
}

int iris__door_hear(struct runtime *r, int all, uint64_t *key)
{
    (void)r, (void)all, (void)key;
    PyErr_SetString(iris__error,
                    "events(): under iris run they are the program's: see iris explain, or "
                    "the log");
    return -1;
}

/* It is not the handler's to end. */
int iris__door_close(struct runtime *r, int64_t timeout)
{
    (void)timeout;
    r->host = NULL;
    return 0;
}

/* libiris is in the process, since it has loaded us; we are not linked with it. */
const char *iris__door_reason(void)
{
    const char *(*reason)(void) = (const char *(*)(void))dlsym(RTLD_DEFAULT, "iris_reason");
    return reason ? reason() : "the runtime refused";
}
