/* What was read of a manifest, in lines: what tests/manifest/valid/CASE/expected holds. */
#ifndef IRIS_TESTS_MANIFEST_DUMP_H
#define IRIS_TESTS_MANIFEST_DUMP_H

#include "manifest.h"
#include "text.h"

void manifest_dump(const struct manifest *, struct text *out);

#endif
