#!/bin/bash
# ctest: p3.watch_swaps_what_changes
# iris run --watch: saved is swapped, however an editor saves; what does not load is refused, and the next save tried.
. "$SRC/tests/cli/live"
mkdir app
cp "$behaviours/tally1.so" app/tally.so
manifest "\"actors\": [$(actor /tally ./app/tally.so)]"
run_app --watch
ask() { "$IRIS" ask "$@" 2>err; }
replace() { cp "$1" "$2.new" && mv "$2.new" "$2"; }
runs() { [ "$(field "$1" rev)" = "$2" ]; }

try "$IRIS" ask /tally count;              exits 0; says '1 0'
replace "$behaviours/tally2.so" app/tally.so
await runs /tally 2
app_says '/tally  v1 -> v2'

# What is no library is refused; the same bytes again are no change; the next save is.
echo 'not a library at all' >app/broken && mv app/broken app/tally.so
await grep -q '/tally  swap refused, still v2' app.out
replace "$behaviours/tally3.so" app/tally.so
await runs /tally 3
touch app/tally.so

# Another file than the manifest's, swapped to by hand, is watched from then on.
mkdir other
(cat "$behaviours/tally3.so"; echo more) >other/tally.so # other bytes, and as good
try "$IRIS" swap /tally "$PWD/other/tally.so"; exits 0
await runs /tally 4
replace "$behaviours/echo.so" other/tally.so
await grep -q '/tally  swap refused, still v4' app.out
(cat "$behaviours/tally3.so"; echo other) >other/new.so
mv other/new.so other/tally.so
await runs /tally 5

# A directory that was removed, and made anew, is watched as before.
again() { n=$((n + 1)); (cat "$behaviours/tally3.so"; echo "$n") >"$1/new.so"; mv "$1/new.so" "$1/tally.so"; }
n=0
rm -rf other
mkdir other
again other
await runs /tally 6
mv other moved && mkdir other
again other
await runs /tally 7

# What only lies beside a handler is not read, however often it is written.
read_so_far() { awk '/^rchar/ { print $2 }' "/proc/$app/io"; }
head -c 20000000 /dev/zero >other/beside.log
again other
await runs /tally 8
before=$(read_so_far)
echo more >>other/beside.log
again other
await runs /tally 9
more=$(($(read_so_far) - before))
[ "$more" -lt 10000000 ] || bad "expected that a log beside a handler is not read, but $more bytes were"

# Saved again while the swap to it waits, and so before it is watched: that is what runs in the end.
mkdir late
(cat "$behaviours/tally3.so"; echo late) >late/tally.so
"$IRIS" send /tally "hold $PWD/go" 2>err
await is_field /tally mailbox 0
queued_swap /tally "$PWD/late/tally.so"
(cat "$behaviours/tally3.so"; echo later) >late/new.so
mv late/new.so late/tally.so
: >go
await runs /tally 11
try "$IRIS" stop; app_ends 0; leaves_nothing

try "$IRIS" run --help;                    says '--watch'
finish
