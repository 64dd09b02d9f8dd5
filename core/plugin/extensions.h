/* The tables behind api->extension(); each is documented in include/iris/ext. */
#ifndef IRIS_PLUGIN_EXTENSIONS_H
#define IRIS_PLUGIN_EXTENSIONS_H

#include <iris/ext/ask.h>
#include <iris/ext/control.h>
#include <iris/ext/library.h>
#include <iris/ext/name.h>
#include <iris/ext/poll.h>
#include <iris/ext/reader.h>
#include <iris/ext/route.h>
#include <iris/ext/timer.h>
#include <iris/ext/watch.h>

extern const iris_control iris__control_ext; /* api.c */
extern const iris_library iris__library_ext; /* host.c */

#endif
