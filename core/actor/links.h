/* Links: two actors of which each ends with the other. Each end has a record of its own; what crosses are
 * signals, which keep their order between two actors. [exec] but where it says otherwise.
 *
 * Either side may have asked, so a record has two halves: the ref of one's own request and that of the
 * other's. An EXIT names one of them: one that is left over from an earlier link finds no match. Whoever
 * unlinks does not hear LINKs of the other before UNLINKED says that it knows: those were sent before. */
#ifndef IRIS_ACTOR_LINKS_H
#define IRIS_ACTOR_LINKS_H

#include "actor.h"

#define LINK_YOURS (UINT64_C(1) << 63) /* in a ref: it is the receiver's half */

int iris__link(iris_actor *self, uint64_t pid);
int iris__unlink(iris_actor *self, uint64_t pid);
int iris__trap(iris_actor *self, int on);
int iris__link_pair(struct world *, uint64_t a, uint64_t b, int on); /* [any] */
/* [any] Of an actor that was made and has not begun: it is linked with `with`, which hears of it. */
int iris__link_born(struct world *, struct cold *, uint64_t with);
void iris__link_announce(iris_actor *born);

/* [turn] The signals of this room. */
void iris__link_heard(iris_actor *, const iris_message *);     /* IRIS_LINK */
void iris__link_undone(iris_actor *, const iris_message *);    /* IRIS_UNLINK */
void iris__link_confirmed(iris_actor *, const iris_message *); /* IRIS_UNLINKED */
enum link_exit { LINK_NOTHING, LINK_TELLS, LINK_ENDS };
enum link_exit iris__link_exited(iris_actor *,
                                 iris_message *); /* IRIS_EXIT; its ref is ours then */
/* [any] One of these found nobody. */
void iris__link_refused(struct world *, const iris_message *);

/* [turn] An EXIT that waits for the behaviour: is it wanted still; it was handled. */
int iris__link_wants(iris_actor *, const iris_message *);
void iris__link_done(iris_actor *, const iris_message *);
/* [turn] The incarnation is over: all who are linked hear of it. */
void iris__link_end(iris_actor *, const char *reason);

#endif
