import Glibc

/// The few file operations that tests of the image slice need.
enum TestFiles {
    struct Failure: Error {
        var what: String
    }

    static func makeFolder(_ path: String) throws {
        guard mkdir(path, 0o755) == 0 || errno == EEXIST else { throw Failure(what: path) }
    }

    /// Sorted; empty where there is no such folder.
    static func names(_ folder: String) -> [String] {
        guard let handle = opendir(folder) else { return [] }
        defer { closedir(handle) }
        var names: [String] = []
        while let entry = readdir(handle) {
            let name = withUnsafePointer(to: &entry.pointee.d_name) { pointer in
                pointer.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
            }
            if name != ".", name != ".." { names.append(name) }
        }
        return names.sorted()
    }

    static func read(_ path: String) throws -> [UInt8] {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { throw Failure(what: path) }
        defer { close(descriptor) }
        var bytes: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 1 << 20)
        while true {
            let count = Glibc.read(descriptor, &buffer, buffer.count)
            guard count > 0 else { return bytes }
            bytes += buffer[..<count]
        }
    }

    static func write(_ bytes: [UInt8], _ path: String) throws {
        let descriptor = open(path, O_CREAT | O_TRUNC | O_WRONLY | O_CLOEXEC, 0o600)
        guard descriptor >= 0, Glibc.write(descriptor, bytes, bytes.count) == bytes.count else {
            throw Failure(what: path)
        }
        close(descriptor)
    }

    static func delete(_ path: String) throws { guard unlink(path) == 0 else { throw Failure(what: path) } }

    /// A folder and what is in it, one level of folders deep.
    static func remove(_ folder: String) {
        for name in names(folder) {
            let path = folder + "/" + name
            if unlink(path) != 0 {
                for inner in names(path) { unlink(path + "/" + inner) }
                rmdir(path)
            }
        }
        rmdir(folder)
    }
}
