/* "Did you mean ...?": the candidate that is the fewest edits away from what was written. */
#ifndef IRIS_BASE_NEAREST_H
#define IRIS_BASE_NEAREST_H

#include <stddef.h>

struct nearest {
    const char *word; /* what was written */
    const char *best; /* NULL: nothing is near enough to be meant; not ended by '\0', see len */
    size_t len, edits;
};

void iris__nearest_try(struct nearest *, const char *candidate, size_t len);
void iris__nearest_words(struct nearest *, const char *words); /* with a space behind each */

/* Letters to insert, delete, replace or exchange with their neighbour; SIZE_MAX if one is too long
 * to be a slip of anything. */
size_t iris__edits(const char *a, size_t na, const char *b, size_t nb);

#endif
