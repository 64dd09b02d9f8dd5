#include "birth.h"

#include <sys/mman.h>
#include <unistd.h>

#ifndef MADV_WIPEONFORK
#define MADV_WIPEONFORK 18
#endif

static size_t page(void)
{
    return (size_t)sysconf(_SC_PAGESIZE);
}

struct birth *iris__birth_create(void)
{
    struct birth *b =
        mmap(NULL, page(), PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (b == MAP_FAILED)
        return NULL;
    madvise(b, page(), MADV_WIPEONFORK);
    b->here = 1;
    return b;
}

void iris__birth_destroy(struct birth *b)
{
    if (b)
        munmap(b, page());
}
