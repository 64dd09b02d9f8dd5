/* --count of hosts. */
#ifndef IRIS_BENCH_COUNT_HOSTS_H
#define IRIS_BENCH_COUNT_HOSTS_H

/* So many messages through a handler in that language and back, and an end; returns where it is none. */
void count_in_language(const char *what, long operations);

#endif
