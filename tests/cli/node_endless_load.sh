#!/bin/bash
# ctest: node.a_module_that_never_ends_is_refused_and_others_are_loaded
. "$SRC/tests/cli/live_node"
for name in first.mjs other.mjs; do echo "export const onMessage = () => 'alive'" >$name; done
echo "exports.onMessage = () => 'alive'" >common.cjs
manifest "\"hosts\": {\"node\": {\"load_limit\": \"1s\"}},
\"actors\": [$(actor /first ./first.mjs), $(actor /common ./common.cjs), $(actor /other ./other.mjs)]"
run_app
refuses() {
    try "$IRIS" swap "$1";                 exits 6; complains 'it has not been run to its end within 1 s'
    try "$IRIS" ask "$1" x;                exits 0; says alive
}
echo 'for (;;) ;' >first.mjs;                              refuses /first
echo 'await new Promise(() => {})' >first.mjs;             refuses /first
echo 'while (true) ;' >common.cjs;                         refuses /common
printf "import './deep.mjs'\nexport const onMessage = () => 'late'\n" >first.mjs
echo 'for (;;) ;' >deep.mjs;                               refuses /first
echo 'await new Promise(() => {})' >deep.mjs;              refuses /first
echo 'export {}' >deep.mjs # what it brought is forgotten, and loaded anew
try "$IRIS" swap /first;                   exits 0
try "$IRIS" ask /first x;                  exits 0; says late
echo "export const onMessage = () => 'anew'" >other.mjs
try "$IRIS" swap /other;                   exits 0
try "$IRIS" ask /other x;                  exits 0; says anew
try "$IRIS" stop; app_ends 0; leaves_nothing

# A stop ends a load at once, with no limit near: what runs, what it awaits, and the app's very first one.
manifest "\"actors\": [$(actor /first ./first.mjs), $(actor /common ./common.cjs)]"
for code in 'for (;;) ;' 'await new Promise(() => {})'; do
    echo "export const onMessage = () => 'alive'" >first.mjs
    echo "exports.onMessage = () => 'alive'" >common.cjs
    run_app
    echo "$code" >first.mjs
    try "$IRIS" swap /first --timeout=100ms; exits 124; complains 'still loading'
    try "$IRIS" stop;                        exits 0
    app_ends 0; leaves_nothing
done
echo "export const onMessage = () => 'alive'" >first.mjs
echo 'while (true) ;' >common.cjs
"$IRIS" run >app.out 2>app.err &
app=$!
await "$IRIS" ps
kill -INT $app
app_ends 0
finish
