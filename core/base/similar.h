/* "did you mean ...?": the known word that is nearest to a misspelt one.
 *
 *   struct similar s = {.word = "countr"};
 *   for each known name: iris__similar_try(&s, name);
 *   if (s.best) ... */
#ifndef IRIS_BASE_SIMILAR_H
#define IRIS_BASE_SIMILAR_H

struct similar {
    const char *word;
    const char *best; /* NULL: nothing is near */
    int distance;     /* of best: letters to add, drop, change or exchange with their neighbour */
};

void iris__similar_try(struct similar *, const char *known);

#endif
