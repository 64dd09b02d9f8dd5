#!/bin/bash
# ctest: cli.service_manager_is_told
# systemd's protocol, heard by a manager of our own: READY when all actors have started, WATCHDOG while it lives,
# RELOADING at SIGHUP, STOPPING before it ends; by a path and by a name without a file.
. "$SRC/tests/cli/expect"

cat >app.json <<END
{"name": "told", "actors": [
    {"path": "/one", "handler": "$BUILD/tests/behaviours/echo.so"},
    {"path": "/slow", "handler": "$BUILD/tests/behaviours/slow_start.so", "args": "$PWD/go"}]}
END
cat >manager.py <<'END'
import os, signal, socket, subprocess, sys
iris, name = sys.argv[1:]
s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
s.bind("\0" + name[1:] if name[0] == "@" else name)
s.settimeout(60)
env = dict(os.environ, NOTIFY_SOCKET=name, WATCHDOG_USEC="100000")
app = subprocess.Popen([iris, "run"], env=env, stdout=open("said", "w"), stderr=subprocess.STDOUT,
                       start_new_session=True) # without a terminal, as a service is

def hear():
    return dict(line.split("=", 1) for line in s.recv(4096).decode().split("\n"))

def wait_for(key):
    beats = 0
    while True:
        told = hear()
        if key in told:
            return told, beats
        assert list(told) == ["WATCHDOG"], told
        beats += 1

for _ in range(3): # it lives, and is not ready before its last actor is
    assert hear() == {"WATCHDOG": "1"}
open("go", "w").close()
ready, _ = wait_for("READY")
assert ready == {"READY": "1", "STATUS": "all actors run", "MAINPID": str(app.pid)}, ready
said = open("said").read()
assert "/one" in said and "/slow" in said, "ready before the actors were: " + said
for _ in range(5):
    assert hear() == {"WATCHDOG": "1"}
os.kill(app.pid, signal.SIGHUP)
reloading, _ = wait_for("RELOADING")
assert int(reloading["MONOTONIC_USEC"]) > 0, reloading
assert wait_for("READY")[0]["READY"] == "1"
os.kill(app.pid, signal.SIGTERM)
stopping, _ = wait_for("STOPPING")
assert app.wait(60) == 0
print("ready, beats, stopping")
END
for name in "$PWD/notify" "@iris-told-$$"; do
    rm -f go
    try python3 manager.py "$IRIS" "$name"; exits 0; says 'ready, beats, stopping'
done

# Without a manager, or with one that is not there, the app runs all the same.
try env NOTIFY_SOCKET="$PWD/nobody" "$IRIS" run --until-idle; exits 0; complains 'nobody is told that the app is ready'
try env NOTIFY_SOCKET=nonsense "$IRIS" run --until-idle;      exits 0; complains 'NOTIFY_SOCKET=nonsense'
# A watchdog of another process is not ours; a start that fails is never ready.
cat >failing.py <<'END'
import os, socket, subprocess, sys
s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
s.bind("failing")
env = dict(os.environ, NOTIFY_SOCKET=os.path.abspath("failing"), WATCHDOG_USEC="1000", WATCHDOG_PID="1")
subprocess.run([sys.argv[1], "run", "nothing.json"], env=env)
subprocess.run([sys.argv[1], "run", "--until-idle"], env=dict(env, NOTIFY_SOCKET=env["NOTIFY_SOCKET"]))
s.setblocking(False)
told = []
try:
    while True:
        told.append(s.recv(4096).decode().split("\n")[0])
except BlockingIOError:
    pass
print(told)
END
try python3 failing.py "$IRIS"; says "['READY=1', 'STOPPING=1']"
finish
