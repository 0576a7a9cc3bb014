import Glibc

/// Where things lie in the state directory, and the few plain file operations of start-up.
package struct StateFiles: Sendable {
    let root: String

    package init(root: String) { self.root = root }

    /// Where the database is, unless the configuration has it elsewhere.
    var database: String { "\(root)/skerry.db" }
    package var authority: String { "\(root)/ca" }
    var images: String { "\(root)/images" }
    /// The certificate of both ports and its key, in one file so that they change together.
    package var apiCertificate: String { "\(root)/tls/api.pem" }
    /// Where releases before had them.
    package var formerAPICertificate: (certificate: String, key: String) {
        ("\(root)/tls/api.crt", "\(root)/tls/api.key")
    }
    var sealingKey: String { "\(root)/keys/sealing.key" }
    private var lock: String { "\(root)/lock" }

    /// Makes the folders, and takes from others what an older release let them read: the database.
    /// - Throws: ``StartError`` when that cannot be done.
    package func makeFolders() throws {
        for (folder, mode) in [
            (root, 0o755), (authority, 0o755), ("\(root)/tls", 0o700), ("\(root)/keys", 0o700)
        ] as [(String, mode_t)] {
            try Self.makeFolder(folder, mode: mode)
        }
        for file in [database, "\(database)-wal", "\(database)-shm"] {
            guard chmod(file, 0o600) == 0 || errno == ENOENT else {
                throw StartError("'\(file)' cannot be closed to others: \(Self.reason())")
            }
        }
    }

    /// Makes sure that only one coordinator works on this state. The kernel lets go of the lock when the process ends,
    /// however it ends, but a killed one holds it until all of it is taken down: so this waits up to 5 s.
    /// - Returns: The descriptor that holds the lock.
    func takeLock() async throws -> Int32 {
        let descriptor = open(lock, O_CREAT | O_RDWR | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else { throw StartError("'\(lock)' cannot be opened: \(Self.reason())") }
        for _ in 0..<50 {
            if flock(descriptor, LOCK_EX | LOCK_NB) == 0 { return descriptor }
            try await Task.sleep(for: .milliseconds(100))
        }
        close(descriptor)
        throw StartError(
            "Another coordinator works on '\(root)': stop it first, or give this one its own state_directory.")
    }

    static func release(_ lock: Int32) { close(lock) }

    /// Everything before the last `/`.
    static func folder(of path: String) -> String {
        path.lastIndex(of: "/").map { String(path[..<$0]) } ?? "."
    }

    static func makeFolder(_ path: String, mode: mode_t) throws {
        var made = ""
        for part in path.split(separator: "/") {
            made += "/\(part)"
            guard mkdir(made, made == path ? mode : 0o755) == 0 || errno == EEXIST else {
                throw StartError("The folder '\(made)' cannot be made: \(reason())")
            }
        }
    }

    /// A whole small file, 1 MiB at most.
    static func text(of path: String) throws -> String {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { throw StartError("'\(path)' cannot be read: \(reason())") }
        defer { close(descriptor) }
        var bytes = [UInt8](repeating: 0, count: 1 << 20)
        var length = 0
        while length < bytes.count {
            let count = bytes[length...].withUnsafeMutableBytes { read(descriptor, $0.baseAddress, $0.count) }
            guard count >= 0 else { throw StartError("'\(path)' cannot be read: \(reason())") }
            if count == 0 { break }
            length += count
        }
        return String(decoding: bytes[..<length], as: UTF8.self)
    }

    /// This machine's name.
    static func hostname() -> String {
        var bytes = [CChar](repeating: 0, count: 256)
        guard gethostname(&bytes, bytes.count - 1) == 0 else { return "" }
        return String(decoding: bytes.prefix { $0 != 0 }.map(UInt8.init(bitPattern:)), as: UTF8.self)
    }

    package static func exists(_ path: String) -> Bool { access(path, F_OK) == 0 }

    static func reason() -> String { String(cString: strerror(errno)) }
}

/// Why the coordinator does not start, for the person who starts it.
struct StartError: Error, CustomStringConvertible {
    var description: String
    init(_ description: String) { self.description = description }
}
