/* Whether libraries are unmapped at all. Under a sanitizer they are not: its report about code that is
 * gone would have no names in it. */
#ifndef IRIS_BASE_UNLOAD_H
#define IRIS_BASE_UNLOAD_H

#ifdef IRIS_NO_DLCLOSE
#define IRIS__UNLOADS 0
#else
#define IRIS__UNLOADS 1
#endif

#endif
