import AgentCore
import Glibc
import ProtocolModel

/// What takes as long as a file is large: done without the pool's turn, so that its other volumes go on meanwhile.
extension FilePool {
    // MARK: Images from another file system

    /// One at a time: who waits may find that what he wants was brought meanwhile.
    func copy(_ source: String, as layer: LayerName) async throws(StatusError) {
        let part = layer.text + ".copy" + PoolFolder.partSuffix
        let folder = folder
        try await copiers.run { () throws(StatusError) in
            guard !folder.exists(layer) else { return }
            self.memory.withLock { _ = $0.parts.insert(part) }
            defer { self.memory.withLock { _ = $0.parts.remove(part) } }
            try folder.copy(source, to: part, mode: 0o444)
            try self.locked { folder, _, _ throws(StatusError) in try folder.adopt(part, as: layer) }
        }
    }

    // MARK: Copies for images

    public func beginCopy(of volume: VolumeID, for operation: OperationID) async throws(StatusError) {
        let layer = try await freeze(volume)
        pin(layer, 1)
        let old = memory.withLock { $0.copies.updateValue(layer, forKey: operation) }
        if let old { pin(old, -1) }
    }

    public func copy(
        for operation: OperationID, as format: ImageSpec.DiskFormat, within limit: Duration
    ) async throws(StatusError) -> any SnapshotFile {
        guard let layer = memory.withLock({ $0.copies[operation] }) else {
            throw .notHere("copy", operation.text)
        }
        let part = Self.part(of: operation)
        memory.withLock { _ = $0.parts.insert(part) }
        let reserve = Int64(settings.reservedGiB) << 30
        try await section { folder, map throws(StatusError) in
            let needed = try Self.bytes(of: map.chain(of: layer), in: folder)
            try Self.requireRoom(needed, beside: reserve, in: folder)
            try folder.begin(part)
        }
        let target = folder.path + "/" + part
        let compression = format == .qcow2 ? ["-c"] : []
        try await DiskProgram.run(
            ["convert", "-q"] + compression + [
                "-f", layer.format.rawValue, "-O", format.rawValue, folder.path(of: layer), target
            ], timeLimit: limit)
        let workers = workers
        return try await workers.run { () throws(StatusError) in
            SnapshotOnDisk(path: target, sizeBytes: try OpenFile(target, O_RDONLY).size(), workers: workers)
        }
    }

    public func endCopy(for operation: OperationID) async {
        let part = Self.part(of: operation)
        let layer = memory.withLock { memory -> LayerName? in
            memory.parts.remove(part)
            return memory.copies.removeValue(forKey: operation)
        }
        if let layer { pin(layer, -1) }
        await discard()
    }

    private static func part(of operation: OperationID) -> String { "copy-\(operation)\(PoolFolder.partSuffix)" }

    // MARK: Room

    /// What the data of layers may take where it is not compressed.
    static func bytes(of chain: [LayerName], in folder: PoolFolder) throws(StatusError) -> Int64 {
        var total: Int64 = 0
        for layer in chain { total += try folder.allocated(layer) * (layer.isImage ? 4 : 1) }
        guard let top = chain.first else { return 0 }
        return min(total, try folder.size(of: top))
    }

    static func requireRoom(_ needed: Int64, beside reserve: Int64, in folder: PoolFolder) throws(StatusError) {
        let free = try folder.freeBytes()
        guard free < needed + reserve else { return }
        throw StatusError(
            code: .noSpace,
            message:
                "The copy may take \(needed >> 20) MiB of the volume's pool, which has \(free >> 20) MiB free: free "
                + "space there.", detail: folder.path)
    }
}
