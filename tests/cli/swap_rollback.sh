#!/bin/bash
# ctest: p3.swap_rollback_goes_back_by_itself
# actors[].swap.rollback: a version that crashes so often so soon after its swap is replaced by the one before, and says why.
. "$SRC/tests/cli/live"
app() { # "swap" of /a, of /b; intensity
    manifest "\"actors\": [$(actor /a tally1 "\"swap\": $1"), $(actor /b tally1 "\"swap\": $2")],
      \"supervisors\": [{\"path\": \"/\", \"intensity\": $3, \"period\": \"1h\"}]"
}
swap() { try "$IRIS" swap "$1" "$behaviours/tally$2.so"; exits 0; }
post_all() { local path=$1; shift; for word; do "$IRIS" send "$path" "$word" 2>err || bad send; done; }
app '{"rollback": {"errors": 2, "within": "1h"}}' '{}' 2
run_app

# All is in the mailbox: the second crash is the last, as many as the supervisor takes; what is behind it comes to the
# version before. That cannot take the state of now, so it has the one that was saved as it was replaced.
post_all /a one one one
swap /a 3
post_all /a "hold $PWD/go" crash crash one one
touch go
expect_field /a rev 3
expect_field /a of '=v1'
try "$IRIS" ask /a count;                  exits 0; says '1 5'
app_complains '/a  2 crashes within'
try "$IRIS" explain /a;                    exits 0; says 'rollback'; says 'it goes back to the version before'

# Another manifest. What was come back to is on no trial.
app '{"rollback": {"errors": 1, "within": "1us"}}' '{"rollback": {"errors": 1}}' 100
try "$IRIS" apply;                         exits 0; says 'swap.rollback.errors'
post_all /a crash crash crash
expect_field /a restarts 5
expect_field /a rev 3

# Nor is what crashes later than that.
swap /a 2
post_all /a crash
expect_field /a restarts 6
expect_field /a rev 4

# With a state that the version before takes.
swap /b 2
post_all /b crash one
expect_field /b rev 3
expect_field /b of '=v1'
try "$IRIS" ask /b count;                  exits 0; says '1 1'
expect_field /b restarts 1
went_back() { [ "$(grep -c 'it goes back' app.err)" = "$1" ]; }
await went_back 2 || bad 'expected two rollbacks'
try curl -s --unix-socket "$XDG_RUNTIME_DIR/iris/test.sock" http://iris/metrics; says 'iris_events_total{kind="rollback"} 2'
try "$IRIS" stop; app_ends 0; leaves_nothing
finish
