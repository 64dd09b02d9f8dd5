#!/bin/bash
# ctest: p3.swap_by_hand
# Swap, roll back, and swap again by the command line: the state stays, what is refused changes nothing.
. "$SRC/tests/cli/live"

cp "$behaviours/tally1.so" libtally.so
cp "$behaviours/tally2.so" libtally2.so
manifest "\"actors\": [$(actor /tally ./libtally.so)]"
run_app
counts() { tried="count" status=- err= out=$("$IRIS" ask /tally count 2>&1); case $out in "$1"*) ;; *) bad "expected $1" ;; esac; }
for i in 1 2 3; do "$IRIS" send /tally x 2>err; done
counts '1 3'

try "$IRIS" swap /tally libtally2.so;      exits 0; says '/tally  v1 -> v2  swapped in '; says 'mailbox 0'; says 'version 2.0.0'; says 'undo: iris rollback /tally'; is_quiet
await grep -q 'v1 -> v2' app.out; app_says '· /tally  v1 -> v2  tally 2.0.0'
counts '2 3'
expect_field /tally rev 2
expect_field /tally handler libtally2.so
try "$IRIS" swap /tally;                   exits 6; complains 'the same bytes'; complains 'nothing has changed'
try "$IRIS" swap /tally --json;            exits 6; is_json; says '"code":"swap-refused"'; is_quiet

try "$IRIS" rollback /tally;               exits 0; says 'v2 -> v3 (=v1)  rolled back in '; says 'version 1.0.0'
counts '1 3'
try "$IRIS" ps;                            says 'v3 (=v1) 1.0.0'
try "$IRIS" rollback /tally --json;        exits 0; is_json; says '"from":"v3"'; says '"to":"v4 (=v2)"'; says '"from_rev":3,"to_rev":4,"of_rev":2'; says '"undo":"iris rollback /tally"'
counts '2 3'
try "$IRIS" rollback /tally --steps 9;     exits 6; complains '9 steps back is too far'
try "$IRIS" swap /tally ./libtally3.so;    exits 6; complains "$PWD/libtally3.so"

# One that writes a format of its own alone cannot go back, but to the bytes of then.
try "$IRIS" swap /tally "$behaviours/tally3.so"; exits 0; says 'version 3.0.0'
"$IRIS" send /tally x 2>err
counts '3 4'
try "$IRIS" rollback /tally;               exits 6; complains 'format 3 is newer than mine, 2'; complains '--state=snapshot'
counts '3 4'
try "$IRIS" rollback /tally --state=snapshot; exits 0; says '(=v2)'
counts '2 3'

# A symbol, a file that is no plugin, half of one: each refusal says why, and the one that runs goes on.
try "$IRIS" swap /tally libtally2.so:nobody; exits 6; complains 'nobody'
await grep -q '/tally  swap refused, still v.*nobody' app.out
get events;                                says '"kind":"swap-refused"'; says 'nobody'
head -c 3000 "$behaviours/tally1.so" >half.so
try "$IRIS" swap /tally ./half.so;         exits 6; complains 'half.so'
echo text >text.so
try "$IRIS" swap /tally ./text.so;         exits 6; complains 'text.so'
try "$IRIS" swap /tally missing.so;        exits 6; complains 'there is no such file in'; complains 'installed behaviours'
chmod 666 half.so
try "$IRIS" swap /tally ./half.so;         exits 6; complains 'half.so'
try "$IRIS" swap /nobody ./half.so;        exits 5; complains 'no actor /nobody'
counts '2 3'

try "$IRIS" stop; app_ends 0; leaves_nothing
finish
