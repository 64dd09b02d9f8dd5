#!/bin/bash
# ctest: p1.mesh_two_programs_of_ones_own
# examples/mesh: two programs in C that talk through libiris and the plugin "mesh".
. "$SRC/tests/cli/live"
[ -z "$(sed -n 's/^IRIS_SANITIZE:[A-Z]*=//p' "$BUILD/CMakeCache.txt")" ] || { echo 'a sanitized library wants a sanitized program'; exit 77; }

"${CC:-cc}" -std=gnu11 -Wall -Wextra -Werror -pedantic -I"$SRC/include" -o mesh "$SRC/examples/mesh/mesh.c" \
    -L"$BUILD/lib" -liris -Wl,-rpath,"$BUILD/lib" -pthread || exit 1
mkfifo input
./mesh serve <input >where &
server=$!
exec 9>input
await test -s where || exit 1
try ./mesh ask "$(cat where)" hello;   exits 0; says HELLO; is_quiet
try ./mesh ask "$(cat where)" again;   exits 0; says AGAIN
exec 9>&-
wait "$server" || bad 'expected that it ends well'
try ./mesh ask "$(cat where)" nobody;  exits 1
finish
