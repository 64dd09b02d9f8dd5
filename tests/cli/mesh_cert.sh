#!/bin/bash
# ctest: cli.mesh_cert
# From nothing to certificates that OpenSSL takes: keys are the user's alone, nothing is overwritten.
. "$SRC/tests/cli/expect"

mode() { [ "$(stat -c %a "$1")" = "$2" ] || bad "mode of $1: $(stat -c %a "$1"), expected $2"; }

try "$IRIS" mesh cert --help;            exits 0; says 'Usage: iris mesh cert'; says '--cluster'; is_quiet
try "$IRIS" mesh cert;                   exits 2; complains '--ca DIR is needed'
try "$IRIS" mesh cert a b --ca x;        exits 2; complains 'one node at a time'
try "$IRIS" mesh cert a --ca x --days 0; exits 2; complains 'expected 1 to 36500'
try "$IRIS" mesh cert a --ca none;       exits 1; complains 'none/ca.crt: No such file or directory; a CA is made by: iris mesh cert --ca DIR'
try "$IRIS" mesh cert a --ca none --json; exits 1; is_json; says '"code":"failed"'; is_quiet
[ ! -e none ] || bad 'expected no directory'

try "$IRIS" mesh cert --ca ca --cluster lab; exits 0; says 'ca/ca.key  0600'; says 'next: iris mesh cert NODE --ca ca'; is_quiet
mode ca 700; mode ca/ca.key 600; mode ca/ca.crt 644
try "$IRIS" mesh cert a --ca ca --host localhost --host ::1; exits 0; is_quiet
says "\"mesh\": {\"node\": \"a\", \"tls\": {\"cert\": \"$PWD/ca/a.crt\", \"key\": \"$PWD/ca/a.key\", \"ca\": \"$PWD/ca/ca.crt\"}}"
mode ca/a.key 600
(umask 0; "$IRIS" mesh cert b --ca ca --days 30 --json >out) || bad 'b was not made'
is_json; says '"node":"b"'; mode ca/b.key 600

before=$(sha256sum ca/*)
try "$IRIS" mesh cert a --ca ca;         exits 1; complains 'ca/a.key: it is there already, and is not overwritten'
try "$IRIS" mesh cert --ca ca;           exits 1; complains 'ca/ca.key: it is there already'
rm ca/b.key
try "$IRIS" mesh cert b --ca ca;         exits 1; complains 'ca/b.crt: it is there already'
[ ! -e ca/b.key ] || bad 'expected that no half is left'
[ "$(grep -v ' ca/b.key' <<<"$before")" = "$(sha256sum ca/*)" ] || bad 'expected that nothing changed'

for name in ../x 'x y' '' x/y ca; do
    try "$IRIS" mesh cert "$name" --ca ca; exits 1; complains 'expected up to 100 letters'
done
try "$IRIS" mesh cert c --ca ca --host 'x,URI:iris://lab/b'; exits 1; complains 'expected a name or an address'
try "$IRIS" mesh cert c --ca ca --cluster 'a b'; exits 1; complains '--cluster a b: expected'
try "$IRIS" mesh cert c --ca ca --days 36500; exits 0 # no longer than its CA

try "$IRIS" mesh cert --ca ca --revoke;  exits 2; complains 'say whose certificate: NODE'
try "$IRIS" mesh cert d --ca ca --revoke; exits 1; complains 'ca/d.crt: No such file'
[ ! -e ca/ca.crl ] || bad 'expected no list'
try "$IRIS" mesh cert a --ca ca --revoke; exits 0; says "\"crl\": \"$PWD/ca/ca.crl\""; is_quiet
try "$IRIS" mesh cert c --ca ca --revoke --json; exits 0; is_json; says '"revoked":"c"'
try "$IRIS" mesh cert c --ca ca --revoke; exits 0 # once more is once
mode ca/ca.crl 644

if command -v openssl >/dev/null; then
    openssl verify -CAfile ca/ca.crt ca/a.crt ca/c.crt >out 2>&1 || bad 'expected that OpenSSL takes them'
    [ "$(openssl crl -in ca/ca.crl -noout -text | grep -c 'Serial Number')" = 2 ] || bad 'expected two that are revoked'
    if openssl verify -crl_check -CAfile ca/ca.crt -CRLfile ca/ca.crl ca/a.crt >out 2>&1; then bad 'expected that it is revoked'; fi
    openssl x509 -in ca/a.crt -noout -text >out
    for part in 'URI:iris://lab/a, DNS:localhost, IP Address:0:0:0:0:0:0:0:1' 'NIST CURVE: P-256' 'CA:FALSE' \
        'TLS Web Server Authentication, TLS Web Client Authentication'; do says "$part"; done
    [ "$(openssl x509 -in ca/c.crt -noout -enddate)" = "$(openssl x509 -in ca/ca.crt -noout -enddate)" ] ||
        bad 'expected that a certificate does not outlast its CA'
fi
if ldd "$IRIS" | grep -q libssl; then bad 'expected that iris itself does not link OpenSSL'; fi
finish
