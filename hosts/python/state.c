#include "python.h"

#include <string.h>

/* The state of an actor is an object that its class makes. A function has none. */

uint32_t iris__state_version(PyObject *callable)
{
    PyObject *number = PyObject_GetAttrString(callable, "__iris_version__");
    unsigned long value = number ? PyLong_AsUnsignedLong(number) : 0;
    Py_XDECREF(number);
    if (PyErr_Occurred()) {
        PyErr_Clear();
        return 0;
    }
    return (uint32_t)value;
}

/* args: JSON. An object is keywords, an array positions, anything else the one argument. */
static PyObject *make(PyObject *class, iris_bytes args)
{
    if (!args.len)
        return PyObject_CallNoArgs(class);
    PyObject *json = PyImport_ImportModule("json"), *made = NULL, *value = NULL;
    if (json)
        value =
            PyObject_CallMethod(json, "loads", "s#", (const char *)args.data, (Py_ssize_t)args.len);
    Py_XDECREF(json);
    if (!value)
        return NULL;
    PyObject *none = PyTuple_New(0), *list = PyList_Check(value) ? PyList_AsTuple(value) : NULL;
    if (list)
        made = PyObject_Call(class, list, NULL);
    else if (none && !PyErr_Occurred())
        made = PyDict_Check(value) ? PyObject_Call(class, none, value)
                                   : PyObject_CallOneArg(class, value);
    Py_XDECREF(list);
    Py_XDECREF(none);
    Py_DECREF(value);
    return made;
}

/* What is called for each message: kept with the object, so that no message looks for it. */
PyObject *iris__callable_method(PyObject *object)
{
    PyObject *method = PyObject_GetAttrString(object, "on_msg");
    if (method && PyCallable_Check(method))
        return method;
    Py_XDECREF(method);
    PyErr_Clear();
    if (PyCallable_Check(object))
        return Py_NewRef(object);
    PyErr_Format(PyExc_TypeError, "%.100s has neither on_msg(self, msg) nor __call__(self, msg)",
                 Py_TYPE(object)->tp_name);
    return NULL;
}

/* The state is the method that is called; its object is behind it. */
static PyObject *object_of(PyObject *method)
{
    return PyMethod_Check(method) ? PyMethod_GET_SELF(method) : method;
}

int iris__state_init(const iris_behaviour *b, iris_actor *self, iris_bytes args, void **state)
{
    const struct script *s = b->data;
    PyGILState_STATE gil = PyGILState_Ensure();
    iris__current = (struct current){s->host, self};
    PyObject *object = make(s->callable, args);
    PyObject *method = object ? iris__callable_method(object) : NULL;
    Py_XDECREF(object);
    int result = method ? IRIS_OK : iris__fail_raised();
    *state = method;
    iris__current = (struct current){NULL, NULL};
    PyGILState_Release(gil);
    return result;
}

void iris__state_fini(const iris_behaviour *b, iris_actor *self, void *state)
{
    const struct script *s = b->data;
    PyGILState_STATE gil = iris__gil_ensure();
    Py_XDECREF((PyObject *)state);
    if (s->asked || s->flags & (SCRIPT_THREAD | SCRIPT_VIEW))
        iris__note_end(s->host, iris__api->pid(self));
    PyGILState_Release(gil);
}

/* ---- as bytes ---- */

static int write_object(iris_sink *sink, PyObject *bytes)
{
    Py_buffer view;
    if (PyObject_GetBuffer(bytes, &view, PyBUF_SIMPLE))
        return iris__fail_raised();
    int result = sink->write(sink, view.buf, (size_t)view.len);
    PyBuffer_Release(&view);
    return result;
}

static int save_by(PyObject *object, const char *method, uint32_t to, int has_to, iris_sink *sink)
{
    PyObject *bytes = has_to ? PyObject_CallMethod(object, method, "I", (unsigned)to)
                             : PyObject_CallMethod(object, method, NULL);
    int result = bytes ? write_object(sink, bytes) : iris__fail_raised();
    Py_XDECREF(bytes);
    return result;
}

