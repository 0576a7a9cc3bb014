# Background processes with pid files, for machines without systemd and for --prefix. Sourced; needs output.sh.
# A pid file holds the pid and, on a second line, when the process started (field 22 of /proc/PID/stat), so that a
# reused pid is never taken for ours.

start_time() {
    local stat
    stat=$(cat "/proc/$1/stat" 2>/dev/null) || return 1
    # The second field is the command's name in brackets and may hold spaces.
    set -- ${stat##*) }
    echo "${20}"
}

# process_pid FILE: prints the pid when that very process still runs.
process_pid() {
    local pid began
    [ -r "$1" ] && { read -r pid && read -r began; } <"$1" || return 1
    [ "$(start_time "$pid")" = "$began" ] && echo "$pid"
}

# process_start PIDFILE LOG COMMAND...: starts the command in a session of its own.
process_start() {
    local file=$1 log=$2 pid
    shift 2
    setsid "$@" >>"$log" 2>&1 </dev/null &
    pid=$!
    disown
    printf '%s\n%s\n' "$pid" "$(start_time "$pid")" >"$file"
}

# process_stop PIDFILE NAME SECONDS: SIGTERM, then SIGKILL after the time.
process_stop() {
    local pid tenths=$(($3 * 10))
    if pid=$(process_pid "$1"); then
        kill "$pid" 2>/dev/null
        while [ $tenths -gt 0 ] && process_pid "$1" >/dev/null; do
            sleep 0.1
            tenths=$((tenths - 1))
        done
        if process_pid "$1" >/dev/null; then
            warn "$2 (pid $pid) did not end in $3 s: killed"
            kill -9 "$pid" 2>/dev/null
        fi
        note "stopped $2 (pid $pid)"
    fi
    rm -f "$1"
}

# wait_for SECONDS WHAT COMMAND...: repeats the command until it succeeds.
wait_for() {
    local deadline=$((SECONDS + $1)) what=$2
    shift 2
    until "$@" >/dev/null 2>&1; do
        [ $SECONDS -lt $deadline ] || return 1
        sleep 0.1
    done
}
