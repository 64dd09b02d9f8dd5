/* --count mesh: 64 bytes from one mesh to another in memory, 64 messages a write. */
#ifndef IRIS_BENCH_MESH_COUNT_H
#define IRIS_BENCH_MESH_COUNT_H

#include "stage.h"

void mesh_prepare(struct stage *, long operations);
void mesh_send_all(struct stage *, long operations);

#endif
