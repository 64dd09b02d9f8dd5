#include "inside.h"

void compat_connected(struct link *l)
{
    link_end(l, "compat is not built yet", 0);
}

void compat_bytes(struct link *l, const uint8_t *bytes, size_t n)
{
    (void)bytes, (void)n;
    link_end(l, "compat is not built yet", 0);
}

void compat_ping(struct link *l)
{
    (void)l;
}

int compat_send(struct link *l, const iris_message *m)
{
    (void)l, (void)m;
    return IRIS_DEAD;
}

void compat_request(struct link *l, struct request *r)
{
    remote_answer(l->mesh, r, IRIS_DEAD, 0, "compat is not built yet");
}

void compat_finish(struct link *l)
{
    (void)l;
}
