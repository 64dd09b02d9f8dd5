#include "bytes.h"

#include "actor.h"
#include "fail.h"

struct text_sink {
    iris_sink sink;
    struct text *text;
    int wrote;
};

static int write_text(iris_sink *sink, const void *data, size_t len)
{
    struct text_sink *s = (struct text_sink *)sink;
    s->wrote = 1;
    return iris__text_add(s->text, data, len) ? iris__fail("save: no memory") : IRIS_OK;
}

int iris__bytes_save(iris_actor *a, struct text *out, int *wrote)
{
    const iris_behaviour *b = &a->version->b;
    struct text_sink sink = {{write_text}, out, 0};
    iris__forget();
    if (b->save(b, a, a->state, &sink.sink) || iris__text_add(out, "", 0))
        return iris__fail("swap: save() of %s failed: %s", iris__behaviour_label(b).text,
                          iris__reason());
    *wrote = sink.wrote;
    return IRIS_OK;
}

int iris__bytes_downgrade(iris_actor *a, uint32_t to, struct text *out)
{
    const iris_behaviour *b = &a->version->b;
    struct text_sink sink = {{write_text}, out, 0};
    iris__forget();
    if (b->downgrade(b, a, a->state, to, &sink.sink) || iris__text_add(out, "", 0))
        return iris__fail("downgrade() of %s to the format %u failed: %s",
                          iris__behaviour_label(b).text, to, iris__reason());
    return IRIS_OK;
}

/* Who gives no numbers to formats has 0 for all of them. */
const iris_version *iris__bytes_migration(const iris_version *to, uint32_t from)
{
    const iris_version *v = to->migration ? to->migration : to;
    return v->b.migrate && (!from || from != to->b.state_version) ? v : NULL;
}

int iris__bytes_migrate(const iris_version *to, iris_actor *a, uint32_t from, iris_bytes saved,
                        struct text *out)
{
    const iris_version *v = iris__bytes_migration(to, from);
    const iris_behaviour *b = &v->b;
    const char *name = to->migration && v->handler ? v->handler : b->name;
    struct text_sink sink = {{write_text}, out, 0};
    if (b->executor && b->executor != a->executor && !(b->flags & IRIS_ROAMS))
        return iris__fail("swap: migrate() of %s runs on the thread of its language only, and this "
                          "actor cannot go there; write it in the language of the handler",
                          name);
    iris__forget();
    int result = b->migrate(b, a, from, saved, &sink.sink);
    if (result == IRIS_OK && sink.wrote)
        return IRIS_OK;
    if (result == IRIS_OK)
        iris__fail("it gave no bytes");
    return iris__fail("swap: %s did not migrate the state of format %u: %s", name, from,
                      iris__reason());
}
