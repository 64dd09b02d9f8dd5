#!/bin/bash
# ctest: otp.the_table_is_what_otp_does
# tests/otp/table.h says what Erlang/OTP's supervisor does: here it is asked.
command -v escript >/dev/null || { echo 'there is no escript here: apt install erlang-base'; exit 77; }
sed -nE 's/^(ROW|DIFFERS)\((\w+), [^"]*"[^"]*", "([^"]*)".*/\2: \3/p' "$SRC/tests/otp/table.h" >expected
escript "$SRC/tests/otp/otp.escript" >said || exit 1
[ -s expected ] && diff -u expected said
