#!/bin/bash
# ctest: example.logwatch_counts_what_awk_counts
# The example as its users run it. All that it counts is compared with awk.
. "$SRC/tests/cli/expect"
app=$SRC/examples/logwatch/app.json
counted() { awk -f "$SRC/tests/cli/dpkg_totals.awk" "$@"; }

# generate LINES FIRST-DAY: a log of many packages, one line in 97 malformed
generate() {
    awk -v lines="$1" -v day="$2" 'BEGIN {
        n = split("install upgrade remove purge configure trigproc status status status startup conffile", verb, " ")
        split("unpacked half-configured installed half-installed triggers-pending", state, " ")
        for (i = 0; i < lines; i++) {
            v = verb[i * 7 % n + 1]
            p = "package-" i * 31 % 3001 ":amd64"
            printf "2026-%02d-%02d %02d:%02d:%02d ", 1 + day / 28 % 12, 1 + day % 28, i / 3600 % 24, i / 60 % 60, i % 60
            if (i % 97 == 13) print "half a li"
            else if (v == "status") print v, state[i % 5 + 1], p, "1.0-" i % 9
            else if (v == "startup" || v == "conffile") print v, "archives", "unpack"
            else if (v == "install") print v, p, "<none>", "1.0-" i % 9
            else print v, p, "1.0-" i % 9, "<none>"
            if (i % 20000 == 19999) day++
        }
    }'
}

# ---- from beginning to end ----

try "$IRIS" run "$app" --until-idle --set env.LOG="$SRC/examples/logwatch/sample.log"
exits 0; says "$(counted "$SRC/examples/logwatch/sample.log")"

generate 200000 0 >big.log
try "$IRIS" run "$app" --until-idle --set env.LOG=big.log
exits 0; says "$(counted big.log)" # 0: there was no dead letter
says 'reading big.log'

# ---- which log ----

# The shipped manifest, but for logs in this directory and for where the sample is.
sed "s#/var/log/#$PWD/#g; s#\${IRIS_APP_DIR}#$SRC/examples/logwatch#" "$app" >app.json
grep -q "$PWD/dpkg.log.1" app.json || bad 'the manifest names other logs than this test thinks'

try "$IRIS" run app.json --until-idle
exits 0; says "dpkg.log: No such file or directory; $PWD/dpkg.log.1: No such file or directory; reading"
says "$(counted "$SRC/examples/logwatch/sample.log")"
: >dpkg.log
generate 50 3 >dpkg.log.1
try "$IRIS" run app.json --until-idle
exits 0; says "dpkg.log: empty; reading $PWD/dpkg.log.1"; says "$(counted dpkg.log.1)"
generate 60 4 >dpkg.log
try "$IRIS" run app.json --until-idle
exits 0; says "reading $PWD/dpkg.log"; says "$(counted dpkg.log)"

try "$IRIS" run app.json --until-idle --set env.LOG=missing.log
exits 1; complains 'missing.log: No such file or directory; expected a file to read'
mkdir directory.log
try "$IRIS" run app.json --until-idle --set env.LOG=directory.log
exits 1; complains 'directory.log: Is a directory; expected a file to read'

# ---- following it, and swapping meanwhile ----

await() { # COMMAND...: until it succeeds
    local n
    for ((n = 0; n < 1200; n++)); do
        "$@" && return
        sleep 0.05
    done
    tried="$*" bad 'has not come true'
}
totals() { "$IRIS" ask /logwatch/counter totals 2>/dev/null; }
totals_are() { [ "$(totals)" = "$1" ]; }

generate 1000 0 >live.log
"$IRIS" run "$app" --set env.LOG=live.log >run.out 2>&1 &
running=$!
await totals_are "$(counted live.log)"

printf '2026-11-22 10:00:00 install torn:am' >>live.log # no newline yet: not yet a line
generate 500 1 >more
{ printf 'd64 <none> 1.0\n'; cat more; } >>live.log
await totals_are "$(counted live.log)"
try "$IRIS" ask /logwatch/counter 'package torn'; exits 0; says 'torn 1  last: install amd64 1.0'

cp live.log all.log # what it has read so far, for awk
mv live.log live.log.1
generate 700 2 | tee -a all.log >live.log
await totals_are "$(counted all.log)"
await grep -q 'live.log is a new file' run.out

swaps=0
generate 100000 5 >more
cat more >>all.log
split -l 5000 --filter='cat >>live.log; sleep 0.05' more &
while ! totals_are "$(counted all.log)" && [ $swaps -lt 1000 ] || [ $swaps -lt 6 ]; do
    try "$IRIS" swap /logwatch/counter libcounter2.so; exits 0; says 'v'
    try "$IRIS" ask /logwatch/counter days; exits 0; says 'before '
    try "$IRIS" rollback /logwatch/counter; exits 0
    swaps=$((swaps + 1))
done
if grep -q '^/logwatch/counter  lines ' run.out; then bad 'expected totals at the end, and not at each swap'; fi
totals_are "$(counted all.log)" || bad "lines were lost or counted twice over $swaps swaps: $(totals)"

try "$IRIS" swap /logwatch/reader libparser.so
exits 6; complains 'save' # it has none, so its place in the log would be lost
try "$IRIS" send /logwatch/counter 'x'; exits 0
await grep -q '"x" is not a question here; ask: totals' run.out
try "$IRIS" send /logwatch/parser '2026-11-22 10:00:00 install by-hand:amd64 <none> 1.0'; exits 0
await eval '"$IRIS" ask /logwatch/counter "package by-hand" 2>/dev/null | grep -q "by-hand 1 "'
last=$(totals)
try "$IRIS" stop; exits 0
wait $running
tried='iris run, stopped' status=$? out=$(cat run.out) err=
exits 0
[ "$(grep '^/logwatch/counter  lines ' run.out)" = "/logwatch/counter  $last" ] || bad "expected the totals when it stops: $last"
finish
