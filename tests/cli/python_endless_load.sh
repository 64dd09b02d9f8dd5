#!/bin/bash
# ctest: python.a_module_that_never_ends_holds_up_its_swap_alone
. "$SRC/tests/cli/live"
[ -e "$BUILD/lib/iris/hosts/python.so" ] || exit 77
echo 'def on_msg(msg): return b"alive"' >first.py
cp first.py other.py
manifest "\"actors\": [$(actor /first "$PWD/first.py:on_msg"), $(actor /other "$PWD/other.py:on_msg")]"
run_app
printf 'n = 0\nwhile True: n += 1\n' >first.py
try "$IRIS" swap /first --timeout=100ms;   exits 124; complains '/first: still loading, still v1'
try "$IRIS" ask /first x;                  exits 0; says alive
try "$IRIS" ask /other x;                  exits 0; says alive
try "$IRIS" stop;                          exits 0 # which ends that load
app_ends 0

# With a limit that is soon over it is refused with a sentence that says where it was, and the next one is loaded.
cp other.py first.py
manifest "\"hosts\": {\"python\": {\"load_limit\": \"1s\"}},
\"actors\": [$(actor /first "$PWD/first.py:on_msg"), $(actor /other "$PWD/other.py:on_msg")]"
run_app
printf 'n = 0\nwhile True: n += 1\n' >first.py
try "$IRIS" swap /first;                   exits 6; complains 'it has not been run to its end within 1 s'
complains 'line 2'
echo 'def on_msg(msg): return b"anew"' >other.py
try "$IRIS" swap /other;                   exits 0
try "$IRIS" ask /other x;                  exits 0; says anew
try "$IRIS" ask /first x;                  exits 0; says alive
try "$IRIS" stop; app_ends 0; leaves_nothing
finish
