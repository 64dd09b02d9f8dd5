#!/bin/bash
# ctest: p3.swap_of_a_file_that_changes
# The file may be replaced (mv), or overwritten in place while its code runs: what runs is a private copy.
. "$SRC/tests/cli/live"

cp "$behaviours/tally1.so" libtally.so
manifest "\"actors\": [$(actor /tally ./libtally.so)]"
run_app
"$IRIS" send /tally x 2>err

cp "$behaviours/tally2.so" new && mv new libtally.so
try "$IRIS" swap /tally;                   exits 0; says 'v1 -> v2'; says 'version 2.0.0'
try "$IRIS" ask /tally count;              says '2 1'

# Overwritten in place: the same inode, cut short and filled again; at each moment the old code runs on.
: >libtally.so
try "$IRIS" ask /tally count;              says '2 1'
try "$IRIS" swap /tally;                   exits 6; complains 'libtally.so'
head -c 2000 "$behaviours/tally1.so" >libtally.so
try "$IRIS" swap /tally;                   exits 6; complains 'libtally.so'
try "$IRIS" ask /tally count;              says '2 1'
cat "$behaviours/tally3.so" >libtally.so
try "$IRIS" swap /tally;                   exits 0; says 'v2 -> v3'; says 'version 3.0.0'
try "$IRIS" ask /tally count;              says '3 1'

# After a rollback to code of this file, "the same file again" is that file.
try "$IRIS" rollback /tally --state=snapshot --steps 1; exits 0
cat "$behaviours/tally3.so" >libtally.so
try "$IRIS" swap /tally;                   exits 0; says 'version 3.0.0'
try "$IRIS" ask /tally count;              says '3 1'

rm libtally.so
try "$IRIS" swap /tally;                   exits 6; complains 'libtally.so'
try "$IRIS" ask /tally count;              says '3 1'
try "$IRIS" stop; app_ends 0; leaves_nothing
finish
