#include "members.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#define HASH_NONFATAL_OOM 1
#include <uthash.h>

struct member {
    UT_hash_handle hh;
    int fresh; /* told since the last RESYNC */
    char id[40], node[256], address[280];
};

static struct member *find(const struct members *c, const char *id)
{
    struct member *m;
    HASH_FIND_STR(c->all, id, m);
    return m;
}

static int is_wanted_too(const struct members *c, const struct member *but)
{
    struct member *m, *next;
    if (c->seam->wanted(c->seam->ctx, but->address))
        return 1;
    HASH_ITER (hh, c->all, m, next)
        if (m != but && !strcmp(m->address, but->address))
            return 1;
    return 0;
}

/* The link stays as long as it lives: a node may have lost its lease and nothing else. */
static void forget(struct members *c, struct member *m)
{
    if (*m->address && !is_wanted_too(c, m))
        c->seam->let_go(c->seam->ctx, m->address);
    HASH_DEL(c->all, m);
    free(m);
}

static struct member *make(struct members *c, const char *id)
{
    struct member *m = calloc(1, sizeof *m);
    if (!m)
        return NULL;
    snprintf(m->id, sizeof m->id, "%s", id);
    HASH_ADD_STR(c->all, id, m);
    if (m->hh.tbl)
        return m;
    free(m); /* no memory to keep it */
    return NULL;
}

static int keep(struct members *c, const struct provider_node *n)
{
    struct member *m;
    if (strlen(n->id) >= sizeof m->id || (*n->address && !c->seam->is_address(n->address)))
        return 0;
    m = find(c, n->id);
    if (m && strcmp(m->address, n->address) != 0) {
        forget(c, m);
        m = NULL;
    }
    if (!m && !(m = make(c, n->id)))
        return -1;
    m->fresh = 1;
    snprintf(m->node, sizeof m->node, "%s", n->node);
    snprintf(m->address, sizeof m->address, "%s", n->address);
    return *m->address && strcmp(m->address, c->address) != 0 &&
                   c->seam->want(c->seam->ctx, m->address)
               ? -1
               : 0;
}

static void sweep(struct members *c, int begins)
{
    struct member *m, *next;
    HASH_ITER (hh, c->all, m, next) {
        if (begins)
            m->fresh = 0;
        else if (!m->fresh)
            forget(c, m);
    }
}

int members_told(struct members *c, enum provider_change change, const struct provider_node *n)
{
    struct member *m;
    if (!n)
        sweep(c, change == PROVIDER_RESYNC);
    else if (change == PROVIDER_PUT)
        return strcmp(n->id, c->id) != 0 ? keep(c, n) : 0;
    else if ((m = find(c, n->id)))
        forget(c, m);
    return 0;
}

const char *members_at(const struct members *c, const char *address)
{
    struct member *m, *next;
    if (*address)
        HASH_ITER (hh, c->all, m, next)
            if (!strcmp(m->address, address))
                return m->node;
    return "";
}

int members_has(const struct members *c, const char *node)
{
    struct member *m, *next;
    if (*node)
        HASH_ITER (hh, c->all, m, next)
            if (!strcmp(m->node, node))
                return 1;
    return 0;
}

uint32_t members_count(const struct members *c)
{
    return HASH_COUNT(c->all);
}

void members_finish(struct members *c)
{
    struct member *m, *next;
    HASH_ITER (hh, c->all, m, next) {
        HASH_DEL(c->all, m);
        free(m);
    }
}
