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
cat >app/common.cjs <<'EOF'
const { WORD } = require('./word.cjs')
exports.onMessage = () => `1 ${WORD}`
EOF
mkdir -p app/lib app/node_modules/pack
echo "exports.WORD = require('./lib/deep.cjs') + require('./more.json')" >app/word.cjs
echo "module.exports = 'common'" >app/lib/deep.cjs
echo '""' >app/more.json
cat >app/words.mjs <<'EOF'
import deep from './lib/deep.cjs'
import pack from 'pack'
export { HELLO } from './lib/words.mjs'
export const seen = [deep, pack]
EOF
echo "import '../words.mjs'; export const HELLO = 'aaa'" >app/lib/words.mjs # round and round
echo "module.exports = 'pack'" >app/node_modules/pack/index.js
echo "export const onMessage = async () => (await import('./late.mjs')).LATE" >app/other.mjs
echo "export const LATE = 'late'" >app/late.mjs
manifest "\"actors\": [$(actor /hello ./app/hello.mjs#Counter), $(actor /common ./app/common.cjs),
$(actor /other ./app/other.mjs)]"
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

# What they import, and what that imports: whoever has it, and nobody else.
try "$IRIS" ask /other x;                  exits 0; says late
for word in bbb ccc ddd; do
    sed -i "s/HELLO = '...'/HELLO = '$word'/" app/lib/words.mjs
    await answers /hello "3 $word *"
done
expect_field /common rev 2
# Whole from the beginning: where it is counted how often it is swapped, nobody may see it half written.
written() { cat >"$1.new" && mv "$1.new" "$1"; }
sed -i "s/'late'/'later'/" app/late.mjs
await answers /other later
expect_field /hello rev 6
echo '" ground"' | written app/more.json
await answers /common '2 common ground'
expect_field /hello rev 6
echo "module.exports = 'under'" | written app/lib/deep.cjs
await answers /common '2 under ground'
expect_field /hello rev 7
expect_field /other rev 2
sed -i "s/'pack'/'unpack'/" app/node_modules/pack/index.js # is no code of the app: nobody is swapped

# A version that was refused for what it imports is tried again when that is saved.
sed 's/`3 /`4 /; 1i import "./fresh.mjs"' app/hello.mjs >new && cat new >app/hello.mjs
await grep -q "/hello  swap refused.*fresh.mjs" app.out
echo >app/fresh.mjs
echo 'export const X = 1' >app/fresh.mjs
await answers /hello '4 ddd *'
sed 's/`4 /`3 /; 1d' app/hello.mjs >new && cat new >app/hello.mjs
await answers /hello '3 ddd *'

# Half a file is refused; the rest of it comes, and is tried.
cp app/hello.mjs whole
head -c 60 whole >app/hello.mjs
await grep -q '/hello  swap refused' app.out
await answers /hello '3 ddd *'
sed 's/`3 /`4 /' whole >app/hello.mjs
await answers /hello '4 ddd *'
expect_field /other rev 2
try "$IRIS" stop; app_ends 0; leaves_nothing
finish
