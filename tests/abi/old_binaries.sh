#!/bin/bash
# ctest: abi.old_binaries_load_for_ever
# Behaviours that releases have built are looked at, run, and swapped with those of today, both ways: tests/abi/README.md.
. "$SRC/tests/cli/expect"
sample=$SRC/examples/logwatch/sample.log
today=$BUILD/lib/iris/behaviours

# The app of examples/logwatch on the behaviours of a directory: what it counted.
counts() {
    sed "s|\"lib\([a-z0-9]*\)\.so|\"$1/lib\1.so|" "$SRC/examples/logwatch/app.json" >app.json
    try "$IRIS" run app.json --until-idle --set env.LOG="$sample"; exits 0
    sed -n 's|^/logwatch/counter  *\(lines .*\)|\1|p' out
}
expected=$(counts "$today")
[ -n "$expected" ] || bad 'expected what the behaviours of today count'

ask() { try "$IRIS" ask /counter "$1"; exits 0; out=$(head -1 out); }
# swap FROM TO: a counter of FROM has counted, and goes on counting in TO and back in FROM.
swapped() {
    cat >counter.json <<END
{"name": "old", "actors": [{"path": "/counter", "handler": "$1"}]}
END
    "$IRIS" run counter.json >log 2>&1 &
    for _ in {1..400}; do
        try "$IRIS" ask /counter 'top 1'
        [ $status = 4 ] || break
        sleep 0.05
    done
    printf 'events\n2026-01-02\tinstall\tlibold\tamd64\t1.0\n' >events
    try "$IRIS" send /counter --file events; exits 0
    ask 'top 1'; before=$out
    [[ $before == *libold* ]] || bad 'expected that it counts'
    try "$IRIS" swap /counter "$2"; exits 0
    ask 'top 1'; [ "$out" = "$before" ] || bad "expected $before"
    try "$IRIS" rollback /counter; exits 0
    ask 'top 1'; [ "$out" = "$before" ] || bad "expected $before"
    try "$IRIS" stop; exits 0
    wait
}

looked=0
for dir in "$SRC"/tests/abi/released/*-"$(uname -m)"; do
    [ -d "$dir" ] || continue
    for file in "$dir"/*.so; do
        try "$IRIS" plugin "$file" --json; exits 0; is_quiet
        [ "$(json 'd["abi"] == 1 and len(d["behaviours"]) > 0')" = True ] || bad 'expected behaviours of ABI 1'
        looked=$((looked + 1))
    done
    [ "$(counts "$dir")" = "$expected" ] || bad "expected it to count: $expected"
    swapped "$dir/libcounter.so" "$today/libcounter2.so"
    swapped "$today/libcounter.so" "$dir/libcounter2.so"
done
[ $looked -gt 0 ] || { echo "no release has been kept for $(uname -m)"; exit 77; }
finish
