#!/bin/bash
# ctest: cli.bench_has_a_row_of_each_kind
# iris bench: a figure of each kind of work, and of a language without a host a row that says so. What the figures are
# decides nothing.
. "$SRC/tests/cli/expect"
. "$SRC/tests/cli/libnode"

rows='["spawn", "ping-pong", "fan-in-8", "python", "node", "swap", "mesh-pipe", "mesh-trip"]'
try "$IRIS" bench --quick --json; exits 0; is_json; is_quiet
[ "$(json "list(dict.fromkeys(r['row'] for r in d['rows'])) == $rows")" = True ] || bad "expected rows $rows"
[ "$(json "all(r.get('absent') or r['median'] > 0 for r in d['rows'])")" = True ] || bad 'expected figures'
for host in python node; do
    ! [ -e "$BUILD/lib/iris/hosts/$host.so" ] ||
        [ "$(json "[r.get('absent') for r in d['rows'] if r['row'] == '$host']")" = '[None]' ] || bad "expected a figure of $host"
done

# Of what is not there nothing is measured, and the rest is.
mkdir -p lib/iris/hosts
cp "$BUILD/lib/iris/hosts/native.so" lib/iris/hosts/
try env IRIS_LIB="$PWD/lib" "$IRIS" bench --quick; exits 0; is_quiet
says 'ping-pong, 1 pair'; says 'k swaps/s'; says 'a hundredth of the work'
for host in python node mesh; do says "-  host \"$host\": this build of Iris has no such host"; done

# It is another program, installed beside or in libexec/.
mkdir bin
cp "$(readlink -f "$IRIS")" bin/iris
try env LD_LIBRARY_PATH="$BUILD/lib" bin/iris bench --quick; exits 1; complains 'iris-bench is neither beside'; complains 'hint: install Iris whole'
finish
