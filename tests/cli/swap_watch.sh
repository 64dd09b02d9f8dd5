#!/bin/bash
# ctest: p3.swap_watch_swaps_who_asks
# actors[].swap.watch: who asks is swapped when its file changes, or one of its list, and nobody else; iris apply begins and ends it.
. "$SRC/tests/cli/live"
mkdir app
cp "$behaviours/tally1.so" app/tally.so
echo 1 >app/.conf
wanting() { # A B C: "swap" of each
    manifest "\"actors\": [$(actor /a ./app/tally.so "\"swap\": {\"watch\": $1}"), $(actor /b ./app/tally.so "\"swap\": {\"watch\": $2}"),
    $(actor /c "$behaviours/tally1.so" "\"swap\": {\"watch\": $3}")]"
}
replace() { cp "$1" "$2.new" && mv "$2.new" "$2"; }
wanting true false '["./app/.conf"]'
run_app

replace "$behaviours/tally2.so" app/tally.so
expect_field /a rev 2
app_says '/a  v1 -> v2'
expect_field /b rev 1

# What does not load is refused, and told; the next save is taken.
echo 'not a library at all' >app/broken && mv app/broken app/tally.so
app_says '/a  swap refused, still v2'
replace "$behaviours/tally3.so" app/tally.so
expect_field /a rev 3

# A file of the list, a hidden one even, loads the code anew: in C that are the same bytes.
echo 2 >app/.conf
app_says '/c  swap refused, still v1: these are the same bytes'

# Others, by iris apply: what /a had is not watched any more.
wanting false '["app/.conf"]' false
applied() { try "$IRIS" apply app.json; ! grep -qF 'is being swapped' err; } # /c is, until a moment after it was told
await applied;                             exits 0; says 'swap.watch'
expect_field /b rev 2
(cat "$behaviours/tally3.so"; echo more) >app/new.so # other bytes, and as good
mv app/new.so app/tally.so
expect_field /b rev 3
expect_field /a rev 3
tried='app.out' out=$(grep -c '^· /a  ' app.out); [ "$out" = 3 ] || bad 'expected nothing new of /a'
try "$IRIS" stop; app_ends 0; leaves_nothing

# The first to ask does so by iris apply.
cp "$behaviours/tally1.so" app/tally.so
wanting false false false
run_app
wanting true false false
try "$IRIS" apply app.json;                exits 0; says 'set'
replace "$behaviours/tally2.so" app/tally.so
expect_field /a rev 2
expect_field /b rev 1
try "$IRIS" stop; app_ends 0; leaves_nothing
finish
