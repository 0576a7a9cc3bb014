# What test_installed.py does in a fresh Debian 12 with systemd: installs the packages from a folder, without a network, has
# them start, restart and stop, and takes them away again. Each fact is a file in /run/rig/facts, and its exit status another.
export DEBIAN_FRONTEND=noninteractive LC_ALL=C.UTF-8
facts=/run/rig/facts
mkdir -p $facts
daemons="skerry-coordinator skerry-agent"

# fact NAME COMMAND...
fact() {
    name=$1
    shift
    "$@" >"$facts/$name" 2>&1
    echo $? >"$facts/$name.status"
    echo "$(cut -d ' ' -f 1 /proc/uptime) $name: $(cat "$facts/$name.status")"
}

# Without what apt, the journal and libvirt keep for themselves.
files() {
    find / -xdev \( -path /var/cache -o -path /var/lib/apt -o -path /var/lib/dpkg -o -path /var/log -o -path /tmp \
        -o -path /var/lib/systemd -o -path /var/lib/libvirt -o -path /etc/apt/sources.list.d \) -prune -o -print | sort
}
everything() {
    files
    getent passwd
    getent group
    ip -brief link
    find /run -xdev -path '*skerry*' ! -path '/run/rig*'
}
# settle WHAT COMMAND...: until it succeeds, 60 s at most.
settle() {
    for try in $(seq 60); do
        "$@" >/dev/null 2>&1 && return 0
        sleep 1
    done
    return 1
}
answers() { skerry node list; }
host_is_up() { skerry node list | grep -q ' up '; }
pid_of() { systemctl show --property MainPID --value "$1"; }
# A daemon that is killed comes back by itself.
survives() {
    before=$(pid_of "$1")
    kill -9 "$before"
    for try in $(seq 30); do
        sleep 1
        now=$(pid_of "$1")
        [ "$now" != 0 ] && [ "$now" != "$before" ] && return 0
    done
    return 1
}
root_certificate() { openssl x509 -noout -enddate -in /var/lib/skerry/coordinator/ca/ca.crt; }
tls() {
    openssl s_client -connect 127.0.0.1:8700 -verify_return_error -CAfile /var/lib/skerry/coordinator/ca/ca.crt </dev/null
}
manuals() {
    for page in skerry.8 skerry-agent.8 skerry-coordinator.8 skerry-agent.yaml.5 skerry-coordinator.yaml.5; do
        man --warnings -E UTF-8 -l "$(man -w "${page##*.}" "${page%.*}")" 2>&1 >/dev/null || echo "$page: $?"
    done
}
join() {
    token=$(skerry node token) && skerry-agent join --coordinator 127.0.0.1:8701 --token "$token"
}
modes() { stat -c '%a %U:%G %n' /etc/skerry/* /var/lib/skerry/* /run/skerry/*; }

fact before everything
echo 'deb [trusted=yes] file:/run/rig/repository ./' >/etc/apt/sources.list.d/skerry.list
fact update apt-get -q update -o Dir::Etc::sourcelist=/etc/apt/sources.list.d/skerry.list -o Dir::Etc::sourceparts=-
fact install apt-get -q -y --no-install-recommends install skerry-coordinator skerry-agent skerry-doc
fact answers settle answers
fact coordinator_state systemctl show -p ActiveState -p UnitFileState skerry-coordinator
fact agent_state systemctl show -p ActiveState -p UnitFileState -p ConditionResult skerry-agent
fact modes modes
fact tls tls
fact verify systemd-analyze verify skerry-coordinator.service skerry-agent.service
for daemon in $daemons; do fact "security_$daemon" systemd-analyze security --no-pager "$daemon.service"; done
fact manuals manuals
fact join join
fact start systemctl start skerry-agent
fact joined settle host_is_up
for daemon in $daemons; do
    fact "restart_$daemon" systemctl restart "$daemon"
    fact "survives_$daemon" survives "$daemon"
done
fact again settle host_is_up
echo '# mine' >>/etc/skerry/coordinator.yaml
fact reinstall apt-get -q -y --no-install-recommends install --reinstall skerry-coordinator skerry-agent
fact kept_configuration tail -n 1 /etc/skerry/coordinator.yaml
fact kept_authority root_certificate
fact reinstalled settle host_is_up
fact timer systemctl is-active skerry-coordinator-backup.timer
cat >>/etc/skerry/coordinator.yaml <<'TEXT'
backup:
  directory: /var/lib/skerry/backups
  recipients: [age1zvkyg2lqzraa2lnjvqej32nkuu0ues2s82hzrye869xeexvn73equnujwj]
TEXT
fact backup systemctl start skerry-coordinator-backup
fact backups stat -c '%a %U %s' /var/lib/skerry/backups/*
rm /var/lib/skerry/backups/*
fact stop systemctl stop skerry-agent skerry-coordinator
fact stopped systemctl show -p ActiveState -p Result skerry-coordinator skerry-agent
fact journal journalctl --no-pager -q -o cat -p err -u skerry-coordinator -u skerry-agent -u skerry-coordinator-backup
fact restarted systemctl start skerry-coordinator skerry-agent
fact remove apt-get -q -y remove skerry-coordinator skerry-agent skerry
fact removed systemctl list-units --all --no-legend --no-pager 'skerry*'
fact kept ls /etc/skerry /var/lib/skerry/coordinator/skerry.db /var/lib/skerry/agent/identity
fact purge apt-get -q -y purge skerry-coordinator skerry-agent skerry skerry-doc
fact after everything
fact processes pgrep -a 'skerry|dnsmasq'
