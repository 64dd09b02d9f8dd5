#!/bin/bash
# ctest: cli.schema_agrees_with_check
# The schema, by a validator that is not ours: it takes what `iris check` takes, and refuses what a single value
# or key is refused for.
. "$SRC/tests/cli/expect"
python=
for each in /usr/bin/python3 python3; do
    "$each" -c 'import jsonschema' 2>/dev/null && { python=$each; break; }
done
[ -n "$python" ] || { echo "no python3-jsonschema (tools/setup --all brings it)"; exit 77; }

try "$IRIS" schema; exits 0; is_quiet
cp out schema.json
cat >hold.py <<'END'
import glob, json, os, subprocess, sys
import jsonschema
iris, src = sys.argv[1:]
schema = json.load(open("schema.json"))
jsonschema.Draft7Validator.check_schema(schema)
validator = jsonschema.Draft7Validator(schema)
failed = 0

def say(file, text):
    global failed
    failed = 1
    print(file + ": " + text)

def manifests(*patterns):
    for pattern in patterns:
        for file in sorted(glob.glob(os.path.join(src, pattern), recursive=True)):
            yield file, file[len(src) + 1:]

taken = 0
for file, name in manifests("examples/**/*.json", "tests/manifest/valid/*/app.json"):
    document = json.load(open(file))
    if name.startswith("examples/") and "actors" not in document:
        continue
    taken += 1
    for e in validator.iter_errors(document):
        say(name, "is valid, and the schema says: " + e.message[:300])
if taken < 12:
    say("examples", "expected at least 12 manifests")

# One value alone is not wrong: it is so beside another, on this machine, by its host, or after variables are replaced.
beside = {"backoff_upside_down", "route_alone", "bad_socket_too_long", "idle_timeout_without_lazy", "inherited",
          "control_group_without_mode", "control_mode_without_group", "control_mode_without_socket",
          "handler_unknown_ending", "handler_without_file", "handler_without_name",
          "logs_to_two_places", "logs_to_nowhere"}
by_value = {"unknown-key", "wrong-type", "bad-value", "missing-key", "not-built", "bad-default"}
arithmetic = {"bad_period_too_long", "variable_makes_it_wrong"}
refused = 0
for file, name in manifests("tests/manifest/invalid/*/app.json"):
    case = name.split("/")[-2]
    try:
        document = json.load(open(file, encoding="utf-8"))
    except ValueError:
        continue # no JSON: for other tests
    said = subprocess.run([iris, "check", "app.json", "--json"], cwd=os.path.dirname(file), capture_output=True)
    codes = {e["code"] for e in json.loads(said.stdout)["errors"]}
    if not codes & by_value or case in beside | arithmetic:
        continue
    refused += 1
    if validator.is_valid(document):
        say(name, "is refused for " + ", ".join(sorted(codes & by_value)) + ", and the schema takes it")
if refused < 40:
    say("invalid", "expected at least 40 cases")
# Comments and keys of one's own are nobody's business, wherever they stand.
free = {"//": 1, "x-a": {}, "actors": [{"path": "/a", "handler": "a.py:f", "// why": "", "x-b": 2}],
        "hosts": {"x-mine": 3, "//": "", "python": {"x-c": 1}}}
for e in validator.iter_errors(free):
    say("free keys", e.message[:300])
sys.exit(failed)
END
try "$python" hold.py "$IRIS" "$SRC"; exits 0; is_quiet
finish
