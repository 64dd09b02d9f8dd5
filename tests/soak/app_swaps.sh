#!/bin/bash
# One app that is swapped and rolled back by its users for $SOAK_SECONDS while its log grows: the totals are those
# of awk, and memory, threads and descriptors do not grow once it has warmed up.
. "$SRC/tests/cli/live"
export IRIS_STATE_DIR=$HOME/private # its lock file stays
counter=/logwatch/counter
line='2026-11-22 10:00:00 install hello:amd64 <none> 2.10-3'

# used: KiB of memory, threads, descriptors of the app
used() { echo "$(awk '/^VmRSS/ { m = $2 } /^Threads/ { t = $2 } END { print m, t }' /proc/$app/status) $(ls /proc/$app/fd | wc -l)"; }
is_counted() { [ "$("$IRIS" ask $counter totals 2>/dev/null)" = "$(awk -f "$SRC/tests/cli/dpkg_totals.awk" live.log)" ]; }

echo "$line" >live.log
run_app "$SRC/examples/logwatch/app.json" --set env.LOG=live.log
end=$((SECONDS + ${SOAK_SECONDS:-180})) rounds=0
while [ $SECONDS -lt $end ] && [ $failures = 0 ]; do
    for i in $(seq 20); do echo "$line"; done >>live.log
    try "$IRIS" swap $counter libcounter2.so;  exits 0
    try "$IRIS" rollback $counter;             exits 0
    rounds=$((rounds + 1))
    [ $rounds != 200 ] || warm=$(used)
done
await is_counted
cold=$(used)
if [ -n "${warm:-}" ]; then
    read -r memory threads files <<<"$cold"
    read -r memory0 threads0 files0 <<<"$warm"
    tried='what it uses' status=- out="after 200 rounds: $warm" err="after $rounds: $cold"
    [ $memory -le $((memory0 + memory0 / 4)) ] || bad 'expected no more memory'
    [ $threads -le $threads0 ] || bad 'expected no more threads'
    [ $files -le $((files0 + 2)) ] || bad 'expected no more descriptors'
fi
try "$IRIS" stop;                              exits 0
app_ends 0
leaves_nothing
echo "app swaps: $rounds rounds; KiB, threads, descriptors: after 200 ${warm:-?}, at the end $cold"
finish
