#!/bin/bash
# ctest: example.logwatch_has_a_page
# The totals of a native actor, on a page that an actor in JavaScript serves by node's http.
. "$SRC/tests/cli/live_node"

cp "$SRC"/examples/logwatch/{page.mjs,sample.log} .
sed 's/"name": "logwatch"/"name": "test"/' "$SRC/examples/logwatch/page.json" >app.json
run_app --set "env.LOG=$PWD/sample.log" --set env.PORT=0
look() { # the page, as a browser gets it
    try "$IRIS" ask /logwatch/page x;      exits 0
    local at=${out##*http://}; at=${at%%/*}
    exec 3<>"/dev/tcp/${at%:*}/${at#*:}"
    printf 'GET / HTTP/1.0\r\n\r\n' >&3
    cat <&3 >page.html
    exec 3<&-
}
finds() { look && grep -q "$1" page.html; }
await finds '<tr><td>lines<td align=right>273'
grep -q '<tr><td>libssl3<td align=right>16' page.html || bad 'the page does not know libssl3'
try "$IRIS" swap /logwatch/counter libcounter2.so; exits 0
await finds '<tr><td>lines<td align=right>273'
try "$IRIS" stop; app_ends 0; leaves_nothing
finish
