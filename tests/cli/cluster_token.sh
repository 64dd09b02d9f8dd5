#!/bin/bash
# ctest: p5.cluster_tokens_have_their_time
# The engine's tokens are of no use after four seconds, or once a role was changed: who needs one asks for another, and
# nobody notices.
. "$SRC/tests/cli/etcd"

openssl genrsa -out jwt.pem 2048 2>/dev/null && openssl rsa -in jwt.pem -pubout -out jwt.pub 2>/dev/null ||
    { echo "skipped: openssl makes no key" >&2; exit 77; }
start_etcd --bcrypt-cost 4 --auth-token jwt,pub-key=jwt.pub,priv-key=jwt.pem,sign-method=RS256,ttl=4s
add_users
tried="tokens" status=- out= err=
engine='"ttl": "30s", "cluster": "shop", "names": ["pay"], "on_loss": "demote", "user": "iris", "password": {"file": "../password"}'
pay=$(actor /pay echo '"name": "pay"')
member a "$engine" "$pay"
member b "$engine" "$pay"
start a
owns a pay a
start b
owns b pay a
engine_is a ok; engine_is b ok

# Younger than theirs: once it is of no use theirs are not, either.
etcd_token=$(etcd auth/authenticate '{"name": "iris", "password": "secret"}' | sed 's/.*"token":"\([^"]*\)".*/\1/')
old() { ! etcd kv/range "{\"key\": \"$(base64_of /iris/shop/name/pay)\"}"; }
[ -n "$etcd_token" ] || bad 'expected a token'
await old
"$IRIS" stop -a a /pay >/dev/null # a gives the name back, b claims it
owns a pay b; owns b pay b
answers a pay 1 1

# What such a token says of its user is of before a role was changed: that one is of no use, either.
etcd_token=
etcd_token=$(etcd auth/authenticate '{"name": "root", "password": "r"}' | sed 's/.*"token":"\([^"]*\)".*/\1/')
etcd auth/role/add '{"name": "more"}' >/dev/null || bad 'expected one role more'
"$IRIS" stop -a b /pay >/dev/null
is_free() { ! etcd kv/range "{\"key\": \"$(base64_of /iris/shop/name/pay)\"}" | grep -q kvs; }
await is_free
! grep -q DEGRADED a.err b.err || { err=$(cat a.err b.err) bad 'expected no word of it'; }
end a b
finish
