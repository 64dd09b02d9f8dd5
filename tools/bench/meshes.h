/* Two processes on one machine, linked over the loopback: actor to actor by the mesh, and beside it a bare
 * libuv echo, and Erlang's distribution. */
#ifndef IRIS_BENCH_MESHES_H
#define IRIS_BENCH_MESHES_H

#include "bench.h"

enum { MESH_TLS = 1, MESH_SPIN = 2, MESH_NO_SPIN = 4 }; /* order of a workload */

/* One message in flight: us p50, us p99, us of CPU for each round trip here and there. */
enum { TRIPS = 5000, TRIPS_WARM_UP = 500 };
void trip_uv(const struct workload *, double *);
void trip_iris(const struct workload *, double *);
void trip_erlang(const struct workload *, double *);

/* As many as there is room for: M msgs/s handled there, ns of CPU for each here and there. */
void pipe_iris(const struct workload *, double *);
void pipe_erlang(const struct workload *, double *);

struct trips {                          /* of one in flight */
    double took[TRIPS_WARM_UP + TRIPS]; /* us */
    int count;
    double began, cpu_here, cpu_there; /* ns */
};
struct far;
/* The round trip that began at t->began is over; 1: that was the last. */
int trips_take(struct trips *, const struct far *);
void trips_report(struct trips *, const struct far *, double *values);

/* In the other process. */
void mesh_far_uv(void);
void mesh_far_iris(int order, const char *certificates); /* NULL: no TLS */

#endif
