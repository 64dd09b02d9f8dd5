#!/bin/bash
# ctest: p3.python_swaps_what_runs
# What a user does first: a function that answers, edited and swapped while it runs; then what goes wrong.
. "$SRC/tests/cli/live"
[ -e "$BUILD/lib/iris/hosts/python.so" ] || exit 77
unset PYTHONDONTWRITEBYTECODE

cat >hello.py <<'END'
import greeting_words

def on_msg(msg): return greeting_words.HELLO + msg

class Counter:
    __iris_version__ = 2
    def __init__(self, start=0): self.n = start
    def on_msg(self, msg):
        if msg != b"count":
            self.n += 1
        return b"v1 %d" % self.n
    def __iris_save__(self): return b"n=%d" % self.n
    @classmethod
    def __iris_upgrade__(cls, version, saved):
        if version == 3: raise ValueError("format 3 is newer than mine, 2")
        return cls(int(saved.removeprefix(b"n=")))

class Plain:
    def __init__(self, *args): self.seen = list(args)
    def __call__(self, msg):
        self.seen.append(msg.decode())
        return ("v1 " + " ".join(self.seen))

def on_fault(msg):
    if msg == b"leave": raise SystemExit
    if msg == b"key": raise KeyboardInterrupt
    if msg == b"deep": return on_fault(msg)
    if msg == b"lines": print("a line\nand another")
    if msg == b"zero": return 1 / 0
    return b"alive"
END
echo 'HELLO = b"hello, "' >greeting_words.py
manifest "\"actors\": [$(actor /hello "$PWD/hello.py:on_msg" '"name": "greeter"'),
  $(actor /counter "$PWD/hello.py:Counter" '"args": {"start": 5}'),
  $(actor /plain "$PWD/hello.py:Plain" '"args": ["a", "b"]'),
  $(actor /fault "$PWD/hello.py:on_fault" '"restart": "always"'),
  $(actor /tally tally2)],
  \"supervisors\": [{\"path\": \"/\", \"intensity\": 100}]"
run_app
app_says '  v1  (python, '

try "$IRIS" ask /hello Ada;                exits 0; says 'hello, Ada'
try "$IRIS" ask /counter x;                says 'v1 6'
try "$IRIS" ask /plain c;                  says 'v1 a b c'

# Same size and perhaps same second: what is compiled is what is in the file, whatever a .pyc says.
sed -i 's/HELLO + msg/HELLO + msg.upper()/; s/v1 /v2 /' hello.py
try "$IRIS" swap /hello;                   exits 0; says '/hello  v1 -> v2  swapped in'
try "$IRIS" ask /hello Ada;                says 'hello, ADA'
for i in 1 2 3 4 5; do
    sed -i "s/v[0-9] /v$i /" hello.py
    try "$IRIS" swap /plain;               exits 0
    try "$IRIS" ask /plain "$i";           says "v$i a b c"
done
try "$IRIS" swap /counter;                 exits 0
try "$IRIS" ask /counter count;            says 'v5 6'
try "$IRIS" rollback /hello;               exits 0; says '(=v1)'
try "$IRIS" ask /hello Ada;                says 'hello, Ada'
try "$IRIS" rollback /counter;             exits 0
try "$IRIS" ask /counter x;                says 'v1 7'

# Refused, and the old goes on.
cp hello.py good.py
echo 'def on_msg(msg: return b""' >hello.py
try "$IRIS" swap /hello;                   exits 6; complains 'SyntaxError'; complains 'hello.py", line 1'
echo 'import no_such_module' >hello.py
try "$IRIS" swap /hello;                   exits 6; complains 'ModuleNotFoundError'; complains 'no_such_module'
echo 'def on_message(msg): pass' >hello.py
try "$IRIS" swap /hello;                   exits 6; complains 'it has no "on_msg"'; complains 'on_message'
try "$IRIS" swap /counter "$PWD/good.py:on_msg"; exits 6; complains 'keeps no state'
cat >newer.py <<'END'
class Counter:
    def __init__(self): raise ValueError("never begins")
    def on_msg(self, msg): pass
    @classmethod
    def __iris_upgrade__(cls, version, saved): raise ValueError(f"not {version} {saved}")
END
try "$IRIS" swap /counter "$PWD/newer.py:Counter"; exits 6; complains "ValueError: not 2 b'n=7'"
try "$IRIS" ask /hello Ada;                says 'hello, Ada'
try "$IRIS" ask /counter x;                says 'v1 8'

# From C to Python and back: the count crosses as bytes.
"$IRIS" send /tally x 2>err
"$IRIS" send /tally x 2>err
try "$IRIS" swap /tally "$PWD/good.py:Counter"; exits 0
try "$IRIS" ask /tally x;                  says 'v5 3'
try "$IRIS" swap /tally "$behaviours/tally2.so"; exits 0
try "$IRIS" ask /tally count;              says '2 3'

# A fault ends the actor, never the process; the reason is the traceback.
for fault in zero key deep; do try "$IRIS" ask /fault $fault; exits 1; done
complains 'RecursionError'
app_says 'ZeroDivisionError: division by zero'
app_says 'if msg == b"zero": return 1 / 0'
app_says 'KeyboardInterrupt'
try "$IRIS" ask /fault lines;              says 'alive'
await grep -q 'and another' app.out
"$IRIS" send /fault leave 2>err
await grep -q '/fault  restart 4' app.out
lives() { [ "$("$IRIS" ask /fault x 2>err)" = alive ]; }
await lives
try "$IRIS" explain /fault;                exits 0; says 'ZeroDivisionError'

# A function has no state: a class in its place begins as if it had been there first.
cat >visits.py <<'END'
class Visits:
    def __init__(self): self.n = 0
    def on_msg(self, msg):
        self.n += 1
        return f"visit {self.n}"
    def __iris_save__(self): return b""
END
try "$IRIS" swap /hello visits.py:Visits;  exits 0
try "$IRIS" ask /hello Ada;                says 'visit 1'

try "$IRIS" stop; app_ends 0; leaves_nothing
finish
