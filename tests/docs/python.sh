#!/bin/bash
# ctest: docs.python_page_is_true
# The page's files are written and run as it says, and the examples print what they should.
set -eu
[ -e "$BUILD/lib/iris/hosts/python.so" ] || exit 77
python=$(sed -n 's/^IRIS_PYTHON_PROGRAM:[A-Z]*=//p' "$BUILD/CMakeCache.txt")
[ -z "$(sed -n 's/^IRIS_SANITIZE:[A-Z]*=//p' "$BUILD/CMakeCache.txt")" ] || { echo 'a sanitized library wants a sanitized program'; exit 77; }
mkdir bin page
printf '#!/bin/sh\nIRIS_PROGRAM=iris exec "%s" "$@"\n' "$IRIS" >bin/iris
printf '#!/bin/sh\nexec "%s" "$@"\n' "$python" >bin/python3
chmod +x bin/iris bin/python3
export PATH=$PWD/bin:$PATH PYTHONPATH=$BUILD/lib/iris/python PYTHONDONTWRITEBYTECODE=1
(cd page && "$python" "$SRC/tests/docs/transcript.py" "$SRC/docs/python.md")

sed 's/](/\n](/g' "$SRC/docs/python.md" | sed -n 's/^](\([^):]*\)).*/\1/p' | while read -r file; do
    [ -e "$SRC/docs/$file" ] || { echo "docs/python.md points to $file, which does not exist"; exit 1; }
done
for example in "$SRC"/examples/python/[0-9]*.py; do
    name=$(basename "$example" .py)
    "$python" "$example" >"$name.out" || exit 1
    sed -n "/^### $name.py/,/^\`\`\`\$/p" "$SRC/examples/python/README.md" | sed '1,/^```/d; /^```$/d' >"$name.expected"
    diff "$name.expected" "$name.out"
done
cd "$SRC/examples/hello"
IRIS_APP=hello
iris check app.json

# A C program that spawns a Python handler.
"${CC:-cc}" -std=c11 -Wall -Wextra -Werror "$SRC/examples/embed-python.c" -I"$SRC/include" -L"$BUILD/lib" -Wl,-rpath,"$BUILD/lib" \
    -liris -o "$OLDPWD/embed-python"
[ "$("$OLDPWD/embed-python" hello.py:on_msg Ada)" = 'hello, Ada' ] || { echo 'examples/embed-python.c does not say hello'; exit 1; }
