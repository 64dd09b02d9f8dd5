#!/bin/bash
# ctest: p9.an_actor_has_variables_of_its_own
# Two actors of one process have different values of one name; args and timers see them too; a secret among them is
# shown nowhere; `iris apply` begins the actor again with others, and nobody else.
. "$SRC/tests/cli/live"
echo open-sesame-42 >key
app() {
    manifest "\"env\": {\"WHO\": \"app\"}, \"logs\": {\"file\": \"app.log\"},
      \"supervisors\": [{\"path\": \"/in\", \"defaults\": {\"env\": {\"WHO\": \"all\", \"LEVEL\": \"low\"}}}],
      \"actors\": [$(actor /plain variables),
      $(actor /in/a variables '"env": {"WHO": "a", "KEY": {"file": "key"}}'),
      $(actor /in/b variables "\"env\": {\"LEVEL\": \"$1\"}"),
      $(actor /echo echo '"env": {"SAID": "by ${WHO}"},
        "timers": [{"after": "1ms", "send": "log ${SAID}, ${WHO}"}]') ${2:+, $2}]"
}
app high
run_app
try "$IRIS" ask /plain all;                exits 0; says ''
try "$IRIS" ask /in/a WHO;                 exits 0; says 'a'
try "$IRIS" ask /in/a KEY;                 exits 0; says 'open-sesame-42'
try "$IRIS" ask /in/b all;                 exits 0; says 'LEVEL=high WHO=all'
try "$IRIS" ask /in/b KEY;                 exits 0; says '-'
try "$IRIS" ask /plain PATH;               exits 0; says '-'
await grep -qF 'by app, app' app.log

# ---- the secret: an actor that logs it, and all that is to be seen of one that has it
app high "$(actor /leak echo '"env": {"KEY": {"file": "key"}}, "timers": [{"after": "1ms", "send": "log <${KEY}>"}]')"
try "$IRIS" apply;                         exits 0; says 'add      /leak'; is_quiet
await grep -qF '<***>' app.log
for verb in 'inspect /in/a' 'inspect /leak' 'ps' 'ps --json' 'explain /leak' 'logs' 'inspect /leak --json'; do
    "$IRIS" $verb </dev/null >seen 2>&1
    grep -qF open-sesame seen && { tried=$verb out=$(cat seen); bad 'the secret is there'; }
done
grep -qF open-sesame app.log app.out app.err && bad 'the secret is in the log'

# ---- another value begins its actor again, and no other
app higher "$(actor /leak echo '"env": {"KEY": {"file": "key"}}, "timers": [{"after": "1ms", "send": "log <${KEY}>"}]')"
try "$IRIS" apply;                         exits 0; says 'restart  /in/b  env'; says 'keep     4'; is_quiet
try "$IRIS" ask /in/b LEVEL;               exits 0; says 'higher'
try "$IRIS" ask /in/a LEVEL;               exits 0; says 'low'
"$IRIS" stop >out 2>err
app_ends 0

# ---- Python
[ -e "$BUILD/lib/iris/hosts/python.so" ] || finish
export ASAN_OPTIONS=${ASAN_OPTIONS:+$ASAN_OPTIONS:}detect_leaks=0
cat >who.py <<'END'
import asyncio, iris

rt = iris.Runtime()
try:
    rt.env("WHO")
except iris.Error as e:
    outside = str(e)

class Handler:
    def __init__(self):
        self.begun = rt.env("WHO")

    def __call__(self, msg):
        if msg == b"outside":
            return outside
        return f"{self.begun} {rt.env('WHO')} {rt.env('OUTER', 'none')} {rt.env('NO')} {rt.env('NO', '?')} {rt.env()}"

async def later(msg):
    before = rt.env("WHO")
    await asyncio.sleep(0)
    try:
        return rt.env("WHO")
    except iris.Error:
        return before + " before"
END
manifest "\"hosts\": {\"python\": {\"env\": {\"OUTER\": \"host\"}}},
  \"actors\": [$(actor /a "$PWD/who.py:Handler" '"env": {"WHO": "a"}'),
  $(actor /b "$PWD/who.py:Handler" '"env": {"WHO": "b", "OUTER": "own"}'),
  $(actor /later "$PWD/who.py:later" '"env": {"WHO": "c"}')]"
run_app
try "$IRIS" ask /a x;                      exits 0; says "a a host None ? {'WHO': 'a'}"
try "$IRIS" ask /b x;                      exits 0; says "b b own None ? {'WHO': 'b', 'OUTER': 'own'}"
try "$IRIS" ask /later x;                  exits 0; says 'c before'
try "$IRIS" ask /a outside;                exits 0; says 'nobody knows whose handler this is'
"$IRIS" stop >out 2>err
app_ends 0
finish
