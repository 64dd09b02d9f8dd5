/* Other nodes that have a lease (agree.h). */
#ifndef MESH_MEMBERS_H
#define MESH_MEMBERS_H

#include "agree.h"

struct members { /* zero is empty */
    const struct agree_seam *seam;
    struct member *all; /* by id */
    const char *id;     /* our own */
    char address[280];  /* where others reach us: that is never dialled */
};

int members_told(struct members *, enum provider_change, const struct provider_node *);
const char *members_at(const struct members *, const char *address); /* a name; "" */
int members_has(const struct members *, const char *node);
uint32_t members_count(const struct members *);
void members_finish(struct members *);

#endif
