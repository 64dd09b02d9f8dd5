# The instructions that functions of some objects have taken themselves, from a file of callgrind's, divided by n.
# -v ours=REGEX: objects; -v n=N; -v each=1: only what was called at least n times; -v only=FUNCTION: that one alone
# Compressed names: "(7) name" is said once, "(7)" then. A line of a cost belongs to the function last named, but for one
# behind calls=, which is that of what is called.
function said(names,    id) {
    id = $0
    sub(/^[a-z]+=/, "", id)
    sub(/ .*/, "", id)
    if (index($0, " "))
        names[id] = substr($0, index($0, " ") + 1)
    return names[id]
}
/^ob=/ { is_ours = said(objects) ~ ours; next }
/^cob=/ { said(objects); next }
/^fn=/ { at = said(functions); next }
/^cfn=/ { called = said(functions); next }
/^calls=/ { sub(/^calls=/, ""); calls[called] += $1; is_call = 1; next }
/^[-+*0-9]/ { if (is_ours && !is_call) own[at] += $2; is_call = 0 }
END {
    for (f in own)
        if (only != "" ? f == only : !each || calls[f] >= n)
            sum += own[f]
    printf "%.0f\n", sum / n
}
