#!/bin/bash
# ctest: cli.text_of_others_does_not_drive_the_terminal
# Control bytes in logs, replies and errors are shown, not obeyed, and no line passes for one of ours.
. "$SRC/tests/cli/live"

# on_terminal COMMAND...: what it prints there, in `out`
cat >on_terminal.py <<'END'
import os, pty, sys
command, terminal = pty.fork()
if command == 0:
    os.execvp(sys.argv[1], sys.argv[1:])
try:
    while data := os.read(terminal, 4096):
        os.write(1, data)
except OSError:
    pass # what a terminal says when nobody has it open any more
sys.exit(os.waitstatus_to_exitcode(os.waitpid(command, 0)[1]))
END
on_terminal() { try env TERM=xterm python3 on_terminal.py "$@"; }
says_nothing_raw() { if grep -q "$1" out; then bad 'expected no control byte'; fi; }

manifest "\"actors\": [$(actor /echo echo)]"
run_app
evil=$'a\e[2Jb\u009b2Jc\rd\177'
try "$IRIS" ask /echo "$evil";             exits 0; [ "$out" = "$evil" ] || bad 'expected the bytes themselves'
on_terminal "$IRIS" ask /echo "$evil";     exits 0; says 'a\x1b[2Jb\xc2\x9b2Jc\x0dd\x7f'; says_nothing_raw $'\e\[2J'
on_terminal "$IRIS" ask /echo $'one\ntwo'; exits 0; [ "$(tr -d '\r' <out | head -2)" = $'one\ntwo' ] || bad 'expected two lines'
try "$IRIS" ask $'/no\e[2Jwhere' x;        exits 5; complains '/no\x1b[2Jwhere'

"$IRIS" send /echo $'log first\n✓ /forged  libx.so\n\e]0;title\a' 2>err
await grep -q forged app.out
app_says '/echo  first'
app_says '  | ✓ /forged  libx.so'
app_says '  | \x1b]0;title\x07'
if grep -q '^✓ /forged' app.out; then bad 'expected no line that Iris did not say'; fi
try "$IRIS" stop; app_ends 0
leaves_nothing
finish
