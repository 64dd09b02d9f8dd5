/* Faults of an app's code: an overflow of a coroutine's stack ends its actor, all else the process. */
#ifndef IRIS_TOOL_FAULT_H
#define IRIS_TOOL_FAULT_H

void watch_faults(void);

#endif
