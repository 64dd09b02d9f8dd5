#!/bin/bash
# ctest: node.installed_it_needs_no_clone
# `make install`, and JavaScript is run by what was installed: libnode too, where the clone has one of its own.
. "$SRC/tests/cli/live_node"
! grep -q '^IRIS_SANITIZE:[A-Z]*=.' "$BUILD/CMakeCache.txt" || exit 77
echo 'export function onMessage (msg) { return "hello, " + msg }' >hello.mjs
manifest '"actors": [{"path": "/hello", "handler": "hello.mjs"}]'

cmake --install "$BUILD" --prefix "$PWD/first" >install.log || bad 'cmake --install'
mv first prefix # wherever it lies
unset IRIS_LIB LD_LIBRARY_PATH
IRIS=$PWD/prefix/bin/iris
run_app
try "$IRIS" ask /hello Ada; exits 0; says 'hello, Ada'
try awk '$6 ~ "^/" { print $6 }' "/proc/$app/maps"
says "$PWD/prefix/bin/iris"
says libnode.so
! grep -qF -e "$BUILD/lib/" -e "$BUILD/bin/" -e "$SRC/.libnode/" out || bad 'expected nothing of the clone'
try "$IRIS" stop; app_ends 0

node=$(sed -n 's/^IRIS_NODE_PROGRAM:[A-Z]*=//p' "$BUILD/CMakeCache.txt")
try "$node" -e '
const iris = require(process.argv[1])
const rt = new iris.Runtime()
rt.ask(rt.spawn(m => "hello, " + m), "Ada").then(answer => console.log(String(answer)))' "$PWD/prefix/lib/iris/node"
exits 0; says 'hello, Ada'
finish
