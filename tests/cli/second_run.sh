#!/bin/bash
# ctest: cli.second_run
# Two of one name: the second is told who is first. A first one that was killed is taken over.
. "$SRC/tests/cli/live"

manifest "\"actors\": [$(actor /echo echo)]"
run_app
try "$IRIS" run;                           exits 1; complains "iris: $XDG_RUNTIME_DIR/iris/test.sock: an app of this name runs already, pid $app"
complains 'hint: stop it with: iris stop -a test; or'; complains '--set name=NAME'
sed 's/"test"/"other"/' app.json >other.json
"$IRIS" run other.json >other.out 2>other.err & other=$!
await grep -q 'talk to it' other.out
try "$IRIS" ps;                            exits 2; complains '2 apps run here: '; complains '-a NAME'
try "$IRIS" ps -a other;                   exits 0; says '/echo'
try env IRIS_APP=test "$IRIS" ask /echo x; exits 0; says 'x'
try "$IRIS" stop -a other;                 exits 0
wait $other || bad 'expected the other one to end with 0'

"$IRIS" logs -f >follow.out 2>follow.err & follower=$!
await grep -q started follow.out
killed=$app
kill -9 $app; wait $app 2>err
wait $follower; status=$? tried='iris logs -f' out=$(cat follow.out) err=$(cat follow.err)
exits 1; cp follow.err err; complains 'the app was killed before it had stopped'
[ -S "$XDG_RUNTIME_DIR/iris/test.sock" ] || bad 'expected the socket that a killed app leaves'
try "$IRIS" ps;                            exits 4; complains 'no app runs here'; complains "; test was killed before it had stopped, pid $killed"
try "$IRIS" ps -a test;                    exits 4; complains "pid $killed was killed before it had stopped, and left "
try "$IRIS" doctor --json;                 exits 0; says "test was killed before it had stopped"; says 'takes its place'
run_app
try "$IRIS" ask /echo again;               exits 0; says 'again'
try "$IRIS" stop; app_ends 0
leaves_nothing # also nothing of the one that was killed

# What is no socket is not ours to remove.
echo mine >"$XDG_RUNTIME_DIR/iris/test.sock"
try "$IRIS" run;                           exits 1; complains 'test.sock: not a socket; move it away, or choose another name'
grep -q mine "$XDG_RUNTIME_DIR/iris/test.sock" || bad 'expected that it is left alone'
[ ! -e "$XDG_RUNTIME_DIR/iris/test.lock" ] || bad 'expected no lock'
finish
