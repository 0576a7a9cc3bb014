# How Skerry is compiled. Sourced; needs output.sh.

# Options of every `swift build`. Debug information would make the programs nearly twice as large and every compilation
# longer; function names, which a crash report shows, stay without it. With other options all is compiled again.
lean=(-debug-info-format none)

# build_binaries: compiles the three programs and copies them to bin_dir. SKERRY_BINARIES names a folder with compiled
# ones instead, as packaging/test has them already.
build_binaries() {
    local built=$repository/.build-release/release product
    if [ -n "${SKERRY_BINARIES:-}" ]; then
        built=$SKERRY_BINARIES
    else
        step "compiling (the first time takes some minutes)"
        for product in skerry-coordinator skerry-agent skerry; do compile "$product"; done
        finished
    fi
    for product in skerry-coordinator skerry-agent skerry; do
        [ -x "$built/$product" ] || fail "no $product in $built: SKERRY_BINARIES must name a folder with compiled programs"
        # A running program cannot be written to, but its name can be given to another file.
        cmp -s "$built/$product" "$bin_dir/$product" && continue
        install -m 755 "$built/$product" "$bin_dir/.$product.new"
        mv "$bin_dir/.$product.new" "$bin_dir/$product"
    done
}

compile() {
    local log=$repository/.build-release/$1.log pid last='' line
    mkdir -p "$repository/.build-release"
    (cd "$repository" && exec swift build -c release "${lean[@]}" --scratch-path .build-release --static-swift-stdlib \
        --product "$1") >"$log" 2>&1 &
    pid=$!
    while kill -0 $pid 2>/dev/null; do
        sleep 1
        line=$(tail -n 1 "$log" | cut -c 1-90)
        if [ -t 1 ]; then
            printf '\r\033[K    %s: %s' "$1" "$line"
        elif [ "${line%%]*}" != "$last" ] && [ $((SECONDS % 15)) = 0 ]; then
            note "$1: $line"
            last=${line%%]*}
        fi
    done
    [ -t 1 ] && printf '\r\033[K'
    if ! wait $pid; then
        grep -E 'error:|fatal' "$log" | sort -u | head -n 20 >&2 || true
        fail "$1 did not compile: the whole output is in $log"
    fi
    note "$1: compiled"
}
