/* Between providers (provider.h) and the protocol: whom they tell is dialled. */
#include "cluster.h"

#include "provider_static.h"

#include <stdio.h>
#include <string.h>

static int on_peer(void *ctx, enum provider_change change, const struct provider_node *n)
{
    const struct hub *h = ctx;
    if (!h->mesh)
        return -1;
    if (change == PROVIDER_PUT)
        return mesh_want(h->mesh, n->address, (enum mesh_compat)n->compat) ? -1 : 0;
    return mesh_unwant(h->mesh, n->address) ? -1 : 0;
}

int providers_open(struct hub *h)
{
    const struct provider_hooks hooks = {.ctx = h, .node = on_peer};
    char why[160];
    if (h->peers)
        return IRIS_OK;
    h->peers = provider_static.start(net_loop(h->net), NULL, NULL, &hooks, why, sizeof why);
    h->began = net_now();
    return h->peers ? IRIS_OK : h->api->fail("mesh: %s", why);
}

void providers_close(struct hub *h)
{
    if (h->peers)
        provider_static.stop(h->peers);
    h->peers = NULL;
}

int providers_connect(struct hub *h, const char *address, enum mesh_compat compat)
{
    return provider_static_add(h->peers, address, compat) ? IRIS_FAIL : IRIS_OK;
}

int providers_disconnect(struct hub *h, const char *address)
{
    return provider_static_remove(h->peers, address) ? IRIS_DEAD : IRIS_OK;
}

struct provider_search *providers_locate(void *hub, const struct hostport *a,
                                         void (*located)(void *, int, struct addrinfo *), void *arg,
                                         char *why, size_t room)
{
    return provider_static_locate(((struct hub *)hub)->peers, a, located, arg, why, room);
}

void providers_health(const struct hub *h, iris_mesh_engine *out)
{
    memset(out, 0, sizeof *out);
    if (cluster_health(h, out))
        return;
    snprintf(out->kind, sizeof out->kind, "%s", provider_static.kind);
    out->since = h->began ? net_now() - h->began : 0;
}
