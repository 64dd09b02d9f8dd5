#include "host.h"

#include <stdlib.h>
#include <string.h>

/* ---- from JavaScript ---- */

/* A view's bytes, whatever its kind. 0: it is none. */
static int view_bytes(napi_env env, napi_value value, const void **data, size_t *len)
{
    bool is = false;
    void *at = NULL;
    if (napi_is_buffer(env, value, &is) == napi_ok && is) { /* so are all typed arrays */
        if (napi_get_buffer_info(env, value, &at, len) != napi_ok)
            return 0;
    } else if (napi_is_arraybuffer(env, value, &is) == napi_ok && is) {
        if (napi_get_arraybuffer_info(env, value, &at, len) != napi_ok)
            return 0;
    } else
        return 0;
    *data = at;
    return 1;
}

int iris__bytes_of(struct host *h, napi_value value, const void **data, size_t *len, char **own)
{
    napi_valuetype type;
    *own = NULL;
    if (napi_typeof(h->env, value, &type) == napi_ok && type == napi_object &&
        view_bytes(h->env, value, data, len))
        return 0;
    if (type == napi_string) {
        *data = *own = iris__text(h->env, value, "a message");
        if (*own)
            napi_get_value_string_utf8(h->env, value, NULL, 0, len);
        return *own ? 0 : -1;
    }
    napi_throw_type_error(h->env, NULL,
                          "a message is a Buffer, any other typed array or ArrayBuffer, or a "
                          "string (sent as UTF-8); make one of an object with JSON.stringify()");
    return -1;
}

/* A short string goes over the stack. */
static int send_text(struct host *h, iris_actor *self, uint64_t to, napi_value value, uint64_t ref)
{
    char near[1024], *far;
    size_t len, all;
    if (napi_get_value_string_utf8(h->env, value, near, sizeof near, &len) == napi_ok &&
        len < sizeof near - 4)
        return iris__api->send(self, to, near, len, ref);
    if (!(far = iris__text(h->env, value, "a message")) ||
        napi_get_value_string_utf8(h->env, value, NULL, 0, &all) != napi_ok)
        return -2;
    int result = iris__api->send(self, to, far, all, ref);
    free(far);
    return result;
}

/* -2: an exception. */
int iris__send_value(struct host *h, iris_actor *self, uint64_t to, napi_value value, uint64_t ref)
{
    void *at;
    const void *data;
    size_t len;
    char *own;
    napi_valuetype type;
    bool is = false; /* an older node would abort where it is asked about something else */
    if (__builtin_expect(napi_is_buffer(h->env, value, &is) == napi_ok && is, 1) &&
        napi_get_buffer_info(h->env, value, &at, &len) == napi_ok)
        return iris__api->send(self, to, at, len, ref);
    if (napi_typeof(h->env, value, &type) == napi_ok && type == napi_string)
        return send_text(h, self, to, value, ref);
    if (iris__bytes_of(h, value, &data, &len, &own))
        return -2;
    return iris__api->send(self, to, data, len, ref);
}

/* The same of what JavaScript takes for a Uint8Array, as Buffers are: a call of the engine is what a send mostly
 * costs, and this takes one. Whatever else it is has no fewer bytes than elements. */
int iris__send_bytes(struct host *h, iris_actor *self, uint64_t to, napi_value value)
{
    void *at;
    size_t len;
    if (__builtin_expect(
            napi_get_typedarray_info(h->env, value, NULL, &len, &at, NULL, NULL) == napi_ok, 1))
        return iris__api->send(self, to, at, len, 0);
    return iris__send_value(h, self, to, value, 0);
}

/* ---- to JavaScript ---- */

napi_value iris__message_buffer(struct host *h, const iris_message *m)
{
    napi_value value;
    return napi_create_buffer_copy(h->env, m->len, m->data, NULL, &value) == napi_ok ? value : NULL;
}

/* [any] */
static void let_go(napi_env env, void *data, void *m)
{
    (void)env, (void)data;
    iris__api->drop(m);
}

/* Over the message's own memory, which goes with it; V8 itself counts what external buffers hold. NULL: that
 * is not to be had, or this node has none (V8 in a sandbox). */
static napi_value external(struct host *h, const iris_message *m)
{
    napi_value value;
    void *hint = (void *)(uintptr_t)m;
    if (iris__ext.payload->take(m))
        return NULL;
    if (napi_create_external_buffer(h->env, m->len, (void *)(uintptr_t)m->data, let_go, hint,
                                    &value) == napi_ok)
        return value;
    iris__api->drop(m);
    return NULL;
}

/* The same for who alone gets it: a large one is not copied. */
napi_value iris__message_take(struct host *h, const iris_message *m)
{
    napi_value value = m->len >= LARGE ? external(h, m) : NULL;
    return value ? value : iris__message_buffer(h, m);
}

/* ---- signals ---- */

/* "killed" is "Killed" here. */
static napi_value word_of(napi_env env, const iris_reason_parts *r)
{
    char word[64];
    size_t len = r->word_len < sizeof word ? r->word_len : sizeof word - 1;
    memcpy(word, r->word, len);
    if (len && word[0] >= 'a' && word[0] <= 'z')
        word[0] = (char)(word[0] - 'a' + 'A');
    return iris__string(env, word, len);
}

/* "how=stop, drained=12", the stack of a crash, or both. */
static napi_value metadata_of(napi_env env, const iris_reason_parts *r)
{
    if (!r->metadata_len && !r->text_len)
        return iris__null(env);
    if (!r->metadata_len)
        return iris__string(env, r->text, r->text_len);
    if (!r->text_len)
        return iris__string(env, r->metadata, r->metadata_len);
    static const char between[] = {':', ' '};
    size_t len = r->metadata_len + sizeof between + r->text_len;
    char *text = malloc(len);
    if (!text)
        return NULL;
    memcpy(text, r->metadata, r->metadata_len);
    memcpy(text + r->metadata_len, between, sizeof between);
    memcpy(text + r->metadata_len + sizeof between, r->text, r->text_len);
    napi_value value = iris__string(env, text, len);
    free(text);
    return value;
}

napi_value iris__signal_object(struct host *h, const iris_message *m)
{
    napi_env env = h->env;
    napi_value object;
    int ends = m->kind == IRIS_EXIT || m->kind == IRIS_DOWN;
    const char *node = iris_node_signal(m), *name = node ? node : iris_signal_name(m->kind);
    int tells = iris_signal_has_reason(m);
    iris_reason_parts r;
    if (napi_create_object(env, &object) != napi_ok)
        return NULL;
    if (!name)
        name = "SIGNAL";
    napi_value pid = m->from ? iris__number(env, (double)m->from) : iris__null(env);
    iris__set(env, object, "typeName", iris__string(env, name, strlen(name)));
    iris__set(env, object, "fromPid", pid);
    iris__set(env, object, "targetPid", ends ? pid : iris__null(env));
    iris_reason_split(m->data, tells ? m->len : 0, &r);
    iris__set(env, object, "reason", tells ? word_of(env, &r) : iris__string(env, "", 0));
    iris__set(env, object, "metadata", tells ? metadata_of(env, &r) : iris__null(env));
    return object;
}

napi_value iris__message_object(struct host *h, const iris_message *m)
{
    return m->kind == IRIS_USER ? iris__message_buffer(h, m) : iris__signal_object(h, m);
}
