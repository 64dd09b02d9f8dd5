#include "manifest_dump.h"

#include <iris/plugin.h>

#include <string.h>

static const char *relative(const struct manifest *m, const char *path)
{
    size_t n = strlen(m->dir);
    return path && !strncmp(path, m->dir, n) && path[n] == '/' ? path + n + 1 : path;
}

static void dump_text(struct text *out, const char *name, const char *value)
{
    if (value)
        iris__text_addf(out, "  %s: %s\n", name, value);
}

static void dump_actor(const struct manifest *m, const struct manifest_actor *a, struct text *out)
{
    static const char *const restarts[] = {"always", "on-failure", "never"};
    static const char *const stateless[] = {"refuse", "restart"};
    static const char *const kinds[] = {NULL, "push", "pull"};
    iris__text_addf(out, "actor %s at %u:%u\n", a->path, a->line, a->column);
    dump_text(out, "handler", a->handler);
    dump_text(out, "handler_text", a->handler_text);
    dump_text(out, "handler_file", relative(m, a->handler_file));
    dump_text(out, "symbol", a->symbol);
    dump_text(out, "host", a->host);
    dump_text(out, "name", a->name);
    dump_text(out, "args", a->args);
    dump_text(out, "env", a->env);
    dump_text(out, "tags", a->tags);
    if (a->errors)
        iris__text_addf(out, "  goes back after %d within %lld ns\n", (int)a->errors,
                        (long long)a->within);
    dump_text(out, "migrate", a->migrate);
    if (a->watch)
        iris__text_addf(out, "  watched\n");
    for (size_t i = 0; i < a->nwatch; i++)
        dump_text(out, "watched", relative(m, a->watch[i]));
    iris__text_addf(out, "  budget %d, capacity %d, keep %d, restart %s, stateless %s\n",
                    (int)a->budget, (int)a->capacity, (int)a->keep, restarts[a->restart],
                    stateless[a->stateless]);
    if (a->overflow || a->fallback || a->warn_at != 0.8)
        iris__text_addf(out, "  overflow %d, warn at %.2f, fallback %s\n", a->overflow, a->warn_at,
                        a->fallback ? a->fallback : "-");
    if (a->slice)
        iris__text_addf(out, "  slice %lld ns\n", (long long)a->slice);
    if (a->bytes)
        iris__text_addf(out, "  at most %lld bytes wait\n", (long long)a->bytes);
    if (a->log_level != -1)
        iris__text_addf(out, "  log level %d\n", a->log_level);
    dump_text(out, "kind", kinds[a->kind]);
    if (a->shutdown != 5000000000)
        iris__text_addf(out, "  shutdown %lld ns\n", (long long)a->shutdown);
    if (a->start == MANIFEST_LAZY)
        iris__text_addf(out, "  lazy, idle %lld ns\n", (long long)a->idle_ns);
    for (size_t i = 0; i < a->ntimers; i++)
        iris__text_addf(out, "  timer every %lld after %lld ns: %zu bytes \"%s\"\n",
                        (long long)a->timers[i].every_ns, (long long)a->timers[i].after_ns,
                        a->timers[i].len, a->timers[i].send);
    for (size_t i = 0; i < a->ndepends_on; i++)
        dump_text(out, "depends_on", a->depends_on[i]);
}

static void dump_host(const struct manifest *m, const struct manifest_host *h, struct text *out)
{
    size_t dir = strlen(m->dir);
    iris__text_addf(out, "host %s: ", h->name);
    if (h->turn_limit)
        iris__text_addf(out, "turn_limit %lld load_limit %lld ", (long long)h->turn_limit,
                        (long long)h->load_limit);
    for (const char *s = h->config; *s; s++) { /* without the directory that this is tested in */
        s += strncmp(s, m->dir, dir) ? 0 : dir;
        iris__text_add(out, s, 1);
    }
    iris__text_addf(out, "\n");
}

static void dump_logs(const struct manifest *m, struct text *out)
{
    const struct manifest_logs *l = &m->logs;
    if (!l->is_there)
        return;
    iris__text_addf(out, "logs: level %d, format %d, to %d, rate %d\n", l->level, l->format, l->to,
                    (int)l->rate);
    dump_text(out, "file", relative(m, l->file));
    for (size_t i = 0; i < l->nlevels; i++)
        iris__text_addf(out, "  level %d of %s\n", l->levels[i].level, l->levels[i].path);
    for (const struct manifest_secret *s = m->secrets; s; s = s->next)
        iris__text_addf(out, "  secret %s\n", s->value);
}

static void dump_bounds(const struct manifest *m, struct text *out)
{
    if (m->metrics_listen)
        iris__text_addf(out, "metrics: %s%s, labels %s\n", m->metrics_listen, m->metrics_path,
                        m->metrics_labels);
    if (m->limit_actors)
        iris__text_addf(out, "limits: %lld actors, %lld bytes, %lld threads\n",
                        (long long)m->limit_actors, (long long)m->limit_memory,
                        (long long)m->limit_threads);
    dump_text(out, "user", m->process.user);
    dump_text(out, "group", m->process.group);
    dump_text(out, "cwd", relative(m, m->process.cwd));
    if (!m->process.notify)
        iris__text_addf(out, "  no notify\n");
}

void manifest_dump(const struct manifest *m, struct text *out)
{
    iris__text_addf(out, "app %s\n", m->name);
    dump_text(out, "socket", relative(m, m->socket));
    for (size_t i = 0; i < m->nenv; i++)
        iris__text_addf(out, "env %s=%s\n", m->env[i].name, m->env[i].value);
    for (size_t i = 0; i < m->nhosts; i++)
        dump_host(m, &m->hosts[i], out);
    for (size_t i = 0; i < m->nactors; i++)
        dump_actor(m, &m->actors[i], out);
    for (size_t i = 0; i < m->nsupervisors; i++) {
        const struct manifest_supervisor *s = &m->supervisors[i];
        iris__text_addf(out, "supervisor %s at %u:%u: strategy %d, %d in %lld ns\n", s->path,
                        s->line, s->column, s->strategy, (int)s->intensity,
                        (long long)s->period_ns);
        if (s->on_exhausted)
            iris__text_addf(out, "  on_exhausted %d\n", s->on_exhausted);
        if (s->backs_off)
            iris__text_addf(out, "  backoff %lld to %lld ns, * %g, +- %g, reset after %lld ns\n",
                            (long long)s->initial, (long long)s->max, s->factor, s->jitter,
                            (long long)s->reset_after);
    }
    dump_bounds(m, out);
    dump_logs(m, out);
    iris__text_addf(out, "start:");
    for (size_t i = 0; i < m->nactors; i++)
        iris__text_addf(out, " %s", m->actors[m->start_order[i]].path);
    iris__text_addf(out, "\n");
}
