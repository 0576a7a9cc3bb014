# Configuration, start and stop of coordinator and agent. Sourced; needs layout.sh, process.sh, output.sh, clouds.sh.

# configure: writes what is not there yet. Configuration that the operator changed stays as it is.
configure() {
    local file
    for file in "$admin_password_file" "$demo_password_file"; do
        [ -s "$file" ] || (umask 077 && new_password >"$file")
    done
    [ -e "$coordinator_config" ] || sed \
        -e "s|^state_directory:.*|state_directory: $state_dir/coordinator|" \
        -e "s|^socket:.*|socket: $operator_socket|" config/coordinator.yaml >"$coordinator_config"
    [ -e "$agent_config" ] || sed \
        -e "s|^state_directory:.*|state_directory: $state_dir/agent|" \
        -e "s|^# name:.*|name: $(hostname)|" \
        -e "s|^roles:.*|roles: [compute, network, storage, object]|" \
        -e "s|^  uri:.*|  uri: $libvirt_uri|" \
        -e '/^  # physical_networks:/d; /^  #   external:/d' config/agent.yaml >"$agent_config"
    # A running coordinator was initialised, and holds the lock on its state.
    [ -n "$(daemon_pid coordinator)" ] || "$bin_dir/skerry-coordinator" init --config "$coordinator_config" \
        --admin-password-file "$admin_password_file" --demo-password-file "$demo_password_file" \
        >"$log_dir/init.log" 2>&1 || { cat "$log_dir/init.log" >&2; fail "skerry-coordinator init failed: see above"; }
    own_state
    write_clouds skerry:admin:"$admin_password_file" demo:demo:"$demo_password_file"
}

# The units run the coordinator as a user of its own; what 'init' made as root becomes that user's.
own_state() {
    uses_units || return 0
    getent passwd skerry >/dev/null || useradd --system --user-group --no-create-home --home-dir "$state_dir/coordinator" \
        --shell /usr/sbin/nologin skerry
    chown -R --no-dereference skerry:skerry "$state_dir/coordinator"
    # It may hold a password, and so be closed to others.
    chgrp skerry "$coordinator_config" && chmod g+r "$coordinator_config"
}

# connect_demo: gives the agent the demo's physical network, also when an earlier run left it out (--no-demo). The agent
# reads it when it starts; it is stopped first, so that a run that ends in between leaves nothing that the next would take
# for done.
connect_demo() {
    grep -qx '  physical_networks: {}' "$agent_config" || return 0
    daemon_stop agent
    sed -i "s|^  physical_networks: {}\$|  physical_networks: {external: skerry-ext0}|" "$agent_config"
}

# The agent writes down last where it joined.
is_joined() { [ -s "$state_dir/agent/identity/coordinator" ]; }

is_running() { [ -n "$(daemon_pid coordinator)$(daemon_pid agent)" ]; }

# daemon_pid coordinator|agent
daemon_pid() {
    local pid
    if uses_units; then
        pid=$(systemctl show -p MainPID --value "skerry-$1" 2>/dev/null)
        [ "${pid:-0}" = 0 ] || echo "$pid"
    else
        process_pid "$run_dir/$1.pid" || true
    fi
}

daemon_start() {
    local name=$1
    [ -z "$(daemon_pid "$name")" ] || return 0
    if uses_units; then
        systemctl start "skerry-$name"
    else
        process_start "$run_dir/$name.pid" "$log_dir/$name.log" "$bin_dir/skerry-$name" run --config "$etc_dir/$name.yaml"
    fi
}

daemon_log() {
    if uses_units; then journalctl -u "skerry-$1" -n 20 --no-pager; else tail -n 20 "$log_dir/$1.log"; fi
}

install_units() {
    uses_units || return 0
    install -m 755 lib/quickstart-network /etc/skerry/quickstart-network
    install -m 644 systemd/*.service systemd/*.timer /etc/systemd/system/
    systemctl daemon-reload
    systemctl enable skerry-coordinator skerry-agent skerry-quickstart-network skerry-coordinator-backup.timer \
        >/dev/null 2>&1
}

coordinator_answers() {
    curl -sf --cacert "$state_dir/coordinator/ca/ca.crt" https://127.0.0.1:8700/identity/v3
}

daemons_start() {
    local token
    daemon_start coordinator
    wait_for 20 coordinator coordinator_answers || { daemon_log coordinator >&2; fail "the coordinator does not answer at https://127.0.0.1:8700: see its log above"; }
    if ! is_joined; then
        token=$("$bin_dir/skerry" node token --socket "$operator_socket") || fail "no join token: 'skerry node token' failed, see above"
        "$bin_dir/skerry-agent" join --config "$agent_config" --coordinator 127.0.0.1:8701 --token-file - \
            <<<"$token" >"$log_dir/join.log" 2>&1 || { cat "$log_dir/join.log" >&2; fail "the agent could not join: see above"; }
    fi
    daemon_start agent
    wait_for 30 agent node_is_up || { daemon_log agent >&2; fail "this host did not come up in the cloud: see the agent's log above"; }
}

node_is_up() { "$bin_dir/skerry" node list --socket "$operator_socket" | grep -qw up; }

daemon_stop() {
    if uses_units; then
        systemctl stop "skerry-$1" 2>/dev/null || true
    else
        process_stop "$run_dir/$1.pid" "$1" 15
    fi
}

daemons_stop() {
    daemon_stop agent
    daemon_stop coordinator
}
