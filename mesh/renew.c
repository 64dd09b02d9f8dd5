#include "cookie.h"
#include "hub.h"
#include "secure.h"

#include <stdio.h>
#include <string.h>

/* Who is let in is said anew while links run: by the lists of the settings, and by what the files say by now. */

static void exchange(struct options_list *a, struct options_list *b)
{
    struct options_list was = *a;
    *a = *b;
    *b = was;
}

/* For who wants them to stay. */
static int borrow_lists(const struct options *from, struct options *to)
{
    to->allow_peers = from->allow_peers;
    to->may_stop = from->may_stop;
    to->may_supervise = from->may_supervise;
    return IRIS_OK;
}

/* Only a file of the settings is read again: the runtime's own cookie is made anew where it is missing, and that would end
 * all links. n 0: it stays. */
static int read_cookie(const struct hub *h, unsigned char *cookie, size_t *n, char *why,
                       size_t room)
{
    char words[400];
    *n = 0;
    if (h->options.has_tls || !*h->options.cookie ||
        !cookie_file(h->options.cookie, cookie, n, words, sizeof words))
        return IRIS_OK;
    snprintf(why, room, "cookie: %s", words);
    return IRIS_FAIL;
}

static int allow(const struct hub *h, const struct options *o, char *why, size_t room)
{
    return secure_allow(h->secure, (const char *const *)o->allow_peers.items, why, room);
}

/* Both, or neither. */
static int renew_tls(struct hub *h, const struct options *o, char *why, size_t room)
{
    char words[512], unheard[512];
    if (!h->secure)
        return IRIS_OK;
    int is_allowed = allow(h, o, words, sizeof words) == IRIS_OK;
    if (is_allowed && secure_reload(h->secure, words, sizeof words) == IRIS_OK)
        return IRIS_OK;
    if (is_allowed)
        allow(h, &h->options, unheard, sizeof unheard);
    snprintf(why, room, "tls: %s", words);
    return IRIS_FAIL;
}

static int admit(struct hub *h, const struct options *o, const unsigned char *cookie, size_t n)
{
    const struct mesh_config c = {.cookie = n ? cookie : NULL,
                                  .cookie_len = n,
                                  .may_stop = (const char *const *)o->may_stop.items,
                                  .may_supervise = (const char *const *)o->may_supervise.items};
    return h->mesh && !h->closed ? mesh_admit(h->mesh, &c) : IRIS_OK;
}

static int renew_all(struct hub *h, const struct options *o, char *why, size_t room)
{
    unsigned char cookie[COOKIE_MAX];
    size_t n;
    int result = read_cookie(h, cookie, &n, why, room) || renew_tls(h, o, why, room);
    if (!result && (result = admit(h, o, cookie, n)))
        snprintf(why, room, "mesh: no memory");
    explicit_bzero(cookie, sizeof cookie);
    if (!h->closed)
        hub_tls_shut_out(h);
    return result ? IRIS_FAIL : IRIS_OK;
}

int hub_renew(struct hub *h, const char *options, char *why, size_t room)
{
    struct options o = {0};
    if (options ? options_read(&o, options, why, room) : borrow_lists(&h->options, &o))
        return IRIS_FAIL;
    int result = renew_all(h, &o, why, room);
    if (!options)
        return result;
    if (!result) {
        exchange(&h->options.allow_peers, &o.allow_peers);
        exchange(&h->options.may_stop, &o.may_stop);
        exchange(&h->options.may_supervise, &o.may_supervise);
    }
    options_finish(&o);
    return result;
}
