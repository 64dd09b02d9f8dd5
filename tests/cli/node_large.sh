#!/bin/bash
# ctest: node.large_messages_of_c_go_through_with_flat_memory
# 10 GB in messages of 1 MiB, which JavaScript gets without a copy: what they hold goes back as it is collected.
. "$SRC/tests/cli/live_node"
n=10240
! grep -q '^IRIS_SANITIZE:[A-Z]*=.' "$BUILD/CMakeCache.txt" || n=256

cat >sink.mjs <<'EOF'
let count = 0
let bytes = 0
let wrong = 0
let peak = 0
let kept = null
export function onMessage (msg) {
  if (msg.length < 100) return `${count} of ${bytes} bytes, ${wrong} wrong, ${peak} MB, ${kept?.every(byte => byte === 7)}`
  count++
  bytes += msg.length
  const number = msg[0]
  for (let at = 0; at < msg.length; at += 4096) if (msg[at] !== (number + at / 4096 & 255)) wrong++
  if (count === 10) kept = msg.fill(7) // its own, for good
  if (count % 16 === 0) peak = Math.max(peak, process.memoryUsage().rss >> 20)
}
EOF
manifest "\"actors\": [$(actor /hose hose '"args": "/sink"'),
                       {\"path\": \"/sink\", \"handler\": \"sink.mjs\", \"mailbox\": {\"capacity\": 8, \"overflow\": \"block\"}}]"
run_app
"$IRIS" send /hose "$n 1048576"
has() { [ "$(field /sink handled)" -ge "$1" ]; }
for tenth in {1..10}; do await has $((n * tenth / 10)); done # on a busy machine it takes its time
try "$IRIS" ask /sink report; exits 0; says "$n of $((n << 20)) bytes, 0 wrong, "; says 'MB, true'
peak=$(sed -n '1s/.* \([0-9]*\) MB.*/\1/p' <<<"$out")
[ "$n" -lt 1000 ] || [ "$peak" -lt 400 ] || bad 'expected less than 400 MB'
try "$IRIS" stop; app_ends 0; leaves_nothing
finish
