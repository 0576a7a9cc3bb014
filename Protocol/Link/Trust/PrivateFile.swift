import Glibc
import NIOCore

/// Small files with keys and certificates: read whole, written whole or not at all. These calls block.
package enum PrivateFile {
    struct FileError: Error, CustomStringConvertible {
        let action: String
        let path: String
        let errno: Int32
        var description: String { "cannot \(action) \(path): \(String(cString: strerror(errno)))" }
    }

    /// No certificate or key comes near it.
    private static let sizeLimit = 1_048_576

    /// - Returns: `nil` when there is no such file.
    static func read(_ path: String) throws -> [UInt8]? {
        let file = open(path, O_RDONLY | O_CLOEXEC)
        if file < 0, errno == ENOENT { return nil }
        guard file >= 0 else { throw FileError(action: "open", path: path, errno: errno) }
        defer { close(file) }
        var bytes: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 16_384)
        while true {
            let count = Glibc.read(file, &chunk, chunk.count)
            if count < 0, errno == EINTR { continue }
            guard count >= 0 else { throw FileError(action: "read", path: path, errno: errno) }
            if count == 0 { return bytes }
            bytes += chunk[..<count]
            guard bytes.count <= sizeLimit else { throw FileError(action: "read", path: path, errno: EFBIG) }
        }
    }

    static func readText(_ path: String) throws -> String {
        guard let bytes = try read(path) else { throw FileError(action: "open", path: path, errno: ENOENT) }
        return String(decoding: bytes, as: UTF8.self)
    }

    /// Replaces `path` by way of a synced sibling, so that a crash leaves the old content or the new.
    package static func write(_ text: String, to path: String, mode: mode_t) throws {
        let scratch = path + ".new"
        unlink(scratch)
        let file = open(scratch, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode)
        guard file >= 0 else { throw FileError(action: "create", path: scratch, errno: errno) }
        do {
            defer { close(file) }
            // The process's umask must not widen or narrow what the caller asked for.
            guard fchmod(file, mode) == 0 else { throw FileError(action: "chmod", path: scratch, errno: errno) }
            try writeAll(Array(text.utf8), to: file, path: scratch)
            guard fsync(file) == 0 else { throw FileError(action: "sync", path: scratch, errno: errno) }
        } catch {
            unlink(scratch)
            throw error
        }
        guard rename(scratch, path) == 0 else { throw FileError(action: "rename", path: scratch, errno: errno) }
        syncDirectory(of: path)
    }

    static func makeDirectory(_ path: String) throws {
        guard mkdir(path, 0o700) == 0 || errno == EEXIST else {
            throw FileError(action: "create folder", path: path, errno: errno)
        }
    }

    private static func writeAll(_ bytes: [UInt8], to file: Int32, path: String) throws {
        var rest = bytes[...]
        while !rest.isEmpty {
            let count = rest.withUnsafeBytes { Glibc.write(file, $0.baseAddress, $0.count) }
            if count < 0, errno == EINTR { continue }
            guard count > 0 else { throw FileError(action: "write", path: path, errno: errno) }
            rest = rest.dropFirst(count)
        }
    }

    private static func syncDirectory(of path: String) {
        let folder = path.split(separator: "/", omittingEmptySubsequences: false).dropLast().joined(separator: "/")
        let file = open(folder.isEmpty ? (path.hasPrefix("/") ? "/" : ".") : folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard file >= 0 else { return }
        fsync(file)
        close(file)
    }
}
