#!/bin/bash
# ctest: p6.backoff_is_shown_and_a_stop_does_not_wait_for_it
# Who waits for its restart keeps pid and mail, is shown as backoff, and may be stopped; siblings wait as well.
. "$SRC/tests/cli/live"

manifest "\"supervisors\": [
 {\"path\": \"/slow\", \"backoff\": {\"initial\": \"1h\", \"max\": \"2h\"}},
 {\"path\": \"/quick\", \"strategy\": \"one_for_all\", \"backoff\": {\"initial\": \"10ms\"}}],
\"actors\": [$(actor /slow/tally tally1), $(actor /quick/a tally1), $(actor /quick/b tally1)]"
run_app
pid=$(field /slow/tally pid)
"$IRIS" send /slow/tally 'crash it' 2>err
await is_field /slow/tally state backoff
"$IRIS" send /slow/tally x 2>err
expect_field /slow/tally pid "$pid"
expect_field /slow/tally mailbox 1
expect_field /slow/tally restarts 0
[ "$(field /slow/tally backoff_ms)" -gt 1000000 ] || bad 'expected most of an hour'
try "$IRIS" ps;                            says 'backoff '
await explained /slow/tally 'decided'
try "$IRIS" explain /slow/tally;           says '/slow/tally  backoff, begins again in '; says 'decided      /slow: restart 1 of 3'
try "$IRIS" stop /slow/tally;              exits 0; says '/slow/tally  stopped'
"$IRIS" send /quick/a 'crash it' 2>err
await is_field /quick/b restarts 1
await is_field /quick/a restarts 1
try "$IRIS" stop; app_ends 0; leaves_nothing
finish
