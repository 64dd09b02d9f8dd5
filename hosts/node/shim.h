/* libnode's C++ in C: environments of node, each on a thread of its own. All that is not Node-API is here. */
#ifndef IRIS_NODE_SHIM_H
#define IRIS_NODE_SHIM_H

#include <node_api.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Runs an environment on this thread until it is stopped or ends by itself. code: what it runs first, where
 * only node's own modules can be required. bind: makes process._linkedBinding("iris"). is_there(arg, env) is
 * called before it runs, with what shim_stop() takes, and with NULL before that is gone. The exit code, or -1 and *why
 * is a sentence to free(). */
int iris__shim_run(const char *code, napi_addon_register_func bind,
                   void (*is_there)(void *arg, void *env), void *arg, char **why);
void iris__shim_stop(void *env); /* [any], while it runs */

/* Bytes of the objects of this thread's environment, and of what they hold outside of V8. On its thread. */
unsigned long iris__shim_heap(void);

/* Where the syntax error of an ES module is, which node tells nobody: its line from 1, and *text is that line,
 * to free(). 0: there is none. On an environment's thread, inside a call from JavaScript. */
int iris__shim_where(const char *code, char **text);

#ifdef __cplusplus
}
#endif
#endif
