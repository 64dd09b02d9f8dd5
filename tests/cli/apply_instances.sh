#!/bin/bash
# ctest: p2.apply_with_instances_and_names
# More and fewer of one actor, another route, names that change hands, a supervisor that comes; again and again.
. "$SRC/tests/cli/live"

cp "$behaviours/tally1.so" s.so
several() { actor /p ./s.so "\"instances\": $1, \"route\": \"$2\""; }
first="$(several 2 round_robin), $(actor /a echo '"name": "n"'), $(actor /b echo)"
second="$(several 4 hash), $(actor /b echo '"name": "n"'), $(actor /a echo '"name": "m"')"
manifest "\"actors\": [$first]"
run_app
a=$(field /a pid) b=$(field /b pid)
sent=0
asks() { for i in 1 2 3 4; do try "$IRIS" ask /p count; exits 0; done; sent=$((sent + 4)); }
asks
for i in 1 2; do
    manifest "\"supervisors\": [{\"path\": \"/p\", \"strategy\": \"one_for_all\"}], \"actors\": [$second]"
    try "$IRIS" apply;                     exits 0; says 'add      /p/4'; says 'swap     /p  round_robin of 2 -> hash of 4'; says 'keep     2'
    asks
    try "$IRIS" whereis n;                 says "$b"
    try "$IRIS" whereis m;                 says "$a"
    try "$IRIS" restart /a;                exits 0
    try "$IRIS" whereis m;                 says "$a" # of each incarnation
    manifest "\"actors\": [$first]"
    try "$IRIS" apply;                     exits 0; says 'remove   /p/4'; says 'remove   /p/3'; says 'remove   supervisor /p'
    asks
    try "$IRIS" whereis n;                 says "$a"
    try "$IRIS" whereis m;                 exits 5
done
expect_field /p handled $sent
expect_field /p rev 5
cp "$behaviours/tally2.so" new.so; mv new.so s.so
try "$IRIS" apply;                         exits 0; says 'swap     /p/1  ./s.so has changed'; says 'swap     /p/2'
manifest "\"actors\": [$(several 1 round_robin)]"
try "$IRIS" apply;                         exits 3; complains '"instances" of /p cannot change'
manifest '"actors": []'
try "$IRIS" apply;                         exits 0; says 'remove   /p/1'; says 'keep     0'
try "$IRIS" ps --json;                     [ "$(json 'd["actors"]')" = '[]' ] || bad 'expected nobody'
get health;                                says '"dead_letters":{"crashed":0,"ended":0,"stray":0,"node":0,"unwanted":0,"dropped":0}'
manifest "\"actors\": [$first]"
try "$IRIS" apply;                         exits 0; says 'add      /p  round_robin of 2'
asks
try "$IRIS" stop; app_ends 0; leaves_nothing
finish
