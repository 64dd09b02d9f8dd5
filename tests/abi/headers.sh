# ctest: abi.headers_are_clean_in_every_language
# Each public header compiles alone, and twice, in every C and C++ that a plugin may be written in.
strict='-Wall -Wextra -Werror -pedantic -fsyntax-only'
status=0
cd "$SRC/include" || exit 1
for header in iris/*.h iris/ext/*.h; do
    [ -f "$header" ] || continue
    printf '#include <%s>\n#include <%s>\n' "$header" "$header" >"$XDG_RUNTIME_DIR/one.c"
    [ $header != iris/plugin.h ] || echo 'IRIS_NOTE("one", "1.0");' >>"$XDG_RUNTIME_DIR/one.c"
    for std in c99 c11 c17; do
        $CC -std=$std $strict -I. "$XDG_RUNTIME_DIR/one.c" || { echo "$header is not clean $std"; status=1; }
    done
    for std in c++11 c++20; do
        $CXX -x c++ -std=$std $strict -I. "$XDG_RUNTIME_DIR/one.c" || { echo "$header is not clean $std"; status=1; }
    done
done
exit $status
