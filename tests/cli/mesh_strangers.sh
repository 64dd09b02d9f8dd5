#!/bin/bash
# ctest: p10.mesh_strangers
# From outside, by plain sockets: nothing that a stranger says is handled, silent ones are closed, there are only so
# many of them; and a peer is served all the while.
. "$SRC/tests/cli/nodes"

node a '"listen": "127.0.0.1:0"' "$(actor /svc/echo echo '"name": "echo"')"
start a
where=$(address a)
node b "\"peers\": [\"$where\"]" "$(actor /x echo)"
start b
linked b a

cat >strangers.py <<'P'
import os, random, socket, struct, sys, time
host, port = sys.argv[1].rsplit(":", 1)
def connect(source="127.0.0.1"):
    s = socket.create_connection((host, int(port)), 10, (source, 0))
    s.settimeout(20)
    return s
def is_closed(s):  # what it says before does not matter
    try:
        while s.recv(65536):
            pass
    except ConnectionError:
        pass
    return True
def frame(kind, body): return bytes([kind]) + struct.pack(">I", len(body))[1:] + body

random.seed(1)
said = [b"GET / HTTP/1.1\r\nHost: a\r\n\r\n", b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + bytes(600),
        frame(0x10, bytes(4200)), b"\x10\xff\xff\xff", frame(0x20, bytes(40)), frame(0x28, bytes(40)),
        frame(0x11, b"\x01" + bytes(32)), frame(0x80, b"x"), b"\x00\x00\x00\x00\x00\x00\x00\x01\x00\x00\x00\x02hi"]
said += [random.randbytes(random.randrange(1, 5000)) for _ in range(200)]
for bytes_ in said:
    s = connect("127.0.0.100")  # 50 a second are heard, the others are closed at once
    try:
        s.sendall(bytes_)
        s.shutdown(socket.SHUT_WR)
    except OSError:
        pass
    assert is_closed(s)
    s.close()
print("garbage is closed")

begun = time.monotonic()
here = [connect() for _ in range(8)]
one_more = connect()
assert is_closed(one_more) and time.monotonic() - begun < 4, "the ninth of an address was let in"
others = [connect(f"127.0.0.{i}") for i in range(2, 9) for _ in range(8)]  # 64 in all
late = connect("127.0.0.99")
assert is_closed(late) and time.monotonic() - begun < 4, "the 65th was let in"
print("full", flush=True)
os.close(os.open("full", os.O_CREAT | os.O_WRONLY))
slow = here[0]
try:  # a byte now and then is no way to stay
    for _ in range(60):
        slow.send(b"\x10")
        time.sleep(0.1)
except OSError:
    pass
for s in here + others:
    assert is_closed(s)
print("silent ones are closed")
s = connect()  # and there is room again
s.settimeout(0.5)
try:
    assert s.recv(1) != b"", "expected room again"
except TimeoutError:
    pass
P
python3 strangers.py "$where" >strangers.out 2>&1 &
pid_strangers=$!
await test -e full
for i in 1 2 3; do try at b ask echo@a "served $i"; exits 0; says "served $i"; done
wait $pid_strangers
status=$? tried=strangers.py out=$(cat strangers.out) err= ; exits 0
try at b ask echo@a after;          exits 0; says after
[ "$(node_field b a state)" = up ] || bad 'expected that the link stayed'
[ "$(node_field b a lost)" = 0 ] || bad 'expected that nothing was lost'
end b a
finish
