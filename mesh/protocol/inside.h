/* What the files of the mesh share. mesh.h says what it is, docs/protocol.md what goes over the wire.
 *
 *   mesh.c     the calls of mesh.h           link.c     one connection, from HELLO to GOODBYE
 *   admit.c    who is let in no more
 *   peers.c    addresses and dialling        greet.c    who it is: HELLO, AUTH, WELCOME
 *   nodes.c    nodes and their creations     mail.c     mail out and in, credit, NACK
 *   remote.c   resolve, probe, ping          settle.c   what became of the mail of links that went
 *   search.c   one name at all nodes
 *   signals.c  monitors, links, open asks    compat.c   the seed's frames
 *
 * A link that ends is only marked; its memory goes when the call from outside is over (mesh__leave). */
#ifndef MESH_INSIDE_H
#define MESH_INSIDE_H

#include "frame.h"
#include "lanes.h"
#include "mesh.h"
#include "lookup.h"

#define MS INT64_C(1000000)
#define SECOND (1000 * MS)

enum {
    NODES_MAX = 1024, /* indexes: those of pids */
    BATCH = 256,
    COST = 32, /* what a message costs of the window beside its bytes */
    TOLD_MAX = 64,
    CALLERS_MAX = 64,
    REFUSALS_MAX = 64,
    GONE_MAX = 256 /* nodes that went and are still shown */
};

/* ---- mail ---- */

struct head { /* of a message that is not yet acknowledged */
    uint64_t to, from, ref;
    uint32_t len, wire; /* wire: its bytes in the lane, heads of frames and all. to 0: nacked */
};

struct heads { /* message n is at ring[n & mask]; numbers begin with 1 */
    struct head *ring;
    uint64_t mask, first, released, end; /* first..released: under way; ..end: waiting */
};

struct nack {
    uint64_t first, bytes; /* bytes: of all mail that had come until then */
    uint32_t count, reason;
};

struct nacks { /* those of which the sender may not know: first..end of ring */
    struct nack *ring;
    uint64_t mask, first, end;
};

struct parts { /* a message that comes in pieces: head first */
    struct address at;
    uint8_t *data;
    uint32_t have, room;
    int open;
};

struct batch { /* of messages that have come, for one deliver() */
    iris_message m[BATCH];
    const iris_message *p[BATCH];
    int taken[BATCH], n;
    uint64_t cost[BATCH]; /* 0: a signal, which is not counted */
    struct link *link;
};

/* ---- links ---- */

/* LINK_DIALLING: not open yet; of an accepted one: who it is is still being proved (TLS). */
enum link_state {
    LINK_DIALLING,
    LINK_HELLO,
    LINK_AUTH,
    LINK_READY,
    LINK_SERVED,
    LINK_UP,
    LINK_LEAVING
}; /* SERVED: compat, accepted: it is no node */

struct greeting { /* needed until it is up */
    uint8_t mine[HELLO_MAX], theirs[HELLO_MAX];
    size_t mine_len, theirs_len;
    struct hello hello; /* theirs */
};

struct link {
    struct entry by_conn;
    struct link *next; /* of the mesh's */
    struct mesh *mesh;
    struct peer *peer; /* where it was dialled; NULL: accepted */
    struct node *node; /* once it is up */
    struct greeting *greeting;
    uint32_t conn;
    enum link_state state;
    enum mesh_compat compat;
    int dialled, dead, stranger, parted; /* parted: GOODBYE was said */
    int blocked;                         /* write() took less: mesh_writable() will come */
    int full;                            /* mesh_send() said IRIS_FULL */
    int stuck;                           /* one of our executors was, at the last beat */
    int dirty;                           /* to be flushed before this call ends */
    int waiting;                         /* after the last flush something was left */
    uint32_t early;                      /* bytes that came before it was authenticated */
    char from[64];                       /* the host of the other end: who is counted and logged */
    struct mesh_identity who;
    int64_t since, heard, pinged, begun, moved; /* begun: a frame or message that has not ended;
                                                   moved: mail that waits last went on */
    struct frame_in in;
    struct lanes out;
    uint32_t piece; /* the longest piece of a message: less on a slow line */
    int64_t
        measured;   /* since when, without a pause, it took less than there was; 0: it takes all */
    uint64_t wrote; /* bytes that it took since */
    uint64_t id;    /* of this link, the same on both sides */
    struct heads heads;
    uint64_t under_way; /* cost of what is released and not acknowledged */
    uint32_t window, payload, name;
    uint64_t received, received_cost, told,
        told_cost; /* messages taken in; and as last told (CREDIT) */
    struct nacks nacks;
    struct parts parts;
    uint8_t granted;      /* what the other end was told that it may do here */
    struct table watched; /* monitors of their actors of ours */
    struct table asked;   /* our asks that went over it and are open */
    struct entry *spare;  /* for asked */
    size_t asked_most;    /* when to look which of them still are */
    int64_t rate_at;      /* resolves: a bucket */
    uint32_t rate_left;
    /* compat: what is to come, in order; wide pids of theirs; the leading byte has come */
    struct reply *replies, **replies_end;
    uint64_t *aliases;
    uint32_t naliases;
    uint64_t wire; /* bytes of the mail in heads */
    int versioned;
};

