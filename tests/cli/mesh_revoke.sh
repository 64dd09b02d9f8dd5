#!/bin/bash
# ctest: p10.mesh_one_that_is_let_in_no_more
# A node that is linked, and whose certificate is taken back, that is taken out of a list, or that has an old cookie, is cut off
# by SIGHUP, by iris apply: both ends say so, who watches hears it once, the others stay linked.
. "$SRC/tests/cli/nodes"

cert() { "$IRIS" mesh cert "$@" >/dev/null || { echo "no certificate: $*" >&2; exit 1; }; }
tls() { printf '"tls": {"cert": "../lab/%s.crt", "key": "../lab/%s.key", "ca": "../lab/ca.crt"%s}' "$1" "$1" "${2:+, $2}"; }
# links NAME NODE N: so many of them came up
links() { [ "$(cat "$1.out" "$1.err" | grep -c "node $2 is up")" = "$3" ] || bad "expected $3 links of $1 to $2"; }
watch() { # NAME TARGET: /watcher of NAME monitors it
    local pid
    pid=$(at "$1" whereis "$2" --json | grep -o '"pid":[0-9]*' | cut -d: -f2)
    try at "$1" send /watcher "watch $pid"; exits 0
}
cert --ca lab --cluster lab
for name in a b c d; do cert $name --ca lab; done
cert d --ca lab --revoke

quick='"timeouts": {"redial": "20ms", "redial_max": "50ms"}'
actors() { printf '%s, %s' "$(actor /svc/echo echo "\"name\": \"echo-$1\"")" "$(actor /watcher order)"; }
mesh_of_a() { node a "\"listen\": \"127.0.0.1:0\", $(tls a "\"crl\": \"../lab/ca.crl\"${1:+, $1}")${2:+, $2}" "$(actors a)"; }
mesh_of_a
with=setsid start a
where=$(address a)
for name in b c; do
    node $name "\"peers\": [\"$where\"], $quick, $(tls $name)" "$(actors $name)"
    start $name
    linked $name a
    linked a $name
    watch a echo-$name
    watch $name echo-a
done

# Nothing has changed: nothing happens, though files are read again.
try at a apply a/app.json;          exits 0; says 'no differences'
# Taken out of the list: the link to c goes, that to b stays.
mesh_of_a '"allow": ["iris://lab/b"]'
try at a apply a/app.json --dry-run; exits 7; says 'set      mesh  tls.allow'
is_node a c up || bad 'expected that a trial changes nothing'
try at a apply a/app.json;          exits 0; says 'tls.allow'
node_says a 'node c went: it is let in no more: iris://lab/c is not in "allow"'
node_says c 'node a went: goodbye: c is let in no more'
[ "$(node_field a c why)" = 'it is let in no more: iris://lab/c is not in "allow"' ] || bad 'expected iris mesh to say why'
node_says c 'it does not let this node in: see "allow" there'
answers a /watcher count '0 0 1'
answers c /watcher count '0 0 1'
try at c ask echo-a@a x;            exits 5
try at b ask echo-a@a x;            exits 0; says x
try at a apply a/app.json;          exits 0; says 'no differences'

# Let in again: it comes back by itself.
mesh_of_a
try at a apply a/app.json;          exits 0
linked c a
linked a c
watch a echo-c
watch c echo-a
# What else is in that section is not to be changed while it runs; then the list stays as well.
mesh_of_a '"allow": ["iris://lab/b"]' '"queue": "5MiB"'
try at a apply a/app.json;          exits 3; complains '"mesh" cannot change while the app runs'
is_node a c up || bad 'expected that nothing has changed'

# Revoked: the file is read again, at once where somebody says so.
cert b --ca lab --revoke
mesh_of_a
kill -HUP "$pid_a"
node_says a 'node b went: it is let in no more: its certificate is revoked, says'
node_says b 'node a went: goodbye: b is let in no more'
node_says b "it says that this node's certificate is revoked"
answers a /watcher count '0 0 2'
answers b /watcher count '0 0 1'
links a c 2
links a b 1
# A file that is no good changes nothing, and is told.
cp lab/ca.crl kept
echo >lab/ca.crl
try at a apply a/app.json;          exits 6; complains 'mesh.tls: '; complains 'nothing has changed'
cp kept lab/ca.crl
is_node a c up || bad 'expected that it stays'

# What c may do is told anew, and its link stays.
mesh_of_a '' '"allow": {"stop": ["c"]}'
try at a apply a/app.json;          exits 0; says 'set      mesh  allow.stop'
links a c 2
end c b a

# Another cookie.
(umask 077; head -c 32 /dev/urandom >cookie)
node a '"listen": "127.0.0.1:0", "cookie": {"file": "../cookie"}' "$(actors a)"
with=setsid start a
node b "\"peers\": [\"$(address a)\"], $quick, \"cookie\": {\"file\": \"../cookie\"}" "$(actors b)"
start b
linked a b
watch a echo-b
try at a apply a/app.json;          exits 0
links a b 1
(umask 077; head -c 32 /dev/urandom >cookie)
try at a apply a/app.json;          exits 0
node_says a 'node b went: it is let in no more: the cookie has changed'
node_says b 'node a went: goodbye: b is let in no more'
answers a /watcher count '0 0 1'
try at b apply b/app.json;          exits 0
linked a b
chmod 644 cookie
try at a apply a/app.json;          exits 6; complains 'mesh.cookie: '
links a b 2
end b a
finish
