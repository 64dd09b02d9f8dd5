#include "freeze.h"

#include "bytes.h"
#include "door.h"
#include "fail.h"
#include "gate.h"
#include "mailbox.h"
#include "offer.h"
#include "send.h"

#include <stdlib.h>

/* ---- what it has ---- */

struct frozen *iris__frozen_create(int is_born_so)
{
    struct frozen *f = calloc(1, sizeof *f);
    if (f)
        f->is_born_so = is_born_so;
    return f;
}

static void let_mail_go(struct world *w, struct frozen *f)
{
    for (uint32_t i = 0; i < f->nmail; i++)
        iris__message_drop(w->pool, f->mail[i]);
    free(f->mail);
    f->mail = NULL;
    f->nmail = f->next = 0;
}

void iris__frozen_free(struct world *w, struct frozen *f)
{
    if (f)
        let_mail_go(w, f);
    free(f);
}

int iris__freeze(iris_actor *a)
{
    struct cold *c = iris__cold(a);
    if (!c || !(c->frozen = iris__frozen_create(0)))
        return iris__fail("save: no memory");
    a->flags |= ACTOR_SWAPPING; /* of nothing: so it begins no message */
    return IRIS_OK;
}

static void thaw(iris_actor *a, struct cold *c)
{
    if (!c || !c->frozen)
        return;
    iris__frozen_free(iris__world_of(a), c->frozen);
    c->frozen = NULL;
    if (!c->now)
        a->flags &= (uint16_t)~ACTOR_SWAPPING;
    iris__offer_decided(a, a->version);
}

/* ---- its mail ---- */

struct collection {
    struct frozen *f;
    uint32_t room, questions;
};

/* Of a sender who waits in a call of his own: he is told that it was not sent. */
static int is_mail(const struct message *m)
{
    return m->pub.kind == IRIS_USER && !(m->flags & (MESSAGE_ROUTED | MESSAGE_CALLER));
}

static void collect(struct collection *all, struct message *first)
{
    for (struct message *m = first; m; m = m->next) {
        if (!is_mail(m))
            continue;
        if (m->pub.ref) {
            all->questions++;
            continue;
        }
        if (all->f->nmail < all->room) {
            atomic_fetch_add_explicit(&m->refs, 1, memory_order_relaxed);
            all->f->mail[all->f->nmail++] = m;
        }
    }
}

static uint32_t count(const struct message *first)
{
    uint32_t n = 0;
    for (const struct message *m = first; m; m = m->next)
        n++;
    return n;
}

/* What comes to the door meanwhile came too late: it is no message of the save. */
static int collect_all(iris_actor *a, struct collection *all)
{
    struct door *d = iris__door_lock(iris__world_of(a), a, iris__actor_pid(a), DOOR_FIND);
    uint32_t queued = d ? d->queued + d->waiting : 0;
    if (d)
        iris__door_unlock(d);
    iris__mailbox_fetch(a);
    all->room = count(a->local) + queued;
    all->f->mail = calloc((size_t)all->room + 1, sizeof(struct message *));
    if (!all->f->mail)
        return iris__fail("save: no memory");
    collect(all, a->local);
    d = iris__door_lock(iris__world_of(a), a, iris__actor_pid(a), DOOR_FIND);
    if (!d)
        return IRIS_OK;
    collect(all, d->first);
    iris__door_unlock(d);
    return IRIS_OK;
}

static void gather(iris_actor *a, struct gather *g)
{
    struct cold *c = iris__cold_if(a);
    struct frozen *f = c ? c->frozen : NULL;
    struct collection all = {.f = f};
    if (!f) {
        g->tell(g, &(struct gathered){.result = IRIS_FAIL, .why = "save: it does not rest"});
        return;
    }
    let_mail_go(iris__world_of(a), f);
    if (collect_all(a, &all)) {
        g->tell(g, &(struct gathered){.result = IRIS_FAIL, .why = iris__reason()});
        return;
    }
    g->tell(g, &(struct gathered){.mail = f->mail, .nmail = f->nmail, .questions = all.questions});
}

void iris__gather_refuse(struct gather *g)
{
    g->tell(g, &(struct gathered){.result = IRIS_DEAD, .why = "it has ended"});
}

/* They stand in the mailbox in the order in which they were gathered; what came later stands behind. */
int iris__freeze_keeps(struct cold *c, const struct message *m)
{
    struct frozen *f = c ? c->frozen : NULL;
    if (!f || !f->is_safe)
        return 0;
    for (uint32_t at = f->next; at < f->nmail; at++)
        if (f->mail[at] == m) {
            f->next = at + 1;
            return 1;
        }
    return 0;
}

/* ---- told ---- */

enum { THAW_GOES_ON, THAW_IS_SAFE };

void iris__freeze_heard(iris_actor *a, const struct message *m)
{
    struct cold *c = iris__cold_if(a);
    if (m->pub.kind == KIND_GATHER)
        gather(a, iris__message_pointer(m));
    else if (m->pub.ref == THAW_GOES_ON)
        thaw(a, c);
    else if (c && c->frozen)
        c->frozen->is_safe = 1;
}

void iris__gather(struct world *w, uint64_t pid, struct gather *g)
{
    int result = iris__signal_pointer(w, KIND_GATHER, pid, g);
    if (result == IRIS_FAIL)
        g->tell(g, &(struct gathered){.result = IRIS_FAIL, .why = "save: no memory"});
    else if (result)
        iris__gather_refuse(g);
}

void iris__freeze_is_safe(struct world *w, uint64_t pid)
{
    iris__signal(w, KIND_THAW, 0, pid, THAW_IS_SAFE, NULL);
}

void iris__thaw(struct world *w, uint64_t pid)
{
    iris__signal(w, KIND_THAW, 0, pid, THAW_GOES_ON, NULL);
}

/* ---- birth ---- */

/* What saved nothing has nothing to be migrated. */
static int upgrade(iris_actor *a, const struct restored *r, struct text *migrated)
{
    const iris_behaviour *b = &a->version->b;
    int migrates = r->len && iris__bytes_migration(a->version, r->from);
    iris_bytes saved = {r->data, r->len};
    if (!b->upgrade)
        return iris__fail("%s has no upgrade(), and there is saved state of format %u",
                          iris__behaviour_label(b).text, r->from);
    if (migrates && iris__bytes_migrate(a->version, a, r->from, saved, migrated))
        return IRIS_FAIL;
    if (migrates)
        saved = (iris_bytes){migrated->data, migrated->len};
    iris__forget();
    if (b->upgrade(b, a, migrates ? b->state_version : r->from, saved, &a->state) == IRIS_OK)
        return IRIS_OK;
    return iris__fail("upgrade() of %s refused the saved state of format %u: %s",
                      iris__behaviour_label(b).text, r->from, iris__reason());
}

int iris__freeze_upgrade(iris_actor *a)
{
    struct cold *c = iris__cold_if(a);
    struct restored *r = c->restored;
    struct text migrated = {0};
    c->restored = NULL;
    int result = upgrade(a, r, &migrated);
    iris__text_finish(&migrated);
    free(r);
    return result;
}
