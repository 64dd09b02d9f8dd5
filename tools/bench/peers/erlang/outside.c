/* A thread that is none of the virtual machine's and sends to a process. flood(Pid, N, Bytes): N messages
 * as fast as it can; clock(Pid, N, EveryUs): its clock, N times; now_ns(): the same clock. */
#include <erl_nif.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

struct job {
    ErlNifPid pid;
    unsigned long count, argument;
    int sends_clock;
};

static uint64_t read_clock(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

static ERL_NIF_TERM make_message(ErlNifEnv *env, const struct job *job, unsigned long i)
{
    ERL_NIF_TERM term;
    if (job->sends_clock) {
        struct timespec pause = {0, (long)job->argument * 1000};
        nanosleep(&pause, NULL);
        return enif_make_uint64(env, read_clock());
    }
    if (job->argument <= 8)
        return enif_make_ulong(env, i);
    memset(enif_make_new_binary(env, job->argument, &term), 1, job->argument);
    return term;
}

static void *run(void *arg)
{
    struct job *job = arg;
    ErlNifEnv *env = enif_alloc_env();
    for (unsigned long i = 0; i < job->count; i++) {
        enif_send(NULL, &job->pid, env, make_message(env, job, i));
        enif_clear_env(env);
    }
    enif_free_env(env);
    free(job);
    return NULL;
}

/* The thread is not joined: the machine halts after the measurement. */
static ERL_NIF_TERM start(ErlNifEnv *env, const ERL_NIF_TERM args[], int sends_clock)
{
    struct job *job = malloc(sizeof *job);
    ErlNifTid thread;
    if (!job)
        return enif_make_badarg(env);
    job->sends_clock = sends_clock;
    if (!enif_get_local_pid(env, args[0], &job->pid) ||
        !enif_get_ulong(env, args[1], &job->count) ||
        !enif_get_ulong(env, args[2], &job->argument) ||
        enif_thread_create("outside", &thread, run, job, NULL)) {
        free(job);
        return enif_make_badarg(env);
    }
    return enif_make_atom(env, "ok");
}

static ERL_NIF_TERM flood(ErlNifEnv *env, int argc, const ERL_NIF_TERM args[])
{
    (void)argc;
    return start(env, args, 0);
}

static ERL_NIF_TERM clock_each(ErlNifEnv *env, int argc, const ERL_NIF_TERM args[])
{
    (void)argc;
    return start(env, args, 1);
}

static ERL_NIF_TERM now(ErlNifEnv *env, int argc, const ERL_NIF_TERM args[])
{
    (void)argc, (void)args;
    return enif_make_uint64(env, read_clock());
}

static ErlNifFunc functions[] = {
    {"flood", 3, flood, 0}, {"clock", 3, clock_each, 0}, {"now_ns", 0, now, 0}};
ERL_NIF_INIT(outside, functions, NULL, NULL, NULL, NULL)
