/* PyRuntime: links. */
#include "runtime.h"

PyMethodDef iris__watch_methods[] = {{0}};
