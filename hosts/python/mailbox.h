#ifndef IRIS_PYTHON_MAILBOX_H
#define IRIS_PYTHON_MAILBOX_H

#include "python.h"

/* handle() of pull actors with a thread of their own. [no gil] */
int iris__mailbox_handle(const iris_behaviour *, iris_actor *, void *, const iris_message *const *,
                         int);
int iris__mailbox_ready(PyObject *module);

#endif