int iris__state_save(const iris_behaviour *b, iris_actor *self, const void *state, iris_sink *sink)
{
    (void)self;
    PyGILState_STATE gil = PyGILState_Ensure();
    PyObject *object = object_of((PyObject *)(uintptr_t)state);
    int result =
        PyObject_HasAttrString(object, "__iris_save__")
            ? save_by(object, "__iris_save__", 0, 0, sink)
            : iris__api->fail("class %s has no __iris_save__(self), so its state cannot cross; add "
                              "it, or say \"stateless\": \"restart\" in its \"swap\"",
                              b->name);
    PyGILState_Release(gil);
    return result;
}

int iris__state_downgrade(const iris_behaviour *b, iris_actor *self, const void *state, uint32_t to,
                          iris_sink *sink)
{
    (void)self;
    PyGILState_STATE gil = PyGILState_Ensure();
    PyObject *object = object_of((PyObject *)(uintptr_t)state);
    int result = PyObject_HasAttrString(object, "__iris_downgrade__")
                     ? save_by(object, "__iris_downgrade__", to, 1, sink)
                     : iris__api->fail("class %s has no __iris_downgrade__(self, to)", b->name);
    PyGILState_Release(gil);
    return result;
}

/* cls.__iris_upgrade__(from_version, saved) gives the new object; where it is a method of objects, it
 * is called on one that __new__ has made, and may give nothing back. */
static PyObject *upgraded(PyObject *class, uint32_t from, iris_bytes saved)
{
    PyObject *bytes = PyBytes_FromStringAndSize(saved.data, (Py_ssize_t)saved.len);
    PyObject *hook = bytes ? PyObject_GetAttrString(class, "__iris_upgrade__") : NULL;
    PyObject *object = NULL;
    if (hook && PyFunction_Check(hook)) {
        PyObject *fresh = PyObject_CallMethod(class, "__new__", "O", class);
        object = fresh ? PyObject_CallFunction(hook, "OIO", fresh, (unsigned)from, bytes) : NULL;
        if (object == Py_None)
            Py_SETREF(object, Py_NewRef(fresh));
        Py_XDECREF(fresh);
    } else if (hook)
        object = PyObject_CallFunction(hook, "IO", (unsigned)from, bytes);
    Py_XDECREF(hook);
    Py_XDECREF(bytes);
    return object;
}

static int upgrade_class(const struct script *s, const char *name, uint32_t from, iris_bytes saved,
                         void **state)
{
    if (!PyObject_HasAttrString(s->callable, "__iris_upgrade__"))
        return iris__api->fail("class %s has no __iris_upgrade__(cls, from_version, saved)", name);
    PyObject *object = upgraded(s->callable, from, saved);
    PyObject *method = object ? iris__callable_method(object) : NULL;
    Py_XDECREF(object);
    *state = method;
    return method ? IRIS_OK : iris__fail_raised();
}

int iris__state_upgrade(const iris_behaviour *b, iris_actor *self, uint32_t from, iris_bytes saved,
                        void **state)
{
    const struct script *s = b->data;
    *state = NULL;
    if (!(s->flags & SCRIPT_CLASS))
        return saved.len ? iris__api->fail("%s is a function and keeps no state, but there are %zu "
                                           "bytes of it; make it a class with __iris_upgrade__",
                                           b->name, saved.len)
                         : IRIS_OK;
    PyGILState_STATE gil = PyGILState_Ensure();
    iris__current = (struct current){s->host, self};
    int result = upgrade_class(s, b->name, from, saved, state);
    iris__current = (struct current){NULL, NULL};
    PyGILState_Release(gil);
    return result;
}

