#include "far.h"

#include "bench.h"
#include "meshes.h"

#include <limits.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

/* ---- CPU ---- */

static double clock_ns(clockid_t clock)
{
    struct timespec t;
    if (clock_gettime(clock, &t))
        die("the CPU time of a process cannot be read");
    return (double)t.tv_sec * 1e9 + (double)t.tv_nsec;
}

double own_cpu_ns(void)
{
    return clock_ns(CLOCK_PROCESS_CPUTIME_ID);
}

double far_cpu_ns(const struct far *f)
{
    clockid_t clock;
    if (clock_getcpuclockid(f->pid, &clock))
        die("the CPU time of the other process cannot be read");
    return clock_ns(clock);
}

/* ---- here ---- */

void far_beside(char *path, size_t room, const char *name)
{
    char self[PATH_MAX];
    ssize_t n = readlink("/proc/self/exe", self, sizeof self - 1);
    self[n < 0 ? 0 : n] = '\0';
    char *slash = strrchr(self, '/');
    if (!slash)
        die("where this program is cannot be read");
    *slash = '\0';
    if ((size_t)snprintf(path, room, "%s/%s", self, name) >= room)
        die("the path of this program is too long");
}

static void become(char *const argv[], const int in[2], const int out[2])
{
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    dup2(in[0], STDIN_FILENO);
    dup2(out[1], STDOUT_FILENO);
    for (int i = 0; i < 2; i++) {
        close(in[i]);
        close(out[i]);
    }
    execvp(argv[0], argv);
    _exit(1);
}

void far_start(struct far *f, char *const argv[])
{
    int in[2], out[2];
    if (pipe(in) || pipe(out))
        die("no pipe");
    f->pid = fork();
    if (f->pid < 0)
        die("no other process");
    if (f->pid == 0)
        become(argv, in, out);
    close(in[0]);
    close(out[1]);
    f->in = in[1];
    f->out = out[0];
}

void far_read_address(struct far *f)
{
    size_t n = 0;
    ssize_t got = 0;
    while (n < sizeof f->address - 1 && !memchr(f->address, '\n', n) &&
           (got = read(f->out, f->address + n, sizeof f->address - 1 - n)) > 0)
        n += (size_t)got;
    f->address[n] = '\0';
    char *end = strchr(f->address, '\n');
    if (!end)
        die("the other process did not say where it listens");
    *end = '\0';
}

void far_end(struct far *f)
{
    int status;
    close(f->in);
    close(f->out);
    waitpid(f->pid, &status, 0);
}

/* ---- there ---- */

void far_serve(const char *address)
{
    char byte;
    printf("%s\n", address);
    fflush(stdout);
    while (read(STDIN_FILENO, &byte, 1) > 0)
        ;
}

void far_main(char *const *words)
{
    if (words[0] && strcmp(words[0], "uv") == 0)
        mesh_far_uv();
    else if (words[0] && words[1] && strcmp(words[0], "iris") == 0)
        mesh_far_iris(atoi(words[1]), words[2]);
    else
        die("--far is said by this program to itself");
    exit(0);
}
