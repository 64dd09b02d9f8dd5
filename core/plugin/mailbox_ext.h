/* The table of "iris.mailbox/1". */
#ifndef IRIS_PLUGIN_MAILBOX_EXT_H
#define IRIS_PLUGIN_MAILBOX_EXT_H

#include <iris/ext/mailbox.h>

extern const iris_mailbox iris__mailbox_ext;

#endif
