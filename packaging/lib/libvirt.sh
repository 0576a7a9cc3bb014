# libvirt: the system's under systemd, else one of our own (see private-libvirt). Sourced; needs layout.sh, process.sh.

libvirt_start() {
    local options=() folder=-
    if uses_units; then
        systemctl enable --now virtlogd.socket libvirtd.service >/dev/null 2>&1 || fail "libvirtd did not start: see 'journalctl -u libvirtd'"
        allow_apparmor
        return
    fi
    [ -n "$prefix" ] && folder=$libvirt_dir
    kvm_usable || options+=(--hide-kvm)
    if ! process_pid "$run_dir/libvirtd.pid" >/dev/null; then
        [ -n "$prefix" ] || ! virsh -c "$libvirt_uri" uri >/dev/null 2>&1 || return 0
        process_start "$run_dir/libvirtd.pid" "$log_dir/libvirtd.log" \
            unshare --mount "$repository/packaging/lib/private-libvirt" "$folder" "${options[@]}"
    fi
    wait_for 30 libvirtd virsh -c "$libvirt_uri" uri || {
        tail -n 5 "$log_dir/libvirtd.log" >&2
        fail "libvirtd does not answer at $libvirt_uri: see the lines above and $log_dir/libvirtd.log"
    }
}

# Debian confines libvirt's helper to the usual folders; it must read our disks to name their backing files.
allow_apparmor() {
    local profile=/etc/apparmor.d/local/usr.lib.libvirt.virt-aa-helper
    [ -d /etc/apparmor.d/local ] && command -v apparmor_parser >/dev/null || return 0
    grep -qs "$state_dir" $profile && return 0
    echo "$state_dir/** r," >>$profile
    apparmor_parser -r /etc/apparmor.d/usr.lib.libvirt.virt-aa-helper 2>/dev/null || true
}

# Names of the domains on this libvirt that carry our metadata, one a line.
our_domains() {
    local name
    virsh -q -c "$libvirt_uri" list --all --name 2>/dev/null | while read -r name; do
        # No pipe into grep, which ends at the first match: virsh, cut off in mid-word, would fail the pipe.
        [[ $(virsh -q -c "$libvirt_uri" dumpxml "$name" 2>/dev/null) != *https://skerry.dev/xmlns/instance/* ]] || echo "$name"
    done
    return 0
}

# guest_off NAME: pulls the plug, and waits until it is out. A guest that is just being started may refuse at first.
guest_off() {
    local uuid tries=100
    uuid=$(virsh -q -c "$libvirt_uri" domuuid "$1" 2>/dev/null) || return 0
    virsh -q -c "$libvirt_uri" destroy "$1" >/dev/null 2>&1 || true
    while virsh -q -c "$libvirt_uri" list --name | grep -xF "$1" >/dev/null || pgrep -f -- "-uuid $uuid" >/dev/null; do
        if [ $tries = 0 ]; then
            warn "guest $1 cannot be turned off"
            return 0
        fi
        sleep 0.2
        tries=$((tries - 1))
        virsh -q -c "$libvirt_uri" destroy "$1" >/dev/null 2>&1 || true
    done
}

# guests_stop: the power button for every guest of ours, and the plug for those that have not gone after ten seconds.
guests_stop() {
    local name tenths=100 running
    virsh -c "$libvirt_uri" uri >/dev/null 2>&1 || return 0
    running=$(our_domains)
    for name in $running; do virsh -q -c "$libvirt_uri" shutdown "$name" >/dev/null 2>&1 || true; done
    while [ -n "$running" ] && [ $tenths -gt 0 ]; do
        running=$(for name in $running; do
            [ "$(virsh -q -c "$libvirt_uri" domstate "$name" 2>/dev/null)" = "shut off" ] || echo "$name"
        done)
        sleep 0.2
        tenths=$((tenths - 2))
    done
    for name in $running; do
        guest_off "$name"
        note "guest $name did not react to its power button: turned off"
    done
}

libvirt_stop() {
    uses_units && return
    local pid virtlogd=/run/libvirt/virtlogd.pid
    [ -n "$prefix" ] && virtlogd=$libvirt_dir/run/virtlogd.pid
    [ -e "$run_dir/libvirtd.pid" ] || return 0
    process_stop "$run_dir/libvirtd.pid" libvirtd 10
    if pid=$(cat "$virtlogd" 2>/dev/null) && [ "$(cat "/proc/$pid/comm" 2>/dev/null)" = virtlogd ]; then
        kill "$pid"
        note "stopped virtlogd (pid $pid)"
    fi
}
