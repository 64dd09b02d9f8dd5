#!/bin/bash
# ctest: cli.versions_that_differ_are_told
# The program and an app of another version tell each other so; what both know works.
. "$SRC/tests/cli/live"
cat >other.py <<'END'
import fcntl, http.server, os, socketserver
class Other(http.server.BaseHTTPRequestHandler):
    def version_string(self): return "iris/9.9.9"
    def address_string(self): return "x"
    def log_message(self, *_): pass
    def answer(self, status, body):
        self.send_response(status); self.send_header("Content-Length", str(len(body))); self.end_headers(); self.wfile.write(body)
    def do_POST(self):
        if self.path == "/v1/send": self.answer(200, b'{"iris": 1, "target": "/a", "new": 1}\n')
        else: self.answer(404, b'{"iris": 1, "error": {"code": "no-such-verb", "message": "no such verb"}}\n')
path = os.environ["XDG_RUNTIME_DIR"] + "/iris/test.sock"
os.makedirs(os.path.dirname(path), 0o700)
lock = open(path[:-5] + ".lock", "w")
os.chmod(path[:-5] + ".lock", 0o600)
fcntl.lockf(lock, fcntl.LOCK_EX)
with socketserver.UnixStreamServer(path, Other) as server:
    open("listens", "w").close()
    server.serve_forever()
END
python3 other.py & other=$!
await test -e listens
said='the app runs iris 9.9.9, and this is iris 0.'
there=$XDG_RUNTIME_DIR/iris/test.sock
try "$IRIS" send /a x -a "$there";        exits 0; complains "$said"; complains 'hint: what one of them does not know'
try "$IRIS" send /a x --json -a "$there"; exits 0; is_json; complains "$said"
try "$IRIS" rollback /a -a "$there";      exits 1; complains "$said"; complains 'no such verb'
kill $other; wait $other 2>err; rm -r "$XDG_RUNTIME_DIR/iris"
manifest "\"actors\": [$(actor /a echo)]"
run_app
try "$IRIS" ps;                         exits 0; is_quiet
try curl -si --unix-socket "$XDG_RUNTIME_DIR/iris/test.sock" http://iris/v1/health; says "Server: iris/$("$IRIS" --version | grep -o '[0-9.]*' | head -1)"
"$IRIS" stop >out; app_ends 0
leaves_nothing
finish