/* migrate(saved, from_version) gives the bytes that the new version upgrades from. */
int iris__state_migrate(const iris_behaviour *b, iris_actor *self, uint32_t from, iris_bytes saved,
                        iris_sink *sink)
{
    const struct script *s = b->data;
    PyGILState_STATE gil = PyGILState_Ensure();
    iris__current = (struct current){s->host, self};
    PyObject *bytes = PyBytes_FromStringAndSize(saved.data, (Py_ssize_t)saved.len);
    PyObject *made = bytes ? PyObject_CallFunction(s->migrate, "OI", bytes, (unsigned)from) : NULL;
    if (!made)
        iris__show_lines(s);
    int result = made ? write_object(sink, made) : iris__fail_raised();
    Py_XDECREF(made);
    Py_XDECREF(bytes);
    iris__current = (struct current){NULL, NULL};
    PyGILState_Release(gil);
    return result;
}

/* ---- as it is, from one Python version to the next ---- */

static int crosses_by_bytes(PyObject *old, PyObject *new)
{
    return PyObject_HasAttrString(old, "__iris_save__") &&
           PyObject_HasAttrString(new, "__iris_upgrade__");
}

static int has_same_name(PyObject *old, PyObject *new)
{
    return PyType_Check(old) && PyType_Check(new) &&
           strcmp(((PyTypeObject *)old)->tp_name, ((PyTypeObject *)new)->tp_name) == 0;
}

/* For classes that differ in more than their methods (__slots__, another base): a new object gets what
 * the old one would be pickled as. */
static PyObject *reborn(PyObject *object, PyObject *class)
{
    PyObject *state = PyObject_CallMethod(object, "__getstate__", NULL);
    PyObject *fresh = state ? PyObject_CallMethod(class, "__new__", "O", class) : NULL;
    PyObject *parts = fresh && PyTuple_Check(state) ? Py_NewRef(state)
                      : fresh                       ? PyTuple_Pack(1, state)
                                                    : NULL;
    for (Py_ssize_t i = 0; parts && fresh && i < PyTuple_GET_SIZE(parts); i++) {
        PyObject *part = PyTuple_GET_ITEM(parts, i), *key, *value;
        for (Py_ssize_t at = 0;
             fresh && PyDict_Check(part) && PyDict_Next(part, &at, &key, &value);)
            if (PyObject_SetAttr(fresh, key, value))
                Py_CLEAR(fresh);
    }
    Py_XDECREF(parts);
    Py_XDECREF(state);
    return fresh;
}

/* The object itself changes its class where Python allows that: whoever knows it still does. */
static PyObject *converted(PyObject *object, PyObject *class)
{
    if (PyObject_SetAttrString(object, "__class__", class) == 0)
        return Py_NewRef(object);
    PyErr_Clear();
    return reborn(object, class);
}

static int can_be_called(PyObject *class)
{
    return PyObject_HasAttrString(class, "on_msg") || (((PyTypeObject *)class)->tp_call != NULL);
}

static int take_over(const struct script *new, const char *name, void **state)
{
    PyObject *old = *state;
    if (!can_be_called(new->callable))
        return iris__api->fail("class %s has neither on_msg(self, msg) nor __call__(self, msg)",
                               name);
    PyObject *object = converted(object_of(old), new->callable);
    PyObject *method = object ? iris__callable_method(object) : NULL;
    Py_XDECREF(object);
    if (!method)
        return iris__fail_raised();
    Py_DECREF(old);
    *state = method;
    return IRIS_OK;
}

static int adopt(const struct script *old, const struct script *new, const char *name, void **state)
{
    int had = old->flags & SCRIPT_CLASS, has = new->flags &SCRIPT_CLASS;
    if (old->kind == KIND_ASYNC_PULL)
        return iris__api->fail(
            "\"%s\" is no async pull handler, as the one that runs is; stop the actor "
            "and start the new one",
            name);
    if (!had && !has)
        return IRIS_OK;
    if (!had || !has || crosses_by_bytes(old->callable, new->callable))
        return IRIS_AGAIN;
    if (!has_same_name(old->callable, new->callable))
        return IRIS_AGAIN;
    return take_over(new, name, state);
}

int iris__state_adopt(const iris_behaviour *b, iris_actor *self, const iris_behaviour *old,
                      void **state)
{
    PyGILState_STATE gil = PyGILState_Ensure();
    (void)self;
    int result = adopt(old->data, b->data, b->name, state);
    PyGILState_Release(gil);
    return result;
}
