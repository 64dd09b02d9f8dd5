#!/bin/bash
# ctest: p10.control_refuses_what_it_does_not_understand
# Requests by any HTTP client: whatever is in them, the app answers in JSON and lives on.
. "$SRC/tests/cli/live"

manifest "\"actors\": [$(actor /echo echo '"mailbox": 2'), $(actor /tally tally1 '"mailbox": 2')]"
run_app
for verb in ask send swap rollback explain; do
    post $verb '';                         is_json; says '"code":"bad-request"'; says '\"target\" is missing'
    post $verb '{"target": ""}';           is_json; says '"code":"bad-request"'
    post $verb '{"target": 7}';            is_json; says 'expected a string'
    post $verb '{"target": "/echo", "timeout_ms": -1}'; says 'whole number from 0'
    post $verb '{"target": "/echo", "timeout_ms": 1e99}'; says '"code":"bad-request"'
    post $verb '{"target": "no\u0000thing"}'; says '"code":"bad-request"'
    post $verb '{"target": "99999999999999999999"}'; says '"code":"no-such-target"'
    post $verb '{"target": "18446744073709551615"}'; says '"code":"no-such-target"'
    post $verb '[]';                       says 'not an object'
    post $verb '{"target": "/echo", "target": "/echo"}'; says '"code":"bad-request"'
    get $verb;                             says '"code":"not-allowed"'
done
post stop '{"target": null}';              says '"code":"bad-request"'
post ask '{"target": "/echo", "data": 1}'; says 'expected a string'
post ask '{"target": "/echo", "data": "", "data_base64": ""}'; says 'one of them'
post ask '{"target": "/echo", "data_base64": "????"}'; says 'expected base64'
post ask '{"target": "/echo", "data_base64": "AAE="}'; says '"reply_base64":"AAE="'
post swap '{"target": "/echo", "now": "yes"}'; says 'true or false'
post swap '{"target": "/echo", "handler": "/proc/self/mem"}'; says '"code":"swap-refused"'
post swap '{"target": "/echo", "handler": "../../../../etc/passwd"}'; says '"code":"swap-refused"'
post rollback '{"target": "/echo", "steps": 2000}'; says 'from 0 to 1000'
post rollback '{"target": "/echo", "state": "old"}'; says '\"current\" or \"snapshot\"'
post rollback '{"target": "/echo"}';       says '"code":"rollback-refused"'; says 'there is no earlier version'
get nothing;                               says '"code":"no-such-verb"'

"$IRIS" send /tally "hold $PWD/go" 2>err
await is_field /tally mailbox 0
post send '{"target": "/tally"}';          says '"target":"/tally"'
post send '{"target": "/tally"}';          says '"code":"mailbox-full"'; says '2 of 2 messages' # one of them is being handled
try "$IRIS" send /tally x;                 exits 1; complains 'its mailbox is full'
: >go
await is_field /tally handled 2
try "$IRIS" ask /echo fine;                exits 0; says 'fine'
try "$IRIS" stop; app_ends 0; leaves_nothing
finish
