#!/bin/bash
# ctest: cli.native_fault_is_reported
# A native handler that ends the process: who it was is said, and the process ends by the signal it would have ended by.
. "$SRC/tests/cli/live"
case $BUILD in *asan*|*tsan*) exit 77 ;; esac # a sanitizer makes its own report
ulimit -c 0
manifest "\"actors\": [$(actor /svc/pay fatal)]"
for how in segv:139:SIGSEGV fpe:136:SIGFPE abort:134:SIGABRT; do
    IFS=: read -r word ends name <<<"$how"
    run_app
    "$IRIS" send /svc/pay "$word" 2>err
    wait $app 2>err; status=$? tried="a handler that does $word" out=$(cat app.out) err=$(cat app.err)
    exits "$ends"
    for words in "iris: fatal $name" 'actor    /svc/pay, pid' 'fatal.so, v1 1.2.3' 'before   started' 'addr2line' 'fatal'; do
        grep -qF -- "$words" app.err || bad "expected on stderr: $words"
    done
    # Where the file has its lines of source: those, too, and no other program is asked.
    ! readelf -S "$behaviours/fatal.so" | grep -q debug_line ||
        grep -qE '^(fall|handle) at .*fatal\.c:[0-9]+' app.err || bad 'expected file:line'
done
finish
