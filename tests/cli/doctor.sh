#!/bin/bash
# ctest: cli.doctor
# What a machine lacks, and what mends it: hosts, limits, directories. A problem is status 1, a warning none.
. "$SRC/tests/cli/expect"

# check NAME: "STATE FOUND | FIX" of the JSON on stdout
check() { json 'next(c["state"] + " " + c["found"] + " | " + c.get("fix", "") for c in d["checks"] if c["check"] == "'"$1"'")'; }
expect() { [[ "$(check "$1")" == $2 ]] || bad "expected of $1: $2"; }

try "$IRIS" doctor;         exits 0; is_quiet; says 'host native'; says 'private copies'; says 'control sockets'
try "$IRIS" doctor --json;  exits 0; is_json; is_quiet
expect 'host native' 'ok *.so*'
expect 'behaviours' 'ok * speak this ABI*'
expect 'private copies' "ok in $IRIS_STATE_DIR*"
expect 'control sockets' "ok in $XDG_RUNTIME_DIR/iris*"
expect 'running' 'ok no app*'

# Few open files: what this user may do about it.
(ulimit -S -n 256; exec "$IRIS" doctor --json) >out; status=$?
exits 0; expect 'open files' 'warning up to 256, * | *LimitNOFILE*'
# A directory that others may look into.
mkdir -m 755 "$XDG_RUNTIME_DIR/iris"
try "$IRIS" doctor --json;  exits 1; expect 'control sockets' 'problem *expected 0700 | try: chmod 700 *'
try "$IRIS" doctor;         exits 1; says 'fix: try: chmod 700'
rmdir "$XDG_RUNTIME_DIR/iris"

# Hosts and behaviours that do not load, or speak another ABI.
mkdir -p lib/iris/hosts lib/iris/behaviours
cp "$BUILD/lib/iris/hosts/native.so" lib/iris/hosts/
cp "$BUILD/tests/behaviours/loader/foreign.so" lib/iris/behaviours/
cp "$BUILD/tests/behaviours/loader/unlinked.so" lib/iris/hosts/python.so
try env IRIS_LIB="$PWD/lib" "$IRIS" doctor --json; exits 1
expect 'host native' 'ok *'
expect 'host python' 'problem *nothing defines*| install what it names*'
expect 'host node' 'warning *no such host | *libnode-dev*'
expect 'behaviours' 'problem *its note says ABI 99*| build it again*'
try env IRIS_LIB="$PWD/none" "$IRIS" doctor --json; exits 1; expect 'hosts' 'problem *beside libiris | install Iris whole*'
finish
