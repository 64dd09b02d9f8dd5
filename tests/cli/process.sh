#!/bin/bash
# ctest: cli.process_where
# The manifest's "process", as whoever runs the tests: its directory, no word to the service manager, and mistakes.
. "$SRC/tests/cli/live"
me=$(id -un)

# app PROCESS [MORE]
app() { manifest "\"process\": {$1}, ${2:-}\"actors\": [$(actor /echo ./here/echo.so)]"; }
mkdir here work
cp "$behaviours/echo.so" here/

# The directory: handlers are still the manifest's, and --restore is of where it was called.
app "\"user\": \"$me\", \"cwd\": \"work\""
try "$IRIS" check; exits 0
mkdir elsewhere
cd elsewhere
run_app ../app.json
[ "$(readlink "/proc/$app/cwd")" = "$(realpath ../work)" ] || bad "expected it in work, not $(readlink "/proc/$app/cwd")"
try "$IRIS" ask /echo hi;                       exits 0; says hi
sed 's/"work"/"here"/' ../app.json >../other.json
try "$IRIS" apply ../other.json;                exits 3; complains '"process.cwd" cannot change while the app runs'
kill -HUP $app 2>/dev/null # without a terminal it reads the manifest again, by its whole name
try "$IRIS" stop --save saved;                  exits 0
app_ends 0
run_app ../app.json --restore saved
app_says 'restored 1 actors'
try "$IRIS" stop;                               exits 0
app_ends 0
cd ..

# A manager hears nothing.
cat >manager.py <<'END2'
import os, socket, subprocess, sys
s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
s.bind("manager")
for word in ("true", "false"):
    env = dict(os.environ, NOTIFY_SOCKET=os.path.abspath("manager"))
    subprocess.run([sys.argv[1], "run", "--until-idle", word + ".json"], env=env, check=True)
    s.setblocking(False)
    told = set()
    try:
        while True:
            told.add(s.recv(4096).decode().split("=")[0])
    except BlockingIOError:
        print(word, sorted(told))
END2
for word in true false; do
    app "\"notify\": $word"
    mv app.json $word.json
done
try python3 manager.py "$IRIS"; exits 0; says "true ['READY', 'STOPPING']"; says 'false []'

# What is not there.
app '"user": "no-such-user", "group": "no-such-group", "cwd": "nowhere"'
for verb in check run; do
    try "$IRIS" $verb; exits 3
    complains 'process.user: found "no-such-user"; expected a user of this machine'
    complains 'process.group: found "no-such-group"; expected a group of this machine'
done
app '"cwd": "nowhere"'
try "$IRIS" check;    exits 3; complains "process.cwd: found \"$PWD/nowhere\"; expected a directory: No such file"
try "$IRIS" run;      exits 3; complains "process.cwd: found \"$PWD/nowhere\"; expected a directory that user"
app '"cwd": "app.json"'
try "$IRIS" check;    exits 3; complains 'expected a directory: Not a directory'
try "$IRIS" doctor app.json --json; exits 1; says 'Not a directory'

# Who is not root stays who he is; nor is root of a namespace that has no other user.
other=nobody
[ "$me" != nobody ] || other=root
app "\"user\": \"$other\""
try "$IRIS" check; exits 0
if [ "$(id -u)" = 0 ]; then
    alone=(unshare -Ur)
else
    alone=(env)
fi
if "${alone[@]}" true; then
    try "${alone[@]}" "$IRIS" run; exits 3
    complains "process.user: found \"$other\"; user $(id -u) may not become that user"
    complains '^~~~'
    complains 'hint: start it as root or as that user'
fi
finish
