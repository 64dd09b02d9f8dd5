#!/bin/bash
# ctest: p3.node_watch_swaps_handlers
. "$SRC/tests/cli/live_node"

mkdir app
cat >app/hello.mjs <<'EOF'
import { HELLO } from './words.mjs'

export class Counter {
  n = 0
  onMessage () { return `1 ${HELLO} ${++this.n}` }
}
EOF
echo "export const HELLO = 'aaa'" >app/words.mjs
cat >app/common.cjs <<'EOF'
const { WORD } = require('./word.cjs')
exports.onMessage = () => `1 ${WORD}`
EOF
echo "exports.WORD = 'common'" >app/word.cjs
manifest "\"actors\": [$(actor /hello ./app/hello.mjs#Counter), $(actor /common ./app/common.cjs)]"
run_app --watch
answers() { [[ $("$IRIS" ask "$1" x 2>err) == $2 ]]; }
try "$IRIS" ask /hello x;                  exits 0; says '1 aaa 1'
try "$IRIS" ask /common x;                 exits 0; says '1 common'

sed -i 's/`1 /`2 /' app/hello.mjs # sed writes a file and renames it
await answers /hello '2 aaa *'
sed 's/`2 /`3 /' app/hello.mjs >new && cat new >app/hello.mjs # and this writes in place
await answers /hello '3 aaa *'
sed -i 's/`1 /`2 /' app/common.cjs
await answers /common '2 common'

expect_field /hello restarts 0

# Half a file is refused; the rest of it comes, and is tried.
cp app/hello.mjs whole
head -c 60 whole >app/hello.mjs
await grep -q '/hello  swap refused' app.out
await answers /hello '3 aaa *'
sed 's/`3 /`4 /' whole >app/hello.mjs
await answers /hello '4 aaa *'
try "$IRIS" stop; app_ends 0; leaves_nothing
finish
