import CoordinatorPlatform
import Glibc
import ProtocolModel
import Synchronization

/// `qemu-img` in a box: namespaces of its own for network, mounts, processes and the rest, a root that holds the
/// system's programs and libraries, the one input (read-only) and the one output and nothing else, no privileges, and
/// limits on memory, processor time, output and files. Made of util-linux alone. Where the coordinator is not root it
/// uses a user namespace.
package struct ConfinedConverter: ImageConverter {
    /// An empty folder that the box's root is mounted over, in a mount namespace that nobody else sees.
    let root: String
    /// Two at a time; the others wait.
    private let threads = BlockingPool(threads: 2, waiting: 1000)

    package init(root: String) { self.root = root }

    package func convert(_ plan: ConversionPlan, source: String, target: String) async throws {
        let command = command(plan, source: source, target: target)
        let root = root
        let stop = StopSignal()
        let end = try await withTaskCancellationHandler {
            try await threads.run {
                try Self.prepare(root: root, source: source, target: target)
                return try ChildProcess.run(command, seconds: plan.limits.seconds, stop: stop)
            }
        } onCancel: {
            stop.set()
        }
        try Task.checkCancellation()
        try await threads.run {
            try BlobError.check(chmod(target, 0o600) == 0, "chmod", target)
        }
        if case .exited(_, let said) = end, said.contains("No space left on device") {
            throw BlobError(operation: "convert", path: target, code: ENOSPC)
        }
        if let failure = Self.failure(end, plan) { throw failure }
    }

    /// The unprivileged user must be able to open both files, which lie in a folder that nobody else can enter.
    private static func prepare(root: String, source: String, target: String) throws {
        try BlobError.check(mkdir(root, 0o700) == 0 || errno == EEXIST, "make folder", root)
        try BlobError.check(chmod(source, 0o444) == 0, "chmod", source)
        let descriptor = open(target, O_CREAT | O_TRUNC | O_WRONLY | O_CLOEXEC, 0o600)
        try BlobError.check(descriptor >= 0, "create", target)
        defer { close(descriptor) }
        try BlobError.check(fchmod(descriptor, 0o666) == 0, "chmod", target)
    }

    package func command(_ plan: ConversionPlan, source: String, target: String) -> [String] {
        let isRoot = geteuid() == 0
        let limits = plan.limits
        return ["/usr/bin/setpriv", "--pdeathsig", "KILL", "/usr/bin/unshare"]
            + (isRoot ? [] : ["--user", "--map-root-user"])
            + [
                "--mount", "--net", "--ipc", "--uts", "--pid", "--fork", "--kill-child=KILL", "--", "/bin/sh", "-c",
                Self.script, "sh", root, source, target
            ]
            + (isRoot ? ["--reuid=65534", "--regid=65534", "--clear-groups"] : [])
            + [
                "--no-new-privs", "--bounding-set=-all", "--inh-caps=-all", "/usr/bin/prlimit",
                "--as=\(limits.memoryBytes)", "--cpu=\(limits.seconds)",
                // Formats add tables of their own to the data.
                "--fsize=\(limits.outputBytes + limits.outputBytes / 8)", "--nofile=64", "--core=0", "/usr/bin/qemu-img"
            ]
            + plan.arguments(source: "/in/disk", target: "/out/disk")
    }

    /// Builds the box and enters it. Its own arguments: root, input, output; the rest is for `setpriv`.
    static let script = """
        set -eu
        umask 022
        root=$1 input=$2 output=$3
        shift 3
        confine() { mount --bind "$1" "$2"; mount -o "remount,bind,$3" "$2"; }
        mount -t tmpfs -o mode=0755,size=64k,nosuid,nodev,noexec tmpfs "$root"
        mkdir "$root/usr" "$root/in" "$root/out" "$root/dev"
        confine /usr "$root/usr" ro,nosuid,nodev
        for name in bin lib lib64; do
            if [ -L "/$name" ]; then ln -s "$(readlink "/$name")" "$root/$name"
            elif [ -d "/$name" ]; then mkdir "$root/$name"; confine "/$name" "$root/$name" ro,nosuid,nodev
            fi
        done
        : > "$root/in/disk"; : > "$root/out/disk"; : > "$root/dev/null"
        confine "$input" "$root/in/disk" ro,nosuid,nodev,noexec
        confine "$output" "$root/out/disk" nosuid,nodev,noexec
        mount --bind /dev/null "$root/dev/null"
        mount -o remount,ro "$root"
        cd /
        exec chroot "$root" /usr/bin/setpriv "$@"
        """

    static func failure(_ end: ChildProcess.End, _ plan: ConversionPlan) -> ConversionFailure? {
        switch end {
        case .exited(0, _): return nil
        case .exited(let code, let said):
            // A limit that the kernel enforces ends the program inside, and the shell reports 128 and the signal.
            if code == 128 + SIGXCPU || code == 128 + SIGKILL { return tooLong(plan) }
            if code == 128 + SIGXFSZ || said.contains("File too large") { return tooLarge(plan) }
            let line = said.split(separator: "\n").last.map(String.init) ?? "it ended with code \(code)"
            return ConversionFailure(
                description:
                    "The image could not be converted from \(plan.source) to \(plan.target): \(line.prefix(300))")
        case .killed(SIGXCPU): return tooLong(plan)
        case .killed(SIGXFSZ): return tooLarge(plan)
        case .killed(let signal):
            return ConversionFailure(
                description: "The conversion from \(plan.source) to \(plan.target) was ended by signal \(signal).")
        case .tookTooLong: return tooLong(plan)
        }
    }

    private static func tooLong(_ plan: ConversionPlan) -> ConversionFailure {
        ConversionFailure(
            description: "The conversion from \(plan.source) to \(plan.target) took more than \(plan.limits.seconds) s."
        )
    }

    private static func tooLarge(_ plan: ConversionPlan) -> ConversionFailure {
        ConversionFailure(
            description: "The converted image is larger than the \(plan.limits.outputBytes) bytes that are allowed.")
    }
}
