/* iris-mesh-cert: what `iris mesh cert` runs. A program of its own, so that `iris` does not link OpenSSL. */
#include "cert.h"

#include <argp.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { HOSTS = 16, USAGE = 2, HOST = 256, CA, DAYS, CLUSTER, JSON, REVOKE };
enum { DAY = 24 * 3600, SKEW = 3600 /* clocks of others that are behind */ };

struct args {
    struct cert_wish wish;
    const char *hosts[HOSTS + 1];
    int nhosts, json, revokes;
    long days;
};

static const struct argp_option options[] = {
    {"ca", CA, "DIR", 0, "where the CA is, or is to be made: ca.crt and ca.key", 0},
    {"host", HOST, "HOST", 0,
     "also put this name or address in (for other programs; may be repeated)", 0},
    {"days", DAYS, "N", 0, "how long it is good (a node 365, a CA 3,650)", 0},
    {"cluster", CLUSTER, "NAME", 0, "the cluster (of a CA \"iris\", of a node its CA's)", 0},
    {"revoke", REVOKE, NULL, 0,
     "take the node's certificate back: ca.crl says so, see mesh.tls.crl", 0},
    {"json", JSON, NULL, 0, "print one JSON object", 0},
    {"help", 'h', NULL, 0, "print this help", -1},
    {0},
};

static int add_host(struct args *a, const char *host, struct argp_state *state)
{
    if (a->nhosts == HOSTS)
        argp_error(state, "--host %s: at most %d of them", host, HOSTS);
    else
        a->hosts[a->nhosts++] = host;
    return 0;
}

static int set_days(struct args *a, const char *text, struct argp_state *state)
{
    char *end;
    a->days = strtol(text, &end, 10);
    if (*end || a->days < 1 || a->days > 36500)
        argp_error(state, "--days %s: expected 1 to 36500", text);
    return 0;
}

static error_t parse(int key, char *arg, struct argp_state *state)
{
    struct args *a = state->input;
    switch (key) {
    case CA:
        return a->wish.dir = arg, 0;
    case HOST:
        return add_host(a, arg, state);
    case DAYS:
        return set_days(a, arg, state);
    case CLUSTER:
        return a->wish.cluster = arg, 0;
    case REVOKE:
        return a->revokes = 1, 0;
    case JSON:
        return a->json = 1, 0;
    case 'h':
        argp_state_help(state, stdout, ARGP_HELP_STD_HELP);
        return 0;
    case ARGP_KEY_ARG:
        if (a->wish.node)
            argp_error(state, "%s: one node at a time", arg);
        return a->wish.node = arg, 0;
    case ARGP_KEY_END:
        if (!a->wish.dir)
            argp_error(state, "--ca DIR is needed: where the CA is, or is to be made");
        if (a->revokes && !a->wish.node)
            argp_error(state, "--revoke: say whose certificate: NODE");
        return 0;
    }
    return ARGP_ERR_UNKNOWN;
}

static const struct argp parser = {
    options,
    parse,
    "[NODE]",
    "Makes a trial CA, or (with NODE) a certificate of a node that this CA signs, or takes that back."
    "\v"
    "Keys are mode 0600, and nothing is overwritten. ca.key stays with you: a node needs its own two "
    "files and ca.crt. docs/mesh-security.md tells what they prove, and how they are replaced.",
    NULL,
    NULL,
    NULL};

static void name_day(time_t when, char day[32])
{
    struct tm tm;
    gmtime_r(&when, &tm);
    strftime(day, 32, "%Y-%m-%d", &tm);
}

/* A path inside quotes of JSON. */
static void quote(const char *text)
{
    for (; *text; text++)
        if (*text == '"' || *text == '\\')
            printf("\\%c", *text);
        else if ((unsigned char)*text < ' ')
            printf("\\u%04x", (unsigned)*text);
        else
            putchar(*text);
}

static void print_tls(const char *dir, const char *node)
{
    const char *const keys[] = {"cert", "key", "ca"}, *const ends[] = {".crt", ".key", ".crt"};
    for (int i = 0; i < 3; i++) {
        printf("%s\"%s\": \"", i ? ", " : "{", keys[i]);
        quote(dir);
        printf("/%s%s\"", i == 2 ? "ca" : node, ends[i]);
    }
    printf("}");
}

static void print_json(const struct args *a, const char *dir, const char *day)
{
    printf("{\"iris\":1,\"node\":");
    printf(a->wish.node ? "\"%s\"" : "null", a->wish.node);
    printf(",\"until\":\"%s\",\"ca\":\"", day);
    quote(dir);
    printf("/ca.crt\"");
    if (a->wish.node) {
        printf(",\"tls\":");
        print_tls(dir, a->wish.node);
    }
    printf("}\n");
}

static void print_revoked(const struct args *a, const char *given, const char *dir)
{
    if (a->json)
        printf("{\"iris\":1,\"revoked\":\"%s\",\"crl\":\"", a->wish.node);
    else
        printf("made  %s/ca.crl  which takes %s's certificate back\n\n"
               "in the manifests of all others:\n\n  \"mesh\": {\"tls\": {\"crl\": \"",
               given, a->wish.node);
    quote(dir);
    printf(a->json ? "/ca.crl\"}\n" : "/ca.crl\", ..}}\n");
}

static void print(const struct args *a, const char *given)
{
    char *dir = realpath(given, NULL), day[32]; /* a manifest is elsewhere than this shell */
    const char *node = a->wish.node, *shown = dir ? dir : given;
    name_day(a->wish.until, day);
    if (a->revokes) {
        print_revoked(a, given, shown);
    } else if (a->json) {
        print_json(a, shown, day);
    } else if (node) {
        printf("made  %s/%s.crt  until %s\n      %s/%s.key  0600\n\nin the manifest of %s:\n\n"
               "  \"mesh\": {\"node\": \"%s\", \"tls\": ",
               given, node, day, given, node, node, node);
        print_tls(shown, node);
        printf("}\n");
    } else {
        printf(
            "made  %s/ca.crt  until %s\n      %s/ca.key  0600; whoever has it can be any node\n\n"
            "next: iris mesh cert NODE --ca %s\n",
            given, day, given, given);
    }
    free(dir);
}

static int fail(const struct args *a, const char *why)
{
    if (!a->json)
        return fprintf(stderr, "iris mesh cert: %s\n", why), EXIT_FAILURE;
    printf("{\"iris\":1,\"error\":{\"code\":\"failed\",\"message\":\"");
    quote(why);
    printf("\"}}\n");
    return EXIT_FAILURE;
}

int main(int argc, char **argv)
{
    struct args a = {0};
    char why[1536], name[] = "iris mesh cert";
    argp_err_exit_status = USAGE;
    argv[0] = name;
    argp_parse(&parser, argc, argv, ARGP_NO_HELP, NULL, &a);
    time_t now = time(NULL);
    a.wish.hosts = a.hosts;
    a.wish.from = now - SKEW;
    a.wish.until = now + DAY * (a.days ? a.days : a.wish.node && !a.revokes ? 365 : 3650);
    if (a.revokes ? cert_revoke(&a.wish, why, sizeof why) : cert_make(&a.wish, why, sizeof why))
        return fail(&a, why);
    print(&a, a.wish.dir);
    return fflush(stdout) ? EXIT_FAILURE : EXIT_SUCCESS;
}
