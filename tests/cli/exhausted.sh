#!/bin/bash
# ctest: p6.exhausted_root_ends_the_app
# More restarts than "/" allows: the app ends with status 1 and says why.
. "$SRC/tests/cli/live"

manifest "\"supervisors\": [{\"path\": \"/\", \"intensity\": 2, \"period\": \"1h\"}],
\"actors\": [$(actor /tally tally1 '"restart": "always"'), $(actor /other last_word '"depends_on": ["/tally"]')]"
run_app
for i in 1 2; do "$IRIS" send /tally crash 2>err; await is_field /tally restarts $i; done
"$IRIS" send /tally crash 2>err
app_ends 1
app_says 'supervisor /: more than 2 restarts within 3600.0 s'
app_complains 'supervisor / allows'
app_says '/other  ends' # in order, all the same
leaves_nothing
finish
