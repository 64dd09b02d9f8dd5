#!/bin/bash
# ctest: p3.swap_migrate_in_c
# actors[].swap.migrate of native code: in a swap, `iris apply` and a restored save; what it refuses changes nothing.
. "$SRC/tests/cli/live"
cp "$behaviours/tally1.so" s.so
app() { # more of "swap"; more actors
    manifest "\"actors\": [$(actor /a ./s.so "\"swap\": {\"migrate\": \"$behaviours/recount.so\"${1-}}")${2-}]"
}
send_all() { for ((i = 0; i < $2; i++)); do "$IRIS" send "$1" x 2>err || bad send; done; }
app
run_app
send_all /a 13
try "$IRIS" swap /a "$behaviours/tally3.so";   exits 6; complains 'recount.so did not migrate the state of format 1: "13" of format 1 is not for me'
try "$IRIS" ask /a count;                      exits 0; says '1 13'
expect_field /a rev 1
send_all /a 1
try "$IRIS" swap /a "$behaviours/tally3.so";   exits 0; says 'v1 -> v2'
try "$IRIS" ask /a count;                      exits 0; says '3 140'
try "$IRIS" explain /a;                        says 'state migrated'
try "$IRIS" rollback /a;                       exits 6; complains 'its state was migrated since'; complains '--state=snapshot'
try "$IRIS" ask /a count;                      says '3 140'
try "$IRIS" rollback /a --state=snapshot;      exits 0
try "$IRIS" ask /a count;                      says '1 14'

# It is no handler, and no handler is one.
try "$IRIS" swap /a "$behaviours/recount.so";  exits 6; complains '"recount" migrates states, and handles no messages'
try "$IRIS" swap /a "$behaviours/tally3.so" --migrate "$behaviours/echo.so"; exits 6; complains 'migrate: '; complains '"echo" has no migrate()'
try "$IRIS" swap /a "$behaviours/tally3.so" --migrate ./nowhere.so; exits 6; complains 'nowhere.so: there is no such file'
try "$IRIS" swap /a --cancel --migrate x.so;   exits 2; complains '--cancel takes back what waits'
expect_field /a rev 3

# A plan that is undone takes the migration back with it.
cp "$behaviours/tally3.so" new.so; mv new.so s.so
app '' ", $(actor /picky hose '"args": 1')"
try "$IRIS" apply;                             exits 6; complains '/picky: init() of'; complains 'was undone'
try "$IRIS" ask /a count;                      says '1 14'
app
try "$IRIS" apply;                             exits 0
try "$IRIS" ask /a count;                      says '3 140'
app ', "keep": 5'
sed -i 's/recount.so/nowhere.so/' app.json
try "$IRIS" apply;                             exits 3; complains 'actors[0].swap.migrate'; complains 'nowhere.so: there is no such file'
try "$IRIS" check;                             exits 3; complains 'actors[0].swap.migrate'
try "$IRIS" stop;                              exits 0
app_ends 0

# A save of the old format, for the new code.
cp "$behaviours/tally1.so" new.so; mv new.so s.so
app
run_app
send_all /a 2
try "$IRIS" stop --save saves;                 exits 0
app_ends 0
cp "$behaviours/tally3.so" new.so; mv new.so s.so
run_app --restore saves
try "$IRIS" ask /a count;                      says '3 20'
try "$IRIS" stop; app_ends 0; leaves_nothing
finish
