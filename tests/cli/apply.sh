#!/bin/bash
# ctest: p2.apply_under_traffic
# The running app becomes what another manifest says, while mail floods through what stays, what is swapped and
# what begins again: sent is handled. And what a plan looks like.
. "$SRC/tests/cli/live"
each=20000
hose() { actor "/hose$1" hose "\"args\": \"$1\""; }
cp "$behaviours/tally1.so" s.so
# kept, swapped, again and set are flooded; args of /again, budget of /set, and who else there is, change
app() {
    manifest "\"supervisors\": [{\"path\": \"/more\", \"intensity\": $1}],
      \"actors\": [$(hose /kept), $(hose /swapped), $(hose /again), $(hose /set), $(actor /kept tally1),
      $(actor /swapped ./s.so), $(actor /again tally1 "\"args\": $1"), $(actor /set tally1 "\"budget\": $1"), $2]"
}
app 5 "$(actor /old echo), $(actor /more/1 echo)"
run_app
total=0
flood() {
    total=$((total + each))
    for path in /kept /swapped /again /set; do "$IRIS" send /hose$path "$each 8" 2>err || bad "send"; done
}
counts() { "$IRIS" ps --json | python3 -c 'import json,sys
of = {a["path"]: a["handled"] for a in json.load(sys.stdin)["actors"]}
sys.exit([of[p] for p in ("/kept", "/swapped", "/again", "/set")] != 4 * [int(sys.argv[1])])' $total; }
arrived() { await counts; }
code() { cp "$behaviours/$1.so" new.so; mv new.so s.so; }

try "$IRIS" apply --dry-run;               exits 0; says 'keep     10'; says 'no differences'; is_quiet
code tally2
app 6 "$(actor /new echo '"name": "new"'), $(actor /more/1 echo)"
try "$IRIS" apply --dry-run;               exits 7
sed "s|$behaviours/||" out >plan
diff plan - >differs <<'END1' || { cat differs; bad 'expected another plan'; }
set      supervisor /more  intensity
add      /new  echo.so
set      /set  budget
swap     /swapped  ./s.so has changed
restart  /again  args
remove   /old
keep     6
nothing has changed; without --dry-run it is done
END1
flood
try "$IRIS" apply;                         exits 0; says 'remove   /old'; says 'applied in'; is_quiet
expect_field /swapped rev 2
expect_field /again restarts 1
try "$IRIS" ask new hello;                 says hello
try "$IRIS" ask /old hello;                exits 5
app_says '✓ /new'; app_says 'applied'; app_says '· /old  stopped'
arrived

# Once more, with other code and other actors, and then without.
for to in tally3 tally3; do
    flood
    code $to
    app 5 "$(actor /old echo), $(actor /more/1 echo)"
    try "$IRIS" apply;                     exits 0; is_quiet
    arrived
done
for path in /swapped /kept; do try "$IRIS" ask $path count; says " $total"; done
[ "$(field /swapped rev) $(field /again restarts) $(field /kept restarts)" = '3 2 0' ] || bad 'expected two swaps, two restarts'
get health;                                says '"dead_letters":{"crashed":0,"ended":0,"stray":0,"node":0,"unwanted":0,"dropped":0}'
try "$IRIS" apply --json;                  exits 0; is_json; [ "$(json 'd["steps"], d["keep"], d["applied"]')" = '([], 10, True)' ] || bad 'expected no steps'
try "$IRIS" stop; app_ends 0; leaves_nothing
finish
