#!/bin/bash
# ctest: p10.cluster_refused_asks_less_and_less
# An engine that gives a lease, but may not be written to: who is refused says why, and does not ask ten times a second.
# It answers as etcd 3.6 does: without "error".
. "$SRC/tests/cli/nodes"
[ -e "$BUILD/lib/iris/hosts/etcd.so" ] || { echo "skipped: built without libcurl" >&2; exit 77; }

cat >engine.py <<'END'
import http.server
import json
import time

ANSWERS = {
    "/v3/lease/grant": {"ID": "7", "TTL": "10"},
    "/v3/lease/keepalive": {"result": {"ID": "7", "TTL": "10"}},
    "/v3/lease/revoke": {},
    "/v3/kv/range": {"header": {"revision": "5"}},
}


class Engine(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *_):
        pass

    def do_POST(self):
        self.rfile.read(int(self.headers["Content-Length"]))
        if self.path == "/v3/watch":
            self.send_response(200)
            self.end_headers()
            self.wfile.write(b'{"result": {"header": {"revision": "5"}, "created": true}}\n')
            self.rfile.read(1)  # until it hangs up
            return
        if self.path == "/v3/kv/put":
            print("put", time.monotonic(), flush=True)
        answer = ANSWERS.get(self.path, {"code": 7, "message": "etcdserver: permission denied"})
        text = json.dumps(answer).encode()
        self.send_response(200 if self.path in ANSWERS else 403)
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)


server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Engine)
server.daemon_threads = True
print(server.server_address[1], flush=True)
server.serve_forever()
END
python3 engine.py >engine.out 2>engine.err & engine=$!
trap 'kill $engine' EXIT
await test -s engine.out
node a "\"listen\": \"127.0.0.1:0\", \"engine\": {\"etcd\": [\"http://127.0.0.1:$(head -1 engine.out)\"], \"ttl\": \"10s\"}" ""
start a
says_why() { at a mesh 2>&1 | grep -qF 'permission denied'; }
await says_why
has_asked() { [ "$(grep -c put engine.out)" -ge "$1" ]; }
await has_asked 6
tried="times of its requests" status=- out=$(cat engine.out) err=$(cat engine.err)
awk '/put/ { if (!n++) first = $2; else if (n == 6) exit $2 - first < 1 }' engine.out || # 50 + 100 + .. + 800 ms at least
    bad 'expected longer and longer pauses'
end a
finish
