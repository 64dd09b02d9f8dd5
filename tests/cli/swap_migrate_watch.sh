#!/bin/bash
# ctest: p3.swap_migrate_when_files_change
# A watched actor is migrated too; where the migration fails the old version goes on, and is tried again when it is mended.
. "$SRC/tests/cli/live"
[ -e "$BUILD/lib/iris/hosts/python.so" ] || exit 77
cat >count.py <<'END'
class Count:
    __iris_version__ = 1
    def __init__(self): self.n = 0
    def __iris_save__(self): return b"%d" % self.n
    def on_msg(self, msg):
        self.n += 1
        return f"one {self.n}"
END
cat >move.py <<'END'
def migrate(saved, from_version):
    return saved + undefined
END
manifest '"actors": [{"path": "/a", "handler": "count.py:Count", "swap": {"watch": true, "migrate": "move.py:migrate"}}]'
run_app
try "$IRIS" ask /a x;                          exits 0; says 'one 1'
cat >new.py <<'END'
class Count:
    __iris_version__ = 2
    def __init__(self, n): self.n = n
    @classmethod
    def __iris_upgrade__(cls, from_version, saved):
        assert from_version == 2
        return cls(int(saved))
    def on_msg(self, msg):
        self.n += 1
        return f"two {self.n}"
END
mv new.py count.py
await explained /a "still v1: move.py:migrate did not migrate the state of format 1: NameError: name 'undefined' is not defined"
try "$IRIS" ask /a x;                          exits 0; says 'one 2'
echo 'def migrate(saved, from_version): return saved + b"00"' >new.py; mv new.py move.py
expect_field /a rev 2
try "$IRIS" ask /a x;                          exits 0; says 'two 201'
try "$IRIS" stop; app_ends 0; leaves_nothing
finish
