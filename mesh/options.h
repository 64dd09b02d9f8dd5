/* Settings of the mesh: JSON of a manifest's "mesh", or of a program, made into what mesh.h wants. */
#ifndef MESH_OPTIONS_H
#define MESH_OPTIONS_H

#include "mesh.h"

enum { OPTIONS_TEXT = 512 };

struct options_list { /* of texts; NULL-ended where it is not NULL */
    char **items;
    size_t n;
};

struct options_address { /* where to listen, or a peer */
    char address[280];
    enum mesh_compat compat;
};

struct options {
    char node[256], advertise[280];
    char cookie[OPTIONS_TEXT]; /* a file; "": the own one */
    int insecure;
    int has_tls;
    int64_t warn; /* ns before a certificate ends; 0: the default */
    char cert[OPTIONS_TEXT], key[OPTIONS_TEXT], ca[OPTIONS_TEXT],
        crl[OPTIONS_TEXT];                       /* crl "": none */
    struct options_list allow_peers, export;     /* items NULL: all, none */
    struct options_list may_stop, may_supervise; /* none */
    char *engine;                                /* JSON of "engine", with "ttl_ms"; NULL: none */
    struct options_list names;                   /* of it: unique over the cluster */
    struct options_list singletons;              /* the same, and there is one of each */
    int demote;                                  /* who loses his name lives on */
    struct options_address *listen, *peers;
    size_t nlisten, npeers;
    struct mesh_limits limits;
};

/* What it says is added to what is there; nothing changes where it fails. -1: why, which begins with the key
 * ("heartbeat.interval: ..") */
int options_read(struct options *, const char *json, char *why, size_t room);
void options_finish(struct options *);

/* Of one listen or connect: {"compat": ..} or NULL. */
int options_compat(const char *json, enum mesh_compat *, char *why, size_t room);

#endif
