import Glibc
import NIOCore
import NIOPosix
import ProtocolModel
import Synchronization

/// Images' bytes on the coordinator's disk, one file per content, named by its SHA-512.
///
/// A blob is written under a name of its own, flushed, and only then linked to its content's name, so a name that is
/// there always stands for whole content. Reading and writing block, so they happen on threads of this store's own.
public final class BlobStore: Sendable {
    let directory: String
    private let threads: MultiThreadedEventLoopGroup
    private let pins = Mutex(Pins())

    /// Contents that uploads are about to record, which a sweep must leave alone. One lock; the sweep removes files under
    /// it, so that a pin is either seen or comes after the removal and before the new file takes its place.
    private struct Pins {
        var counts: [String: Int] = [:]
        /// Pinned at any time since the running sweep began: what it read of the rows may be older than their commit.
        var sinceSweep: Set<String> = []
        var sweeps = 0
    }

    /// - Parameter directory: Made when missing, mode 0700.
    public init(directory: String, threads: Int = 2) throws(BlobError) {
        self.directory = directory
        self.threads = MultiThreadedEventLoopGroup(numberOfThreads: threads)
        guard mkdir(directory, 0o700) == 0 || errno == EEXIST else {
            throw BlobError(operation: "make folder", path: directory, code: errno)
        }
    }

    func writer() -> BlobWriter { BlobWriter(store: self, loop: threads.next(), name: ImageID.random().compact) }

    /// - Throws: ``BlobError`` when there is no such content.
    func reader(sha512: String, from offset: Int64) async throws -> BlobReader {
        let reader = BlobReader(path: path(of: sha512), loop: threads.next())
        try await reader.open(at: offset)
        return reader
    }

    func path(of sha512: String) -> String { "\(directory)/\(sha512)" }

    func pin(_ sha512: String) {
        pins.withLock { pins in
            pins.counts[sha512, default: 0] += 1
            if pins.sweeps > 0 { pins.sinceSweep.insert(sha512) }
        }
    }

    func unpin(_ sha512: String) {
        pins.withLock { pins in
            let left = (pins.counts[sha512] ?? 1) - 1
            pins.counts[sha512] = left > 0 ? left : nil
        }
    }

    /// Removes contents that no image has.
    /// - Parameters:
    ///   - includingUploads: At start nothing is being uploaded, so half-written files go too.
    ///   - wanted: The contents that images have.
    func sweep(includingUploads: Bool = false, wanted: @Sendable () async throws -> Set<String>) async throws {
        pins.withLock { $0.sweeps += 1 }
        defer {
            pins.withLock { pins in
                pins.sweeps -= 1
                if pins.sweeps == 0 { pins.sinceSweep = [] }
            }
        }
        let loop = threads.next()
        let directory = directory
        let names = try await loop.submit { Self.list(directory) }.get()
        let keep = try await wanted()
        try await loop.submit { [self] in
            for name in names where name.hasPrefix("upload-") ? includingUploads : !keep.contains(name) {
                pins.withLock { pins in
                    guard pins.counts[name] == nil, !pins.sinceSweep.contains(name) else { return }
                    _ = unlink("\(directory)/\(name)")
                }
            }
        }.get()
    }

    private static func list(_ directory: String) -> [String] {
        guard let handle = opendir(directory) else { return [] }
        defer { closedir(handle) }
        var names: [String] = []
        while let entry = readdir(handle) {
            let name = withUnsafePointer(to: &entry.pointee.d_name) { pointer in
                pointer.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
            }
            if name != ".", name != ".." { names.append(name) }
        }
        return names
    }
}

/// A system call on a blob failed.
public struct BlobError: Error, Sendable, Equatable {
    public var operation: String
    public var path: String
    /// `errno`.
    public var code: Int32

    public var isNoSpace: Bool { code == ENOSPC || code == EDQUOT }
}
