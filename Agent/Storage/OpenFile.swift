import Glibc
import ProtocolModel

/// A file descriptor, closed at the end of its life. All calls block.
struct OpenFile: ~Copyable {
    let descriptor: Int32
    let path: String

    init(_ path: String, _ flags: Int32, mode: mode_t = 0o600) throws(StatusError) {
        descriptor = open(path, flags | O_CLOEXEC | O_NOFOLLOW, mode)
        self.path = path
        guard descriptor >= 0 else { throw FileFailure.last("open", path) }
    }

    deinit { close(descriptor) }

    func size() throws(StatusError) -> Int64 {
        var status = stat()
        guard fstat(descriptor, &status) == 0 else { throw FileFailure.last("fstat", path) }
        return Int64(status.st_size)
    }

    /// At most `count` bytes; fewer only at the end of the file.
    func read(at offset: Int64, count: Int) throws(StatusError) -> [UInt8] {
        var bytes = [UInt8](repeating: 0, count: count)
        var filled = 0
        while filled < count {
            let got = bytes.withUnsafeMutableBytes { buffer in
                pread(
                    descriptor, buffer.baseAddress?.advanced(by: filled), count - filled, off_t(offset) + off_t(filled))
            }
            if got < 0 {
                guard errno == EINTR else { throw FileFailure.last("read", path) }
                continue
            }
            if got == 0 { break }
            filled += got
        }
        bytes.removeLast(count - filled)
        return bytes
    }

    func write(_ bytes: [UInt8], at offset: Int64) throws(StatusError) {
        var written = 0
        while written < bytes.count {
            let put = bytes.withUnsafeBytes { buffer in
                pwrite(
                    descriptor, buffer.baseAddress?.advanced(by: written), bytes.count - written,
                    off_t(offset) + off_t(written))
            }
            guard put >= 0 || errno == EINTR else { throw FileFailure.last("write", path) }
            written += max(0, put)
        }
    }

    func setSize(_ bytes: Int64) throws(StatusError) {
        guard ftruncate(descriptor, off_t(bytes)) == 0 else { throw FileFailure.last("ftruncate", path) }
    }

    func setMode(_ mode: mode_t) throws(StatusError) {
        guard fchmod(descriptor, mode) == 0 else { throw FileFailure.last("fchmod", path) }
    }

    /// Returns when the content would outlive a power cut.
    func sync() throws(StatusError) {
        guard fsync(descriptor) == 0 else { throw FileFailure.last("fsync", path) }
    }
}

/// What the kernel refused, as a status.
enum FileFailure {
    /// Must be called directly after the call that failed.
    static func last(_ call: String, _ path: String) -> StatusError {
        let number = errno
        let detail = "\(call)(\(path)): \(String(cString: strerror(number)))"
        switch number {
        case ENOSPC, EDQUOT:
            return StatusError(
                code: .noSpace, message: "The host's disk is full: free space there or use another host.",
                detail: detail)
        default:
            return StatusError(
                code: .hostFailure,
                message: "The host could not read or write its files: the agent's log there says why.",
                detail: detail)
        }
    }
}

/// Folders and names in them. All calls block.
enum Folder {
    /// Makes the folder where it is missing, with exactly this mode: guests' processes walk through it.
    static func make(_ path: String, mode: mode_t) throws(StatusError) {
        guard mkdir(path, mode) == 0 || errno == EEXIST else { throw FileFailure.last("mkdir", path) }
        guard chmod(path, mode) == 0 else { throw FileFailure.last("chmod", path) }
    }

    /// The names in a folder, sorted; none where it does not exist.
    static func names(_ path: String) throws(StatusError) -> [String] {
        guard let stream = opendir(path) else {
            if errno == ENOENT { return [] }
            throw FileFailure.last("opendir", path)
        }
        defer { closedir(stream) }
        var names: [String] = []
        while true {
            // Its end and an error look alike but for this: half a list would pass for the whole.
            errno = 0
            guard let entry = readdir(stream) else {
                guard errno == 0 else { throw FileFailure.last("readdir", path) }
                break
            }
            let name = withUnsafePointer(to: &entry.pointee.d_name) { pointer in
                pointer.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
            }
            if name != ".", name != ".." { names.append(name) }
        }
        return names.sorted()
    }

    static func exists(_ path: String) -> Bool { access(path, F_OK) == 0 }

    static func sync(_ path: String) throws(StatusError) { try OpenFile(path, O_RDONLY | O_DIRECTORY).sync() }

    /// Removes a file; it need not exist.
    static func removeFile(_ path: String) throws(StatusError) {
        guard unlink(path) == 0 || errno == ENOENT else { throw FileFailure.last("unlink", path) }
    }

    /// Removes a folder of files; it need not exist.
    static func remove(_ path: String) throws(StatusError) {
        for name in try names(path) { try removeFile(path + "/" + name) }
        guard rmdir(path) == 0 || errno == ENOENT else { throw FileFailure.last("rmdir", path) }
    }

    /// Gives a finished file its final name, durably. A file of that name is replaced.
    static func rename(_ old: String, to new: String, in folder: String) throws(StatusError) {
        guard Glibc.rename(folder + "/" + old, folder + "/" + new) == 0 else {
            throw FileFailure.last("rename", folder + "/" + old)
        }
        try sync(folder)
    }

    /// Writes a whole file so that its name never stands for a part of it.
    /// - Parameter size: The length it is to have, where that is more than `bytes`; the rest is a hole.
    static func write(
        _ bytes: [UInt8], size: Int64 = 0, as name: String, in folder: String, mode: mode_t
    ) throws(StatusError) {
        let part = name + ".part"
        let file = try OpenFile(folder + "/" + part, O_WRONLY | O_CREAT | O_TRUNC, mode: mode)
        try file.write(bytes, at: 0)
        if size > Int64(bytes.count) { try file.setSize(size) }
        try file.setMode(mode)
        try file.sync()
        try rename(part, to: name, in: folder)
    }
}
