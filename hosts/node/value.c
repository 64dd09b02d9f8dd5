#include "host.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* throws(IrisError): what iris__throw() makes. */
static napi_value throws_call(napi_env env, napi_callback_info info)
{
    napi_value argv[1];
    napi_ref kept;
    iris__begin_closed(env, info, 1, argv);
    if (napi_create_reference(env, argv[0], 1, &kept) == napi_ok)
        napi_set_instance_data(env, kept, NULL, NULL);
    return NULL;
}

void iris__add_throws(napi_env env, napi_value exports)
{
    napi_value function;
    if (napi_create_function(env, "throws", NAPI_AUTO_LENGTH, throws_call, NULL, &function) ==
        napi_ok)
        iris__set(env, exports, "throws", function);
}

void iris__throw(napi_env env, const char *code, const char *text)
{
    void *kept = NULL;
    napi_value class = NULL, error,
               argv[] = {iris__string(env, text, strlen(text)),
                         iris__string(env, code, strlen(code))};
    if (napi_get_instance_data(env, &kept) == napi_ok && kept &&
        napi_get_reference_value(env, kept, &class) == napi_ok && class &&
        napi_new_instance(env, class, 2, argv, &error) == napi_ok)
        napi_throw(env, error);
    else
        napi_throw_error(env, code, text);
}

struct host *iris__begin_closed(napi_env env, napi_callback_info info, size_t argc,
                                napi_value *argv)
{
    void *data;
    size_t given = argc;
    if (napi_get_cb_info(env, info, &given, argv, NULL, &data) != napi_ok)
        return NULL;
    return data;
}

struct host *iris__begin(napi_env env, napi_callback_info info, size_t argc, napi_value *argv)
{
    struct host *h = iris__begin_closed(env, info, argc, argv);
    if (__builtin_expect(!h || (h->is_closing && (!h->is_draining || h->is_closed)), 0)) {
        iris__throw(env, "IRIS_CLOSED", "this runtime is closed");
        return NULL;
    }
    if (__builtin_expect(!h->is_busy, 0))
        iris__begin_busy(h);
    return h;
}

int iris__pid(napi_env env, napi_value value, uint64_t *pid)
{
    double number;
    if (__builtin_expect(napi_get_value_double(env, value, &number) != napi_ok, 0)) {
        napi_throw_type_error(env, NULL, "a pid is a number");
        return -1;
    }
    *pid = number > 0 && number < 9007199254740992.0 ? (uint64_t)(int64_t)number : 0;
    return 0;
}

int iris__int(napi_env env, napi_value value, const char *what, int64_t min, int64_t max,
              int64_t *out)
{
    double number;
    char text[160];
    if (napi_get_value_double(env, value, &number) != napi_ok) {
        snprintf(text, sizeof text, "%s must be a number", what);
        napi_throw_type_error(env, NULL, text);
        return -1;
    }
    if (!(number >= (double)min && number <= (double)max)) {
        snprintf(text, sizeof text, "%s must be %lld or more%s, not %g", what, (long long)min,
                 number > (double)max ? ", and smaller" : "", number);
        napi_throw_range_error(env, NULL, text);
        return -1;
    }
    *out = (int64_t)number;
    return 0;
}

int iris__milliseconds(napi_env env, napi_value value, int64_t *ns)
{
    double ms;
    if (napi_get_value_double(env, value, &ms) != napi_ok || ms != ms) {
        napi_throw_type_error(env, NULL, "a time is a number");
        return -1;
    }
    *ns = ms < 0 ? -1 : ms > 9e12 ? INT64_MAX / 4 : (int64_t)(ms * 1e6);
    return 0;
}

char *iris__text(napi_env env, napi_value value, const char *what)
{
    size_t len;
    char words[160];
    if (napi_get_value_string_utf8(env, value, NULL, 0, &len) != napi_ok) {
        snprintf(words, sizeof words, "%s must be a string", what);
        napi_throw_type_error(env, NULL, words);
        return NULL;
    }
    char *text = malloc(len + 1);
    if (!text || napi_get_value_string_utf8(env, value, text, len + 1, &len) != napi_ok) {
        free(text);
        napi_throw_error(env, NULL, "no memory");
        return NULL;
    }
    return text;
}

char *iris__word(napi_env env, napi_value value, const char *what)
{
    size_t len;
    char words[160], *text = iris__text(env, value, what);
    if (!text ||
        (napi_get_value_string_utf8(env, value, NULL, 0, &len) == napi_ok && strlen(text) == len))
        return text;
    snprintf(words, sizeof words, "%s must have no NUL in it; found one at %zu", what,
             strlen(text));
    napi_throw_type_error(env, "ERR_INVALID_ARG_VALUE", words);
    free(text);
    return NULL;
}

int iris__optional(napi_env env, napi_value value, const char *what, char **out)
{
    napi_valuetype type;
    *out = NULL;
    napi_typeof(env, value, &type);
    return (type == napi_string && !(*out = iris__word(env, value, what))) ? -1 : 0;
}

napi_value iris__number(napi_env env, double number)
{
    napi_value value;
    return napi_create_double(env, number, &value) == napi_ok ? value : NULL;
}

napi_value iris__string(napi_env env, const char *text, size_t len)
{
    napi_value value;
    return napi_create_string_utf8(env, text ? text : "", text ? len : 0, &value) == napi_ok ? value
                                                                                             : NULL;
}

napi_value iris__boolean(napi_env env, int is)
{
    napi_value value;
    return napi_get_boolean(env, is != 0, &value) == napi_ok ? value : NULL;
}

napi_value iris__null(napi_env env)
{
    napi_value value;
    return napi_get_null(env, &value) == napi_ok ? value : NULL;
}

napi_value iris__undefined(napi_env env)
{
    napi_value value;
    return napi_get_undefined(env, &value) == napi_ok ? value : NULL;
}

void iris__set(napi_env env, napi_value object, const char *key, napi_value value)
{
    if (value)
        napi_set_named_property(env, object, key, value);
}

static void let_go(napi_env env, void *host, void *hint)
{
    (void)env, (void)hint;
    iris__host_release(host);
}

/* Each holds the host: a program may call it when the runtime is long closed. */
void iris__add_call(struct host *h, napi_value object, const char *name, napi_callback call)
{
    napi_value function;
    if (napi_create_function(h->env, name, NAPI_AUTO_LENGTH, call, h, &function) != napi_ok)
        return;
    iris__host_retain(h);
    if (napi_add_finalizer(h->env, function, h, let_go, NULL, NULL) == napi_ok)
        iris__set(h->env, object, name, function);
    else
        iris__host_release(h);
}

static void add_calls(struct host *h, napi_value object, const struct call *calls)
{
    for (; calls->name; calls++)
        iris__add_call(h, object, calls->name, calls->function);
}

napi_value iris__calls_of(struct host *h)
{
    const struct call *const all[] = {iris__mail_calls,    iris__turn_calls, iris__spawn_calls,
                                      iris__control_calls, iris__name_calls, iris__supervise_calls,
                                      iris__observe_calls, iris__host_calls, iris__mesh_calls,
                                      iris__load_calls};
    napi_value object;
    if (napi_create_object(h->env, &object) != napi_ok)
        return NULL;
    for (size_t i = 0; i < sizeof all / sizeof *all; i++)
        add_calls(h, object, all[i]);
    return object;
}
