#!/bin/bash
# ctest: python.a_module_that_never_ends_holds_up_its_swap_alone
. "$SRC/tests/cli/live"
[ -e "$BUILD/lib/iris/hosts/python.so" ] || exit 77
echo 'def on_msg(msg): return b"alive"' >first.py
cp first.py other.py
manifest "\"actors\": [$(actor /first "$PWD/first.py:on_msg"), $(actor /other "$PWD/other.py:on_msg")]"
run_app
echo 'while True: pass' >first.py
try "$IRIS" swap /first --timeout=100ms;   exits 124; complains '/first: still loading, still v1'
try "$IRIS" ask /first x;                  exits 0; says alive
try "$IRIS" ask /other x;                  exits 0; says alive
"$IRIS" stop --timeout=10ms >out 2>&1
"$IRIS" stop --timeout=10ms >out 2>&1 # once more: at once
app_ends 1; app_complains 'a thread did not return, of code that was being loaded perhaps'
finish
