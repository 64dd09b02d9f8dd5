#!/bin/bash
# ctest: p10.mesh_tls
# Three processes with certificates of `iris mesh cert`; one of a foreign CA is refused, and told why at both ends.
. "$SRC/tests/cli/nodes"

cert() { "$IRIS" mesh cert "$@" >/dev/null || { echo "no certificate: $*" >&2; exit 1; }; }
tls() { printf '"tls": {"cert": "../%s/%s.crt", "key": "../%s/%s.key", "ca": "../%s/ca.crt"%s}' "$1" "$2" "$1" "$2" "$1" "${3:+, $3}"; }
cert --ca lab --cluster lab
cert --ca foreign --cluster lab
for name in a b c e; do cert $name --ca lab; done
cert x --ca foreign

node a "\"listen\": \"127.0.0.1:0\", $(tls lab a)" "$(actor /svc/echo echo '"name": "echo"')"
start a
where=$(address a)
node b "\"listen\": \"127.0.0.1:0\", \"peers\": [\"$where\"], $(tls lab b)" "$(actor /svc/mine echo '"name": "mine"')"
start b
node c "\"listen\": \"127.0.0.1:0\", \"peers\": [\"$where\", \"$(address b)\"], $(tls lab c)" "$(actor /x echo)"
start c
linked b a; linked c a; linked c b; linked a c
try at b ask echo@a hello;          exits 0; says hello
try at c ask echo@a hello;          exits 0; says hello
try at c ask mine@b hello;          exits 0; says hello
head -c 60000 /dev/zero | tr '\0' x >big
try at c ask echo@a --file "$PWD/big"; exits 0; [ "$(wc -c <out)" -ge 60000 ] || bad 'expected all of it back'

# Not of this CA, though its certificate says the same cluster.
node x "\"peers\": [\"$where\"], $(tls foreign x)" "$(actor /x echo)"
start x
node_says x 'no CA in'
await grep -q 'it does not know the CA that signed this node' a.err || bad 'expected the other end to say why'
why() { "$IRIS" mesh -a x --json | grep -q 'no CA in'; }
await why || bad 'expected iris mesh to say why'
end x
# One that takes all of them, and is taken by none. (Each of these asks another node: one address is complained of
# once in ten seconds.)
cat lab/ca.crt foreign/ca.crt >both.crt
node x "\"peers\": [\"$(address b)\"], \"tls\": {\"cert\": \"../foreign/x.crt\", \"key\": \"../foreign/x.key\", \"ca\": \"../both.crt\"}" "$(actor /x echo)"
start x
node_says b 'signed its certificate'
node_says x 'it does not know the CA that signed this node'
try at x ask mine@b x;              exits 5
end x

# Plain, and with a cookie: not here.
node p "\"peers\": [\"$(address c)\"]" "$(actor /x echo)"
start p
node_says c 'it does not speak TLS'
[ "$(node_field c p state)" != up ] || bad 'expected no link'
end p

# Another node's certificate is no way in; nor is one that others can read.
node d "$(tls lab e)" "$(actor /x echo)"
sed -i 's/"tls"/"peers": ["127.0.0.1:1"], "tls"/' d/app.json
try "$IRIS" run d/app.json;         exits 3; complains 'it is of node "e"; expected this node, "d"'
chmod 640 lab/e.key; [ "$(id -u)" = 0 ] && chmod 644 lab/e.key
node e "\"peers\": [\"$where\"], $(tls lab e)" "$(actor /x echo)"
try "$IRIS" run e/app.json;         exits 3; complains 'lets others in; try: chmod 600'
chmod 600 lab/e.key

# A list lets in whom it names.
node e "\"listen\": \"127.0.0.1:0\", $(tls lab e '"allow": ["iris://lab/b"]')" "$(actor /svc/guarded echo '"name": "guarded"')"
start e
node x "\"peers\": [\"$(address e)\"], \"tls\": {\"cert\": \"../lab/c.crt\", \"key\": \"../lab/c.key\", \"ca\": \"../lab/ca.crt\"}" "$(actor /x echo)"
sed -i 's/"node": "x", //' x/app.json # the name is that of its certificate
start x
node_says e 'iris://lab/c is not in "allow"'
node_says x 'it does not let this node in'
end x e

# Read again: the files are replaced, links stay.
cert a --ca foreign
cp foreign/a.crt lab/a.crt
node_says a 'certificates have changed and are not taken'
rm lab/a.crt lab/a.key
cert a --ca lab
node_says a 'certificates are read again'
try at b ask echo@a still;          exits 0; says still
end c
start c
linked c a
end c b a
finish
