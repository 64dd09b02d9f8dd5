#include "metrics_out.h"

#include "app.h"
#include "verbs.h"

#include <iris/ext/mesh.h>

#include <stdlib.h>
#include <string.h>

/* Other nodes, each by its name, or by its address as long as none is known. Those beyond metrics.max_series are
 * counted together. */

enum { UP, RTT, QUEUED, SENT, RECEIVED, REFUSED, LOST, LINKS, FAMILIES };

struct row {
    char name[280];
    uint64_t values[FAMILIES];
    int64_t rtt; /* ns; -1: none yet */
};

struct nodes {
    struct row *rows; /* most, and one for all others */
    size_t n, most;
};

static struct row *find(const struct nodes *all, const char *name)
{
    for (size_t i = 0; i < all->n; i++)
        if (!strcmp(all->rows[i].name, name))
            return &all->rows[i];
    return NULL;
}

static struct row *row_of(struct nodes *all, const char *name)
{
    struct row *r = find(all, name);
    if (!r && all->n >= all->most)
        r = find(all, name = "other");
    if (r)
        return r;
    r = &all->rows[all->n++];
    snprintf(r->name, sizeof r->name, "%s", name);
    r->rtt = -1;
    return r;
}

static void add_node(void *ctx, const iris_mesh_node *n)
{
    struct row *r = row_of(ctx, *n->node ? n->node : n->address);
    const uint64_t values[FAMILIES] = {[UP] = n->state == IRIS_MESH_UP,
                                       [QUEUED] = n->queued,
                                       [SENT] = n->sent,
                                       [RECEIVED] = n->received,
                                       [REFUSED] = n->refused,
                                       [LOST] = n->lost,
                                       [LINKS] = n->links};
    for (int i = 0; i < FAMILIES; i++)
        r->values[i] += values[i];
    if (n->state == IRIS_MESH_UP && n->rtt > r->rtt)
        r->rtt = n->rtt;
}

static void add_families(const struct nodes *all, struct text *out)
{
    static const struct {
        const char *name, *type, *help;
    } families[FAMILIES] = {
        [UP] = {"iris_mesh_up", "gauge", "Whether the node is linked."},
        [RTT] = {"iris_mesh_rtt_seconds", "gauge", "Round trip of the last heartbeat."},
        [QUEUED] = {"iris_mesh_queued_bytes", "gauge", "Bytes that wait here for the node."},
        [SENT] = {"iris_mesh_sent_total", "counter", "Messages sent."},
        [RECEIVED] = {"iris_mesh_received_total", "counter", "Messages received."},
        [REFUSED] = {"iris_mesh_refused_total", "counter", "Messages the node did not take."},
        [LOST] = {"iris_mesh_noconnection_total", "counter",
                  "Messages on their way when the node went."},
        [LINKS] = {"iris_mesh_links_total", "counter", "Times that a link to it came up."},
    };
    for (int f = 0; f < FAMILIES; f++) {
        iris__metric_family(out, families[f].name, families[f].type, families[f].help);
        for (size_t i = 0; i < all->n; i++) {
            const struct row *r = &all->rows[i];
            if (f != RTT)
                iris__metric(out, families[f].name, "node", r->name, r->values[f]);
            else if (r->rtt >= 0)
                iris__metric_seconds(out, families[f].name, "node", r->name, r->rtt);
        }
    }
}

static void add_engine(const iris_mesh *calls, void *mesh, struct text *out)
{
    static const char health[] = "iris_mesh_engine_health", kind[] = "iris_mesh_engine_info";
    static const char *const words[] = {"ok", "degraded", "lease-lost"};
    iris_mesh_engine e = {.kind = ""};
    if (calls->engine(mesh, &e))
        return;
    iris__metric_family(out, kind, "gauge", "Where the node learns of others.");
    iris__metric(out, kind, "kind", e.kind, 1);
    iris__metric_family(out, health, "gauge", "How that is: one of these is 1.");
    for (uint32_t i = 0; i < 3; i++)
        iris__metric(out, health, "health", words[i], e.health == i);
    iris__metric_alone(out, "iris_mesh_engine_members", "gauge", "Other nodes that have a lease.",
                       e.members);
}

void iris__metrics_mesh(struct app *a, struct text *out)
{
    void *mesh;
    const iris_mesh *calls = iris__runtime_used(a->runtime, "mesh", IRIS_MESH, &mesh);
    if (!calls)
        return;
    struct nodes all = {.most = (size_t)a->manifest->max_series / FAMILIES};
    all.most = all.most < 1024 ? all.most : 1024; /* as many as a mesh has */
    all.rows = calloc(all.most + 1, sizeof *all.rows);
    if (all.rows) {
        calls->nodes(mesh, add_node, &all);
        add_families(&all, out);
    }
    free(all.rows);
    add_engine(calls, mesh, out);
}
