# What /logwatch/counter answers to "totals", counted by somebody else: awk -f dpkg_totals.awk LOG
function is_package(s) { return s ~ /^[a-z0-9+.-]+(:[a-z0-9-]+)?$/ }
function is_version(s) { return s == "<none>" || s ~ /^[A-Za-z0-9+.:~-]+$/ }
function action() {
    if ($1 !~ /^[0-9][0-9][0-9][0-9]-[0-9][0-9]-[0-9][0-9]$/ || $2 !~ /^[0-9][0-9]:[0-9][0-9]:[0-9][0-9]$/)
        return "malformed"
    if ($3 ~ /^(startup|conffile)$/ && NF == 5)
        return $3
    if (NF != 6 || !is_package($3 == "status" ? $5 : $4) || !is_version($6 == "<none>" ? $5 : $6))
        return "malformed"
    if ($3 == "status")
        return $4 ~ states ? "status " $4 : "malformed"
    return $3 ~ /^(configure|disappear|install|purge|remove|trigproc|upgrade)$/ ? $3 : "malformed"
}
BEGIN {
    states = "^(config-files|half-configured|half-installed|installed|not-installed|triggers-awaited|triggers-pending|unpacked)$"
}
{ n[action()]++ }
END {
    malformed = n["malformed"] + 0
    delete n["malformed"]
    printf "lines %d", NR
    fflush()
    for (a in n)
        printf "  %s %d\n", a, n[a] | "LC_ALL=C sort | tr -d '\n'"
    close("LC_ALL=C sort | tr -d '\n'")
    printf "  malformed %d\n", malformed
}
