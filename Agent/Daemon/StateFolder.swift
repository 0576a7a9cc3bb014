import Glibc
import ProtocolModel

/// The agent's folder on disk. Its calls block: they are made at start, before anything is served.
package struct StateFolder: Sendable {
    /// Others may pass through it, since QEMU runs as a user of its own; what is private lies in folders of mode 0700.
    let root: String

    package init(root: String) { self.root = root }

    var identity: String { root + "/identity" }
    var plan: String { root + "/plan/plan.sqlite" }
    /// Where the coordinator was when the host joined.
    private var endpoint: String { identity + "/coordinator" }

    /// The folder of one of many simulated nodes.
    func node(_ number: Int) -> StateFolder {
        let digits = String(number)
        return StateFolder(root: root + "/nodes/" + String(repeating: "0", count: max(0, 5 - digits.count)) + digits)
    }

    package func make() throws {
        try Self.makeFolder(root, mode: 0o711)
        // Specs hold passwords and user data.
        try Self.makeFolder(root + "/plan", mode: 0o700)
    }

    func storedEndpoint() -> String? {
        (try? Self.text(of: endpoint)).map { String($0.prefix { !$0.isNewline }) }
    }

    func store(endpoint text: String) throws { try Self.write(text + "\n", to: endpoint) }

    // MARK: Removals that an operator confirmed

    /// Read and then deleted by the agent that runs.
    private var confirmations: String { root + "/confirmed-removals" }

    /// Adds servers, volumes and snapshots that an operator on the host wants gone, although no plan names them.
    package func confirmRemovals(_ ids: Set<AnyID>) throws {
        let lock = try lockConfirmations()
        defer { close(lock) }
        try writeConfirmations(confirmedRemovals().union(ids))
    }

    private func writeConfirmations(_ ids: Set<AnyID>) throws {
        try Self.write(ids.map { $0.text + "\n" }.sorted().joined(), to: confirmations + ".new")
        guard rename(confirmations + ".new", confirmations) == 0 else { throw FileProblem("write", confirmations) }
    }

    /// The command and the agent change the list in turn; it ends with the descriptor.
    private func lockConfirmations() throws -> Int32 {
        let path = confirmations + ".lock"
        let descriptor = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else { throw FileProblem("open", path) }
        while flock(descriptor, LOCK_EX) != 0 {
            guard errno == EINTR else {
                close(descriptor)
                throw FileProblem("lock", path)
            }
        }
        return descriptor
    }

    package func confirmedRemovals() -> Set<AnyID> {
        guard let text = try? Self.text(of: confirmations) else { return [] }
        return Set(text.split(whereSeparator: \.isNewline).compactMap { AnyID(String($0)) })
    }

    /// Takes those off the list that were heeded; what was added meanwhile stays. Where there is no room for a shorter
    /// list the longer one stays: to remove once more what is gone does nothing.
    package func forgetConfirmedRemovals(_ heeded: Set<AnyID>) {
        guard let lock = try? lockConfirmations() else { return }
        defer { close(lock) }
        let left = confirmedRemovals().subtracting(heeded)
        if left.isEmpty { unlink(confirmations) } else { try? writeConfirmations(left) }
    }

    /// Keeps a second agent away from the same folder for as long as this process lives.
    ///
    /// It waits up to 5 s: a killed agent holds the lock until the kernel has taken all of it down.
    package func takeLock(attempts: Int = 50) async throws {
        let path = root + "/agent.lock"
        let descriptor = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else { throw FileProblem("open", path) }
        for _ in 0..<attempts {
            if flock(descriptor, LOCK_EX | LOCK_NB) == 0 { return }
            try await Task.sleep(for: .milliseconds(100))
        }
        close(descriptor)
        throw FileProblem("Another skerry-agent runs with '\(root)': stop it first, or use another state_directory.")
    }

    static func makeFolder(_ path: String, mode: mode_t) throws {
        var current = ""
        for part in path.split(separator: "/") {
            current += "/" + part
            guard mkdir(current, current == path ? mode : 0o755) != 0, errno != EEXIST else { continue }
            throw FileProblem("make the folder", current)
        }
    }

    static func text(of path: String) throws -> String {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { throw FileProblem("read", path) }
        defer { close(descriptor) }
        var content: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 65_536)
        while content.count < 1 << 20 {
            let count = read(descriptor, &buffer, buffer.count)
            guard count >= 0 else { throw FileProblem("read", path) }
            if count == 0 { break }
            content += buffer[..<count]
        }
        return String(decoding: content, as: UTF8.self)
    }

    private static func write(_ text: String, to path: String) throws {
        let descriptor = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else { throw FileProblem("write", path) }
        defer { close(descriptor) }
        let bytes = Array(text.utf8)
        guard Glibc.write(descriptor, bytes, bytes.count) == bytes.count, fsync(descriptor) == 0 else {
            throw FileProblem("write", path)
        }
    }
}

/// A file or folder that could not be used, in words for the operator.
struct FileProblem: Error, CustomStringConvertible {
    let description: String

    init(_ description: String) { self.description = description }

    /// With what `errno` says.
    init(_ what: String, _ path: String) {
        description = "Cannot \(what) '\(path)': \(String(cString: strerror(errno)))."
    }
}
