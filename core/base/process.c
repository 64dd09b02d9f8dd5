#include "process.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

/* What there is of it, as text. */
static void read_text(const char *file, char *text, size_t room)
{
    int fd = open(file, O_RDONLY | O_CLOEXEC);
    ssize_t n = fd < 0 ? 0 : read(fd, text, room - 1);
    if (fd >= 0)
        close(fd);
    text[n > 0 ? n : 0] = '\0';
}

struct process_memory iris__process_memory(void)
{
    char text[128];
    unsigned long long all, resident;
    uint64_t page = (uint64_t)sysconf(_SC_PAGESIZE);
    read_text("/proc/self/statm", text, sizeof text);
    if (sscanf(text, "%llu %llu", &all, &resident) != 2)
        return (struct process_memory){0};
    return (struct process_memory){all * page, resident * page};
}

static double seconds_since_boot(void)
{
    struct timespec t;
    clock_gettime(CLOCK_BOOTTIME, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

/* Of the line what stands behind the name: fields from the third on. */
int iris__process_times(double *used, double *began)
{
    char text[1024];
    double hz = (double)sysconf(_SC_CLK_TCK);
    unsigned long long user, system, start;
    read_text("/proc/self/stat", text, sizeof text);
    const char *rest = strrchr(text, ')');
    if (!rest || sscanf(rest + 1,
                        " %*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %llu %llu %*d %*d %*d %*d "
                        "%*d %*d %llu",
                        &user, &system, &start) != 3)
        return -1;
    *used = (double)(user + system) / hz;
    *began = (double)time(NULL) - seconds_since_boot() + (double)start / hz;
    return 0;
}

static uint64_t count_entries(const char *directory)
{
    DIR *d = opendir(directory);
    uint64_t n = 0;
    for (struct dirent *e; d && (e = readdir(d));)
        n += e->d_name[0] != '.';
    if (d)
        closedir(d);
    return n;
}

uint64_t iris__process_files(void)
{
    return count_entries("/proc/self/fd");
}

uint64_t iris__process_threads(void)
{
    return count_entries("/proc/self/task");
}
