/* scale storm | leases [NODES..]: the simulated figures of docs/scale.md. The same each time. */
#include "scale.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void spread_add(struct spread *s, int64_t at)
{
    size_t i = (size_t)(at / (100 * MS));
    if (i >= s->n) {
        size_t n = i + 600;
        s->counts = realloc(s->counts, n * sizeof *s->counts);
        if (!s->counts)
            abort();
        memset(s->counts + s->n, 0, (n - s->n) * sizeof *s->counts);
        s->n = n;
    }
    s->counts[i]++;
    s->all++;
}

uint32_t spread_most(const struct spread *s, int64_t from)
{
    uint32_t most = 0;
    for (size_t i = (size_t)(from / (100 * MS)); i < s->n; i++)
        most = s->counts[i] > most ? s->counts[i] : most;
    return most;
}

static void storms(int nodes)
{
    for (int away = 5; away <= 60; away *= 12)
        for (int chance = 0; chance < 2; chance++)
            storm(nodes, away, 500, chance);
}

static void all_leases(int nodes)
{
    for (int ttl = 10; ttl <= 30; ttl *= 3)
        for (int away = 3; away <= 60; away *= 20)
            leases(nodes, ttl, 2000, away);
}

int main(int argc, char **argv)
{
    static const int usual[] = {100, 1000, 10000};
    int is_storm = argc > 1 && !strcmp(argv[1], "storm");
    if (!is_storm && (argc < 2 || strcmp(argv[1], "leases") != 0)) {
        fprintf(stderr, "usage: %s storm | leases  [NODES..]\n", argv[0]);
        return 2;
    }
    puts(is_storm ? "NODES  AWAY  JITTER  DIALS  MOST  MOST BACK    HALF     90%     ALL"
                  : "NODES  TTL  AWAY  ASKS A SECOND  WAIT  MOST BACK  WAIT BACK  LOST   ALL OK");
    for (int i = 0; i < (argc > 2 ? argc - 2 : 3); i++) {
        int nodes = argc > 2 ? atoi(argv[2 + i]) : usual[i];
        (is_storm ? storms : all_leases)(nodes > 0 ? nodes : 1);
        fflush(stdout);
    }
    return 0;
}
