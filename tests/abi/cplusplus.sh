#!/bin/bash
# ctest: abi.cplusplus_17_runs_actors
# A C++17 program that includes every public header runs actors whose handlers are lambdas. (The sanitized library wants
# a sanitized program: there it is skipped.)
set -eu
[ -z "$(sed -n 's/^IRIS_SANITIZE:[A-Z]*=//p' "$BUILD/CMakeCache.txt")" ] || exit 77
(cd "$SRC/include" && for header in iris/*.h iris/ext/*.h; do echo "#include <$header>"; done) >all.h
for std in c++17 c++20; do
    $CXX -std=$std -Wall -Wextra -Werror -pedantic -include all.h -I. -I"$SRC/include" "$SRC/examples/embed/lambda.cc" \
        -o lambda "$BUILD/lib/libiris.so" -Wl,-rpath,"$BUILD/lib"
    ./lambda >out
    printf 'hello, Ada\nsum: 0\ncrashed: crash: stol\n' | diff - out
done
