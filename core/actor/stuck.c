#include "turn.h"

#include "mailbox.h"

/* A handler that does not return is looked at from outside. It has been in its turn for long, so it has
 * been told (lane.due) that it must say when it is back, under the lock that is held here: until then what
 * it handles stays. */

/* A lone message is handled where it stands: it is the oldest in the mailbox. Those before it are linked
 * by who sent them; its own link is the handler's. */
static const iris_message *lone(const iris_actor *a)
{
    uint64_t in = atomic_load_explicit(&((iris_actor *)a)->in, memory_order_acquire);
    uint64_t n = iris__mailbox_count(in);
    struct message *m = iris__mailbox_newest(in);
    if (atomic_load_explicit(&((iris_actor *)a)->waiting, memory_order_relaxed) != UINT32_MAX ||
        n == MAILBOX_COUNT_MAX)
        return NULL;
    while (n-- > 1)
        m = m->next;
    return &m->pub;
}

static uint64_t number(const iris_actor *a)
{
    struct cold *c = iris__cold_if(a);
    return atomic_load_explicit(&((iris_actor *)a)->handled, memory_order_relaxed) + 1 +
           (c ? atomic_load_explicit(&c->crashed, memory_order_relaxed) : 0);
}

static int look(struct lane *l, const iris_actor *a, struct excerpt *e)
{
    const iris_message *const *batch = atomic_load_explicit(&l->batch, memory_order_acquire);
    const iris_message *first = batch ? batch[0] : lone(a);
    if (first)
        iris__excerpt(e, first, number(a), batch ? (uint32_t)l->count : 1);
    return first != NULL;
}

int iris__turn_look(struct world *w, struct lane *l, const iris_actor *a, struct excerpt *e)
{
    iris__facts_hold(w);
    int lasts = atomic_load(&l->turns) == l->seen && atomic_load(&l->task) == a &&
                atomic_load(&l->due) && l->back != l->seen;
    int found = lasts && look(l, a, e);
    iris__facts_release(w);
    return found;
}
