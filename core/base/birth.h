/* Whether this is the process in which something was made, or the child of a fork. The kernel empties the
 * page in the child, so that nothing has to be told to it. (Before Linux 4.14 it does not: then a child
 * cannot see that it is one.) */
#ifndef IRIS_BASE_BIRTH_H
#define IRIS_BASE_BIRTH_H

#include <stddef.h>

struct birth {
    int here; /* 1; in the child of a fork 0 */
    size_t
        room; /* its owner's: any number, which is 0 in the child, so that one look serves both */
};

struct birth *iris__birth_create(void); /* NULL: no memory */
void iris__birth_destroy(struct birth *);

#endif
