#!/bin/bash
# ctest: cli.not_running
# Every verb that talks to an app says that there is none, in words and in JSON, with status 4.
. "$SRC/tests/cli/expect"

for verb in ps 'ask /a b' 'send /a b' 'swap /a' 'rollback /a' stop 'stop /a'; do
    try "$IRIS" $verb;            exits 4; complains 'no app runs here'; complains 'iris run'
    try "$IRIS" $verb --json;     exits 4; is_json; says '"code":"not-running"'; is_quiet
    try "$IRIS" $verb -a shop;    exits 4; complains 'no app "shop" runs here'
done
try env IRIS_APP=shop "$IRIS" ps; exits 4; complains 'no app "shop" runs here'
try "$IRIS" ps -a 'a b';          exits 2; complains 'app name "a b"'
mkdir -m 755 "$XDG_RUNTIME_DIR/iris"
try "$IRIS" ps;                   exits 1; complains 'expected 0700'; complains 'hint: try: chmod 700'
try "$IRIS" ps --json;            exits 1; is_json; says '"code":"failed"'; says '"hint":"try: chmod 700'
rmdir "$XDG_RUNTIME_DIR/iris"

# What cannot be looked at may well run. To root nothing is closed, so it has to look as another user.
mkdir -m 700 closed
: >closed/test.lock
chmod 000 closed
others() { "$@"; }
[ "$(id -u)" != 0 ] || others() { chmod 711 "$HOME" "$PWD"; setpriv --reuid 65534 --clear-groups "$@"; }
! others test -x "$IRIS" || {
    try others "$IRIS" ps -a "$PWD/closed/test.sock"
    exits 1; complains 'Permission denied'
}
finish
