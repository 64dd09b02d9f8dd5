#!/bin/bash
# ctest: p9.apply_changes_all_or_nothing
# A bad manifest and a key that cannot change alter nothing; what fails halfway is undone, and says so.
. "$SRC/tests/cli/live"

cp "$behaviours/tally1.so" s.so
base="$(actor /tally ./s.so '"name": "tally", "budget": 5'), $(actor /picky hose '"args": "/tally"'), $(actor /old echo '"name": "old"')"
manifest "\"actors\": [$base]"
run_app
for i in 1 2 3; do "$IRIS" send /tally x 2>err; done
now() { "$IRIS" ps --json | python3 -c 'import json,sys
for a in json.load(sys.stdin)["actors"]: print(a["path"], a["pid"], a["handler"], a["rev"], a["restarts"], a["state"])'; }
expect_field /tally handled 3
now >before
unchanged() {
    now >after
    diff before after >differs || { out=$(cat differs); bad 'expected that nothing has changed'; }
}

# All mistakes, as `iris check` tells them.
manifest "\"actors\": [$(actor /new ./nowhere.so), {\"path\": \"/two\", \"handler\": \"./nothing.so\"}, $base]"
try "$IRIS" check;                         exits 3; cp err checked
try "$IRIS" apply;                         exits 3; complains 'nowhere.so: there is no such file'; complains 'nothing.so'
grep -v 'nothing has changed' err | sed "s|^$PWD/||" | diff - checked >differs || { cat differs >&2; bad 'expected what iris check says'; }
unchanged
if [ -e "$BUILD/lib/iris/hosts/python.so" ]; then # where in the handler that is
    printf 'def on_msg(msg):\n    return (\n' >broken.py
    printf '{"name": "test", "actors": [{"path": "/broken", "handler": "broken.py:on_msg"}, %s]}' "$base" >broken.json
    try "$IRIS" apply broken.json;         exits 3; complains 'broken.py", line 2'
    unchanged
fi
try "$IRIS" apply --json;                  exits 3; is_json; is_quiet; [ "$(json 'len(d["errors"])')" = 2 ] || bad 'expected two errors'
try "$IRIS" apply --dry-run;               exits 3; complains 'nowhere.so'
app_complains 'nothing has changed'
echo '{"actors": [{"path": "/a", "hander": 1}]' >app.json
try "$IRIS" apply;                         exits 3; complains 'app.json:'
head -c 3000 "$behaviours/tally1.so" >half.so
manifest "\"actors\": [$base, $(actor /half ./half.so)]"
try "$IRIS" apply;                         exits 3; complains 'half.so'
try "$IRIS" apply nowhere.json;            exits 3; complains 'nowhere.json'
unchanged

# What an app is started with stays.
manifest "\"control\": {\"socket\": \"$PWD/s/x.sock\"}, \"mesh\": {}, \"logs\": {\"file\": \"x.log\"}, \"actors\": [$(actor /new echo), $base]"
try "$IRIS" apply;                         exits 3; complains '"control.socket" cannot change while the app runs'
complains '"mesh" cannot change'; complains '"logs.file" cannot change'; complains 'iris stop'
sed 's/"name": "test"/"name": "other"/' app.json >other.json
try "$IRIS" apply other.json;              exits 3; complains '"name" cannot change'
manifest "\"actors\": [$(actor /tally ./s.so '"name": "tally", "budget": 5, "start": "lazy"'), $(actor /picky hose '"args": "/tally"')]"
try "$IRIS" apply;                         exits 3; complains '"start" of /tally cannot change'
unchanged

# Halfway: the actor that is new, the name, what was set and the swap are undone as init refuses what comes then.
cp "$behaviours/tally2.so" new.so; mv new.so s.so
manifest "\"supervisors\": [{\"path\": \"/n\"}], \"actors\": [$(actor /n/ew echo '"name": "old"'),
  $(actor /tally ./s.so '"budget": 7'), $(actor /picky hose '"args": 1')]"
try "$IRIS" apply;                         exits 6; complains '/picky: init() of "hose" 1.0.0 failed'; complains 'args must be the path'; complains 'was undone'
now >after
[ "$(field /tally of)" = =v1 ] || bad 'expected /tally to have gone back'
expect_field /picky restarts 2 # with what it had: the first time in vain
sed '/tally/d; /picky/d' before >b; sed '/tally/d; /picky/d' after >a
diff b a || bad 'expected that nothing else has changed'
try "$IRIS" ask tally count;               says '1 3'
try "$IRIS" ask old hello;                 says hello
try "$IRIS" explain /picky;                says '/picky'
now >before

# One that does not begin, and a swap that is refused when its turn comes.
cp "$behaviours/tally1.so" new.so; mv new.so s.so
manifest "\"actors\": [$(actor /bad hose), $base]"
try "$IRIS" apply;                         exits 6; complains '/bad: '; complains 'args must be'; unchanged
try "$IRIS" swap /tally "$behaviours/tally3.so"; exits 0
"$IRIS" send /tally x 2>err
now >before
manifest "\"actors\": [$(actor /fine echo), $base]"
try "$IRIS" apply --json;                  exits 6; is_json; says '"code":"apply-refused"'; says 'format 3 is newer than mine'; unchanged
try "$IRIS" ask /fine x;                   exits 5

# One thing at a time.
"$IRIS" send /tally "hold $PWD/go" 2>err
await is_field /tally mailbox 0
queued_swap /tally "$behaviours/tally1.so"
try "$IRIS" apply;                         exits 6; complains '/tally is being swapped'
: >go
try "$IRIS" ask /tally count;              exits 0 # behind it
try "$IRIS" apply /dev/null;               exits 3

# Back to the manifest: who was stopped comes again; and what was swapped in by hand is what it names by now.
cp "$behaviours/tally3.so" s.so
try "$IRIS" stop /old;                     exits 0
try "$IRIS" apply;                         exits 0; says 'add      /old'; says 'which has ended'; says 'keep     2'
try "$IRIS" ask old hello;                 says hello
try "$IRIS" stop; app_ends 0; leaves_nothing
finish
