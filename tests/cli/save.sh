#!/bin/bash
# ctest: cli.save_and_restore
# `iris stop --save` and `iris run --restore`: all or nothing, and whatever goes wrong leaves the save that was there.
. "$SRC/tests/cli/live"
count() { try "$IRIS" ask "$1" count; says "$2"; }
head_of() { try python3 -c 'import json,sys; print(json.dumps(json.loads(open(sys.argv[1], "rb").readline())))' "$1"; }

# What waits in a mailbox is kept: /down is between two incarnations, /last has a handler that is on its way.
members() {
    printf '"actors": [%s, %s, %s], "supervisors": [{"path": "/down", "backoff": {"initial": "10m", "max": "10m"}}]' \
        "$(actor /tally "${1:-tally1}")" "$(actor /down/a tally1)" "$(actor /last tally1 '"depends_on": ["/tally"]')"
}
manifest "$(members)"
run_app
for i in 1 2 3 4 5; do "$IRIS" send /tally x 2>err; done
"$IRIS" send /down/a crash 2>err
expect_field /down/a state backoff
for i in 1 2 3; do "$IRIS" send /down/a x 2>err; done
"$IRIS" send /last x 2>err
"$IRIS" send /last "hold $PWD/go" 2>err
for i in 1 2; do "$IRIS" send /last x 2>err; done
: >go
"$IRIS" ask /last count >out
try "$IRIS" stop --save nowhere/deeper; exits 1; complains 'not saved: '; complains 'nowhere/deeper: cannot be made'; complains 'hint: nothing was stopped: the app goes on'
count /tally '1 5'
try "$IRIS" stop --save saves --json;   exits 0; is_json; says '"stopped":true'; json 'd["actors"]' >n; [ "$(cat n)" = 3 ] || bad 'expected 3 actors'
app_ends 0; app_says "with 3 messages in $PWD/saves/test.save"; leaves_nothing
head_of saves/test.save;                says '"iris-save": 1'; says '"path": "/tally"'
[ "$(stat -c %a saves/test.save) $(ls saves)" = '600 test.save' ] || bad 'expected that file alone, for its user alone'

# Restored, in another version of the code; a second time as well: the file stays.
manifest "$(members tally2)"
run_app --restore saves
app_says "restored 3 actors with 3 messages from saves/test.save"
count /tally '2 5'; count /down/a '1 3'; count /last '1 3'
cp saves/test.save first

# What has become a singleton begins anew wherever it begins: its state would be lost.
"$IRIS" stop >out; app_ends 0
manifest "\"mesh\": {\"node\": \"n\", \"engine\": {\"etcd\": [\"http://127.0.0.1:1\"]}}, \"actors\": [$(actor /tally tally1 '"singleton": true'), $(actor /down/a tally1), $(actor /last tally1)]"
try "$IRIS" run --restore saves;        exits 1; complains '/tally: the save has its state ('; complains 'in the manifest it is a singleton, which begins anew'; complains 'nothing was started'
! grep -q '^/last' err || bad 'expected nothing of the others'
manifest "$(members)"
run_app

# A handler that does not come back within its time: nothing is stopped, and the others go on.
manifest "\"actors\": [$(actor /tally tally1), $(actor /slow tally1 '"shutdown": "100ms"')]"
"$IRIS" stop >out; app_ends 0
run_app --restore saves --leave-behind; app_complains '/down/a: the save has its state (0 bytes) and 3 messages, and the manifest has no such actor: left behind'
rm go; "$IRIS" send /slow "hold $PWD/go" 2>err; "$IRIS" send /tally x 2>err
await is_field /slow mailbox 0 # what waits is saved, and holds up nobody
try "$IRIS" stop --save saves;          exits 1; complains '/slow: its handler has not returned within 0.1 s'
count /tally '1 6'; : >go; count /slow '1 0'
cmp saves/test.save first || bad 'expected the save as it was'

# A save that is refused, killed, or finds no room.
try "$IRIS" stop /tally --save saves;   exits 2; complains 'expected no PATH'
post stop '{"save": "saves"}';          says 'expected an absolute directory'
"$IRIS" stop >out; app_ends 0
manifest "\"actors\": [$(actor /tally tally1), $(actor /deadly deadly)]"
run_app
expects() { "$IRIS" send /deadly "$1" 2>err; expect_field /deadly handled "$2"; } # what waits is saved, and not done
expects refuse 1
try "$IRIS" stop --save saves;          exits 1; complains 'not saved: /deadly: save() of "deadly"'; complains 'not this time'
count /tally '1 0'
expects kill 2
try "$IRIS" stop --save saves;          exits 1; complains 'ended before it answered'
app_ends 137
cmp saves/test.save first || bad 'expected the save as it was'
[ "$(ls saves)" = test.save ] || bad 'expected nothing else'
manifest "\"actors\": [$(actor /deadly deadly)]"
cat >limited <<'END'
trap '' XFSZ
ulimit -f 8192
exec "$@"
END
with='bash limited' run_app
expects large 1
try "$IRIS" stop --save saves;          exits 1; complains 'saves/test.save: cannot be written: File too large'
[ "$(ls saves)" = test.save ] || bad 'expected nothing half written'
cmp saves/test.save first || bad 'expected the save as it was'
try "$IRIS" stop;                       exits 0; app_ends 0

# What is not restored: nothing has begun then.
refused() { try timeout 30 "$IRIS" run --restore "${2:-saves}"; exits "$1"; grep -q ' v1 ' out && bad 'expected that nothing was started'; leaves_nothing; }
manifest "\"actors\": [$(actor /tally tally1)]"
refused 1; complains '/down/a: the save has its state (0 bytes) and 3 messages, and the manifest has no such actor'; complains 'nothing was started; put them back into the manifest'
refused 1 elsewhere; complains 'elsewhere/test.save: No such file or directory'; complains 'iris stop --save writes it'
mkdir bad; echo '{"iris-save": 2, "iris": "9.9.9"}' >bad/test.save
refused 1 bad; complains 'found a save of format 2, written by iris 9.9.9; expected format 1, which is what iris 0.'
python3 - first >bad/test.save <<'END'
import json, sys
head, rest = open(sys.argv[1], "rb").read().split(b"\n", 1)
head = json.loads(head)
head["actors"].append({k: head["actors"][0][k] for k in ("path", "handler", "host", "pid")})
sys.stdout.buffer.write(json.dumps(head).encode() + b"\n" + rest)
END
refused 1 bad; complains 'is in it twice; it is no save of iris, or was damaged'
head -c -5 first >bad/test.save
refused 1 bad; complains 'it is no save of iris, or was damaged'
chmod o+w saves/test.save
refused 1; complains 'everybody may write it'
chmod o-w saves/test.save
manifest "\"actors\": [$(actor /tally echo), $(actor /down/a echo '"mailbox": 2'), $(actor /last echo)]"
refused 3; complains 'actors[0].handler: "echo" has no upgrade(); the save has its state, 1 bytes of format 1'; complains 'actors[1].mailbox: the save has 3 messages for /down/a'
manifest "\"actors\": [$(actor /last tally1), $(actor /tally deadly), $(actor /down/a tally1)]"
try timeout 30 "$IRIS" run --restore saves; exits 1; complains 'actors[1].handler: upgrade() of "deadly"'; complains 'refused the saved state of format 1: not mine'; leaves_nothing
try "$IRIS" run --leave-behind;         exits 2; complains 'expected --restore DIR'
cmp saves/test.save first || bad 'expected the save as it was'
finish
