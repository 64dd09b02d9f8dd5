#!/bin/bash
# ctest: cli.usage
# What a newcomer types wrong, and what it says to that.
. "$SRC/tests/cli/expect"

try "$IRIS";                      exits 2; complains 'usage: iris VERB'
try "$IRIS" --help;               exits 0; says 'rollback'; is_quiet
for variable in IRIS_APP XDG_RUNTIME_DIR IRIS_STATE_DIR IRIS_APP_DIR; do says $variable; done
try "$IRIS" help;                 exits 0; says 'usage: iris VERB'
try "$IRIS" --version;            exits 0; says 'iris 0.'; is_quiet
try "$IRIS" swpa;                 exits 2; complains 'did you mean swap?'
try "$IRIS" rolback /a;           exits 2; complains 'did you mean rollback?'
try "$IRIS" frobnicate;           exits 2; complains 'no verb "frobnicate"'; complains 'iris --help'
try "$IRIS" help swpa;            exits 2; complains 'did you mean swap?'
verbs=$("$IRIS" --help | sed -n '/^$/,/^$/s/^  \([a-z]*\) .*/\1/p')
[ "$(wc -w <<<"$verbs")" -ge 14 ] || bad 'expected the verbs'
for verb in $verbs; do
    try "$IRIS" $verb --help;     exits 0; says "Usage: iris $verb"; says '--json'; is_quiet
    try "$IRIS" help $verb;       exits 0; says "Usage: iris $verb"
    if grep -q Mandatory out; then bad 'expected nothing about arguments to long and short options'; fi
    try "$IRIS" $verb -h;         exits 0; says "Usage: iris $verb"; is_quiet
    try "$IRIS" $verb --nonsense --json; exits 2; is_json; says '"code":"bad-request"'; says 'nonsense'; is_quiet
    try "$IRIS" $verb --json a b c; exits 2; is_json; says '"code":"bad-request","message":"'; says "iris $verb --help"; is_quiet
    try "$IRIS" $verb --nonsense; exits 2; complains 'nonsense'
    try "$IRIS" $verb a b c;      exits 2; complains "iris $verb: "
done
for option in --json '-a x' --frobnicate; do
    try "$IRIS" $option ps;       exits 2; grep -qF 'options come after the verb' out err || bad 'expected where options belong'
done
try "$IRIS" --json ps;            is_json; is_quiet
try "$IRIS" swpa --json;          exits 2; is_json; says 'did you mean swap?'; is_quiet
try "$IRIS" send /a --json;       exits 2; is_json; says 'either DATA or --file'; is_quiet
try "$IRIS" swap --cancel /a b.so; exits 2; complains 'needs no HANDLER'
try "$IRIS" ask /a;               exits 2; complains 'either DATA or --file'
try "$IRIS" send;                 exits 2; complains 'PATH is missing'
try "$IRIS" ask /a b --timeout 3x; exits 2; complains 'expected a time'
try "$IRIS" rollback /a --steps 0; exits 2; complains 'expected a number from 1'
try "$IRIS" rollback /a --state old; exits 2; complains 'expected current or snapshot'
try "$IRIS" run --workers none;   exits 2; complains 'expected a number'
try "$IRIS" check --set x;        exits 2; complains 'iris: --set x: expected KEY=VALUE'; complains 'hint: '
try "$IRIS" check --set x --json; exits 2; is_json; says '"code":"bad-request"'; is_quiet
finish
