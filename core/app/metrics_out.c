#include "metrics_out.h"

#include <inttypes.h>
#include <string.h>

void iris__metric_family(struct text *out, const char *name, const char *type, const char *help)
{
    iris__text_addf(out, "# HELP %s %s\n# TYPE %s %s\n", name, help, name, type);
}

static void put(struct text *out, const char *s)
{
    iris__text_add(out, s, strlen(s));
}

/* A backslash, a quote and a newline are written with a backslash. */
void iris__metric_label(struct text *out, const char *before, const char *name, const char *value)
{
    put(out, before);
    put(out, name);
    put(out, "=\"");
    for (size_t n; *value; value += n + (value[n] != '\0')) {
        n = strcspn(value, "\n\"\\");
        iris__text_add(out, value, n);
        if (value[n])
            iris__text_add(out, (char[]){'\\', value[n] == '\n' ? 'n' : value[n]}, 2);
    }
    put(out, "\"");
}

static void put_name(struct text *out, const char *name, const char *label, const char *value)
{
    put(out, name);
    if (!label)
        return;
    iris__metric_label(out, "{", label, value);
    put(out, "}");
}

void iris__metric(struct text *out, const char *name, const char *label, const char *value,
                  uint64_t n)
{
    put_name(out, name, label, value);
    iris__text_addf(out, " %" PRIu64 "\n", n);
}

void iris__metric_seconds(struct text *out, const char *name, const char *label, const char *value,
                          int64_t ns)
{
    put_name(out, name, label, value);
    iris__text_addf(out, " %.9g\n", (double)ns / 1e9);
}

void iris__metric_alone(struct text *out, const char *name, const char *type, const char *help,
                        uint64_t n)
{
    iris__metric_family(out, name, type, help);
    iris__metric(out, name, NULL, NULL, n);
}
