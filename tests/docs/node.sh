#!/bin/bash
# ctest: docs.node_page_is_true
# The page's files are written and run as it says, and the examples print what they should.
set -eu
[ -e "$BUILD/lib/iris/hosts/node.so" ] || exit 77
node=$(sed -n 's/^IRIS_NODE_PROGRAM:[A-Z]*=//p' "$BUILD/CMakeCache.txt")
python=$(sed -n 's/^IRIS_PYTHON_PROGRAM:[A-Z]*=//p' "$BUILD/CMakeCache.txt")
[ -x "$node" ] || exit 77
[ -z "$(sed -n 's/^IRIS_SANITIZE:[A-Z]*=//p' "$BUILD/CMakeCache.txt")" ] || { echo 'a sanitized library wants a sanitized program'; exit 77; }
mkdir -p bin page/node_modules examples/node_modules
printf '#!/bin/sh\nIRIS_PROGRAM=iris exec "%s" "$@"\n' "$IRIS" >bin/iris
chmod +x bin/iris
ln -s "$node" bin/node
export PATH=$PWD/bin:$PATH
for place in page examples; do ln -s "$BUILD/lib/iris/node" $place/node_modules/iris-runtime; done
(cd page && "${python:-python3}" "$SRC/tests/docs/transcript.py" "$SRC/docs/node.md")

sed 's/](/\n](/g' "$SRC/docs/node.md" | sed -n 's/^](\([^):]*\)).*/\1/p' | while read -r file; do
    [ -e "$SRC/docs/$file" ] || { echo "docs/node.md points to $file, which does not exist"; exit 1; }
done
cp "$SRC"/examples/node/[0-9]*.mjs examples
for example in examples/*.mjs; do
    name=$(basename "$example" .mjs)
    node "$example" >"$name.out" || exit 1
    sed -n "/^### $name.mjs/,/^\`\`\`\$/p" "$SRC/examples/node/README.md" | sed '1,/^```/d; /^```$/d' >"$name.expected"
    diff "$name.expected" "$name.out"
done

# A C program that spawns a JavaScript handler.
"${CC:-cc}" -std=c11 -Wall -Wextra -Werror "$SRC/examples/embed-node.c" -I"$SRC/include" -L"$BUILD/lib" -Wl,-rpath,"$BUILD/lib" \
    -liris -o embed-node
[ "$(./embed-node "$SRC/examples/hello/hello.mjs#onMessage" Ada)" = 'hello, Ada' ] || { echo 'examples/embed-node.c does not say hello'; exit 1; }
