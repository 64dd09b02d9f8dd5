#!/bin/bash
# ctest: python.package_works_installed_and_as_a_wheel
# `make install` and PYTHONPATH, or the wheel that `pip install .` makes: each imports, and each runs an app.
. "$SRC/tests/cli/live"
python=$(sed -n 's/^IRIS_PYTHON_PROGRAM:[A-Z]*=//p' "$BUILD/CMakeCache.txt")
[ -e "$BUILD/lib/iris/hosts/python.so" ] || exit 77
[ -z "$(sed -n 's/^IRIS_SANITIZE:[A-Z]*=//p' "$BUILD/CMakeCache.txt")" ] || exit 77 # wants a sanitized program
echo 'def on_msg(msg): return b"hello, " + msg' >hello.py
manifest "\"actors\": [$(actor /hello ./hello.py:on_msg)]"

# works PACKAGES PLACE: with these packages alone; libiris, hosts and program are those in PLACE.
works() {
    export PYTHONPATH=$1
    try "$python" -c 'import iris; print(iris.__file__)';  exits 0; says "$1/iris/__init__.py"
    try "$python" -c 'import iris
with iris.Runtime() as rt: print(rt.ask_wait(rt.spawn(lambda msg: msg.upper()), b"ada"))
print([line.split()[-1] for line in open("/proc/self/maps") if "libiris" in line][0])'
    exits 0; says "b'ADA'"; says "$2/"
    mkdir -p -m 700 far; try env XDG_RUNTIME_DIR="$PWD/far" XDG_STATE_HOME="$PWD/far" "$python" near.py; exits 0; says "b'GRACE'"
    IRIS=$PWD/module run_app
    try "$PWD/module" ask /hello Ada;       exits 0; says 'hello, Ada'
    program=$(readlink "/proc/$app/exe")
    [[ $program == "$2"/* ]] || { tried="its program" out=$program bad "expected a program in $2"; }
    try "$PWD/module" stop; app_ends 0; leaves_nothing
}
cat >far.py <<'END'
import iris, sys
rt = iris.Runtime()
rt.register("upper", rt.spawn(lambda msg: msg.upper()))
print(rt.listen("127.0.0.1:0"), flush=True)
sys.stdin.read()
END
cat >near.py <<'END'
import iris, subprocess, sys
far = subprocess.Popen([sys.executable, "far.py"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
with iris.Runtime() as rt:
    print(rt.ask_wait(rt.resolve_remote(far.stdout.readline().strip(), "upper"), b"grace"))
far.communicate()
END
printf '#!/bin/sh\nexec "%s" -m iris "$@"\n' "$python" >module
chmod +x module

cmake --install "$BUILD" --prefix "$PWD/prefix" >install.log || bad 'cmake --install'
works "$PWD/prefix/lib/iris/python" "$PWD/prefix"

mkdir site
cat >unpack.py <<'END'
import base64, csv, hashlib, io, os, sys, wheel, zipfile
name = wheel.build_wheel(".", {"build-dir": sys.argv[1]})
with zipfile.ZipFile(name) as z:
    for info in z.infolist():
        os.chmod(z.extract(info, "site"), info.external_attr >> 16 & 0o777 or 0o644)
    record = next(n for n in z.namelist() if n.endswith("/RECORD"))
    rows = list(csv.reader(io.StringIO(z.read(record).decode())))
    assert sorted(r[0] for r in rows) == sorted(z.namelist()), "RECORD names what is there"
    for path, digest, size in rows:
        data = z.read(path)
        told = "sha256=" + base64.urlsafe_b64encode(hashlib.sha256(data).digest()).rstrip(b"=").decode()
        assert path == record or (digest, int(size)) == (told, len(data)), path
END
PYTHONPATH=$SRC/tools/python PYTHONDONTWRITEBYTECODE=1 try "$python" unpack.py "$BUILD"; exits 0
works "$PWD/site" "$PWD/site/iris"
try grep -h '' site/iris_runtime-*.dist-info/METADATA; says 'Name: iris-runtime'
try grep -h '' site/iris_runtime-*.dist-info/entry_points.txt; says 'iris = iris.__main__:main'
finish
