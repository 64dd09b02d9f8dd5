#!/bin/bash
# ctest: p7.full_mailboxes_block_and_redirect_live
# What the manifest says of a full mailbox is what happens, and ps shows it.
. "$SRC/tests/cli/live"

block='"mailbox": {"capacity": 2, "overflow": "block", "warn_at": 1}'
redirect='"mailbox": {"capacity": 2, "overflow": "redirect", "fallback": "/spare", "warn_at": 0}'
bytes='"mailbox": {"bytes": "400B"}'
manifest "\"actors\": [$(actor /relay relay '"args": "/slow"'), $(actor /slow tally1 "$block"),
    $(actor /busy tally1 "$redirect"), $(actor /spare tally1), $(actor /heavy tally1 "$bytes"),
    $(actor /warned tally1 '"mailbox": {"capacity": 2, "warn_at": 1}, "shutdown": "1m"')]"
run_app

# One is handled, one waits in the mailbox, one at its door; the relay takes no other meanwhile.
"$IRIS" send /slow "hold $PWD/go" 2>err
await is_field /slow mailbox 0
for m in 1 2 3 4; do "$IRIS" send /relay $m 2>err; done
await is_field /slow waiting 1
expect_field /slow mailbox 1
expect_field /slow overflow block
expect_field /relay mailbox 2
expect_field /relay handled 2
await grep -qF '/slow  mailbox at 100 %: 2 of 2 messages' app.err
: >go
await is_field /slow handled 5
expect_field /slow waiting 0
try "$IRIS" ask /slow count;              says '1 4'

"$IRIS" send /busy "hold $PWD/go2" 2>err
await is_field /busy mailbox 0
for m in 1 2 3; do "$IRIS" send /busy $m 2>err; done
expect_field /busy mailbox 1
expect_field /busy redirected 2
await is_field /spare handled 2
: >go2
await is_field /busy handled 2
try "$IRIS" ask /spare count;             says '1 2'

# What is begun does not count; what waits does, by the byte.
large=$(printf '%0390d' 0)
"$IRIS" send /heavy "hold $PWD/go3" 2>err
await is_field /heavy mailbox 0
try "$IRIS" send /heavy $large;           exits 0
expect_field /heavy mailbox_bytes 390
expect_field /heavy capacity_bytes 400
try "$IRIS" send /heavy 12345678901;      exits 1; complains '390 bytes wait, and 11 more are above its limit of 400'
try "$IRIS" send /heavy $large$large;     exits 1; complains '780 bytes are more than may wait in its mailbox: 400'
try "$IRIS" send /heavy 1234567890;       exits 0
expect_field /heavy refused 1
: >go3
await is_field /heavy handled 3
expect_field /heavy mailbox_bytes 0

# Who waits for its restart is not answered with a warning that comes meanwhile.
"$IRIS" send /warned "hold $PWD/go4" 2>err
await is_field /warned mailbox 0
"$IRIS" restart /warned >restarted 2>&1 & restart=$!
await is_field /warned state stuck
for m in 1 2; do "$IRIS" send /warned $m 2>err; done
await grep -qF '/warned  mailbox at 100 %: 2 of 2 messages' app.err
: >go4
wait $restart || { tried='iris restart' status=- out=$(cat restarted) err= bad 'expected that it has begun again'; }
expect_field /warned restarts 1

try "$IRIS" stop; app_ends 0; leaves_nothing
finish
