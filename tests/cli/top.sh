#!/bin/bash
# ctest: cli.top_in_a_terminal
# iris top in a real terminal: sorts, filters, restarts, swaps and rolls back by keys, each after a question; sizes, colours.
. "$SRC/tests/cli/live"

# Without a terminal it says what to use instead.
cp "$behaviours/echo.so" 'zählt☂.so'
manifest "\"actors\": [$(actor /svc/tally tally1), $(actor /svc/echo './zählt☂.so'), $(actor /throng throng)]"
try "$IRIS" top;                           exits 4
run_app
try "$IRIS" top;                           exits 2; complains 'stdout is no terminal'; complains 'hint: print it instead: '; complains 'iris top --once'
try "$IRIS" top --once;                    exits 0; is_quiet; says '/svc/tally  running'; says 'MSG/S'
try "$IRIS" top echo --once;               says /svc/echo; [ "$(wc -l <out)" = 2 ] || bad 'expected one actor'
try "$IRIS" top --json;                    exits 0; is_json; [ "$(json 'd["total"], len(d["actors"])')" = '(3, 3)' ] || bad 'expected what is shown'
try "$IRIS" top --sort size;               exits 2

if ! command -v tmux >/dev/null; then
    echo 'no tmux (tools/setup --all installs it): nobody has looked at the screen'
    "$IRIS" stop >out; app_ends 0
    exit $([ $failures = 0 ] && echo 77 || echo 1)
fi
terminal() { tmux -S "$XDG_RUNTIME_DIR/tmux" "$@"; }
trap 'terminal kill-server 2>/dev/null' EXIT
terminal -f /dev/null new-session -d -s keep cat # a server without sessions ends, and the next one would meet its end
# on_screen COMMAND: in a terminal of 110 by 24, with colours; it stays when that has ended
on_screen() {
    terminal new-session -d -s top -x 110 -y 24 "$1; echo ended with \$?; read -r _" || bad 'expected a terminal'
}
close_screen() { terminal kill-session -t top; }
screen() { terminal capture-pane -p -t top; }
shown() { screen | grep -qF -- "$1"; }
gone() { ! shown "$1"; }
# Lines of actors, by their first words.
paths() { screen | sed -n '4,$p' | grep -oE '^(/[^ ]*|[0-9]+) ' | xargs; }
are() { [ "$(paths)" = "$1" ]; }
expect_shown() { await "$@" || { tried="$*" status=- err= out=$(screen); bad 'expected it on the screen'; }; }
keys() { terminal send-keys -t top "$@"; }
text() { terminal send-keys -t top -l "$1"; }

on_screen "env -u NO_COLOR TERM=screen LC_ALL=C '$IRIS' top"
expect_shown shown 'iris top  test  pid '
expect_shown shown 'by queue  1 to 3 of 3'
expect_shown shown 'q quit  m mailbox'
keys p;                                    expect_shown are '/svc/echo /svc/tally /throng'
keys i;                                    expect_shown are '/throng /svc/tally /svc/echo'; expect_shown shown 'by path, reversed'
# A filter looks at handlers too, and so at the folders of this checkout: with "svc/" before it nothing there fits.
keys /; text svc/ta;                       expect_shown are '/svc/tally'; expect_shown shown 'filter: svc/ta_'
keys BSpace BSpace; text ec;               expect_shown are '/svc/echo'
keys Escape;                               expect_shown shown '1 to 3 of 3'
keys ?;                                    expect_shown shown 'roll back to the code before'
keys Space;                                expect_shown are '/throng /svc/tally /svc/echo'

# What waits comes first, and each second anew.
keys m
"$IRIS" send /svc/tally "hold $PWD/go" 2>err; await is_field /svc/tally mailbox 0
for i in 1 2 3; do "$IRIS" send /svc/tally x 2>err; done
waits() { screen | sed -n 4p | grep -qE '^/svc/tally +(running|stuck [0-9.]+ m?s) +3 '; }
expect_shown waits
: >go
expect_field /svc/tally mailbox 0

# Nothing is done without a yes; then its code is swapped, and back.
keys /; text tally; keys Enter;            expect_shown are '/svc/tally'
keys S; expect_shown shown 'swap /svc/tally to (empty: its file again): _'
text "$behaviours/tally2.so"; keys Enter;  expect_shown shown 'y, or any other key'
keys n;                                    expect_shown shown 'nothing was done'
expect_field /svc/tally rev 1
keys S; text "$behaviours/tally2.so"; keys Enter; expect_shown shown 'tally2.so? y'
keys y;                                    expect_shown shown 'swap /svc/tally: v1 -> v2'; expect_field /svc/tally rev 2
keys B;                                    expect_shown shown 'rollback /svc/tally? y'
keys y;                                    expect_shown shown 'rollback /svc/tally: v2 -> v3 (=v1)'
keys S; text ./none.so; keys Enter;        expect_shown shown 'none.so? y'
keys y;                                    expect_shown shown 'there is no such file'
keys R;                                    expect_shown shown 'restart /svc/tally? y'
keys Escape;                               expect_shown shown 'nothing was done'
keys R; expect_shown shown 'restart /svc/tally? y'
keys y;                                    expect_shown shown 'restart /svc/tally: done'; expect_field /svc/tally restarts 1

# A smaller window, then a larger one; a thousand actors, of which it gets a screenful.
keys Escape;                               expect_shown shown '1 to 3 of 3'
"$IRIS" ask /throng 'name 1000' >out
keys p; terminal resize-window -t top -x 60 -y 12; expect_shown shown '1 to 7 of 1,003'; expect_shown shown 'by path'
keys End;                                  expect_shown shown '997 to 1,003 of 1,003'
keys Home;                                 expect_shown are '/crowd/0 /crowd/1 /crowd/10 /crowd/100 /crowd/101 /crowd/102 /crowd/103'
terminal resize-window -t top -x 120 -y 30; expect_shown shown '1 to 25 of 1,003'
keys q;                                    expect_shown shown 'ended with 0'
close_screen

# Colours where something is wrong, but not where nobody wants them. Texts of UTF-8 are shown as they are.
"$IRIS" send /svc/tally "hold $PWD/went" 2>err; await is_field /svc/tally state stuck
red() { terminal capture-pane -pe -t top | grep -q $'\e\\[31m.*/svc/tally'; }
on_screen "env -u NO_COLOR TERM=screen LC_ALL=C '$IRIS' top svc"; expect_shown red; expect_shown shown 'zählt☂.so'; close_screen
for no in 'NO_COLOR=1 top' 'A=b top --no-color'; do
    on_screen "env -u NO_COLOR TERM=screen ${no% top*} '$IRIS' ${no#* } svc"
    expect_shown shown 'stuck'
    ! red || bad "expected no colours with $no"
    close_screen
done
on_screen "TERM=nosuch '$IRIS' top";       expect_shown shown 'TERM=nosuch: no terminal that is known here'; expect_shown shown 'ended with 2'; close_screen

# It outlives the app.
on_screen "TERM=screen '$IRIS' top svc";   expect_shown shown '/svc/echo'
: >went
"$IRIS" stop >out; app_ends 0
expect_shown shown 'the app has ended'
keys q;                                    expect_shown shown 'ended with 0'
terminal kill-server
trap - EXIT
rm -f "$XDG_RUNTIME_DIR/tmux"
leaves_nothing
finish
