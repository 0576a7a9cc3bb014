import AgentCore
import Glibc
import ProtocolModel
import Synchronization

/// Snapshots of root disks on their way to the coordinator.
extension FileServerStorage {
    /// What must be free beyond a snapshot: the host's other guests write as well.
    private static let reserveBytes: Int64 = 1 << 30

    private var snapshotFolder: String { settings.folder + "/snapshots" }
    private func copyPath(_ operation: OperationID) -> String { snapshotFolder + "/\(operation).copy" }
    private func filePath(_ operation: OperationID) -> String { snapshotFolder + "/\(operation).qcow2" }

    public func makeSnapshotTarget(
        of spec: ServerSpec, for operation: OperationID
    ) async throws(StatusError) -> String {
        let root = try rootPath(of: spec)
        try await begin(operation, at: root, copies: 2)
        let path = copyPath(operation)
        try await workers.run { () throws(StatusError) in
            guard let size = try ServerDisks.virtualSize(of: root),
                let bytes = Qcow2Disk.bytes(virtualSize: size, backing: nil)
            else {
                throw StatusError(
                    code: .hostFailure, message: "The server's root disk cannot be read: ask the operator.",
                    detail: root)
            }
            try Folder.write(bytes, as: "\(operation).copy", in: self.snapshotFolder, mode: 0o600)
        }
        return path
    }

    public func makeSnapshot(
        of spec: ServerSpec, for operation: OperationID, within limit: Duration
    ) async throws(StatusError) -> any SnapshotFile {
        let (copy, target) = (copyPath(operation), filePath(operation))
        let isLive = await workers.run { Folder.exists(copy) }
        let source = isLive ? copy : try rootPath(of: spec)
        if !isLive { try await begin(operation, at: source, copies: 1) }
        try await DiskProgram.run(
            ["convert", "-q", "-c", "-f", "qcow2", "-O", "qcow2", source, target], timeLimit: limit)
        let workers = workers
        return try await workers.run { () throws(StatusError) in
            try Folder.removeFile(copy)
            return SnapshotOnDisk(path: target, sizeBytes: try OpenFile(target, O_RDONLY).size(), workers: workers)
        }
    }

    public func removeSnapshot(for operation: OperationID) async {
        let paths = [copyPath(operation), filePath(operation)]
        await workers.run { for path in paths { try? Folder.removeFile(path) } }
        snapshots.withLock { _ = $0.remove(operation) }
    }

    /// Drops what an agent left that is no more: nobody waits for it.
    func removeStraySnapshots() async {
        let folder = snapshotFolder
        let current = snapshots.withLock { $0 }
        await workers.run {
            for name in (try? Folder.names(folder)) ?? [] {
                let operation = OperationID(name.prefix { $0 != "." })
                if operation.map(current.contains) != true { try? Folder.removeFile(folder + "/" + name) }
            }
        }
    }

    private func rootPath(of spec: ServerSpec) throws(StatusError) -> String {
        guard let root = disks(of: spec).first(where: { $0.role == .root }) else {
            throw StatusError(
                code: .unsupported, message: "The server has no root disk of its own: take snapshots of its volumes.",
                detail: "server=\(spec.id)")
        }
        return root.path
    }

    /// Makes sure of the room for what is written of the disk and of the image under it, so many times over.
    private func begin(_ operation: OperationID, at root: String, copies: Int64) async throws(StatusError) {
        _ = snapshots.withLock { $0.insert(operation) }
        let folder = snapshotFolder
        try await workers.run { () throws(StatusError) in
            // QEMU's user must pass through.
            try Folder.make(folder, mode: 0o711)
            let needed = try Self.writtenBytes(of: root) * copies + Self.reserveBytes
            var status = statvfs()
            guard statvfs(folder, &status) == 0 else { throw FileFailure.last("statvfs", folder) }
            let free = Int64(clamping: UInt64(status.f_bavail) * UInt64(status.f_frsize))
            guard free < needed else { return }
            throw StatusError(
                code: .noSpace,
                message: "The snapshot may take \(needed >> 20) MiB on the server's host, which has \(free >> 20) MiB "
                    + "free: free space there.",
                detail: "\(folder): \(copies) copies of \(root)")
        }
    }

    private static func writtenBytes(of path: String) throws(StatusError) -> Int64 {
        let head = try OpenFile(path, O_RDONLY).read(at: 0, count: 4096)
        var total: Int64 = 0
        for path in [path, Qcow2Disk.backingPath(head: head)].compactMap({ $0 }) {
            var status = stat()
            guard stat(path, &status) == 0 else { throw FileFailure.last("stat", path) }
            // An image under the disk may be compressed, and its copy is not.
            total += Int64(status.st_blocks) * 512 * (total == 0 ? 1 : 4)
        }
        return min(total, Qcow2Disk.virtualSize(head: head) ?? total)
    }
}

/// A file that is read piece by piece while it is sent.
struct SnapshotOnDisk: SnapshotFile {
    let path: String
    let sizeBytes: Int64
    let workers: BlockingWorkers

    func read(at offset: Int64, count: Int) async throws(StatusError) -> [UInt8] {
        try await workers.run { () throws(StatusError) in
            try OpenFile(self.path, O_RDONLY).read(at: offset, count: count)
        }
    }
}
