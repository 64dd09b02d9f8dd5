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
try "$IRIS" ps;                   complains 'expected 0700'; exits 2
finish
