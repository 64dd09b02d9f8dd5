#!/bin/bash
# ctest: p3.versions_of_node_that_nobody_runs_are_collected
# 15 versions of a module of 1 MB: with their code they take 40 MB, and five of them are kept.
. "$SRC/tests/cli/live_node"
cat >gauge.cjs <<'END'
require('node:v8').setFlagsFromString('--expose_gc')
const gc = require('node:vm').runInNewContext('gc')
exports.onMessage = async () => {
  for (let i = 0; i < 4; i++) {
    gc()
    await new Promise(resolve => setImmediate(resolve))
  }
  const mb = process.memoryUsage().heapUsed / 1e6
  return mb < 30 ? 'small' : `${mb} MB`
}
END
code() { # VERSION
    python3 -c 'import sys
n = int(sys.argv[1])
print(f"export const onMessage = () => \"version {n}\"")
for i in range(12000): print(f"const f{i}_{n} = (a, b) => a + b + {i} + \"{i:030}{n}\"")' "$1" >large.new
    mv large.new large.mjs
}
code 0
manifest "\"actors\": [$(actor /large ./large.mjs), $(actor /gauge ./gauge.cjs)]"
run_app
for i in $(seq 15); do
    code $i
    try "$IRIS" swap /large;               exits 0
done
try "$IRIS" ask /large x;                  exits 0; says 'version 15'
try "$IRIS" ask /gauge x;                  exits 0; says small
try "$IRIS" ps;                            exits 0
grep -qE '^node: 1 environment, [0-9] versions, heap [0-9.]+ MB$' out || bad 'expected what node takes'
try "$IRIS" stop; app_ends 0; leaves_nothing
finish
