/* The table of debug builds: each call first checks its bracket ([turn], [exec]) and aborts with the
 * member's name if it is called from where it must not be. */
#ifndef IRIS_PLUGIN_TAGS_H
#define IRIS_PLUGIN_TAGS_H

#include "debug.h"

#include <iris/plugin.h>

extern const iris_api iris__checked_api;

#endif
