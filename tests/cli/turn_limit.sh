#!/bin/bash
# ctest: p4.a_turn_limit_of_the_manifest_ends_an_endless_handler
. "$SRC/tests/cli/live_node"
[ -e "$BUILD/lib/iris/hosts/python.so" ] || exit 77
cat >loop.py <<'END'
def on_msg(msg):
    while msg == b"loop": pass
    return "back"
END
cat >loop.mjs <<'END'
export function onMessage (msg) {
  while (String(msg) === 'loop') ;
  return 'back'
}
END
manifest "\"hosts\": {\"python\": {\"turn_limit\": \"500ms\"}, \"node\": {\"turn_limit\": 500}},
\"actors\": [$(actor /python ./loop.py), $(actor /node ./loop.mjs)]"
run_app
for path in /python /node; do
    try "$IRIS" send $path loop;           exits 0
    await explained $path 'interrupted'
    try "$IRIS" ask $path x;               exits 0; says back
    expect_field $path restarts 1
done
try "$IRIS" stop; app_ends 0; leaves_nothing

# Where nothing can be interrupted the key says so.
manifest "\"hosts\": {\"native\": {\"turn_limit\": \"1s\"}}, \"actors\": [$(actor /native echo)]"
try "$IRIS" run; exits 3
complains 'hosts.native.turn_limit: its handlers cannot be interrupted'
finish
