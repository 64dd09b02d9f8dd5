#include "manifest_reading.h"

#include <libfyaml.h>

#include <string.h>

/* jansson keeps no positions, so libfyaml reads the text again. Its events only: its document tree
 * compares each key with all before it (60,000 keys take a minute). And only offsets are taken from
 * its marks: it counts the two bytes of CR LF as two lines. */

struct level {
    int is_object;
    size_t index;   /* of the next element */
    size_t pointer; /* length of the pointer to the object or list itself */
};

struct walk {
    const char *text;
    size_t len;
    manifest_visit *visit;
    void *arg;
    struct text pointer;
    struct span key; /* that waits for its value; width 0: none */
    struct level levels[MANIFEST_DEPTH_MAX + 1], *level;
};

/* libfyaml's scalar begins behind the quote. */
static struct span span_of(const struct walk *w, struct fy_event *event)
{
    const struct fy_mark *mark = fy_event_start_mark(event);
    if (!mark || mark->input_pos > w->len)
        return (struct span){0};
    const char *s = w->text + mark->input_pos;
    if (event->type == FYET_SCALAR && s > w->text && s[-1] == '"')
        s--;
    const char *end = iris__json_token_end(s, w->text + w->len);
    return (struct span){(size_t)(s - w->text), (size_t)(end - s)};
}

static void add_key(struct walk *w, struct fy_event *event)
{
    size_t len;
    const char *key = fy_token_get_text(fy_event_get_token(event), &len);
    iris__pointer_back(&w->pointer, w->level->pointer);
    iris__pointer_key(&w->pointer, key ? key : "", key ? len : 0);
    w->key = span_of(w, event);
}

static void add_value(struct walk *w, struct fy_event *event)
{
    if (w->level && !w->level->is_object) {
        iris__pointer_back(&w->pointer, w->level->pointer);
        iris__pointer_index(&w->pointer, w->level->index++);
    }
    w->visit(w->arg, w->pointer.data ? w->pointer.data : "", w->key, span_of(w, event));
    w->key = (struct span){0};
}

static int enter(struct walk *w, int is_object)
{
    struct level *next = w->level ? w->level + 1 : w->levels;
    if (next == w->levels + MANIFEST_DEPTH_MAX + 1)
        return -1;
    *next = (struct level){.is_object = is_object, .pointer = w->pointer.len};
    w->level = next;
    return 0;
}

static void leave(struct walk *w)
{
    w->level = w->level > w->levels ? w->level - 1 : NULL;
}

static int step(struct walk *w, struct fy_event *event)
{
    switch (event->type) {
    case FYET_SCALAR:
        if (w->level && w->level->is_object && !w->key.width)
            add_key(w, event);
        else
            add_value(w, event);
        return 0;
    case FYET_MAPPING_START:
    case FYET_SEQUENCE_START:
        add_value(w, event);
        return enter(w, event->type == FYET_MAPPING_START);
    case FYET_MAPPING_END:
    case FYET_SEQUENCE_END:
        leave(w);
        return 0;
    default:
        return 0;
    }
}

/* Its quiet flag does not hold for everything: nobody wants a library on his terminal. */
static void say_nothing(struct fy_diag *diag, void *user, const char *data, size_t len)
{
    (void)diag, (void)user, (void)data, (void)len;
}

static int walk(struct walk *w, struct fy_parser *parser)
{
    int failed = fy_parser_set_string(parser, w->text, w->len);
    for (struct fy_event *e; !failed && (e = fy_parser_parse(parser));) {
        failed = step(w, e);
        fy_parser_event_free(parser, e);
    }
    return failed || fy_parser_get_stream_error(parser);
}

/* A file that is one string or number; libfyaml stumbles over what stands behind it. */
static int visit_scalar(const struct walk *w, const char *s, const char *end)
{
    struct span span = {(size_t)(s - w->text), (size_t)(iris__json_token_end(s, end) - s)};
    w->visit(w->arg, "", (struct span){0}, span);
    return 0;
}

int iris__manifest_visit(const char *text, size_t len, manifest_visit *visit, void *arg)
{
    struct walk w = {.text = text, .len = len, .visit = visit, .arg = arg};
    const char *first = iris__json_skip_space(text, text + len);
    if (first < text + len && *first != '{' && *first != '[')
        return visit_scalar(&w, first, text + len);
    struct fy_diag_cfg silent = {.output_fn = say_nothing};
    struct fy_diag *diag = fy_diag_create(&silent);
    struct fy_parse_cfg cfg = {.flags = FYPCF_JSON_FORCE | FYPCF_QUIET, .diag = diag};
    struct fy_parser *parser = diag ? fy_parser_create(&cfg) : NULL;
    int failed = !parser || walk(&w, parser);
    if (parser)
        fy_parser_destroy(parser);
    fy_diag_destroy(diag);
    iris__text_finish(&w.pointer);
    return failed ? -1 : 0;
}
