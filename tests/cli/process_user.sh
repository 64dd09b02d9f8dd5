#!/bin/bash
# ctest: cli.process_user
# Started by root, the app is somebody else before it opens anything, and does not come back.
. "$SRC/tests/cli/live"
if [ "$(id -u)" != 0 ]; then
    echo 'skipped: only root can become another user'
    exit 77
fi
chmod 711 "$HOME" "$PWD"
user=$(id -u nobody) group=$(id -g nobody)
nobody="setpriv --reuid $user --regid $group --clear-groups"
as_nobody() { $nobody "$@"; }
if ! as_nobody test -x "$IRIS" || ! as_nobody test -r "$behaviours/echo.so"; then
    echo "skipped: user nobody cannot read $BUILD"
    exit 77
fi

mkdir -m 700 run state work secret
chown nobody run state work
export IRIS_STATE_DIR=$PWD/state
echo topsecret >secret/word
chmod 600 secret/word
# app PROCESS [MORE]
app() {
    manifest "\"process\": {$1}, \"control\": {\"socket\": \"run/test.sock\"}, ${2:-}
        \"actors\": [$(actor /echo echo "\"args\": \"\${HOME}\"")]"
}
# of PID WORD: what the kernel says of each of its threads, once
of() { sed -n "s/^$2:[[:space:]]*//p" /proc/"$1"/task/*/status | tr '\t' ' ' | sort -u; }
expect() { [ "$2" = "$3" ] || { tried=$1 status=- out=$2 err=$(cat app.err) bad "expected $3"; }; }
export IRIS_APP=$PWD/run/test.sock

app '"user": "nobody", "cwd": "work"' '"env": {"WORD": {"file": "secret/word"}}, "logs": {"to": "file", "file": "work/log"},
    "metrics": {"labels": {"home": "${HOME}", "who": "${LOGNAME:-root}"}},'
try "$IRIS" check;    exits 0
try "$IRIS" doctor app.json --json; says "user $user, in $PWD/work"; says "$PWD/work/log"
run_app
app_says "as user $user, group $group"
expect 'user of each thread' "$(of $app Uid)" "$user $user $user $user"
expect 'group of each thread' "$(of $app Gid)" "$group $group $group $group"
expect 'groups of each thread' "$(of $app Groups | sed 's/ *$//')" "$(id -G nobody)"
expect 'capabilities of each thread' "$(of $app CapEff)" 0000000000000000
expect 'a core may be had' "$(stat -c %u /proc/$app/mem)" "$user"
expect 'its directory' "$(readlink "/proc/$app/cwd")" "$PWD/work"
for file in run/test.sock run/test.lock work/log; do
    expect "owner of $file" "$(stat -c %u $file)" "$user"
done
try "$IRIS" ask /echo hi;                       exits 0; says hi
try as_nobody env HOME=/ "$IRIS" ps;            exits 0; says /echo
try curl -s --unix-socket "$IRIS_APP" http://x/metrics; exits 0
says "home=\"$(getent passwd nobody | cut -d: -f6)\""; says 'who="nobody"'

# Read again, it is the same manifest, though HOME is another; but that user may not read the secret.
try "$IRIS" apply --dry-run app.json;           exits 3; complains 'Permission denied'
chmod 711 secret
chown nobody secret/word
try "$IRIS" apply --dry-run app.json;           exits 0; says 'no differences'
sed 's/"cwd": "work"/"cwd": "run"/; s/"user": "nobody"/"user": "root"/' app.json >other.json
try "$IRIS" apply other.json;                   exits 3
complains '"process.user" cannot change while the app runs'; complains '"process.cwd" cannot change'
# A log that was moved away is opened anew, as before.
mv work/log work/log.1
kill -HUP $app
await test -e work/log
expect 'owner of the new log' "$(stat -c %u work/log)" "$user"
try "$IRIS" stop --save work/saved;             exits 0
app_ends 0
run_app --restore work/saved
app_says 'restored 1 actors'
try "$IRIS" stop;                               exits 0
app_ends 0

# Rights are those of that user from the first moment.
chmod 700 secret
app '"user": "nobody"' '"logs": {"to": "file", "file": "secret/log"},'
run_app
app_complains 'secret/log: Permission denied'
try "$IRIS" stop;     exits 0
app_ends 0
try "$IRIS" doctor app.json --json; exits 1; says 'secret/log cannot be written: Permission denied'
app '"user": "nobody", "cwd": "secret"'
try "$IRIS" check;    exits 0
try "$IRIS" run;      exits 3; complains "expected a directory that user $user can enter: Permission denied"
try "$IRIS" doctor app.json --json; exits 1; says "user $user can enter"

# A group alone; and who is that user already needs nobody's help.
app "\"group\": \"$(getent group 1 | cut -d: -f1)\""
chown root run
run_app
expect 'its group' "$(of $app Gid)" '1 1 1 1'
expect 'its user' "$(of $app Uid)" '0 0 0 0'
try "$IRIS" stop;     exits 0
app_ends 0
chown nobody run
chmod 644 app.json
app '"user": "nobody"'
with="$nobody env HOME=/" run_app
expect 'its user' "$(of $app Uid)" "$user $user $user $user"
try "$IRIS" stop;     exits 0
app_ends 0
app '"user": "root"'
try as_nobody "$IRIS" run;                      exits 3; complains "user $user may not become that user"
app "\"group\": \"$(getent group 1 | cut -d: -f1)\""
try as_nobody "$IRIS" run;                      exits 3; complains "process.group: found"

# Without a socket of its own it is where that user's would be, and not in what root has.
printf '{"name": "who-%s", "process": {"user": "nobody"}, "actors": []}\n' $$ >app.json
try env XDG_RUNTIME_DIR="$XDG_RUNTIME_DIR" "$IRIS" run --until-idle; says "socket /tmp/iris-$user/who-$$.sock"
mkdir -m 700 theirs
chown nobody theirs
try env XDG_RUNTIME_DIR="$PWD/theirs" "$IRIS" run --until-idle; exits 0; says "socket $PWD/theirs/iris/who-$$.sock"
finish
