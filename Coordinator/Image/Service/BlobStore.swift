import Glibc
import NIOCore
import NIOPosix
import ProtocolModel
import Synchronization

/// Images' bytes on the coordinator's disk.
///
/// ```text
/// <sha512>        whole content, named by its SHA-512, linked there only once it is on the disk
/// part-<number>   an ``ImagePart``: data on its way in, or between two steps of an import
/// ```
///
/// Reading and writing block, so they happen on threads of this store's own.
public final class BlobStore: Sendable {
    package static let partPrefix = "part-"

    let directory: String
    let threads: MultiThreadedEventLoopGroup
    /// For waiting until data has reached the disk, which can take seconds.
    let flushers = MultiThreadedEventLoopGroup(numberOfThreads: 1)
    private let pins = Mutex(Pins())

    /// Files that somebody is about to record, or reads at the moment, which a sweep must leave alone. One lock; the
    /// sweep removes files under it, so that a pin is either seen or comes after the removal and before the new file
    /// takes its place.
    private struct Pins {
        var counts: [String: Int] = [:]
        /// Pinned at some time since the running sweep began, also when the pin is older: what the sweep read of the rows
        /// may be older than their commit.
        var sinceSweep: Set<String> = []
        var sweeps = 0
        /// Unwanted files that a sweep left because somebody read them, and their bytes.
        var awaited: [String: Int64] = [:]
        var onRelease: (@Sendable () -> Void)?
    }

    /// - Parameters:
    ///   - directory: Made when missing, mode 0700.
    ///   - threads: For files and hashes.
    public init(directory: String, threads: Int = 4) throws(BlobError) {
        self.directory = directory
        self.threads = MultiThreadedEventLoopGroup(numberOfThreads: threads)
        try BlobError.check(mkdir(directory, 0o700) == 0 || errno == EEXIST, "make folder", directory)
    }

    /// Calls back, on no particular thread, when the last reader of a file that nobody wants any more has gone.
    package func whenReleased(_ work: @escaping @Sendable () -> Void) { pins.withLock { $0.onRelease = work } }

    /// Bytes of deleted images that are still there because somebody reads them.
    public var awaitedBytes: Int64 { pins.withLock { $0.awaited.values.reduce(0, +) } }
    /// How many files those are.
    public var awaitedCount: Int { pins.withLock { $0.awaited.count } }

    package func path(of name: String) -> String { "\(directory)/\(name)" }

    /// Runs something that blocks on one of the store's threads.
    func run<T: Sendable>(_ work: @escaping @Sendable () throws -> T) async throws -> T {
        try await threads.next().submit(work).get()
    }

    /// Opens content or a part for reading; a sweep waits until the reader is gone.
    /// - Throws: ``BlobError`` when there is no such file.
    package func reader(_ name: String, from offset: Int64 = 0) async throws -> BlobReader {
        pin(name)
        let reader = BlobReader(store: self, name: name, loop: threads.next())
        try await reader.open(at: offset)
        return reader
    }

    /// - Returns: The file's length, `nil` when there is none.
    package func size(of name: String) async throws -> Int64? { try await status(of: name)?.sizeBytes }

    /// - Returns: The file's length and how many names it has, `nil` when there is none.
    func status(of name: String) async throws -> (sizeBytes: Int64, names: Int)? {
        let path = path(of: name)
        return try await run {
            var status = stat()
            if lstat(path, &status) == 0 { return (Int64(status.st_size), Int(status.st_nlink)) }
            try BlobError.check(errno == ENOENT, "stat", path)
            return nil
        }
    }

