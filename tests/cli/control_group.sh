#!/bin/bash
# ctest: cli.control_group
# A control socket for a group: announced as what it is, and for its members alone.
. "$SRC/tests/cli/expect"
group=$(id -gn) gid=$(id -g)
if [ "$(id -u)" = 0 ]; then
    gid=1 group=$(getent group 1 | cut -d: -f1)
fi
cat >app.json <<END
{"name": "shared", "control": {"socket": "run/shared.sock", "mode": "0660", "group": "$group"},
 "actors": [{"path": "/echo", "handler": "$BUILD/tests/behaviours/echo.so"}]}
END
socket=$PWD/run/shared.sock
try "$IRIS" check app.json; exits 0
("$IRIS" run >log 2>&1; echo $? >ended) &
for _ in {1..400}; do
    try "$IRIS" ask /echo hi -a "$socket"
    [ $status = 4 ] || break
    sleep 0.05
done
exits 0; says hi
grep -q "group $group may use the control socket: each of its members can have this app run any code" log || bad 'expected it announced'
for file in run:710 run/shared.sock:660 run/shared.lock:640; do
    [ "$(stat -c %a:%g ${file%:*})" = ${file#*:}:$gid ] || bad "expected $file of group $gid, not $(stat -c %a:%g ${file%:*})"
done

# As root only one can be somebody else.
if [ "$(id -u)" = 0 ]; then
    chmod 711 "$HOME" "$PWD"
    member() { setpriv --reuid 65534 --regid 65534 --groups $gid "$@"; }
    outsider() { setpriv --reuid 65534 --regid 65534 --clear-groups "$@"; }
    if member test -x "$IRIS"; then
        try member "$IRIS" ask /echo hi -a "$socket"; exits 0; says hi
        try member "$IRIS" ps -a "$socket";           exits 0; says /echo
        try outsider "$IRIS" ps -a "$socket";         exits 1; complains 'Permission denied'
        chmod 777 run # whoever comes through is still asked who he is
        chmod 666 run/shared.sock run/shared.lock
        try outsider "$IRIS" ps -a "$socket";         exits 1; complains 'may not control an app of user 0'
        try member "$IRIS" stop -a "$socket";         exits 0
    fi
fi
[ -e ended ] || "$IRIS" stop -a "$socket" >/dev/null 2>&1
wait
[ "$(cat ended)" = 0 ] || bad "expected it to end well: $(cat log)"

# A directory that lets others in, or does not let the group in.
chmod 755 run
try "$IRIS" check app.json; exits 3; complains 'wants its directory 0710'; complains 'chmod 710'
try "$IRIS" run;            exits 1; complains 'wants its directory 0710'
chmod 700 run
try "$IRIS" run;            exits 1; complains 'wants its directory 0710'
sed -i 's/"group": "[^"]*"/"group": "no-such-group"/' app.json
try "$IRIS" check app.json; exits 3; complains 'control.group: found "no-such-group"; expected a group of this machine'
try "$IRIS" run;            exits 3; complains 'control.group: found "no-such-group"'
# Half of it is a mistake, to `iris run` too.
sed -i 's/"mode": "0660", //' app.json
try "$IRIS" run;            exits 3; complains 'control.group: is without effect'
finish
