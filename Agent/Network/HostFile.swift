import Glibc

/// Small files of the host. The calls block: only for the driver's own thread.
enum HostFile {
    struct Failure: Error, CustomStringConvertible {
        var description: String

        init(_ what: String, _ path: String) { description = "\(what) \(path): \(String(cString: strerror(errno)))" }
    }

    /// - Returns: `nil` where there is no such file, or one longer than `limit` bytes.
    static func read(_ path: String, limit: Int = 64 << 20) -> [UInt8]? {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { return nil }
        defer { close(descriptor) }
        var content: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 16384)
        while true {
            let count = Glibc.read(descriptor, &buffer, buffer.count)
            if count < 0, errno == EINTR { continue }
            guard count >= 0, content.count + count <= limit else { return nil }
            if count == 0 { return content }
            content += buffer[..<count]
        }
    }

    static func text(_ path: String) -> String? { read(path).map { String(decoding: $0, as: UTF8.self) } }

    /// Replaces the file in one step, readable by everybody.
    static func write(_ path: String, _ text: String) throws(Failure) {
        let temporary = path + ".new"
        let descriptor = open(temporary, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o644)
        guard descriptor >= 0 else { throw Failure("write", temporary) }
        var rest = Array(text.utf8)[...]
        while !rest.isEmpty {
            let count = rest.withUnsafeBytes { Glibc.write(descriptor, $0.baseAddress, $0.count) }
            if count < 0, errno == EINTR { continue }
            guard count > 0 else {
                let failure = Failure("write", temporary)
                close(descriptor)
                throw failure
            }
            rest = rest.dropFirst(count)
        }
        close(descriptor)
        guard rename(temporary, path) == 0 else { throw Failure("replace", path) }
    }

    /// Makes the folder and those above it.
    static func makeDirectory(_ path: String) throws(Failure) {
        var built = ""
        for part in path.split(separator: "/") {
            built += "/" + part
            guard mkdir(built, 0o755) == 0 || errno == EEXIST else { throw Failure("make folder", built) }
        }
    }

    /// The names in a folder, sorted; none where there is no such folder.
    static func names(in path: String) -> [String] {
        guard let folder = opendir(path) else { return [] }
        defer { closedir(folder) }
        var names: [String] = []
        while let entry = readdir(folder) {
            let name = withUnsafeBytes(of: entry.pointee.d_name) {
                String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self)
            }
            if name != ".", name != ".." { names.append(name) }
        }
        return names.sorted()
    }

    static func remove(_ path: String) { unlink(path) }

    /// Removes a folder with the files in it; folders in it stay, and so it does then.
    static func removeDirectory(_ path: String) {
        for name in names(in: path) { unlink("\(path)/\(name)") }
        rmdir(path)
    }

    /// Identifies what a path leads to, however it is spelled; for namespaces, the namespace.
    static func identity(_ path: String) -> UInt? {
        var status = stat()
        return stat(path, &status) == 0 ? UInt(status.st_ino) : nil
    }

    /// Whether any user may reach what is below the folder.
    static func isReachableByEverybody(_ path: String) -> Bool {
        var built = ""
        for part in path.split(separator: "/") {
            built += "/" + part
            var status = stat()
            guard stat(built, &status) == 0, status.st_mode & S_IXOTH != 0 else { return false }
        }
        return true
    }
}
