#!/bin/bash
# ctest: docs.first_steps_are_true
# From a clone to an actor that runs, answers, is swapped, crashes, says why and is taken back: the page is run, in a
# directory that looks like a clone.
set -eu
[ -e "$BUILD/lib/iris/hosts/python.so" ] || { echo 'no host for Python in this build'; exit 77; }
mkdir bin
printf '#!/bin/sh\n[ "$*" = build ]\n' >bin/make
cat >iris <<END
#!/bin/sh
export IRIS_PROGRAM="\$0"
exec "$IRIS" "\$@"
END
chmod +x iris bin/make
PATH=$PWD/bin:$PATH python3 "$SRC/tests/docs/transcript.py" "$SRC/docs/first-steps.md"
command make -C "$SRC" -n build >/dev/null || { echo 'the page names make build'; exit 1; }
