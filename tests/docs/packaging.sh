#!/bin/bash
# ctest: docs.packaging_is_true
# What is installed below a DESTDIR is enough for a project outside of the tree to build, load and swap a behaviour
# with; and every file is there that the page names.
set -eu
[ -z "$(sed -n 's/^IRIS_SANITIZE:[A-Z]*=//p' "$BUILD/CMakeCache.txt")" ] || { echo 'what is installed has no sanitizer'; exit 77; }
DESTDIR=$PWD/stage cmake --install "$BUILD" --prefix /opt/iris >install.log
prefix=$PWD/stage/opt/iris
there() { [ -e "$prefix/$1" ] || { echo "$1 is not installed"; exit 1; }; }
for file in bin/iris libexec/iris/iris-bench lib/libiris.so lib/libiris.so.0 include/iris/plugin.h lib/iris/hosts/native.so lib/pkgconfig/iris.pc \
    lib/cmake/Iris/IrisConfig.cmake share/bash-completion/completions/iris share/zsh/site-functions/_iris \
    share/fish/vendor_completions.d/iris.fish share/iris/app.schema.json share/iris/examples/hello/app.json; do
    there "$file"
done
! command -v scdoc >/dev/null || { there share/man/man1/iris.1; there share/man/man5/iris-app.json.5; }
# The unit alone names the prefix: what is installed may be moved.
unit=$prefix/lib/systemd/system/iris@.service
grep -qx 'ExecStart=/opt/iris/bin/iris run --set name=%i app.json' "$unit"
! grep -rlI -e "$PWD" -e "$BUILD" "$prefix" || { echo 'that names where it was built'; exit 1; }
if command -v systemd-analyze >/dev/null; then
    sed "s|/opt/iris/|$prefix/|" "$unit" >'iris@.service'
    cp 'iris@.service' 'iris@shop.service'
    systemd-analyze verify --man=no "$PWD/iris@shop.service" >verify.log 2>&1 || true
    ! grep -e 'iris@' verify.log || { echo 'systemd does not like the unit'; exit 1; }
fi

PKG_CONFIG_PATH=$prefix/lib/pkgconfig pkg-config --cflags --libs iris >flags
for flag in $(sed 's/ /\n/g' flags | sed -n 's/^-[IL]//p'); do
    [ -d "$flag" ] || { echo "iris.pc names $flag, which is not there"; exit 1; }
done

mv "$prefix" moved
mkdir project
cd project
cat >"$XDG_STATE_HOME/embed.c" <<'END'
#include <iris/iris.h>
#include <stdio.h>
int main(void) { return puts(iris_calls()->version) < 0; }
END
export PATH=$OLDPWD/moved/bin:$PATH CMAKE_PREFIX_PATH=$OLDPWD/moved
python3 "$SRC/tests/docs/transcript.py" "$SRC/docs/packaging.md"
[ "$(nm -D --defined-only build/libgreet.so | grep -c ' [TDBR] ')" = 1 ] || { echo 'the behaviour exports more than its entry'; exit 1; }
# A program that embeds it, by the same package; an error of usage has a sentence.
cat >>CMakeLists.txt <<END
add_executable(embed $XDG_STATE_HOME/embed.c)
target_link_libraries(embed PRIVATE Iris::iris)
END
{ cmake -S . -B build && cmake --build build; } >build.log 2>&1 || { cat build.log; exit 1; }
[ "$(build/embed)" = "$(iris --version | sed 's/^iris //')" ] || { echo 'the program runs another library'; exit 1; }
echo 'iris_add_behaviour(nothing)' >>CMakeLists.txt
! cmake -S . -B build >build.log 2>&1 || { echo 'a behaviour without sources was taken'; exit 1; }
grep -q 'expected its sources behind the name' build.log
