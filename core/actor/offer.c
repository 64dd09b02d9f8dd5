#include "offer.h"

#include "behaviour.h"
#include "fail.h"
#include "send.h"
#include "swap.h"

static void say(iris_actor *a, struct cold *c, uint8_t what)
{
    c->offer_tells = what;
    a->flags |= ACTOR_OFFERED;
}

/* A cancel or the time may have taken it back. */
static int stands(iris_actor *a, struct cold *c)
{
    if (!c->offered || iris__swap_offer(a, c->offered))
        return c->offered != NULL;
    c->offered = NULL;
    say(a, c, OFFER_TELLS_OFF);
    return 0;
}

int iris__offer(iris_actor *a, struct swap *s)
{
    struct cold *c = iris__cold(a);
    if (!c || c->offer_ready || a->flags & (ACTOR_ASLEEP | ACTOR_FRESH))
        return 0;
    if (!iris__swap_offer(a, s))
        return 1;
    c->offered = s;
    say(a, c, OFFER_TELLS_SWAP);
    return 1;
}

void iris__offer_decided(iris_actor *a, const iris_version *before)
{
    struct cold *c = iris__cold_if(a);
    if (!c || !c->offer_ready || c->frozen)
        return;
    c->offer_ready = 0;
    if (a->version == before)
        say(a, c, OFFER_TELLS_OFF);
}

static int tell(iris_actor *a, uint64_t ref)
{
    const iris_behaviour *b = &a->version->b;
    struct world *w = iris__world_of(a);
    uint64_t me = iris__actor_pid(a);
    struct message *m = iris__message_signal(w->pool, IRIS_HOT_SWAP, me, me, ref, NULL);
    const iris_message *one = &m->pub;
    if (!m)
        return iris__fail("swap: no memory to tell of it");
    iris__forget();
    int k = b->handle(b, a, a->state, &one, 1);
    iris__message_drop(w->pool, m);
    return k < 0 ? IRIS_FAIL : IRIS_OK;
}

int iris__offer_look(iris_actor *a)
{
    struct cold *c = iris__cold_if(a);
    stands(a, c);
    uint8_t what = c->offer_tells;
    c->offer_tells = OFFER_TELLS_NOTHING;
    if (!c->offered)
        a->flags &= (uint16_t)~ACTOR_OFFERED;
    return what ? tell(a, what == OFFER_TELLS_OFF) : IRIS_OK;
}

void iris__offer_again(iris_actor *a)
{
    struct cold *c = iris__cold_if(a);
    if (!c || !(c->offer_ready || a->flags & ACTOR_OFFERED))
        return;
    if (c->offer_ready && c->now) {
        c->offered = c->now;
        c->now = NULL;
        a->flags &= (uint16_t)~ACTOR_SWAPPING;
    }
    c->offer_ready = 0;
    say(a, c, c->offered ? OFFER_TELLS_SWAP : OFFER_TELLS_NOTHING);
}

void iris__offer_end(iris_actor *a)
{
    struct cold *c = iris__cold_if(a);
    if (c && c->offered)
        iris__swap_refuse(iris__world_of(a), c->offered, IRIS_DEAD, "the actor ended first");
    if (c)
        c->offered = NULL;
}

int iris__offer_handover(iris_actor *a)
{
    struct world *w = iris__world_of(a);
    struct cold *c = iris__cold_if(a);
    if (!c || !stands(a, c))
        return IRIS_EMPTY;
    if (c->now)
        iris__swap_refuse(w, c->now, IRIS_FAIL, "another one came");
    c->now = c->offered;
    c->offered = NULL;
    c->offer_tells = OFFER_TELLS_NOTHING;
    c->offer_ready = 1;
    a->flags = (uint16_t)((a->flags & ~ACTOR_OFFERED) | ACTOR_SWAPPING);
    iris__signal(w, KIND_WAKE, 0, iris__actor_pid(a), 0, NULL); /* that it has a turn */
    return IRIS_OK;
}
