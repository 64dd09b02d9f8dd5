#include "inside.h"

#include <openssl/crypto.h>

/* Who was let in, and would not be now. A certificate that is taken back is found out of by who looked at it
 * (secure.h): mesh_shut_out(). */

static int same_cookie(const struct mesh_config *a, const struct mesh_config *b)
{
    return a->cookie_len == b->cookie_len &&
           (!a->cookie_len || !CRYPTO_memcmp(a->cookie, b->cookie, a->cookie_len));
}

static void exchange(const char *const **a, const char *const **b)
{
    const char *const *was = *a;
    *a = *b;
    *b = was;
}

/* 1: it is another one. */
static int take_cookie(struct mesh_config *c, struct mesh_config *from)
{
    const void *was = c->cookie;
    if (!from->cookie || same_cookie(c, from))
        return 0;
    c->cookie = from->cookie;
    c->cookie_len = from->cookie_len;
    from->cookie = was;
    return 1;
}

/* NULL: it may stay. One that is not open yet is looked at when it is. */
static const char *refuses(const struct link *l, int other_cookie)
{
    if (l->dead || l->compat || l->state == LINK_DIALLING)
        return NULL;
    const char *rule = greet_refuses(l->mesh, l);
    return rule || !other_cookie || !greet_uses_cookie(l) ? rule : "the cookie has changed";
}

/* Ends them, and tells the others what they may. */
static void look_at_links(struct mesh *m, int other_cookie)
{
    for (struct link *l = m->links; l; l = l->next) {
        const char *why = refuses(l, other_cookie);
        if (why)
            link_shut_out(l, why);
        else if (link_is_up(l) && !l->compat) {
            signal_grant(l);
            link_flush(l);
        }
    }
}

int mesh_admit(struct mesh *m, const struct mesh_config *given)
{
    const struct mesh_config these = {.cookie = given->cookie,
                                      .cookie_len = given->cookie_len,
                                      .allow_peers = given->allow_peers,
                                      .may_stop = given->may_stop,
                                      .may_supervise = given->may_supervise};
    struct mesh_config c;
    int ok = mesh__copy_config(&c, &these);
    mesh__enter(m);
    if (ok) {
        exchange(&m->c.allow_peers, &c.allow_peers);
        exchange(&m->c.may_stop, &c.may_stop);
        exchange(&m->c.may_supervise, &c.may_supervise);
        look_at_links(m, take_cookie(&m->c, &c));
    }
    mesh__leave(m);
    mesh__free_config(&c);
    return ok ? IRIS_OK : IRIS_FAIL;
}

void mesh_shut_out(struct mesh *m, uint32_t conn, const char *why)
{
    struct link *l = (struct link *)table_find(&m->conns, conn);
    mesh__enter(m);
    if (l)
        link_shut_out(l, why);
    mesh__leave(m);
}
