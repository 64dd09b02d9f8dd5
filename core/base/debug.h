/* Whether costly checks run: the thread tags of the plugin ABI. The build says so, nothing else asks. */
#ifndef IRIS_BASE_DEBUG_H
#define IRIS_BASE_DEBUG_H

#ifdef IRIS_DEBUG
#define IRIS__DEBUG 1
#else
#define IRIS__DEBUG 0
#endif

#endif
