#include "hub.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Who wants to hear of nodes, and the log. The protocol notes what happens under the lock; it is told when that
 * is let go, by one thread at a time, so in its order. */

struct watcher {
    struct watcher *next;
    uint64_t id, actor; /* actor 0: a callback */
    iris_mesh_changed *changed;
    void *ctx;
    uint64_t
        since; /* the last note that it has not to be told of: it was told how things were after it */
    int is_up;      /* as it was last told */
    int knows;      /* it was told anything */
    char node[256]; /* that is up */
    char at[280];
};

struct watchers {
    pthread_mutex_t lock; /* held while somebody is told: unwatch waits for it */
    _Atomic(pthread_t) teller;
    struct watcher *first;
    uint64_t last;
};

struct watchers *watchers_create(void)
{
    struct watchers *w = calloc(1, sizeof *w);
    if (w)
        pthread_mutex_init(&w->lock, NULL);
    return w;
}

void watchers_destroy(struct watchers *w)
{
    if (!w)
        return;
    for (struct watcher *e = w->first, *next; e; e = next) {
        next = e->next;
        free(e);
    }
    pthread_mutex_destroy(&w->lock);
    free(w);
}

void watchers_note(struct hub *h, int what, const char *node, uint32_t index, const char *text)
{
    struct note *n = calloc(1, sizeof *n);
    if (!n)
        return; /* no memory to tell of it */
    n->what = what;
    n->number = ++h->noted;
    n->index = index;
    snprintf(n->node, sizeof n->node, "%s", node ? node : "");
    snprintf(n->text, sizeof n->text, "%s", text ? text : "");
    *h->notes_end = n;
    h->notes_end = &n->next;
}

/* ---- telling ---- */

/* NULL: that was all, and this thread tells no more. *index: of the node, if it is up now. */
static struct note *next_note(struct hub *h)
{
    hub_enter(h);
    struct note *n = h->notes;
    if (n && !(h->notes = n->next))
        h->notes_end = &h->notes;
    if (!n)
        h->telling = 0;
    if (n && n->what == MESH_NODE_UP && !h->closed)
        n->index = IRIS_NODE(mesh_pid_at(h->mesh, n->node, 1));
    hub_unlock(h);
    return n;
}

/* A rule that was broken, for who reads the log; the words are those of the count. */
static const char *advice(const char *rule)
{
    static const struct {
        const char *rule, *text;
    } known[] = {
        {"auth",
         "it has another secret; is it the same \"cookie\" file, or the same user, at both ends?"},
        {"no-cookie", "it speaks without TLS, and this node has no cookie; give it \"tls\", too"},
        {"no-identity", "its certificate names no node; iris mesh cert makes one that does"},
        {"not-allowed", "it is not in \"tls\": {\"allow\": [..]}"},
        {"not-loopback", "it is of another machine; for those give both \"tls\""},
        {"identity", "it says another name of a node than its certificate"},
        {"version", "it speaks another version of the protocol"},
        {"early", "it speaks before it has proved who it is; a program of the original needs a "
                  "listener with \"compat\""},
        {"hello-timeout", "it has not said who it is within \"timeouts\": {\"hello\": ..}"},
        {"accepts", "it comes more than 50 times a second without a proof of who it is"},
        {"strangers", "too many that have not proved who they are are connected"},
        {"links", "there are as many as \"links\" allows"},
        {"payload", "a message is longer than \"max_payload\" allows here"},
        {"slow-frame",
         "what it began to send is not complete within \"timeouts\": {\"frame\": ..}"},
        {"resolves", "it asks for more than 1,000 names a second"},
        {"not-exported", "it sends to an actor that is not in \"export\""},
        {"stop", "it may not stop actors here; \"allow\": {\"stop\": [..]} names who may"},
        {"supervise",
         "it may not supervise actors here; \"allow\": {\"supervise\": [..]} names who may"}};
    for (size_t i = 0; i < sizeof known / sizeof *known; i++)
        if (!strcmp(known[i].rule, rule))
            return known[i].text;
    return NULL;
}

static void log_refusal(struct hub *h, const struct note *n)
{
    const char *text = advice(n->text);
    h->api->log(h->self, IRIS_WARN, "mesh: %s: %s%s%s", n->node, n->text, text ? ": " : "",
                text ? text : "");
}

static void log_note(struct hub *h, const struct note *n)
{
    const iris_api *api = h->api;
    switch (n->what) {
    case MESH_NODE_UP:
        api->log(h->self, IRIS_INFO, "node %s is up%s%s", n->node, *n->text ? ": " : "", n->text);
        break;
    case MESH_NODE_DOWN:
        api->log(h->self, IRIS_WARN, "node %s went: %s", n->node, n->text);
        break;
    case MESH_REFUSED:
        log_refusal(h, n);
        break;
    case MESH_DIAL_FAILED:
        api->log(h->self, IRIS_INFO, "mesh: %s cannot be reached: %s", n->node, n->text);
        break;
    case NOTE_CERTIFICATE:
    case NOTE_ENGINE:
        api->log(h->self, IRIS_INFO, "mesh: %s", n->text);
        break;
    case NOTE_CERTIFICATE_BAD:
    case NOTE_ENGINE_BAD:
    case MESH_CONFLICT:
        api->log(h->self, IRIS_WARN, "mesh: %s", n->text);
        break;
    }
}

