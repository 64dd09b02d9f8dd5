#!/bin/bash
# ctest: cli.explain_key
# The manual of a manifest key, of each there is, as it is typed in a manifest or in a message of `iris check`.
. "$SRC/tests/cli/expect"

try "$IRIS" explain actors.restart;        exits 0; says 'actors.restart: when it is started again'; is_quiet
says 'value    "always", "on-failure" or "never"'; says 'default  on-failure'; says 'on-failure: after a crash'
try "$IRIS" explain 'actors[0].restart';   exits 0; says 'actors.restart: '
try "$IRIS" explain supervisors.defaults.restart; exits 0; says 'actors.restart: '
try "$IRIS" explain actors.mailbox;        exits 0; says 'keys inside:'; says 'what a full mailbox does'
try "$IRIS" explain hosts.python.venv;     exits 0; says 'hosts.NAME.venv: '
try "$IRIS" explain actors.path;           exits 0; says 'must be there'
try "$IRIS" explain tracing;               exits 0; says 'not built yet'
try "$IRIS" explain actors.restart --json; exits 0; is_json; is_quiet
[ "$(json 'd["default"], d["built"], d["required"]')" = "('on-failure', True, False)" ] || bad 'expected the facts'
try "$IRIS" explain actors --json;         [ "$(json '"actors.restart" in d["keys"]')" = True ] || bad 'expected its keys'

try "$IRIS" explain restart;               exits 5; complains 'did you mean actors.restart?'
try "$IRIS" explain actors.restrat;        exits 5; complains 'did you mean actors.restart?'
try "$IRIS" explain actors.;               exits 5; complains 'no key "actors."'
try "$IRIS" explain .;                     exits 5
try "$IRIS" explain '';                    exits 5; complains 'no key ""'
try "$IRIS" explain frobnicate --json;     exits 5; is_json; says '"code":"no-such-target"'; is_quiet
try "$IRIS" explain frobnicate;            exits 5; complains 'hint: all keys: '

# Each key that the schema knows is explained, with a value.
try "$IRIS" schema;                        exits 0; is_quiet
keys=$(json '" ".join([k for k in d["properties"]] + [n + "." + k for n, o in d["definitions"].items()
    if n != "defaults" for k in o["properties"]])')
for key in $keys; do
    "$IRIS" explain "${key/hosts./hosts.python.}" --json || bad "expected $key to be explained"
done >each
python3 -c 'import json
for line in open("each"): assert (d := json.loads(line))["value"] and d["meaning"], line' || bad 'expected a value and a meaning'
[ "$(wc -w <<<"$keys")" -gt 40 ] || bad 'expected more keys than that'
finish
