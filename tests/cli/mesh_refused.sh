#!/bin/bash
# ctest: p10.mesh_refusals
# What is no good is said at once and at its key; who does not have the cookie is not let in.
. "$SRC/tests/cli/nodes"

node a '"listen": "127.0.0.1:0"' "$(actor /svc/echo echo '"name": "echo"')"
start a
where=$(address a)

node b "\"listen\": \"$where\"" "$(actor /x echo)"
try "$IRIS" run b/app.json;         exits 3; complains "mesh.listen: $where cannot be listened on: Address already in use"
node b '"listen": "0.0.0.0:0"' "$(actor /x echo)"
try "$IRIS" check b/app.json;       exits 3; complains 'mesh.listen: 0.0.0.0:0 is not a loopback address'; complains '"insecure": true'
try "$IRIS" run b/app.json;         exits 3; complains 'mesh.listen'
node b '"cookie": {"file": "none"}, "peers": ["127.0.0.1:1"]' "$(actor /x echo)"
try "$IRIS" run b/app.json;         exits 3; complains 'mesh.cookie'

# An app that is no node opens no socket, and says how to become one.
printf '{"name": "c", "actors": [%s]}\n' "$(actor /x echo)" >c.json
"$IRIS" run c.json >c.out 2>c.err &
pid_c=$!
await grep -q 'talk to it' c.out
try at c mesh;                      exits 1; complains 'no node of a mesh'; complains 'iris explain mesh'
try at c ask echo@a x;              exits 5; complains 'no actor echo@a'
end c

head -c 32 /dev/urandom >cookie
chmod 600 cookie
mkdir -p b
node b "\"cookie\": {\"file\": \"$PWD/cookie\"}, \"peers\": [\"$where\"]" "$(actor /x echo)"
start b
node_says b 'cookie'
node_says a 'auth: it has another secret'
try at b ask echo@a x;              exits 5
[ "$(node_field a b state)" != up ] || bad 'expected no link'
end b

# The same cookie at both ends.
end a
node a "\"listen\": \"127.0.0.1:0\", \"cookie\": {\"file\": \"$PWD/cookie\"}" "$(actor /svc/echo echo '"name": "echo"')"
start a
node b "\"cookie\": {\"file\": \"$PWD/cookie\"}, \"peers\": [\"$(address a)\"]" "$(actor /x echo)"
start b
linked b a
try at b ask echo@a x;              exits 0; says x
chmod 644 cookie
end b a
try "$IRIS" run b/app.json;         exits 3; complains 'mesh.cookie'
finish
