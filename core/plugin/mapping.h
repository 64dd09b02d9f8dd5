/* The dynamic linker, and what it does not tell: whose handle it gave, what it kept, what its
 * messages mean. */
#ifndef IRIS_PLUGIN_MAPPING_H
#define IRIS_PLUGIN_MAPPING_H

#include "elfcheck.h"

/* Maps the private copy at path of the library that e describes. NULL: the reason is kept. */
void *iris__map(const struct elf *e, const char *path);

/* Unmaps it. NULL, or a handle again: it is still there, since something else holds it. */
void *iris__unmap(void *handle, const char *path);

#endif
