#include "manifest_reading.h"

#include <string.h>

/* The end of the token at `s`: a string, one of []{}:, or anything else that stands together. */
const char *iris__json_token_end(const char *s, const char *end)
{
    if (*s == '"') {
        for (s++; s < end && *s != '"' && *s != '\n'; s++)
            s += *s == '\\' && s + 1 < end;
        return s < end && *s == '"' ? s + 1 : s;
    }
    if (strchr("[]{}:,", *s))
        return s + 1;
    while (s < end && !strchr(" \t\r\n[]{}:,\"", *s))
        s++;
    return s;
}

const char *iris__json_skip_space(const char *s, const char *end)
{
    while (s < end && strchr(" \t\r\n", *s))
        s++;
    return s;
}

struct token {
    const char *s, *end;
    char before; /* the last character before it that is no space */
};

/* The token that ends where the parser stopped reading. */
static struct token token_at(const struct manifest *m, size_t position)
{
    const char *end = m->text + m->len, *stop = m->text + position;
    struct token t = {.s = iris__json_skip_space(m->text, end)};
    for (t.end = t.s; t.s < end; t.s = iris__json_skip_space(t.end, end)) {
        t.end = iris__json_token_end(t.s, end);
        if (t.end >= stop)
            break;
        t.before = t.end[-1];
    }
    if (t.s == end)
        t.end = end;
    return t;
}

/* What jansson expected, in the words of the file. */
static const char *expectation(const char *text)
{
    static const struct {
        const char *theirs, *ours;
    } words[] = {
        {"string or '}' expected", "a key in double quotes"},
        {"':' expected", "\":\" behind the key"},
        {"'}' expected", "\",\" or \"}\""},
        {"']' expected", "\",\" or \"]\""},
        {"end of file expected", "nothing behind the closing \"}\""},
        {"unexpected token", "a value"},
        {"invalid token", "a value: \"text\", a number, true, false, null, [ or {"},
        {"invalid escape", "\\\" \\\\ \\/ \\b \\f \\n \\r \\t or \\u and four hexadecimal digits"},
        {"invalid Unicode", "\\u and four hexadecimal digits, in pairs above U+FFFF"},
        {"unexpected newline", "\" at the end of the string"},
        {"control character", "\\t, \\n or \\u instead of a control character"},
        {"too big", "a number that fits into 64 bits"},
        {"real number overflow", "a smaller number"},
        {"\\u0000 is not allowed", "no \\u0000"},
        {"NUL byte in object key", "no \\u0000"},
        {"premature end", "a closing \" ] or }"},
    };
    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        if (!strncmp(text, words[i].theirs, strlen(words[i].theirs)))
            return words[i].ours;
    return "JSON";
}

static const char *advice(const struct token *t, const char *expected)
{
    char c = t->s < t->end ? *t->s : '\0';
    int closes = c == '}' || c == ']';
    if (closes && t->before == ',')
        return "JSON has no comma before a closing bracket";
    if (c == '\'')
        return "JSON has double quotes only";
    if (c == '/' || c == '#')
        return "JSON has no comments; a key \"//\" is one here";
    if (c == 'T' || c == 'F' || c == 'N')
        return "JSON writes true, false and null";
    if (expected[0] == '"' && expected[1] == ',' && (c == '"' || c == '{' || c == '['))
        return "is a comma missing before it?";
    return NULL;
}

void iris__manifest_syntax(struct reading *r, const json_error_t *error)
{
    struct token t = token_at(r->m, (size_t)error->position);
    const char *expected = expectation(error->text);
    size_t offset = (size_t)(t.s - r->m->text), n = (size_t)(t.end - t.s);
    struct problem *p;
    if (n == 0)
        p = iris__manifest_problem(r, "syntax", "the file ends too early; expected %s", expected);
    else
        p = iris__manifest_problem(r, "syntax", "found %.*s%s; expected %s", n > 40 ? 40 : (int)n,
                                   t.s, n > 40 ? "..." : "", expected);
    iris__problem_place(p, r->m->text, r->m->len, offset, n);
    if (advice(&t, expected))
        iris__problem_hint(p, "%s", advice(&t, expected));
}
