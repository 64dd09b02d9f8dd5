#!/bin/bash
# ctest: docs.installed_example_is_true
# The installed program runs the installed example as its README says; plugins are built as the pages say.
set -eu
cmake --install "$BUILD" --prefix "$PWD/prefix" >install.log
export PKG_CONFIG_PATH=$PWD/prefix/lib/pkgconfig
example=$PWD/prefix/share/iris/examples/logwatch
mkdir bin
printf '#!/bin/sh\nexec "%s" -Wall -Wextra -Werror "$@"\n' "$CC" >bin/cc
cat >bin/iris <<END
#!/bin/sh
[ "\$1" != run ] || set -- "\$@" --set env.LOG=sample.log
exec "$PWD/prefix/bin/iris" "\$@"
END
chmod +x bin/cc bin/iris
export PATH=$PWD/bin:$PATH

cd "$example"
python3 "$SRC/tests/docs/transcript.py" README.md
# command PAGE: the line that compiles against what is installed
command() { sed -n 's/^\$ \(cc .*pkg-config.*\)$/\1/p' "$1"; }
eval "$(command README.md)"
cd "$OLDPWD"
sed -n '/docs: file hello.c/,/^```$/p' "$SRC/docs/plugins.md" | sed '1,2d;$d' >hello.c
eval "$(command "$SRC/docs/plugins.md")"
for file in "$example/libcounter.so" libhello.so; do
    [ "$(nm -D --defined-only "$file" | grep -c ' T ')" = 1 ] || { echo "$file exports more than its entry"; exit 1; }
done
