#!/bin/bash
# ctest: p9.stop_leaves_nothing_behind
# SIGTERM, Ctrl-C and `iris stop` end the actors in the reverse of their start, each with its mail done.
. "$SRC/tests/cli/live"

manifest "\"actors\": [$(actor /c last_word '"depends_on": ["/b"]'), $(actor /a last_word), $(actor /b last_word '"depends_on": ["/a"]')]"
order() { grep -oE '/[abc]  (begins|ends)' app.out | tr -d ' /' | tr '\n' ' '; }
expect_order() { tried='the order' status=- err= out=$(order); [ "$out" = "$1" ] || bad "expected $1"; }

# A background job of a script ignores SIGINT unless it asks otherwise.
for signal in TERM INT; do
    with='env --default-signal=INT' run_app
    kill -$signal $app
    app_ends 0; expect_order 'abegins bbegins cbegins cends bends aends '
    leaves_nothing
done
app_says '· /c  stopped'

run_app
try "$IRIS" stop --json;                   exits 0; is_json; says '"stopped":true'
app_ends 0; expect_order 'abegins bbegins cbegins cends bends aends '

# To what has no terminal, SIGHUP says to open its logs anew (logs.sh), not to stop.
with='setsid env --default-signal=HUP' run_app
kill -HUP $app
try "$IRIS" stop;                              exits 0
app_ends 0

# A terminal that is closed says so, and may say it twice; with nohup nobody hears it.
cat >terminal.py <<'END'
import os, pty, sys
app, terminal = pty.fork()
if app == 0:
    os.execvp(sys.argv[1], sys.argv[1:])
said = b""
while b"talk to it" not in said:
    said += os.read(terminal, 4096)
os.close(terminal)
sys.exit(os.waitstatus_to_exitcode(os.waitpid(app, 0)[1]))
END
try env --default-signal=HUP python3 terminal.py "$IRIS" run
exits 0
leaves_nothing
with='env --ignore-signal=HUP' run_app
kill -HUP $app
try "$IRIS" ps;                            exits 0; says '/a'
kill -TERM $app
app_ends 0; expect_order 'abegins bbegins cbegins cends bends aends '

# What was accepted is handled before the end.
manifest "\"actors\": [$(actor /tally tally1 '"shutdown": "1m"'), $(actor /word last_word)]"
run_app
"$IRIS" send /tally "hold $PWD/go" 2>err
for i in 1 2 3; do "$IRIS" send /tally x 2>err; done
post stop '{}';                            says '"stopping":true'
await grep -q '/word  stopped' app.out
try "$IRIS" ps                             # a machine that is busy gets here when it holds for a second
grep -qE ' (stopping|stuck [0-9.]+ s) ' out || bad 'expected that /tally is stopping, or stuck'
try "$IRIS" send /tally late;              exits 5
try "$IRIS" swap /tally "$behaviours/tally2.so"; exits 1; complains 'the app is stopping'
: >go
app_ends 0
app_says '/tally  stopped'
leaves_nothing
finish
