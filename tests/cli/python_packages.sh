#!/bin/bash
# ctest: python.handlers_live_in_packages
# A handler in a package imports its relatives, a swap renews the package as a whole, and pickle finds its classes.
. "$SRC/tests/cli/live"
[ -e "$BUILD/lib/iris/hosts/python.so" ] || exit 77
export ASAN_OPTIONS=${ASAN_OPTIONS:+$ASAN_OPTIONS:}detect_leaks=0
mkdir -p shop/billing loose
touch shop/__init__.py shop/billing/__init__.py
echo 'RATE = 2' >shop/billing/rates.py
echo 'def show(n): return f"{n} euros"' >shop/words.py
echo 'NAME = "one"' >loose/part.py
cat >shop/billing/invoice.py <<'END'
from ..words import show
from . import rates

def on_msg(msg): return show(int(msg) * rates.RATE)
END
cat >outside.py <<'END'
import dataclasses, pickle
import shop.billing.rates
from loose import part

@dataclasses.dataclass
class Point:
    x: int

def on_msg(msg):
    return f"{pickle.loads(pickle.dumps(Point(1)))} {shop.billing.rates.RATE} {part.NAME} {__package__!r}"
END
manifest "\"actors\": [$(actor /in "$PWD/shop/billing/invoice.py:on_msg"), $(actor /out "$PWD/outside.py:on_msg")]"
run_app
try "$IRIS" ask /in 4;    exits 0; says '8 euros'
try "$IRIS" ask /out x;   exits 0; says "Point(x=1) 2 one ''"
echo 'RATE = 3' >shop/billing/rates.py
echo 'NAME = "two"' >loose/part.py
try "$IRIS" swap /in;     exits 0
try "$IRIS" ask /in 4;    exits 0; says '12 euros'
try "$IRIS" ask /out x;   exits 0; says "Point(x=1) 2 one ''" # what runs keeps what it has
try "$IRIS" swap /out;    exits 0
try "$IRIS" ask /out x;   exits 0; says "Point(x=1) 3 two ''"
echo 'class on_msg: pass' >outside.py
try "$IRIS" swap /out;    exits 6; complains 'init() of "on_msg" failed: TypeError: on_msg has neither'
echo 'from . import rates' >outside.py
try "$IRIS" swap /out;    exits 6; complains 'relative import with no known parent package'
try "$IRIS" stop; app_ends 0; leaves_nothing
finish
