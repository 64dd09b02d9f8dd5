#!/bin/bash
# ctest: cli.second_run
# Two of one name: the second is told who is first. A first one that was killed is taken over.
. "$SRC/tests/cli/live"

manifest "\"actors\": [$(actor /echo echo)]"
run_app
try "$IRIS" run;                           exits 1; complains "iris: $XDG_RUNTIME_DIR/iris/test.sock: an app of this name runs already, pid $app"
complains 'hint: stop it with `iris stop`'
sed 's/"test"/"other"/' app.json >other.json
"$IRIS" run other.json >other.out 2>other.err & other=$!
await grep -q 'talk to it' other.out
try "$IRIS" ps;                            exits 2; complains '2 apps run here: '; complains '-a NAME'
try "$IRIS" ps -a other;                   exits 0; says '/echo'
try env IRIS_APP=test "$IRIS" ask /echo x; exits 0; says 'x'
try "$IRIS" stop -a other;                 exits 0
wait $other || bad 'expected the other one to end with 0'

kill -9 $app; wait $app 2>err
[ -S "$XDG_RUNTIME_DIR/iris/test.sock" ] || bad 'expected the socket that a killed app leaves'
try "$IRIS" ps;                            exits 4; complains 'no app runs here'
run_app
try "$IRIS" ask /echo again;               exits 0; says 'again'
try "$IRIS" stop; app_ends 0
leaves_nothing # also nothing of the one that was killed
finish
