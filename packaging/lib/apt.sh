# Debian packages, by name. Sourced; needs output.sh.

installed() { dpkg-query -W -f '${Status}' "$1" 2>/dev/null | grep -q '^install ok installed$'; }

# ensure_packages NAME...: installs what is missing, and touches nothing when nothing is.
ensure_packages() {
    local missing=() name
    for name in "$@"; do
        installed "$name" || missing+=("$name")
    done
    [ ${#missing[@]} -gt 0 ] || return 0
    [ "$(id -u)" = 0 ] || fail "these Debian packages are missing: ${missing[*]}. Install them as root: apt-get install ${missing[*]}"
    note "installing ${missing[*]}"
    export DEBIAN_FRONTEND=noninteractive
    local log
    log=$(mktemp)
    if ! apt-get install -y --no-install-recommends "${missing[@]}" >"$log" 2>&1; then
        # The lists may be missing or older than the archive.
        if ! { apt-get update && apt-get install -y --no-install-recommends "${missing[@]}"; } >"$log" 2>&1; then
            tail -n 20 "$log" >&2
            rm -f "$log"
            fail "apt-get could not install ${missing[*]}: see the lines above; check the network and /etc/apt/sources.list"
        fi
    fi
    rm -f "$log"
}
