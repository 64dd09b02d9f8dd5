/* TLS of the hub: made of its settings, and looked after while it runs. */
#include "hub.h"

#include "secure.h"

#include <stdio.h>
#include <string.h>

enum { SECOND = 1000000000 };

void hub_tls_config(const struct options *o, struct trust_config *config)
{
    *config = (struct trust_config){.cert = o->cert,
                                    .key = o->key,
                                    .ca = o->ca,
                                    .crl = *o->crl ? o->crl : NULL,
                                    .node = *o->node ? o->node : NULL,
                                    .allow = (const char *const *)o->allow_peers.items,
                                    .warn = o->warn / SECOND};
}

int hub_tls(struct hub *h)
{
    struct trust_config config;
    char why[512];
    if (!h->options.has_tls || h->secure)
        return IRIS_OK;
    hub_tls_config(&h->options, &config);
    if (!(h->secure = secure_create(&config, why, sizeof why)))
        return h->api->fail("tls: %s", why);
    h->secure_at = 0;
    return IRIS_OK;
}

/* Without a name of its own a node has that of its certificate. */
const char *hub_tls_name(const struct hub *h)
{
    return h->secure ? strrchr(secure_self(h->secure)->uri, '/') + 1 : NULL;
}

void hub_tls_shut_out(struct hub *h)
{
    char why[200];
    uint32_t conn;
    while (h->secure && h->mesh && (conn = secure_next_out(h->secure, why, sizeof why)))
        mesh_shut_out(h->mesh, conn, why);
}

void hub_tls_look(struct hub *h)
{
    char text[sizeof((struct note *)0)->text];
    int is_bad;
    if (!h->secure)
        return;
    if (net_now() >= h->secure_at) {
        h->secure_at = net_now() + (int64_t)SECURE_EVERY * SECOND;
        while (secure_look(h->secure, time(NULL), text, sizeof text, &is_bad))
            watchers_note(h, is_bad ? NOTE_CERTIFICATE_BAD : NOTE_CERTIFICATE, "", 0, text);
        hub_tls_shut_out(h);
    }
    net_alarm(h->net, h->secure_at);
}
