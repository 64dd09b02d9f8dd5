#!/bin/bash
# ctest: cli.new
# What `iris new` makes runs as it says, in each language; what is there already stays as it is.
. "$SRC/tests/cli/expect"
. "$SRC/tests/cli/libnode"
has() { [ -e "$BUILD/lib/iris/hosts/$1.so" ]; }

# The app of a directory, run until asked: app DIRECTORY PATH...
app() {
    local dir=$1 path
    ("$IRIS" run "$dir/app.json" >"$dir.log" 2>&1; echo $? >"$dir.status") &
    for path in "${@:2}"; do
        for _ in {1..400}; do # what comes too early has nobody to ask
            try "$IRIS" ask "$path" Ada -a "$dir"
            [ $status = 4 ] || break
            sleep 0.05
        done
        exits 0; says 'hello, Ada'
    done
    try "$IRIS" stop -a "$dir"; exits 0
    wait
    [ "$(cat "$dir.status")" = 0 ] || bad "expected $dir to end well: $(cat "$dir.log")"
}
make_it() { make -s -C "$1" CC="$CC" >make.log 2>&1 || bad "$1 is not built: $(cat make.log)"; }

try "$IRIS" new hello; exits 0; says 'app.json'; says 'next: iris run hello/app.json'
[ -s hello/.iris/app.schema.json ] && [ -s hello/README.md ] || bad 'expected the schema and a README'
"$IRIS" schema | cmp - hello/.iris/app.schema.json || bad 'expected the schema of this Iris'
cp -r hello before
for lang in python c all; do
    try "$IRIS" new hello --lang $lang; exits 1; complains 'something of that name already'; complains 'hint: '
done
diff -r before hello || bad 'expected that nothing was touched'
if has python; then
    try "$IRIS" check hello/app.json; exits 0
    app hello /hello
fi

if [ -z "$(sed -n 's/^IRIS_SANITIZE:[A-Z]*=//p' "$BUILD/CMakeCache.txt")" ]; then
    try "$IRIS" new in-c --lang c; exits 0; says 'next: make -C in-c && iris run in-c/app.json'
    make_it in-c
    ! grep . make.log || bad 'expected no warning'
    try "$IRIS" plugin in-c/libhello.so; exits 0; says 'as its note says'
    try "$IRIS" check in-c/app.json; exits 0
    app in-c /hello
fi

try "$IRIS" new js --lang node; exits 0
if has node; then
    try "$IRIS" check js/app.json; exits 0
    app js /hello
else
    complains 'node will not run'
fi

# All: those that this build has.
try "$IRIS" new all-of-it --lang all --json; exits 0; is_json
[ "$(json '"app.json" in d["files"] and d["build"]')" = make ] || bad 'expected its files and how it is built'
paths=/hello/c
! has python || paths+=' /hello/python'
! has node || paths+=' /hello/node'
make_it all-of-it
app all-of-it $paths

try "$IRIS" new;                       exits 2; complains 'NAME is missing'
for name in . Hello hello/ 9a a_b ''; do
    try "$IRIS" new "$name";           exits 2; complains 'expected a lower-case letter'
done
try "$IRIS" new x --lang perl;         exits 2; complains 'expected python, node, c or all'
try "$IRIS" new no/such/place;         exits 1; complains 'No such file or directory; nothing was made'
try "$IRIS" new no/such/place --json;  exits 1; is_json; says '"code":"failed"'; is_quiet
mkdir empty; try "$IRIS" new empty;    exits 0
: >file; try "$IRIS" new file;         exits 1; complains 'something of that name already'
# A disk that is full leaves nothing behind.
(ulimit -f 1; trap '' XFSZ; exec "$IRIS" new full) >out 2>err; status=$?
exits 1; complains 'nothing was made'
[ -z "$(ls -d full* 2>/dev/null)" ] || bad 'expected nothing of it'
finish
