#!/bin/bash
# ctest: docs.mesh_page_is_true
# Two nodes are run and asked as the page says, on ports that are free here.
[ -e "$BUILD/lib/iris/hosts/python.so" ] || exit 77
. "$SRC/tests/cli/nodes"
mkdir bin
printf '#!/bin/sh\nIRIS_PROGRAM=iris exec "%s" "$@"\n' "$IRIS" >bin/iris
chmod +x bin/iris
export PATH=$PWD/bin:$PATH PYTHONDONTWRITEBYTECODE=1
sed "s/:9000/:$(free_port)/g; s/:9001/:$(free_port)/g" "$SRC/docs/mesh.md" >page.md
python3 "$SRC/tests/docs/transcript.py" page.md