/* ---- nodes ---- */

struct past { /* mail taken in over a link that went, for who sent it */
    struct past *next;
    struct node_id id;
    uint64_t creation, link, received;
    struct nacks nacks;
    int64_t until;
};

struct ghost { /* mail that was sent over a link that went: the other end knows what became of it */
    struct ghost *next;
    struct node *node;
    struct node_id id;
    uint64_t creation, link;
    struct heads heads;
    int64_t until;
};

struct node { /* a name that was seen; kept when it is down, to say why */
    struct node *next;
    struct mesh_node info;
    struct link *link;  /* NULL: it is down */
    uint64_t last_link; /* the last one that was up, of this run */
};

/* ---- peers ---- */

struct peer { /* an address that is to be linked with */
    struct peer *next;
    char address[256];
    enum mesh_compat compat;
    int wanted;
    int uses;           /* requests that wait for it */
    struct link *link;  /* under way, or up */
    struct node_id via; /* whom it was last found to be */
    int known, self;    /* via is set; it is this node */
    int doubled;        /* what ends now was a second link to it */
    enum mesh_state state;
    int64_t since, due; /* due: when to dial again */
    uint32_t failures;
    char why[128];
};

/* ---- what is asked ---- */

enum request_kind { REQUEST_RESOLVE, REQUEST_PROBE, REQUEST_PING };

struct request {
    struct entry by_id;
    struct request *next;
    enum request_kind kind;
    struct link *link; /* it has gone over this; NULL: waits for its peer */
    struct peer *peer;
    int64_t deadline;
    mesh_answer *answer;
    void *ctx;
    uint64_t pid;
    int queued;  /* compat: it waits for its turn */
    char name[]; /* resolve */
};

struct refusal {
    char rule[32];
    uint64_t n;
};

struct told { /* refusals are told once per peer and 10 s */
    uint64_t who;
    int64_t again;
};

struct caller { /* an address from which connections come: so many more in this second */
    uint64_t who;
    int64_t since;
    uint32_t left;
};

struct mesh {
    struct mesh_seam seam;
    struct mesh_config c; /* its strings are ours */
    struct mesh_limits limits;
    struct hello hello;
    struct table conns;
    struct link *links;
    struct node *nodes;
    struct node *by_index[NODES_MAX];
    struct peer *peers;
    struct past *past;
    struct ghost *ghosts;
    struct table requests;
    struct request *asked;
    uint64_t request_id;
    int64_t request_due;
    uint32_t last_conn, nlinks, nstrangers, nserved;
    int64_t now, alarm, beat; /* now: of this call; beat: when the next is due */
    int depth, ended, dirty, swept;
    struct batch batch;
    struct refusal refusals[REFUSALS_MAX];
    int nrefusals;
    struct told told[TOLD_MAX];
    struct caller callers[CALLERS_MAX];
    uint64_t exported[64]; /* pids that compat peers were told of */
    int nexported;
};

/* ---- mesh.c ---- */

void mesh__enter(struct mesh *); /* each call from outside begins with it */
void mesh__leave(struct mesh *); /* and ends with it */
void mesh__due(struct mesh *, int64_t at);
/* A rule was broken: counted, and told once per peer and 10 s. `who`: a node's name or a host. */
void mesh__refuse(struct mesh *, const char *who, const char *rule);
void mesh__proved(struct mesh *,
                  const char *host); /* one of those that came from there is no stranger */
int mesh__copy_config(struct mesh_config *, const struct mesh_config *given); /* 0: no memory */
void mesh__free_config(struct mesh_config *);

/* ---- link.c ---- */

struct link *link_create(struct mesh *, uint32_t conn, enum mesh_compat, int dialled);
void link_destroy(struct link *);
/* It ends here, for this reason; linger: what was written still goes. */
void link_end(struct link *, const char *why, int linger);
void link_gone(struct link *, const char *why);    /* the net has closed it */
void link_broken(struct link *, const char *rule); /* the other end broke a rule: counted, ends */
enum parting {
    PART_LEAVING,
    PART_DUPLICATE,
    PART_OLD,
    PART_NAME,
    PART_FULL,
    PART_SELF,
    PART_ERROR,
    PART_REFUSED /* it is let in no more */
};
void link_part(struct link *, enum parting, const char *why); /* says GOODBYE and ends */
void link_shut_out(struct link *, const char *why); /* the same, and the other end hears less */
void link_bytes(struct link *, const uint8_t *bytes, size_t n);
void link_flush(struct link *);
void link_writable(struct link *);
int64_t link_tick(struct link *); /* when it is due again */
int link_is_up(const struct link *);
/* Room for a control frame with a body of up to n bytes: where the body goes; NULL: it has ended. */
uint8_t *link_control(struct link *, size_t n);
void link_control_put(struct link *, enum frame_type,
                      size_t n); /* so many bytes were written there */
const char *link_who(const struct link *);

/* ---- greet.c ---- */

