#!/bin/bash
# ctest: p3.a_counter_keeps_its_count_through_three_languages
. "$SRC/tests/cli/live_node"
[ -e "$BUILD/lib/iris/hosts/python.so" ] || exit 77

cat >counter.mjs <<'EOF'
export class Counter {
  static stateVersion = 2
  constructor (n = 0) { this.n = n }
  onMessage () { return `js ${++this.n}` }
  save () { return 'n=' + this.n }
  static upgrade (from, saved) { return new Counter(Number(saved.toString().slice(2))) }
}
EOF
cat >counter.py <<'EOF'
class Counter:
    __iris_version__ = 2
    def __init__(self, n=0): self.n = n
    def on_msg(self, msg):
        self.n += 1
        return b"py %d" % self.n
    def __iris_save__(self): return b"n=%d" % self.n
    @classmethod
    def __iris_upgrade__(cls, version, saved): return cls(int(saved.removeprefix(b"n=")))
EOF
manifest "\"actors\": [$(actor /tally tally2)]"
run_app
n=0
next() {
    local what=x
    [ "$1" != 2 ] || { "$IRIS" send /tally x 2>err; what=count; } # C answers only that
    try "$IRIS" ask /tally $what; exits 0; says "$1 $((++n))"
}
next 2
for round in 1 2; do
    try "$IRIS" swap /tally "$PWD/counter.mjs#Counter"; exits 0
    next js
    try "$IRIS" swap /tally "$PWD/counter.py:Counter"; exits 0
    next py
    try "$IRIS" swap /tally "$behaviours/tally2.so"; exits 0
    next 2
    try "$IRIS" swap /tally "$PWD/counter.py:Counter"; exits 0
    next py
    try "$IRIS" swap /tally "$PWD/counter.mjs#Counter"; exits 0
    next js
done
try "$IRIS" rollback /tally;               exits 0 # the state goes along
next py
try "$IRIS" stop; app_ends 0; leaves_nothing
finish
