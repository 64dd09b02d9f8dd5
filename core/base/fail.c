#include "fail.h"

#include "thread.h"

#include <stdio.h>
#include <stdlib.h>

int iris__vfail(const char *fmt, va_list args)
{
    char *text = NULL;
    if (vasprintf(&text, fmt, args) < 0)
        text = NULL;
    iris__thread_watch();
    free(iris__thread.reason); /* after formatting: an argument may be the older reason */
    iris__thread.reason = text;
    return -1;
}

int iris__fail(const char *fmt, ...)
{
    va_list args;
    va_start(args, fmt);
    iris__vfail(fmt, args);
    va_end(args);
    return -1;
}

const char *iris__reason(void)
{
    return iris__thread.reason ? iris__thread.reason : "no reason was given";
}

void iris__forget(void)
{
    free(iris__thread.reason);
    iris__thread.reason = NULL;
}
