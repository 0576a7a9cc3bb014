import Glibc

/// An open file of the store, closed with its last user. Its calls block.
final class DiskFile: Sendable {
    let descriptor: Int32
    let path: String

    /// - Throws: ``StoreFailure``.
    init(_ path: String, _ flags: Int32) throws(StoreFailure) {
        descriptor = Glibc.open(path, flags | O_CLOEXEC, 0o600)
        self.path = path
        guard descriptor >= 0 else { throw Self.failure("open", path) }
    }

    deinit { close(descriptor) }

    func write(_ bytes: [UInt8], at offset: Int64) throws(StoreFailure) {
        var done = 0
        while done < bytes.count {
            let count = bytes.withUnsafeBytes {
                pwrite(
                    descriptor, $0.baseAddress?.advanced(by: done), bytes.count - done,
                    off_t(offset) + done)
            }
            if count < 0, errno == EINTR { continue }
            guard count > 0 else { throw Self.failure("write", path) }
            done += count
        }
    }

    /// - Returns: Fewer octets than were asked for only at the file's end.
    func read(at offset: Int64, count: Int) throws(StoreFailure) -> [UInt8] {
        var failed = false
        let bytes = [UInt8](unsafeUninitializedCapacity: count) { buffer, filled in
            while filled < count {
                let got = pread(
                    descriptor, UnsafeMutableRawPointer(buffer.baseAddress)?.advanced(by: filled), count - filled,
                    off_t(offset) + filled)
                if got < 0, errno == EINTR { continue }
                failed = got < 0
                guard got > 0 else { return }
                filled += got
            }
        }
        if failed { throw Self.failure("read", path) }
        return bytes
    }

    func size() -> Int64 { Int64(lseek(descriptor, 0, SEEK_END)) }

    func sync() throws(StoreFailure) {
        guard fdatasync(descriptor) == 0 else { throw Self.failure("sync", path) }
    }

    func truncate(to size: Int64) { _ = ftruncate(descriptor, off_t(size)) }

    /// What is kept free on the disk, so that deletions, which write too, are possible when it is full.
    private static let reserve: UInt64 = 32 << 20

    /// - Throws: ``StoreFailure/diskFull``.
    static func checkSpace(in path: String) throws(StoreFailure) {
        var status = statvfs()
        guard statvfs(path, &status) == 0 else { throw failure("look at", path) }
        guard UInt64(status.f_bavail) * UInt64(status.f_frsize) > reserve else { throw .diskFull }
    }

    /// A new name in a folder is on the disk only when the folder is.
    static func syncFolder(_ path: String) throws(StoreFailure) {
        let folder = try DiskFile(path, O_RDONLY | O_DIRECTORY)
        guard fsync(folder.descriptor) == 0 else { throw failure("sync", path) }
    }

    static func makeFolder(_ path: String) throws(StoreFailure) {
        guard mkdir(path, 0o700) == 0 || errno == EEXIST else { throw failure("make the folder", path) }
    }

    static func names(in path: String) -> [String] {
        guard let folder = opendir(path) else { return [] }
        defer { closedir(folder) }
        var names: [String] = []
        while let entry = readdir(folder) {
            let name = withUnsafePointer(to: &entry.pointee.d_name) {
                $0.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
            }
            if name != ".", name != ".." { names.append(name) }
        }
        return names
    }

    static func failure(_ what: String, _ path: String) -> StoreFailure {
        switch errno {
        case ENOSPC, EDQUOT: .diskFull
        case ENOENT: .gone
        default: .failed("cannot \(what) '\(path)': \(String(cString: strerror(errno)))")
        }
    }
}
