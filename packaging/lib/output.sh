# Progress and failure messages of the packaging scripts. Sourced.

step_began=$SECONDS
step() {
    step_began=$SECONDS
    printf '==> %s\n' "$*"
}
note() { printf '    %s\n' "$*"; }
finished() { printf '    done (%d s)\n' "$((SECONDS - step_began))"; }
warn() { printf 'warning: %s\n' "$*" >&2; }
fail() {
    printf 'error: %s\n' "$*" >&2
    exit 1
}
