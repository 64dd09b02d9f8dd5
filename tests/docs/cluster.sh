#!/bin/bash
# ctest: docs.cluster_page_is_true
# Two members and an etcd are run and asked as the page says, on ports that are free here.
[ -e "$BUILD/lib/iris/hosts/python.so" ] || { echo "skipped: no Python host" >&2; exit 77; }
. "$SRC/tests/cli/etcd"
start_etcd
mkdir bin
printf '#!/bin/sh\nIRIS_PROGRAM=iris exec "%s" "$@"\n' "$IRIS" >bin/iris
chmod +x bin/iris
export PATH=$PWD/bin:$PATH PYTHONDONTWRITEBYTECODE=1
sed "s/:2379/:${url##*:}/" "$SRC/docs/cluster.md" >page.md
python3 "$SRC/tests/docs/transcript.py" page.md
