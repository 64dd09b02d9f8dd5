#!/bin/bash
# ctest: docs.control_page_is_true
# The requests that docs/control.md shows are made with curl; its tables name what is in the code, and nothing else.
set -eu
cp -r "$SRC/examples" examples
sample=examples/logwatch/sample.log
cat >iris <<END
#!/bin/sh
export IRIS_PROGRAM="\$0"
[ "\$1" != run ] || set -- "\$@" --set env.LOG=$sample
exec "$IRIS" "\$@"
END
chmod +x iris
page=$SRC/docs/control.md
python3 "$SRC/tests/docs/transcript.py" "$page"

status=0
# documented WHAT WORD...: each stands in the page, as code
documented() {
    local what=$1 word
    shift
    for word; do
        grep -qE "\`([^\`]* )?$word( [^\`]*)?\`" "$page" || { echo "docs/control.md does not name the $what $word" >&2; status=1; }
    done
}
documented code $(sed -n '/} codes\[\]/,/};/s/{"\([a-z-]*\)", \([0-9]*\)}/\n\1 \2\n/gp' "$SRC/core/control/control.c" | sed -n 's/^\([a-z-]*\) [0-9]*$/\1/p')
documented path $(sed -n 's/.*{"[A-Z]*", "\(\/v1\/[a-z]*\)".*/\1/p' "$SRC/core/app/verbs.c")
# and each code of the page with the status that the code gives it
sed -n '/} codes\[\]/,/};/s/{"\([a-z-]*\)", \([0-9]*\)}/\n\1 \2\n/gp' "$SRC/core/control/control.c" | grep -E '^[a-z-]+ [0-9]+$' | while read -r code http; do
    grep -qE "^\|.*\`$code\`.*\b$http\b.*\|$" "$page" || { echo "docs/control.md: $code is HTTP status $http" >&2; exit 1; }
done || status=1
exit $status