static void tell(struct hub *h, struct watcher *w, const char *node, const char *address, int up,
                 const char *why)
{
    char words[600];
    int taken;
    w->is_up = up;
    w->knows = 1;
    snprintf(w->node, sizeof w->node, "%s", node);
    if (!w->actor) {
        w->changed(w->ctx, node, address, up, why);
        return;
    }
    int n = snprintf(words, sizeof words, up ? "up (node=%s)" : "noconnection (node=%s): %s", node,
                     why);
    iris_message m = {.kind = up ? IRIS_PONG : IRIS_PING,
                      .len = (uint32_t)(n < (int)sizeof words ? n : (int)sizeof words - 1),
                      .to = w->actor,
                      .data = words};
    const iris_message *one = &m;
    h->route->deliver(h->self, &one, 1, &taken);
}

/* Whether `at` means that node now. */
static int means(struct hub *h, const struct watcher *w, const struct note *n)
{
    if (!*w->at || !strcmp(w->at, n->node))
        return 1;
    if (n->what == MESH_NODE_DOWN)
        return w->is_up && !strcmp(w->node, n->node);
    if (n->what != MESH_NODE_UP || !n->index)
        return 0;
    hub_enter(h);
    uint32_t index = h->closed ? 0 : IRIS_NODE(mesh_pid_at(h->mesh, w->at, 1));
    hub_unlock(h);
    return index == n->index;
}

static void tell_note(struct hub *h, const struct note *n)
{
    struct watchers *w = h->watchers;
    int up = n->what == MESH_NODE_UP;
    if (n->what == MESH_REFUSED || n->what == MESH_CONFLICT)
        return;
    pthread_mutex_lock(&w->lock);
    atomic_store(&w->teller, pthread_self());
    for (struct watcher *e = w->first; e; e = e->next) {
        int first = !e->knows || e->is_up || !*e->at; /* a node that is down does not go again */
        if (n->number > e->since && (up || first) && means(h, e, n))
            tell(h, e, n->node, *e->at ? e->at : n->node, up, n->text);
    }
    atomic_store(&w->teller, (pthread_t)0);
    pthread_mutex_unlock(&w->lock);
}

void watchers_tell(struct hub *h)
{
    for (struct note *n; (n = next_note(h)); free(n)) {
        log_note(h, n);
        tell_note(h, n);
    }
}

/* ---- who wants to hear ---- */

struct found {
    uint32_t index;
    char node[256];
};

static void find_index(void *ctx, const struct mesh_node *n)
{
    struct found *f = ctx;
    if (n->index && n->index == f->index)
        snprintf(f->node, sizeof f->node, "%s", n->node);
}

int watchers_add(struct hub *h, const char *at, iris_mesh_changed *changed, void *ctx,
                 uint64_t actor, uint64_t *id)
{
    struct watchers *all = h->watchers;
    struct watcher *w = calloc(1, sizeof *w);
    struct found f = {0};
    int tells;
    if (!w)
        return h->api->fail("mesh: no memory");
    w->actor = actor;
    w->changed = changed;
    w->ctx = ctx;
    snprintf(w->at, sizeof w->at, "%s", at);
    pthread_mutex_lock(&all->lock);
    *id = w->id = ++all->last;
    hub_enter(h);
    int begun = *at ? hub_begin(h) : IRIS_OK;
    if (!begun && *at && (f.index = IRIS_NODE(mesh_pid_at(h->mesh, at, 1))))
        mesh_nodes(h->mesh, find_index, &f);
    w->since = h->noted;
    struct op *done = hub_let_go(h, &tells);
    w->next = all->first;
    all->first = w;
    atomic_store(&all->teller, pthread_self());
    if (*f.node)
        tell(h, w, f.node, at, 1, "");
    atomic_store(&all->teller, (pthread_t)0);
    pthread_mutex_unlock(&all->lock);
    hub_answer(done);
    if (tells)
        watchers_tell(h);
    return IRIS_OK;
}

int watchers_remove(struct hub *h, uint64_t id)
{
    struct watchers *all = h->watchers;
    int result = IRIS_DEAD;
    if (pthread_equal(atomic_load(&all->teller), pthread_self()))
        return h->api->fail("mesh: unwatch_node() from what it watches with; call it elsewhere");
    pthread_mutex_lock(&all->lock);
    for (struct watcher **at = &all->first, *w; (w = *at); at = &w->next)
        if (w->id == id) {
            *at = w->next;
            free(w);
            result = IRIS_OK;
            break;
        }
    pthread_mutex_unlock(&all->lock);
    return result;
}