    /// Makes a part's file and its new name durable content. The part stays where it is, so that doing this again after
    /// a crash changes nothing. It takes the place of a file of that name, whose bits may have rotted unseen, and there
    /// is no moment without one.
    package func publish(part: String, as sha512: String) async throws {
        let next = part + ".next"
        pin(next)
        defer { unpin(next) }
        let (source, between, target) = (path(of: part), path(of: next), path(of: sha512))
        let directory = directory
        try await run {
            unlink(between)
            try BlobError.check(link(source, between) == 0 && rename(between, target) == 0, "link", target)
            // Where both are one file already, renaming leaves both names.
            unlink(between)
            try Self.flush(folder: directory)
        }
    }

    /// Removes a part's file; harmless when it is gone.
    func remove(part: String) async {
        let path = path(of: part)
        _ = try? await run { unlink(path) }
    }

    /// Reads a part for its hashes and makes it durable.
    package func hash(_ part: String) async throws -> BlobWriter.Result {
        guard let size = try await size(of: part) else {
            throw BlobError(operation: "open", path: path(of: part), code: ENOENT)
        }
        let writer = BlobWriter(store: self, file: part)
        try await writer.resume(at: size)
        return try await writer.finish()
    }

    /// Whether somebody writes, reads or is about to record the file.
    package func isPinned(_ name: String) -> Bool { pins.withLock { $0.counts[name] != nil } }

    package func pin(_ name: String) {
        pins.withLock { pins in
            pins.counts[name, default: 0] += 1
            if pins.sweeps > 0 { pins.sinceSweep.insert(name) }
        }
    }

    package func unpin(_ name: String) {
        let release = pins.withLock { pins -> (@Sendable () -> Void)? in
            let left = (pins.counts[name] ?? 1) - 1
            pins.counts[name] = left > 0 ? left : nil
            // Held when the sweep began: what it read may be older than what was committed under this pin.
            if pins.sweeps > 0 { pins.sinceSweep.insert(name) }
            guard left <= 0, pins.awaited.removeValue(forKey: name) != nil else { return nil }
            return pins.onRelease
        }
        release?()
    }

    /// Removes every file that nobody wants. What somebody reads stays until that is over.
    /// - Parameter wanted: The contents that images have, and the parts' files.
    package func sweep(wanted: @Sendable () async throws -> Set<String>) async throws {
        pins.withLock { $0.sweeps += 1 }
        defer {
            pins.withLock { pins in
                pins.sweeps -= 1
                if pins.sweeps == 0 { pins.sinceSweep = [] }
            }
        }
        let directory = directory
        let names = try await run { Self.list(directory) }
        let keep = try await wanted()
        try await run { [self] in
            for name in names where !keep.contains(name) { removeUnlessPinned(name) }
        }
    }

    private func removeUnlessPinned(_ name: String) {
        pins.withLock { pins in
            if pins.counts[name] != nil {
                var status = stat()
                if lstat(path(of: name), &status) == 0 { pins.awaited[name] = Int64(status.st_size) }
            } else if !pins.sinceSweep.contains(name) {
                unlink(path(of: name))
            }
        }
    }

    static func flush(folder directory: String) throws {
        let folder = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        try BlobError.check(folder >= 0, "open folder", directory)
        defer { close(folder) }
        try BlobError.check(fsync(folder) == 0, "flush folder", directory)
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

/// Keeps a sweep away from a file for as long as somebody holds on to it.
final class BlobPin: Sendable {
    private let store: BlobStore
    private let name: String

    init(store: BlobStore, name: String) {
        self.store = store
        self.name = name
        store.pin(name)
    }

    deinit { store.unpin(name) }
}

/// A system call on a blob failed.
public struct BlobError: Error, Sendable, Equatable {
    public var operation: String
    public var path: String
    /// `errno`.
    public var code: Int32

    public var isNoSpace: Bool { code == ENOSPC || code == EDQUOT }

    /// - Throws: ``BlobError`` with the last call's `errno`, unless that went well.
    static func check(_ isGood: Bool, _ operation: String, _ path: String) throws(BlobError) {
        guard !isGood else { return }
        throw BlobError(operation: operation, path: path, code: errno)
    }
}
