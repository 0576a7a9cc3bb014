import Glibc

/// An open file, read or written from its beginning to its end. These calls block.
package final class PlainFile {
    let path: String
    private let descriptor: Int32
    private(set) var position: Int64 = 0

    /// - Throws: ``StartError`` where there is none, or it is no plain file.
    package init(reading path: String) throws {
        self.path = path
        descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { throw StartError("'\(path)' cannot be read: \(StateFiles.reason())") }
    }

    /// A new file, its owner's alone.
    package init(making path: String) throws {
        self.path = path
        descriptor = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0o600)
        guard descriptor >= 0 else { throw StartError("'\(path)' cannot be made: \(StateFiles.reason())") }
    }

    deinit { close(descriptor) }

    func size() throws -> Int64 {
        var status = stat()
        guard fstat(descriptor, &status) == 0 else { throw failed("looked at") }
        return Int64(status.st_size)
    }

    func rewind() throws {
        guard lseek(descriptor, 0, SEEK_SET) == 0 else { throw failed("read again") }
        position = 0
    }

    /// - Returns: So many octets, fewer only at the end.
    func read(_ count: Int) throws -> [UInt8] {
        var bytes = [UInt8](repeating: 0, count: count)
        var length = 0
        while length < count {
            let taken = bytes[length...].withUnsafeMutableBytes { Glibc.read(descriptor, $0.baseAddress, $0.count) }
            if taken < 0, errno == EINTR { continue }
            guard taken >= 0 else { throw failed("read") }
            if taken == 0 { break }
            length += taken
        }
        position += Int64(length)
        return length == count ? bytes : Array(bytes[..<length])
    }

    func write(_ bytes: [UInt8]) throws {
        var rest = bytes[...]
        while !rest.isEmpty {
            let count = rest.withUnsafeBytes { Glibc.write(descriptor, $0.baseAddress, $0.count) }
            if count < 0, errno == EINTR { continue }
            guard count > 0 else { throw failed("written") }
            rest = rest.dropFirst(count)
        }
        position += Int64(bytes.count)
    }

    /// Until it is on the disk.
    package func flush() throws {
        guard fsync(descriptor) == 0 else { throw failed("written") }
    }

    private func failed(_ action: String) -> StartError {
        StartError("'\(path)' cannot be \(action): \(StateFiles.reason())")
    }

    static func flush(folder: String) {
        let descriptor = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard descriptor >= 0 else { return }
        fsync(descriptor)
        close(descriptor)
    }

    /// Names in a folder, sorted; none where there is no such folder.
    static func names(in folder: String) -> [String] {
        guard let stream = opendir(folder) else { return [] }
        defer { closedir(stream) }
        var names: [String] = []
        while let entry = readdir(stream) {
            let name = withUnsafePointer(to: &entry.pointee.d_name) {
                $0.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
            }
            if name != ".", name != ".." { names.append(name) }
        }
        return names.sorted()
    }

    /// Removes a folder with all that is in it. Links are removed, not followed.
    static func removeTree(_ path: String) {
        var status = stat()
        guard lstat(path, &status) == 0 else { return }
        guard status.st_mode & S_IFMT == S_IFDIR else {
            unlink(path)
            return
        }
        for name in names(in: path) { removeTree("\(path)/\(name)") }
        rmdir(path)
    }
}
