#!/bin/bash
# ctest: p9.full_disk
# Disks that are really full, of a few pages, in a namespace of their own: for logs, which lose lines and count
# them; for copies of behaviours and for the control socket, where the start is refused.
. "$SRC/tests/cli/live"
if [ -z "${FULL_DISK-}" ]; then
    unshare -Urm sh -c 'mkdir -p probe && mount -t tmpfs none probe' 2>err ||
        { echo "no tmpfs in a namespace here: $(cat err)"; exit 77; }
    FULL_DISK=1 exec unshare -Urm bash "$0"
fi

disk() { mkdir -p "$1"; mount -t tmpfs -o "size=$2,mode=700" none "$1"; }
fill() { dd if=/dev/zero of="$1/fill" bs=4k 2>err; }

# ---- logs
disk log 32k
manifest "\"actors\": [$(actor /echo echo)], \"logs\": {\"file\": \"log/app.log\"}"
run_app
await grep -q started log/app.log
fill log
line=$(printf '%01000d' 0)
for i in 1 2 3 4 5 6; do try "$IRIS" ask /echo "log $i $line"; exits 0; done
app_complains 'log/app.log: No space left on device; lines are left out, and counted, until it can be written'
try "$IRIS" logs;                          exits 0; says "6 $line"
rm log/fill
room() { "$IRIS" send /echo 'log there is room' && grep -q 'there is room' log/app.log; }
await room
grep -q 'lines\? \(is\|are\) missing here: No space left on device' log/app.log ||
    { tried=log out=$(cat log/app.log) bad 'expected it to say how many lines are missing'; }
[ "$(grep -c 'No space left' app.err)" = 1 ] || bad 'expected one sentence'
try "$IRIS" stop; app_ends 0

# ---- copies of behaviours
disk code 256k
fill code
try env IRIS_STATE_DIR="$PWD/code" "$IRIS" run;    exits 3
complains 'its private copy cannot be written to '; complains 'No space left on device; make room there, or set IRIS_STATE_DIR'
try env IRIS_STATE_DIR="$PWD/code" "$IRIS" doctor; exits 1
says 'where 0 KiB are free'; says 'fix: make room there, or set IRIS_STATE_DIR'

# ---- the socket
disk run 16k
fill run
try env XDG_RUNTIME_DIR="$PWD/run" "$IRIS" run;    exits 1
complains '/run/iris/test.lock: No space left on device'; complains 'hint: make room there, or set XDG_RUNTIME_DIR'
[ -z "$(find run -type f ! -name fill)" ] || bad 'expected nothing left there'
leaves_nothing
finish
