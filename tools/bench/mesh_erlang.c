/* Erlang's distribution: two machines, without epmd; peers/erlang/dist.erl does the work. The build compiles it
 * where there is erlc; else there is no figure. */
#include "meshes.h"

#include "far.h"

#include <limits.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { VALUES = 4 };

/* One that nobody has now. */
static int free_port(void)
{
    struct sockaddr_in a = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
    socklen_t n = sizeof a;
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    if (bind(fd, (struct sockaddr *)&a, n) || getsockname(fd, (struct sockaddr *)&a, &n))
        die("no free port");
    close(fd);
    return ntohs(a.sin_port);
}

static void begin(struct far *f, const char *beams, const char *port, int is_there,
                  const char *workload)
{
    char name[64];
    snprintf(name, sizeof name, "%s%s@127.0.0.1", is_there ? "there" : "here", port);
    far_start(f, (char *[]){"erl",
                            "-noshell",
                            "-noinput",
                            "-pa",
                            (char *)beams,
                            "-setcookie",
                            "bench",
                            "-start_epmd",
                            "false",
                            "-erl_epmd_port",
                            (char *)port,
                            "-name",
                            name,
                            "-kernel",
                            "inet_dist_use_interface",
                            "{127,0,0,1}",
                            "-dist_listen",
                            is_there ? "true" : "false",
                            "-s",
                            "dist",
                            "main",
                            (char *)workload,
                            (char *)port,
                            NULL});
}

static void read_values(struct far *f, double *values)
{
    FILE *in = fdopen(f->out, "r");
    for (int i = 0; i < VALUES; i++)
        if (!in || fscanf(in, "%lf", &values[i]) != 1)
            die("Erlang said no figures");
}

static void run_erlang(const char *workload, double *values)
{
    char beams[PATH_MAX], beam[PATH_MAX + 16], port[16];
    struct far there, here;
    far_beside(beams, sizeof beams, "../peers/erlang");
    snprintf(beam, sizeof beam, "%s/dist.beam", beams);
    if (access(beam, R_OK)) {
        fprintf(
            stderr,
            "iris-bench: no figures of Erlang: found no %s; install Erlang (erl, erlc), then configure and"
            " build again\n",
            beam);
        _exit(FAR_SKIPPED);
    }
    snprintf(port, sizeof port, "%d", free_port());
    begin(&there, beams, port, 1, "there");
    far_read_address(&there);
    begin(&here, beams, port, 0, workload);
    read_values(&here, values);
    far_end(&here);
    far_end(&there);
}

void trip_erlang(const struct workload *w, double *values)
{
    (void)w;
    run_erlang("trip", values);
}

void pipe_erlang(const struct workload *w, double *values)
{
    (void)w;
    run_erlang("pipe", values);
}
