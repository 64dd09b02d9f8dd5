/* To be preloaded: the machine has slept for an hour once the file $SLEPT is there. */
#include <stdlib.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

__attribute__((visibility("default"))) int clock_gettime(clockid_t id, struct timespec *t)
{
    const char *file = getenv("SLEPT");
    int result = (int)syscall(SYS_clock_gettime, id, t);
    if (id == CLOCK_BOOTTIME && file && !access(file, F_OK))
        t->tv_sec += 3600;
    return result;
}
