#!/bin/bash
# ctest: p3.python_watch_swaps_handlers_and_what_they_import
. "$SRC/tests/cli/live"
[ -e "$BUILD/lib/iris/hosts/python.so" ] || exit 77
unset PYTHONDONTWRITEBYTECODE # a .pyc of the same size and second must fool nobody
mkdir app
cat >app/hello.py <<'END'
from words import HELLO
import helpers.style

class Counter:
    def __init__(self): self.n = 0
    def on_msg(self, msg):
        self.n += 1
        return f"1 {HELLO} {helpers.style.bold(self.n)}"
END
echo 'def on_msg(msg): return "other"' >app/other.py
echo 'HELLO = "aaa"' >app/words.py
mkdir app/helpers
echo 'def bold(text): return f"*{text}*"' >app/helpers/style.py
manifest "\"actors\": [$(actor /hello ./app/hello.py:Counter), $(actor /other ./app/other.py)]"
run_app --watch
answers() { [[ $("$IRIS" ask "$1" x 2>err) == $2 ]]; }
try "$IRIS" ask /hello x;                  exits 0; says '1 aaa *1*'

sed -i 's/1 {HELLO/2 {HELLO/' app/hello.py # sed writes a file and renames it
await answers /hello '2 aaa *'
sed 's/2 {HELLO/3 {HELLO/' app/hello.py >new && cat new >app/hello.py # and this writes in place
await answers /hello '3 aaa *'
for word in bbb ccc ddd; do # a module that it imports
    sed -i "s/\"...\"/\"$word\"/" app/words.py
    await answers /hello "3 $word *"
done
expect_field /hello restarts 0

# Half a file is refused; the rest of it comes, and is tried.
head -c 60 app/hello.py >half
cp app/hello.py whole
cat half >app/hello.py
await grep -q '/hello  swap refused' app.out
await answers /hello '3 ddd *'
sed -i 's/3 {HELLO/4 {HELLO/' whole && cat whole >app/hello.py
await answers /hello '4 ddd *'

sed -i 's/\*{text}\*/_{text}_/' app/helpers/style.py # a package of its own directory
await answers /hello '4 ddd _*_'

# What was refused may want another file than what runs: one beside it is tried, and then known.
cp app/hello.py whole
sed 's/^import helpers.style/&\nimport fresh/; s/4 {HELLO/5 {HELLO/' whole >changed && cat changed >app/hello.py
await grep -q "/hello  swap refused.*No module named 'fresh'" app.out
echo 'X = 1' >app/fresh.py
await answers /hello '5 ddd _*_'

# Who has none of it is left alone.
answers /other other || bad 'expected the other handler'
expect_field /other rev 1
try "$IRIS" stop; app_ends 0; leaves_nothing

# A file of "watch" that is no code: the module that reads it is run anew; state stays.
cat >app/hello.py <<'END'
WORD = open("app/word.txt").read().strip()
def on_msg(msg): return WORD
END
echo one >app/word.txt
manifest "\"actors\": [$(actor /hello ./app/hello.py '"swap": {"watch": ["app/word.txt"]}'), $(actor /other ./app/other.py)]"
run_app
answers /hello one || bad 'expected the first word'
echo two >app/word.txt
await answers /hello two
sed -i 's/return WORD/return WORD + "!"/' app/hello.py
await answers /hello 'two!'
sed -i 's/other/another/' app/other.py # nobody asks
expect_field /hello rev 3
expect_field /other rev 1
try "$IRIS" stop; app_ends 0; leaves_nothing
[ -z "$(find app -name '*.pyc')" ] || bad 'expected no .pyc beside the handlers'
finish
