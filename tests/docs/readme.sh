#!/bin/bash
# ctest: docs.readme_is_true
# What README.md shows is run on the shipped sample, in a directory that looks like a clone.
set -eu
cp -r "$SRC/examples" examples
sample=examples/logwatch/sample.log

cat >iris <<END
#!/bin/sh
export IRIS_PROGRAM="\$0"
[ "\$1" != run ] || set -- "\$@" --set env.LOG=$sample
exec "$IRIS" "\$@"
END

# `make run`, but of the build under test: what the Makefile does once that is built.
mkdir bin
{
    echo '#!/bin/sh'
    echo '[ "$1" = run ] || exit 2'
    sed -n '/^run:/,/^$/s/^\t@//p' "$SRC/Makefile"
} >bin/make
chmod +x iris bin/make
PATH=$PWD/bin:$PATH python3 "$SRC/tests/docs/transcript.py" "$SRC/README.md"
for page in README.md docs/plugins.md docs/control.md examples/logwatch/README.md; do
    # Every file that it points to is there.
    sed 's/](/\n](/g' "$SRC/$page" | sed -n 's/^](\([^):]*\)).*/\1/p' | while read -r file; do
        [ -e "$(dirname "$SRC/$page")/$file" ] || { echo "$page points to $file, which does not exist"; exit 1; }
    done
done
for target in run test; do
    command make -C "$SRC" -n "$target" >/dev/null || { echo "README.md names make $target"; exit 1; }
done
