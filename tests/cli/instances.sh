#!/bin/bash
# ctest: p9.instances_stand_behind_one_path_in_every_language
# Each language: who gets what, a swap of all or none, a crash that the others do not feel, and the end of all.
. "$SRC/tests/cli/live_node"
[ -e "$BUILD/lib/iris/hosts/python.so" ] || exit 77

cat >work.py <<'END1'
class Work:
    def __init__(self): self.n = 0
    def on_msg(self, msg):
        if msg == b"crash": raise ValueError("told to")
        self.n += 1
        return "1: %d" % self.n
    def __iris_save__(self): return str(self.n).encode()
    @classmethod
    def __iris_upgrade__(cls, version, saved):
        self = cls()
        self.n = int(saved)
        return self
END1
cat >work.mjs <<'END1'
export class Work {
  n = 0
  onMessage (msg) {
    if (msg.toString() === 'crash') throw new Error('told to')
    return `1: ${++this.n}`
  }
  save () { return String(this.n) }
  upgrade (from, saved) { this.n = Number(saved) }
}
END1
several() { actor "$1" "$2" "\"instances\": 3, \"route\": \"$3\", \"mailbox\": 100"; }
manifest "\"hosts\": {\"node\": {\"instances\": 2}}, \"actors\": [$(several /native "$BUILD/lib/iris/behaviours/libcounter.so" round_robin),
  $(several /python "$PWD/work.py:Work" round_robin), $(several /node "$PWD/work.mjs#Work" round_robin),
  $(several /hash "$PWD/work.py:Work" hash), $(several /all "$PWD/work.mjs#Work" broadcast),
  $(several /least "$PWD/work.mjs#Work" least_mailbox)]"
run_app
try "$IRIS" ps;                            exits 0; says '/native/1'; says '/node/3'; says round_robin
total() { local n= i; for i in 1 2 3; do n="$n $(field $1/$i handled)"; done; echo $n; }
handled() { [ "$(total "$1")" = "$2" ]; }
for path in /native /python /node; do
    for i in 1 2 3 4 5 6 7; do try "$IRIS" ask $path x; exits 0; done
    [ $path = /native ] || says '1: 3'
    await handled $path '3 2 2' || bad "$path: $(total $path)"
    expect_field $path handled 7
done
for i in 1 2 3; do try "$IRIS" ask /hash x; says "1: $i"; done # from outside is one sender
for i in 1 2 3; do try "$IRIS" ask /all x;  says "1: $i"; done
await handled /all '3 3 3'
for i in 1 2 3; do try "$IRIS" ask /least x; exits 0; done

# All or none.
sed -i 's/1: /2: /' work.py work.mjs
for path in /python /node /hash /all; do
    try "$IRIS" swap $path;                exits 0; says "$path  v1 -> v2"
    for i in 1 2 3; do expect_field $path/$i rev 2; done
done
try "$IRIS" ask /python x;                 says '2: 3'
try "$IRIS" ask /node x;                   says '2: 3'
try "$IRIS" rollback /node;                exits 0; says "v3 (=v1)"
for i in 1 2 3; do expect_field /node/$i of =v1; done
try "$IRIS" ask /node x;                   says '1: 3'
try "$IRIS" swap /native nowhere.so;       exits 6; complains '/native'
echo 'export class Work {' >broken.mjs
try "$IRIS" swap /node ./broken.mjs#Work;  exits 6; complains '/node/1'; complains 'nothing has changed'
cat >third.py <<'END1'
import work
class Work(work.Work):
    @classmethod
    def __iris_upgrade__(cls, version, saved):
        if saved == b"4": raise ValueError("not with four")
        return super().__iris_upgrade__(version, saved)
END1
try "$IRIS" ask /python/2 x;               says '2: 4'
try "$IRIS" swap /python ./third.py:Work;  exits 6; complains 'not with four'; complains 'rolled back'
await explained /python/1 'v3 -> v4 (=v2)' || bad 'expected /python/1 to have gone back'
for i in 1 2; do try "$IRIS" ask /python/$i x; exits 0; says '2: '; done

# One crashes, and begins again in place; the others go on.
for path in /python /node; do
    try "$IRIS" ask $path/2 crash
    expect_field $path/2 restarts 1
    expect_field $path/1 restarts 0
    for i in 1 2 3; do try "$IRIS" ask $path x; exits 0; done
done

# One is stopped for good: the others get its share.
try "$IRIS" stop /native/2;                exits 0
for i in 1 2 3 4; do try "$IRIS" ask /native x; exits 0; done
try "$IRIS" stop /native;                  exits 0
try "$IRIS" ps;                            exits 0
grep -q /native out && bad 'expected /native and its instances to be gone'
try "$IRIS" stop;                          exits 0
app_ends 0

# --watch.
manifest "\"actors\": [$(several /python "$PWD/work.py:Work" round_robin), $(several /node "$PWD/work.mjs#Work" hash)]"
run_app --watch
sed -i 's/2: /4: /' work.py work.mjs
for path in /python /node; do for i in 1 2 3; do expect_field $path/$i rev 2; done; done
try "$IRIS" ask /node x;                   says '4: 1'
try "$IRIS" stop;                          exits 0
app_ends 0
leaves_nothing
finish
