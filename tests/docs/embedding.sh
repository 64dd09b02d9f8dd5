#!/bin/bash
# ctest: docs.embedding_is_true
# Programs that embed Iris are built against what is installed, by each compiler, as the pages say, and print what they show.
set -eu
cmake --install "$BUILD" --prefix "$PWD/prefix" >install.log
export PKG_CONFIG_PATH=$PWD/prefix/lib/pkgconfig
[ -z "$(sed -n 's/^IRIS_SANITIZE:[A-Z]*=//p' "$BUILD/CMakeCache.txt")" ] || { echo 'a sanitized library wants a sanitized program'; exit 77; }
mkdir bin
strict='-Wall -Wextra -Werror -pedantic'
printf '#!/bin/sh\nexec "%s" -std=c11 %s "$@"\n' "$CC" "$strict" >bin/cc
printf '#!/bin/sh\nexec "%s" %s "$@"\n' "$CXX" "$strict" >bin/c++
chmod +x bin/cc bin/c++
export PATH=$PWD/bin:$PATH
example=$PWD/prefix/share/iris/examples/embed
mkdir guide
cd guide
python3 "$SRC/tests/docs/transcript.py" "$SRC/docs/embedding.md"
cd "$example"
python3 "$SRC/tests/docs/transcript.py" README.md
mv embed embed.cc-line
CC=cc CXX=c++ cmake -S . -B build >cmake.log
cmake --build build >>cmake.log || { cat cmake.log; exit 1; }
[ "$(build/embed)" = "$(./embed.cc-line)" ] || { echo 'the two ways to build make different programs'; exit 1; }
build/lambda >/dev/null
