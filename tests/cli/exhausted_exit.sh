#!/bin/bash
# ctest: p6.on_exhausted_exit_ends_the_app_and_stop_only_its_actors
. "$SRC/tests/cli/live"

manifest "\"supervisors\": [{\"path\": \"/weak\", \"intensity\": 0, \"on_exhausted\": \"stop\"},
 {\"path\": \"/vital\", \"intensity\": 0, \"on_exhausted\": \"exit\"}],
\"actors\": [$(actor /weak/a tally1), $(actor /weak/b last_word), $(actor /vital/c tally1), $(actor /d last_word)]"
run_app
"$IRIS" send /weak/a 'crash it' 2>err
await grep -q '/weak/b  ends' app.out
await eval '! "$IRIS" ask /weak/a count'
try "$IRIS" ask /vital/c count;            exits 0
"$IRIS" send /vital/c 'crash it' 2>err
app_ends 1
app_says 'supervisor /weak: more than 0 restarts within 5.0 s'
app_complains 'more restarts than supervisor /vital allows'
app_says '/d  ends'
leaves_nothing
finish
