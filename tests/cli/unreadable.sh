#!/bin/bash
# ctest: cli.unreadable_handler
# A file that may not be read, or that everybody may write: `iris check` says so as `iris run` does, a swap is
# refused, and what runs goes on.
. "$SRC/tests/cli/live"

# To root nothing is closed: it looks as another user, who has a directory of his own for sockets and copies.
mkdir -m 755 code
cp "$behaviours/echo.so" code/echo.so
manifest "\"actors\": [$(actor /echo ./code/echo.so)]"
other() { "$@"; }
if [ "$(id -u)" = 0 ]; then
    mkdir -m 700 other
    chown 65534 other code/echo.so
    chmod 711 "$HOME" "$PWD"
    other() { env HOME="$PWD/other" XDG_RUNTIME_DIR="$PWD/other" XDG_STATE_HOME="$PWD/other" \
        setpriv --reuid 65534 --clear-groups "$@"; }
    other test -x "$IRIS" || { echo "another user cannot run $IRIS"; exit 77; }
fi

for verb in check run; do
    chmod 000 code/echo.so
    try other "$IRIS" $verb;               exits 3
    complains 'app.json:2:41: error: actors[0].handler: '
    complains '/code/echo.so cannot be read: Permission denied; expected a file that this user may read'
    chmod 755 code/echo.so; chmod 000 code
    try other "$IRIS" $verb;               exits 3; complains '/code/echo.so cannot be read: Permission denied'
    chmod 755 code; chmod 646 code/echo.so
    try other "$IRIS" $verb;               exits 3; complains 'may be written by every user (mode 0646)'; complains 'do: chmod o-w '
    chmod 755 code/echo.so
done
chmod 000 app.json
for verb in check run; do
    try other "$IRIS" $verb;               exits 3; complains 'app.json: error: cannot be opened: Permission denied'
done
chmod 644 app.json

with=other run_app
chmod 000 code/echo.so
try other "$IRIS" swap /echo;              exits 6; complains 'cannot be read: Permission denied'; complains 'the version that ran goes on'
try other "$IRIS" ask /echo still;         exits 0; says still
try other "$IRIS" stop;                    exits 0
app_ends 0
finish
