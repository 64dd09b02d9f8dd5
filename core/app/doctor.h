/* What the files of `iris doctor` share: what was found so far. */
#ifndef IRIS_APP_DOCTOR_H
#define IRIS_APP_DOCTOR_H

#include "manifest.h"

#include <jansson.h>

enum finding { FOUND_OK, FOUND_WARNING, FOUND_PROBLEM };

struct doctor {
    json_t *checks;
    int problems;
    int is_full; /* where copies are made: what is loaded from there is not looked at */
};

#define DOCTOR_MS 10000 /* what foreign code may take */

/* fix: how it is mended; NULL: nothing is to be mended. */
void iris__doctor_note(struct doctor *, const char *check, enum finding, const char *fix,
                       const char *fmt, ...) __attribute__((format(printf, 5, 6)));
/* The last reason: its sentence is what was found, its hint how it is mended. */
void iris__doctor_reason(struct doctor *, const char *check, enum finding, const char *fix);

/* ---- doctor_app.c ---- */

/* What one app needs beyond that; its manifest was read. */
void iris__doctor_app(struct doctor *, struct manifest *);

#endif
