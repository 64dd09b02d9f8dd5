#!/bin/bash
# ctest: cli.plugin
# What a plugin's file is; and that none, however bad, does more than to have a sentence said about it.
. "$SRC/tests/cli/expect"
samples=$BUILD/tests/behaviours/loader
counter=$BUILD/lib/iris/behaviours/libcounter.so

try "$IRIS" plugin "$counter";              exits 0; is_quiet; says 'counter 1.0.0  ABI 1, as its note says'
says 'behaviour  counter 1.0.0  (push; state '; says 'libc.so.6'
try "$IRIS" plugin "$counter" --json;       exits 0; is_json; is_quiet
[ "$(json 'd["note"]["name"], d["abi"], d["behaviours"][0]["name"], d["host"]')" = "('counter', 1, 'counter', None)" ] ||
    bad 'expected what the plugin is'
try "$IRIS" plugin "$BUILD/lib/iris/hosts/native.so"; exits 0; says 'host of'; says '.so'
[ ! -e "$BUILD/lib/iris/hosts/python.so" ] || {
    try "$IRIS" plugin "$BUILD/lib/iris/hosts/python.so"; exits 0; says 'host of'; says CPython; says .py
}
try "$IRIS" plugin "$samples/rude.so" --json; exits 0; [ "$(json 'd["note"]')" = None ] || bad 'expected no note'

# Each kind of file that is none.
try "$IRIS" plugin ./nothing.so;            exits 1; complains 'there is no such file'
try "$IRIS" plugin .;                       exits 1; complains 'is a directory'
printf '#!/bin/sh\n' >script.so
try "$IRIS" plugin script.so;               exits 1; complains 'is not an ELF file: it begins with "#!/bin/sh"'
: >empty.so
try "$IRIS" plugin empty.so;                exits 1; complains 'is empty'
head -c 3000 "$counter" >cut.so
try "$IRIS" plugin cut.so;                  exits 1; complains 'cut short'
try "$IRIS" plugin "$IRIS";                 exits 1; complains 'is a program'
cp "$counter" open.so; chmod 666 open.so
try "$IRIS" plugin open.so;                 exits 1; complains 'may be written by every user'
try "$IRIS" plugin "$samples/entryless.so"; exits 1; complains 'exports no iris_plugin_entry'
try "$IRIS" plugin "$samples/unlinked.so";  exits 1; complains 'which nothing defines'
try "$IRIS" plugin "$samples/foreign.so";   exits 1; complains 'its note says ABI 99; this Iris speaks ABI 1; none of its code was run'
try env IRIS_TEST_SHAPE='plugin abi' "$IRIS" plugin "$samples/shapes.so"; exits 1; complains 'speaks ABI 99'
try "$IRIS" plugin "$samples/foreign.so" --json; exits 1; is_json; says '"code":"plugin-refused"'; is_quiet
try "$IRIS" plugin "$counter" --timeout 0;  exits 2; complains 'expected a time'

# Code that is bad when it runs: in a child, which may do little.
# A sanitizer leaves the fault and the limit to us.
export ASAN_OPTIONS=${ASAN_OPTIONS-}:handle_segv=0:allocator_may_return_null=1
export TSAN_OPTIONS=${TSAN_OPTIONS-}:handle_segv=0:allocator_may_return_null=1
rude() { IRIS_TEST_RUDE=$1 try env "$IRIS" plugin "$samples/rude.so" "${@:2}"; }
rude crash;                exits 1; complains 'ended the process that looked at it (Segmentation fault'
rude entry;                exits 1; complains 'ended the process that looked at it (Segmentation fault'
rude hang --timeout 300ms; exits 1; complains 'did not return within 300 ms'
# A child that ends by itself, or has children, ends by TSan's rules, with a status of its own.
if [ "$(sed -n 's/^IRIS_SANITIZE:[A-Z]*=//p' "$BUILD/CMakeCache.txt")" != thread ]; then
    rude exit;             exits 1; complains 'exit status 7'
    rude try;              exits 0; says 'rude 1.2.3'
    rude fork;             exits 0; says 'rude 1.2.3' # run_script finds what it would leave behind
fi
rude words --json;         exits 0; [ "$(json 'd["name"]')" = rude ] || bad 'expected that its words are lost'
[ ! -s written ] || bad 'expected that it wrote nothing'
[ -z "$(find "$XDG_STATE_HOME" "$IRIS_STATE_DIR" -name 'code-*' -newer script.so -path "*$$*" 2>/dev/null)" ] || bad 'expected no copy left'
finish
