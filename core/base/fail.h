/* The one error channel: say why at the point of failure, return IRIS_FAIL, and whoever asked can
 * read the reason. It belongs to the thread and holds until that thread's next failure. */
#ifndef IRIS_BASE_FAIL_H
#define IRIS_BASE_FAIL_H

#include <stdarg.h>

/* Keep the sentence "where: what was found; what was expected; what to do". Returns IRIS_FAIL (-1). */
int iris__fail(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
int iris__vfail(const char *fmt, va_list args) __attribute__((format(printf, 1, 0)));

/* The last reason of this thread, or "no reason was given"; never NULL. */
const char *iris__reason(void);

/* Forget it, so that a plugin that fails without a word is not given an older failure's reason. */
void iris__forget(void);

#endif
