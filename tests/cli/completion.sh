#!/bin/bash
# ctest: cli.one_table_of_verbs
# --help, the manual and what three shells complete come from one table: each names each verb and option.
. "$SRC/tests/cli/expect"

try "$IRIS" --help; exits 0
verbs=$(sed -n '/^$/,/^$/s/^  \([a-z]*\) .*/\1/p' out)
[ "$(wc -w <<<"$verbs")" -ge 11 ] || bad 'expected the verbs'
"$IRIS" help --manual >manual || bad 'no manual'
for shell in bash zsh fish; do
    try "$IRIS" completion $shell; exits 0; is_quiet
    cp out completion.$shell
    try "$IRIS" completion $shell --json; exits 0; is_json
done
try "$IRIS" completion tcsh; exits 2; complains 'expected bash, zsh or fish'
try "$IRIS" completion;      exits 2; complains 'SHELL is missing'

for verb in $verbs; do
    try "$IRIS" $verb --help; exits 0; says "Usage: iris $verb"
    grep -q "^## iris $verb" manual || bad "expected $verb in the manual"
    for option in $(grep -o '^ *\(-.,\)\? *--[a-z-]*' out | grep -o -- '--[a-z-]*' | grep -v -e '--usage' -e '--version'); do
        sed -n "/^## iris $verb /,/^##* /p" manual | grep -qF -- "*$option*" || bad "expected $option of $verb in the manual"
        sed -n "/^    $verb)/,/;;/p" completion.bash | grep -qF -- "$option" || bad "expected $option of $verb in bash"
        sed -n "/^        $verb) /,/;;/p" completion.zsh | grep -qF -- "$option" || bad "expected $option of $verb in zsh"
        grep -F "subcommand_from $verb'" completion.fish | grep -qF -- "-l ${option#--} " ||
            grep -F "subcommand_from $verb'" completion.fish | grep -qF -- "-l ${option#--}" || bad "expected $option of $verb in fish"
    done
done

# As the shell that runs this does it.
complete_words() { # LINE...: what could come next
    local COMP_WORDS; COMP_WORDS=("$@") COMP_CWORD=$(($# - 1))
    _iris
    printf '%s\n' "${COMPREPLY[@]}" >out
}
. ./completion.bash
tried='completing in bash'
complete_words iris ro;                 says rollback
complete_words iris explain actors.swap.; says actors.swap.keep
complete_words iris completion '';      says zsh
complete_words iris swap /a --n;        says --now
: >here.json
complete_words iris run he;             says here.json
printf '#!/bin/sh\necho "PATH  HOST"\necho "/shop/pay  python"\n' >iris
chmod +x iris
PATH=$PWD:$PATH complete_words iris ask /sh; says /shop/pay

bash -n completion.bash || bad 'bash cannot read it'
for shell in zsh fish; do
    ! command -v $shell >/dev/null || $shell -n completion.$shell || bad "$shell cannot read its own"
done
if command -v fish >/dev/null; then
    try fish -c "source completion.fish; complete -C 'iris rollb'"; says rollback
    try fish -c "source completion.fish; complete -C 'iris swap --n'"; says --now
fi
if command -v scdoc >/dev/null; then
    scdoc <manual >iris.1 || bad 'scdoc refuses the manual'
    for heading in 'iris run [FILE]' 'iris explain PATH|KEY' 'iris stop [PATH|PATTERN]'; do
        grep -qxF ".SS $heading" iris.1 || bad "expected the heading: $heading"
    done
    "$IRIS" schema --manual >manual5 && scdoc <manual5 >iris-app.json.5 || bad 'scdoc refuses the manual of manifests'
    grep -q on_exhausted iris-app.json.5 || bad 'expected the keys'
fi
finish
