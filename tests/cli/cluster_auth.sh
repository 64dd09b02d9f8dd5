#!/bin/bash
# ctest: p10.cluster_user_and_tls
# An engine with users, over TLS: who has no password, or does not know its certificate, is told so and is no member.
. "$SRC/tests/cli/etcd"

openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout key.pem -out cert.pem -days 2 -subj /CN=etcd \
    -addext subjectAltName=IP:127.0.0.1 2>/dev/null || { echo "skipped: openssl makes no certificate" >&2; exit 77; }
scheme=https
start_etcd --cert-file cert.pem --key-file key.pem
add_users

(umask 077; echo wrong >wrong)
engine='"cluster": "shop", "ttl": "20s", "names": ["pay"], "on_loss": "demote", "user": "iris", "password": {"file": "../password"}'
pay=$(actor /pay echo '"name": "pay"')
member a "$engine, \"tls\": {\"ca\": \"../cert.pem\"}" "$pay"
start a
owns a pay a
engine_is a ok
member b "${engine/password\"\}/wrong\"\}}, \"tls\": {\"ca\": \"../cert.pem\"}" "$(actor /x echo)"
start b
member c "$engine" "$(actor /x echo)"
start c
says_why() { at "$1" mesh 2>&1 | grep -qiF -- "$2"; }
await says_why b 'authentication failed'
await says_why c 'certificate'
engine_is b degraded; engine_is c degraded
engine_is a ok

# A password that others can read is none.
chmod 644 password
member d "$engine"
try "$IRIS" run d/app.json;     exits 3; complains 'mode 0644'
chmod 600 password

# The engine forgets its tokens when it starts again; a new one is asked for.
end_etcd
engine_is a degraded
start_etcd --cert-file cert.pem --key-file key.pem
engine_is a ok
owns a pay a
end a b c
finish
