#!/bin/bash
# ctest: p10.operator_gets_through_a_crowd_that_asks
# As many clients as there are places ask an actor that does not answer: one can still look, and stop.
. "$SRC/tests/cli/live"

manifest "\"actors\": [$(actor /tally tally1)]"
run_app
"$IRIS" send /tally "hold $PWD/go" 2>err
await is_field /tally mailbox 0

cat >crowd.py <<'EOF'
import socket, sys
body = b'{"target": "/tally", "data": "count", "timeout_ms": 600000}'
clients = []
for i in range(70):
    s = socket.socket(socket.AF_UNIX)
    s.connect(sys.argv[1])
    s.sendall(b"POST /v1/ask HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: %d\r\n\r\n" % len(body) + body)
    clients.append(s)
answers = [b"".join(iter(lambda: s.recv(4096), b"")) for s in clients]
print(sum(b"200 OK" in a for a in answers), sum(b'"code":"busy"' in a for a in answers))
EOF
python3 crowd.py "$XDG_RUNTIME_DIR/iris/test.sock" >crowd.out & crowd=$!
await is_field /tally mailbox 56
try "$IRIS" ps;                            exits 0; says '/tally'
try "$IRIS" ask /tally count;              exits 1; complains '56 requests wait'; complains 'hint: try again'
swap_queues() { try "$IRIS" swap /tally "$behaviours/tally2.so" --timeout 500ms; grep -qF 'queued behind 56 messages' err; }
await swap_queues;                         exits 124 # where loading takes longer it is asked again
: >go
wait $crowd; cp crowd.out out; says '56 14'
try "$IRIS" stop; app_ends 0; leaves_nothing
finish