void greet_connected(struct link *);
void greet_frame(struct link *, const struct frame *); /* in any state before LINK_UP */
const char *greet_refuses(const struct mesh *, const struct link *); /* before a byte: who it is */
int greet_uses_cookie(const struct link *);

/* ---- nodes.c ---- */

struct node *node_find(struct mesh *, const char *name);
struct node *node_at(const struct mesh *, uint64_t pid); /* up, by the index in a pid; NULL */
/* May this greeting become a link: NULL, or why not. Ends what it takes the place of. */
struct claim { /* what its WELCOME says: has it a link with us, and which was the last */
    int has_one;
    uint64_t last_link;
};
const char *node_claim(struct link *, const struct claim *, enum parting *);
int node_up(struct link *);
void node_down(struct link *,
               const char *why); /* the index ends; the link goes on to its own end */
int node_low(const struct mesh *,
             const struct node_id *other); /* this end has the lower id: it decides */
struct link *node_link(struct mesh *, const struct node_id *, uint64_t creation); /* up, or NULL */

/* ---- mail.c ---- */

int mail_send(struct link *, const iris_message *);
/* For who puts a frame of mail there: room in the lane, NULL: it is full; then it is counted and may go. */
uint8_t *mail_room_for(struct link *, size_t n);
int mail_keep(struct link *, const struct head *);
void mail_frame(struct link *, const struct frame *); /* MAIL */
void mail_more(struct link *, const struct frame *);  /* FRAG */
void mail_part(struct link *, const uint8_t *, uint32_t len);
void mail_credit(struct link *, const struct frame *); /* CREDIT */
void mail_nacked(struct link *, const struct frame *); /* NACK */
void mail_shrink(struct link *);
void mail_tell_credit(struct link *, int always);
void mail_deliver(struct mesh *); /* what the batch holds */
iris_message *mail_slot(struct link *, uint64_t cost);
void mail_acknowledge(struct link *, uint64_t until);
void mail_room(struct link *);
const char *mail_reason(uint32_t);
void nacks_finish(struct nacks *);
/* The number and pid of this side for a far one; 0: it has no link to that node. */
uint64_t mail_near(const struct link *, const struct far *);
struct far mail_far(const struct link *, uint64_t pid);

/* ---- settle.c ---- */

void settle_keep(struct link *); /* it went */
void settle_tell(struct link *); /* it is up: what came of the mail of earlier ones */
void settle_frame(struct link *, const struct frame *);
void settle_parted(struct link *, uint64_t received); /* GOODBYE: that many had come */
void settle_creation(struct mesh *, const struct node_id *,
                     const struct node *); /* a new run of it */
void settle_tick(struct mesh *);
void settle_all(struct mesh *);
void settle_letter(struct mesh *, const struct head *, const char *reason);

/* ---- signals.c ---- */

int signal_send(struct link *, const iris_message *);
void signal_frame(struct link *, const struct frame *);
void signal_refused(struct link *, const iris_message *); /* it found nobody here */
void signal_up(struct link *);                            /* it is told what its node may do here */
void signal_grant(struct link *);                        /* and once more, where that has changed */
void signal_grants(struct link *, const struct frame *); /* and tells what we may there */
void signal_asked(struct link *, uint64_t ref);          /* an ask went out */
void signal_answered(struct link *, uint64_t to);        /* mail for this pid came */
void signal_down(struct link *); /* its asks are told, its monitors taken back */
void signal_tell_asker(struct mesh *, uint64_t ref);
void signal_stuck(struct link *);
void signal_finish(struct link *);

/* ---- peers.c ---- */

struct peer *peer_find(struct mesh *, const char *address);
struct peer *peer_use(struct mesh *, const char *address, enum mesh_compat);
struct link *peer_link(struct mesh *, const struct peer *); /* by which it is up; NULL */
void peer_up(struct peer *);
void peer_lost(struct link *, const char *why); /* a link that was dialled has ended */
void peer_tick(struct mesh *);
void peer_drop(struct mesh *); /* those that nobody wants or uses */

/* ---- remote.c ---- */

void remote_up(struct link *);
void remote_lost(struct link *, const char *why);
void remote_failed(struct peer *, struct mesh *); /* it could not be dialled */
void remote_sweep(struct mesh *);
void remote_tick(struct mesh *);
void remote_answer(struct mesh *, struct request *, int result, uint64_t pid, const char *why);
void remote_frame(struct link *, const struct frame *); /* RESOLVE .. PROBED */
void remote_conflict(struct link *, const struct frame *);
void link_printable(char *text); /* in place: it came from outside, and goes to a terminal */
void remote_pong(struct link *, uint64_t nonce);
void remote_all(struct mesh *, const char *why);

/* ---- compat.c ---- */

void compat_connected(struct link *);
void compat_bytes(struct link *, const uint8_t *, size_t);
void compat_ping(struct link *);
int compat_send(struct link *, const iris_message *);
void compat_request(struct link *, struct request *);
uint64_t compat_near(struct link *, uint64_t raw); /* the pid of this node's view; 0: no more fit */
void compat_wrote(struct link *);
int64_t compat_tick(struct link *);
void compat_finish(struct link *);

#endif
