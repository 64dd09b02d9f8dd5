#!/bin/bash
# ctest: cli.debian_package
# The package is built, holds what it should, names what it depends on, and runs from where dpkg unpacks it.
. "$SRC/tests/cli/expect"
[ -z "$(sed -n 's/^IRIS_SANITIZE:[A-Z]*=//p' "$BUILD/CMakeCache.txt")" ] || { echo 'what is packaged has no sanitizer'; exit 77; }
for tool in cpack dpkg-deb dpkg-shlibdeps; do
    command -v $tool >/dev/null || { echo "no $tool: this is not Debian"; exit 77; }
done

try cpack -G DEB --config "$BUILD/CPackConfig.cmake" -B "$PWD/built"; exits 0
deb=$(echo built/*.deb)
[[ $deb == built/iris_*_*.deb ]] || bad 'expected one package, iris_VERSION_ARCHITECTURE.deb'
try dpkg-deb -I "$deb"; exits 0
says 'Package: iris'; says 'libuv1'; says 'libjansson4'; says 'libc6'
try dpkg-deb -c "$deb"; exits 0
for file in bin/iris lib/libiris.so.0 lib/iris/hosts/native.so include/iris/plugin.h lib/cmake/Iris/IrisConfig.cmake \
    share/bash-completion/completions/iris share/zsh/vendor-completions/_iris; do
    says "./usr/$file"
done
says './usr/lib/systemd/system/iris@.service'
! grep -v '^[-dlrwx]* root/root ' out || bad 'expected that all belongs to root'
! grep '^.......\?w' out | grep -v '^l' || bad 'expected nothing that everybody may write'
! command -v scdoc >/dev/null || says './usr/share/man/man1/iris.1'

mkdir root
dpkg-deb -x "$deb" root
grep -qx 'ExecStart=/usr/bin/iris run --set name=%i app.json' root/usr/lib/systemd/system/iris@.service || bad 'expected the unit to name /usr/bin/iris'
! readelf -d root/usr/bin/iris root/usr/lib/libiris.so.0 root/usr/lib/iris/*/*.so | grep -F "$BUILD" || bad 'expected no path of the build'
iris=root/usr/bin/iris
try $iris plugin root/usr/lib/iris/behaviours/libcounter.so; exits 0; says 'counter 1.0.0'
try $iris run root/usr/share/iris/examples/logwatch/app.json --until-idle --set env.LOG="$PWD/root/usr/share/iris/examples/logwatch/sample.log"
exits 0; says 'lines '

# As dpkg itself unpacks it, in a root of its own (no script of the package runs: they are for this machine's libraries).
[ "$(id -u)" = 0 ] || finish
mkdir -p admin/var/lib/dpkg/{info,updates,triggers}
: >admin/var/lib/dpkg/status
try dpkg --root="$PWD/admin" --force-depends --log=/dev/null --unpack "$deb"; exits 0
grep -qx 'Status: install ok unpacked' admin/var/lib/dpkg/status || bad 'expected dpkg to know it'
[ -x admin/usr/bin/iris ] || bad 'expected it unpacked'
finish
