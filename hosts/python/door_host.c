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

static int add_package(void)
{
    char dir[PATH_MAX + 32];
    find_package(dir, sizeof dir);
    PyObject *path = PySys_GetObject("path"), *entry = PyUnicode_DecodeFSDefault(dir);
    int result = entry && path ? PyList_Append(path, entry) : -1;
    Py_XDECREF(entry);
    return result;
}

/* A line that a handler prints is seen when it is printed; threads change hands soon. */
static const char settings[] =
    "import sys\n"
    "for f in (sys.stdout, sys.stderr):\n"
    "    if hasattr(f, 'reconfigure'): f.reconfigure(line_buffering=True)\n"
    "sys.setswitchinterval(0.0005)\n"
    "import subprocess\n" /* signals: see _runtime.py */
    "subprocess._USE_VFORK = False\n";

static int prepare(void)
{
    PyObject *module = iris__module_create();
    int result = !module || PyDict_SetItemString(PyImport_GetModuleDict(), "iris._iris", module) ||
                 add_package() || PyRun_SimpleString(settings);
    if (result && PyErr_Occurred())
        iris__fail_raised();
    Py_XDECREF(module);
    return result ? IRIS_FAIL : IRIS_OK;
}

static int begin(void)
{
    PyConfig config;
    if (promote_libpython() || configure(&config))
        return IRIS_FAIL;
    int result = prepare();
    PyEval_SaveThread();
    return result;
}

static struct host *first; /* the runtime that `import iris` finds */

int iris__door_start(struct host *h, void *arg)
{
    (void)arg;
    if (!first)
        first = h;
    if (!Py_IsInitialized())
        return begin();
    PyGILState_STATE gil =
        PyGILState_Ensure(); /* somebody else's interpreter, or of an earlier runtime */
    int result = iris__error ? IRIS_OK : prepare();
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
