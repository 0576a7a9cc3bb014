# Where everything lies: in the system's folders, or all of it under one prefix. Sourced; sets the variables below.

# layout PREFIX: an empty prefix means the system's folders.
layout() {
    prefix=$1
    if [ -z "$prefix" ]; then
        etc_dir=/etc/skerry state_dir=/var/lib/skerry run_dir=/run/skerry log_dir=/var/log/skerry bin_dir=/usr/local/bin
        clouds_file=/etc/skerry/clouds.yaml libvirt_dir=
        libvirt_uri=qemu:///system
    else
        etc_dir=$prefix/etc state_dir=$prefix/state run_dir=$prefix/run log_dir=$prefix/log bin_dir=$prefix/bin
        clouds_file=$prefix/clouds.yaml libvirt_dir=$prefix/libvirt
        libvirt_uri="qemu+unix:///system?socket=$libvirt_dir/run/libvirt-sock"
    fi
    operator_socket=$run_dir/coordinator.sock
    coordinator_config=$etc_dir/coordinator.yaml agent_config=$etc_dir/agent.yaml
    admin_password_file=$etc_dir/admin-password demo_password_file=$etc_dir/demo-password
    demo_key=$etc_dir/demo-key
}

layout_create() {
    install -d -m 755 "$etc_dir" "$state_dir" "$run_dir" "$log_dir" "$bin_dir"
}

has_systemd() { [ -d /run/systemd/system ]; }

# KVM is usable only where the processor shows it too: without vmx or svm an ordinary guest hangs under /dev/kvm.
kvm_usable() { [ -c /dev/kvm ] && grep -qE '^flags.* (vmx|svm)( |$)' /proc/cpuinfo; }

# Whether systemd's own units run the daemons and libvirt: not with a prefix, which leaves /etc untouched.
uses_units() { [ -z "$prefix" ] && has_systemd; }
