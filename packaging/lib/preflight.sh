# Checks before anything is changed. All of them run, and every one that fails is reported together with its remedy.
# Sourced; needs layout.sh, process.sh.

preflight_failures=()
# refuse WHAT REMEDY
refuse() { preflight_failures+=("$1"$'\n'"      remedy: $2"); }

preflight() {
    preflight_failures=()
    check_machine
    check_toolchain
    check_resources
    check_folders
    check_kernel
    check_network
    [ ${#preflight_failures[@]} -gt 0 ] || return 0
    printf 'error: %d check(s) failed, nothing was changed:\n' ${#preflight_failures[@]} >&2
    printf '  - %s\n' "${preflight_failures[@]}" >&2
    exit 1
}

check_machine() {
    [ "$(id -u)" = 0 ] || refuse "not root: networks, libvirt and packages need it" "run 'sudo packaging/quickstart'"
    command -v apt-get >/dev/null && command -v dpkg >/dev/null ||
        refuse "no apt-get: packages cannot be installed" "use a Debian 12 machine"
    local arch
    arch=$(uname -m)
    [ "$arch" = x86_64 ] || refuse "the machine is $arch" "use an x86_64 machine: the test image is built for it"
}

check_toolchain() {
    [ -z "${SKERRY_BINARIES:-}" ] || return 0
    local version
    if ! version=$(swift --version 2>/dev/null | grep -oE 'Swift version [0-9]+\.[0-9]+' | grep -oE '[0-9.]+$'); then
        refuse "no 'swift' on the PATH" "install a Swift 6.3 toolchain from https://www.swift.org/install/linux/ and put its usr/bin on the PATH"
    elif [ "${version%%.*}" -lt 6 ] || { [ "${version%%.*}" = 6 ] && [ "${version#*.}" -lt 2 ]; }; then
        refuse "Swift $version is too old" "put Swift 6.3 first on the PATH"
    fi
}

check_resources() {
    local memory free
    memory=$(($(sed -n 's/^MemTotal: *\([0-9]*\) kB/\1/p' /proc/meminfo) / 1024))
    [ "$memory" -ge 3500 ] || refuse "$memory MiB memory: compiling needs about 3.5 GiB" "use a machine with 4 GiB, or add swap"
    free=$(free_mib "$repository")
    [ -n "${SKERRY_BINARIES:-}" ] || [ "$free" -ge 6000 ] || [ -x "$repository/.build-release/release/skerry-agent" ] ||
        refuse "$free MiB free below $repository: the build needs 6 GiB" "free some space, or use a checkout on a larger file system"
    free=$(free_mib "$state_dir")
    [ "$free" -ge 1024 ] || refuse "$free MiB free for $state_dir: images and guests need 1 GiB" "free some space, or choose another --prefix"
}

# Free MiB on the file system that a path is, or will be, on.
free_mib() {
    local path=$1
    until [ -e "$path" ]; do path=$(dirname "$path"); done
    df -Pm "$path" | awk 'NR == 2 { print $4 }'
}

check_folders() {
    local path=$state_dir
    if [ -n "$prefix" ]; then
        [[ $prefix =~ ^[A-Za-z0-9._/+-]+$ ]] ||
            refuse "'$prefix' has characters other than letters, digits and . _ / + -" "choose another --prefix: it becomes part of socket addresses"
        # A Unix socket's path may have 107 bytes; the longest of ours ends in /libvirt/run/libvirt-sock-ro.
        [ ${#prefix} -le 70 ] || refuse "'$prefix' is longer than 70 bytes, too long for sockets below it" "choose a shorter --prefix"
        path=$prefix
    fi
    # libvirt runs QEMU as its own user, which must pass through every folder above the disks.
    while path=$(dirname "$path") && [ "$path" != / ]; do
        [ -d "$path" ] && [ $((8#$(stat -c %a "$path") & 1)) = 0 ] &&
            refuse "others may not enter $path, so QEMU (user libvirt-qemu) cannot reach disks below it" "chmod o+x $path, or choose another --prefix"
    done
    return 0
}

check_kernel() {
    [ -c /dev/net/tun ] || refuse "no /dev/net/tun: guests cannot be connected" "modprobe tun"
    unshare --mount true 2>/dev/null || refuse "mount namespaces cannot be made" "run it outside of the container, or give the container CAP_SYS_ADMIN"
    unshare --net true 2>/dev/null || refuse "network namespaces cannot be made" "run it outside of the container, or give the container CAP_SYS_ADMIN"
    command -v ip >/dev/null || return 0
    unshare --net ip link add probe type bridge 2>/dev/null || refuse "the kernel makes no bridges" "modprobe bridge br_netfilter"
    unshare --net ip link add probe type veth peer name probe1 2>/dev/null || refuse "the kernel makes no veth pairs" "modprobe veth"
    limits_bandwidth || printf 'warning: the kernel cannot limit bandwidth: ports with such a QoS policy will fail on this host\n      remedy: modprobe -a sch_tbf sch_ingress cls_u32 act_mirred ifb\n' >&2
}

# Whether the kernel has what the agent limits ports with. Nobody needs it who has no QoS policies.
limits_bandwidth() {
    command -v tc >/dev/null || return 0
    unshare --net sh -ec '
        ip link add probe type ifb
        tc qdisc add dev probe root tbf rate 1mbit burst 10kb latency 50ms
        tc qdisc add dev probe ingress
        tc filter add dev probe ingress protocol all u32 match u32 0 0 action mirred egress redirect dev lo
    ' >/dev/null 2>&1
}

check_network() {
    local port holder
    is_running || for port in 6080 8700 8701 8702 8703 8704; do
        holder=$(port_holder $port) || continue
        refuse "TCP port $port is taken by $holder" "stop it; if it is another Skerry, stop that with 'packaging/quickstart --stop' and its --prefix"
    done
    command -v ip >/dev/null || return 0
    if ip -4 route show 172.24.4.0/24 | grep -qv skerry-ext1; then
        refuse "172.24.4.0/24, the demo's external network, is in use on this machine" "remove its route, or use --no-demo"
    fi
}

# Prints who listens on a TCP port; fails when nobody does.
port_holder() {
    local hex line
    hex=$(printf '%04X' "$1")
    line=$(cat /proc/net/tcp /proc/net/tcp6 2>/dev/null | awk -v port=":$hex" '$4 == "0A" && substr($2, length($2) - 4) == port { print $10; exit }')
    [ -n "$line" ] || return 1
    local link
    link=$(find /proc/[0-9]*/fd -lname "socket:\[$line\]" 2>/dev/null | head -n 1 || true)
    link=${link#/proc/}
    if [ -n "$link" ]; then
        echo "$(tr '\0' ' ' <"/proc/${link%%/*}/cmdline" | cut -c 1-60)(pid ${link%%/*})"
    else
        echo "some process"
    fi
}
