/* The other process of a measurement between two: this program again, started by exec. It says where it
 * listens, and ends when it is let go. */
#ifndef IRIS_BENCH_FAR_H
#define IRIS_BENCH_FAR_H

#include <stddef.h>
#include <sys/types.h>
#include <time.h>

enum { FAR_SKIPPED = 77 }; /* status of a run: what it measures is not on this machine */

struct far {
    pid_t pid;
    int in, out;
    char address[64]; /* "127.0.0.1:40001" */
};

#define FAR_SELF "/proc/self/exe"
/* argv[0] is looked up as a shell does. */
void far_start(struct far *, char *const argv[]);
void far_read_address(struct far *);
void far_end(struct far *);
double far_cpu_ns(const struct far *); /* of all its threads */
double own_cpu_ns(void);
/* The same directory as this program, and what is below or beside it. */
void far_beside(char *path, size_t room, const char *name);

/* In the other process: says the address, and returns when it is let go. */
void far_serve(const char *address);
/* iris-bench --far KIND [ARGUMENT]; never returns. */
void far_main(char *const *words);

#endif
