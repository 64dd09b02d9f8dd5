#include "hostport.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int is_port(const char *s)
{
    size_t n = strspn(s, "0123456789");
    return n && n <= 5 && !s[n] && atoi(s) <= 65535;
}

/* It goes into logs and events, and into HELLO, which takes no other. */
static int is_host(const char *host, size_t len)
{
    for (size_t i = 0; i < len; i++)
        if ((unsigned char)host[i] <= ' ' || host[i] == 0x7f || host[i] == '@')
            return 0;
    return len != 0;
}

int hostport_split(const char *text, struct hostport *out)
{
    const char *colon = strrchr(text, ':'), *host = text;
    if (!colon || !is_port(colon + 1))
        return -1;
    size_t len = (size_t)(colon - text);
    if (*text == '[') {
        if (len < 3 || text[len - 1] != ']')
            return -1;
        host++;
        len -= 2;
    } else if (memchr(text, ':', len))
        return -1;
    if (!is_host(host, len) || len >= sizeof out->host)
        return -1;
    memcpy(out->host, host, len);
    out->host[len] = '\0';
    snprintf(out->port, sizeof out->port, "%s", colon + 1);
    return 0;
}

int hostport_numeric(const struct hostport *a, struct sockaddr_storage *out)
{
    struct sockaddr_in *v4 = (struct sockaddr_in *)out;
    struct sockaddr_in6 *v6 = (struct sockaddr_in6 *)out;
    memset(out, 0, sizeof *out);
    if (inet_pton(AF_INET, a->host, &v4->sin_addr) == 1) {
        v4->sin_family = AF_INET;
        v4->sin_port = htons((uint16_t)atoi(a->port));
        return 0;
    }
    if (inet_pton(AF_INET6, a->host, &v6->sin6_addr) != 1)
        return -1;
    v6->sin6_family = AF_INET6;
    v6->sin6_port = htons((uint16_t)atoi(a->port));
    return 0;
}

void hostport_print(const struct sockaddr *a, char *out, size_t room)
{
    const struct sockaddr_in *v4 = (const struct sockaddr_in *)a;
    const struct sockaddr_in6 *v6 = (const struct sockaddr_in6 *)a;
    char host[INET6_ADDRSTRLEN] = "?";
    if (a->sa_family == AF_INET) {
        inet_ntop(AF_INET, &v4->sin_addr, host, sizeof host);
        snprintf(out, room, "%s:%u", host, ntohs(v4->sin_port));
        return;
    }
    inet_ntop(AF_INET6, &v6->sin6_addr, host, sizeof host);
    snprintf(out, room, "[%s]:%u", host, ntohs(v6->sin6_port));
}

static int is_mapped_loopback(const struct in6_addr *a)
{
    return IN6_IS_ADDR_V4MAPPED(a) && a->s6_addr[12] == 127;
}

int hostport_is_loopback(const struct sockaddr *a)
{
    const struct sockaddr_in *v4 = (const struct sockaddr_in *)a;
    const struct sockaddr_in6 *v6 = (const struct sockaddr_in6 *)a;
    if (a->sa_family == AF_INET)
        return ntohl(v4->sin_addr.s_addr) >> 24 == 127;
    return a->sa_family == AF_INET6 &&
           (IN6_IS_ADDR_LOOPBACK(&v6->sin6_addr) || is_mapped_loopback(&v6->sin6_addr));
}

int hostport_is_same_host(const struct sockaddr *a, const struct sockaddr *b)
{
    if (a->sa_family != b->sa_family)
        return 0;
    if (a->sa_family == AF_INET)
        return ((const struct sockaddr_in *)a)->sin_addr.s_addr ==
               ((const struct sockaddr_in *)b)->sin_addr.s_addr;
    return !memcmp(&((const struct sockaddr_in6 *)a)->sin6_addr,
                   &((const struct sockaddr_in6 *)b)->sin6_addr, sizeof(struct in6_addr));
}

socklen_t hostport_len(const struct sockaddr *a)
{
    return a->sa_family == AF_INET ? sizeof(struct sockaddr_in) : sizeof(struct sockaddr_in6);
}
