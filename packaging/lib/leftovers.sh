# What an agent makes in the host's network, found by its names and marks, and how it is taken away. Sourced; needs
# output.sh. Everything is ended by its own id or name; each thing taken away is named.

leftovers_remove() {
    local name pid
    # dnsmasq and metadata listeners live in our namespaces, and routers are such.
    for name in $(ip netns list 2>/dev/null | awk '{ print $1 }' | grep -E '^skerry-(r-)?[0-9a-f]{8}-'); do
        for pid in $(ip netns pids "$name"); do kill "$pid" 2>/dev/null && note "ended process $pid in namespace $name"; done
        ip netns del "$name" && note "removed namespace $name"
    done
    # Aliases tell our links from other people's of the same name.
    ip -o link show | awk '{ name = $2; sub(/[@:].*/, "", name); for (i = 3; i < NF; i++) if ($i == "alias" && $(i + 1) ~ /^skerry(-vlan|-vxlan|-service|-port|-router)?:/) print name }' |
        while read -r name; do ip link del "$name" 2>/dev/null && note "removed link $name"; done
    tables_remove iptables
    tables_remove ip6tables
    ebtables_remove
    for name in $(ipset list -name 2>/dev/null | grep -E '^sk[46]-'); do ipset destroy "$name" && note "removed ipset $name"; done
    return 0
}

# tables_remove iptables|ip6tables: first the jumps into our chains, then their rules, then the chains.
tables_remove() {
    local saved rules
    saved=$("$1-save" 2>/dev/null) || return 0
    rules=$(awk '
        /^\*/ { table = $0; n = 0; flushes = ""; deletes = "" }
        /^:(skerry-|sk-)/ { chain = substr($1, 2); flushes = flushes "-F " chain "\n"; deletes = deletes "-X " chain "\n" }
        /^-A / && $2 !~ /^(skerry-|sk-)/ && / -j (skerry-|sk-)/ { sub(/^-A/, "-D"); flushes = $0 "\n" flushes }
        /^COMMIT/ { if (deletes != "") printf "%s\n%s%sCOMMIT\n", table, flushes, deletes }' <<<"$saved")
    [ -n "$rules" ] || return 0
    "$1-restore" --noflush <<<"$rules" && note "removed our $1 chains: $(grep -c '^-X' <<<"$rules")"
}

# ebtables-restore replaces whole tables, so this goes command by command.
ebtables_remove() {
    command -v ebtables-save >/dev/null || return 0
    ebtables-save 2>/dev/null | awk '
        /^\*/ { table = substr($0, 2) }
        /^:(skerry-|sk-)/ { chain = substr($1, 2); flushes = flushes "ebtables -t " table " -F " chain "\n"; deletes = deletes "ebtables -t " table " -X " chain "\n" }
        /^-A / && $2 !~ /^(skerry-|sk-)/ && / -j (skerry-|sk-)/ { sub(/^-A/, "-D"); hooks = hooks "ebtables -t " table " " $0 "\n" }
        END { printf "%s%s%s", hooks, flushes, deletes }' |
        while read -r line; do
            # The names in it are chains, made of letters, digits and dashes.
            $line || true
            case $line in *" -X "*) note "removed ebtables chain ${line##* }" ;; esac
        done
}
