import AgentCore
import Glibc
import Logging
import ProtocolModel
import Synchronization

/// Volumes as qcow2 layers in one folder.
///
/// A volume is a link to the layer that its writes go to. A snapshot is a link to a layer that is written to no more: a
/// new, empty layer was put above it, and the volume leads there. A clone is an empty layer above a snapshot's, or above
/// an image. Each takes one small file and one rename, whatever the volume's size. What nothing leads to is discarded.
public final class FilePool: VolumeBackend {
    public struct Settings: Sendable, Equatable {
        /// Absolute. Every folder above it must let other users pass (`o+x`), since QEMU runs as one.
        public var folder: String
        /// Free space below which nothing new is put into the pool.
        public var reservedGiB: Int
        /// What volumes may be promised in all, in hundredths of the pool's size.
        public var overcommitPercent: Int
        /// How many files a guest opens for a volume at most.
        public var longestChain: Int
        /// Chains with more files than this are shortened in the background.
        public var usualChain: Int

        public init(
            folder: String, reservedGiB: Int = 1, overcommitPercent: Int = 2_000, longestChain: Int = 48,
            usualChain: Int = 12
        ) {
            self.folder = folder
            self.reservedGiB = reservedGiB
            self.overcommitPercent = overcommitPercent
            self.longestChain = longestChain
            self.usualChain = usualChain
        }
    }

    /// What is remembered between calls.
    struct Memory: Sendable {
        /// What layers are above that were seen before: it never changes.
        var known: [LayerName: LayerName?] = [:]
        /// What is used by something that no link leads to yet.
        var pinned: [LayerName: Int] = [:]
        /// Files that are being made without the pool's turn.
        var parts: Set<String> = []
        /// What is being copied for images.
        var copies: [OperationID: LayerName] = [:]
        /// A chain is being shortened.
        var isShortening = false
        /// After a failure.
        var nextShortening: ContinuousClock.Instant?
    }

    let settings: Settings
    let folder: PoolFolder
    let images: any ImageFiles
    let attached: (any AttachedVolumes)?
    let workers: BlockingWorkers
    /// For what takes as long as its file is large.
    let copiers: BlockingWorkers
    let logger: Logger
    let memory = Mutex(Memory())

    /// - Parameter attached: `nil` on a host that runs no guests.
    public convenience init(
        _ settings: Settings, images: any ImageFiles, attached: (any AttachedVolumes)?, logger: Logger
    ) {
        self.init(settings, images: images, attached: attached, logger: logger, faults: nil)
    }

    package init(
        _ settings: Settings, images: any ImageFiles, attached: (any AttachedVolumes)?, logger: Logger,
        faults: (@Sendable (String) throws(StatusError) -> Void)?
    ) {
        self.settings = settings
        self.images = images
        self.attached = attached
        self.logger = logger
        folder = PoolFolder(path: settings.folder, faults: faults)
        workers = BlockingWorkers(label: "skerry.pool", count: 2)
        copiers = BlockingWorkers(label: "skerry.pool.copy", count: 1)
    }

    public var backendName: String { "file" }

    public func location(of volume: VolumeID) -> VolumeLocation {
        VolumeLocation(path: folder.location(of: volume), format: .qcow2)
    }

    // MARK: Looking

    public func observe() async throws(StatusError) -> PoolContents {
        try await section { folder, map throws(StatusError) in
            var contents = PoolContents()
            for (link, layer) in map.links where map.layers[layer] != nil {
                switch link {
                case .volume(let id):
                    contents.volumes[id] = StoredVolume(
                        sizeBytes: try folder.size(of: layer),
                        allocatedBytes: Self.roughly(try folder.allocated(layer)), reversion: layer.reversion,
                        isUnfinished: map.links[.pending(id)] != nil)
                case .snapshot(let id): contents.snapshots[id] = StoredSnapshot(sizeBytes: try folder.size(of: layer))
                case .pending: continue
                }
            }
            return contents
        }
    }

    private static func roughly(_ bytes: Int64) -> Int64 { ((bytes + (1 << 26) - 1) >> 26) << 26 }

    public func capacity() async throws(StatusError) -> PoolCapacity {
        let settings = settings
        return try await section { folder, map throws(StatusError) in
            try folder.make()
            var status = statvfs()
            guard statvfs(folder.path, &status) == 0 else { throw FileFailure.last("statvfs", folder.path) }
            let block = UInt64(status.f_frsize)
            let total = Int((UInt64(status.f_blocks) * block) >> 30)
            let free = Int((UInt64(status.f_bavail) * block) >> 30)
            var promised: Int64 = 0
            for case (.volume, let layer) in map.links where map.layers[layer] != nil {
                promised += try folder.size(of: layer)
            }
            let lost = map.links.filter { map.layers[$0.value] == nil }.keys.map(\.text).sorted()
            return PoolCapacity(
                totalGiB: total, freeGiB: free,
                problem: settings.problem(total: total, free: free, promised: Int(promised >> 30), lost: lost))
        }
    }

    // MARK: Making

    public func create(_ spec: VolumeSpec) async throws(StatusError) {
        try await checkRoom(for: spec)
        switch spec.source {
        case .empty: try await make(spec, above: nil)
        case .image(let image):
            let layer = LayerName(image)
            pin(layer, 1)
            defer { pin(layer, -1) }
            try await take(image, as: layer, sizeBytes: spec.sizeBytes)
            try await make(spec, above: layer)
        case .snapshot(let snapshot, of: _):
            let layer = try await section { _, map throws(StatusError) in
                guard let layer = map.links[.snapshot(snapshot)] else { throw .notHere("snapshot", snapshot.text) }
                return layer
            }
            try await make(spec, above: layer)
        case .volume(let volume):
            // A repetition must not put another layer on the source.
            guard try await !exists(.volume(spec.id)) else { return }
            try await make(spec, above: try await freeze(volume))
        }
    }

    private func exists(_ link: LinkName) async throws(StatusError) -> Bool {
        try await section { _, map throws(StatusError) in map.links[link] != nil }
    }

    private func checkRoom(for spec: VolumeSpec) async throws(StatusError) {
        let capacity = try await capacity()
        guard !capacity.problem.isEmpty, try await !exists(.volume(spec.id)) else { return }
        throw StatusError(
            code: .noSpace, message: "The host's storage pool takes nothing new: \(capacity.problem).",
            detail: "pool \(folder.path): \(capacity.freeGiB) of \(capacity.totalGiB) GiB free")
    }

    private func take(_ image: ImageSpec, as layer: LayerName, sizeBytes: Int64) async throws(StatusError) {
        let source = images.path(of: image)
        let isThere = try await section { folder, map throws(StatusError) in
            if map.layers[layer] != nil { return true }
            return try folder.takeAtOnce(source, as: layer)
        }
        if !isThere { try await copy(source, as: layer) }
        try await section { folder, _ throws(StatusError) in
            let size = try folder.size(of: layer)
            guard size <= sizeBytes else {
                throw StatusError(
                    code: .badImage,
                    message: "The image needs a volume of \((size + (1 << 30) - 1) >> 30) GiB: use a larger one.",
                    detail: "image=\(image.id) virtual size \(size) bytes")
            }
        }
    }

    /// An empty layer above another becomes the volume, with what that holds.
    private func make(_ spec: VolumeSpec, above below: LayerName?) async throws(StatusError) {
        try await section { folder, map throws(StatusError) in
            guard map.links[.volume(spec.id)] == nil else { return }
            var size = spec.sizeBytes
            if let below { size = max(size, try folder.size(of: below)) }
            try folder.make()
            // What it is to go back to is a matter of its past elsewhere.
            let layer = map.next(of: spec.id, reversion: spec.reversion?.version ?? 0)
            try self.write(layer, sizeBytes: size, above: below, in: folder, map)
            try folder.link(.volume(spec.id), to: layer)
        }
    }

    func write(
        _ layer: LayerName, sizeBytes: Int64, above below: LayerName?, in folder: PoolFolder, _ map: LayerMap
    ) throws(StatusError) {
        if let below {
            guard map.layers[below] != nil else { throw .notHere("layer", below.text) }
            guard map.depth(of: below) < settings.longestChain else { throw .tooManyLayers(settings.longestChain) }
        }
        let backing = below.map { Qcow2Disk.Backing(path: $0.text, format: $0.format.rawValue) }
        guard let bytes = Qcow2Disk.bytes(virtualSize: sizeBytes, backing: backing) else {
            throw StatusError(
                code: .unsupported, message: "No volume of \(sizeBytes) bytes can be made: use another size.",
                detail: layer.text)
        }
        try folder.write(bytes, as: layer)
    }

    // MARK: Removing

    public func remove(_ volume: VolumeID) async throws(StatusError) {
        guard try await attachment(of: volume) == nil else { throw .inUse(volume) }
        try await section { folder, map throws(StatusError) in
            guard let active = map.links[.volume(volume)] else { return }
            if map.layers[active] != nil, try folder.isWritten(active) { throw .inUse(volume) }
            if map.links[.pending(volume)] != nil { try folder.remove(.pending(volume)) }
            try folder.remove(.volume(volume))
        }
        await discard()
    }

    public func remove(_ snapshot: VolumeSnapshotID) async throws(StatusError) {
        try await section { folder, map throws(StatusError) in
            if map.links[.snapshot(snapshot)] != nil { try folder.remove(.snapshot(snapshot)) }
        }
        await discard()
    }

    public func tick() async {
        await discard()
        // As long as that takes: nobody waits for it.
        Task { await shorten() }
    }

    /// Discards what nothing leads to. What cannot be discarded now is next time.
    func discard() async {
        do throws(StatusError) {
            try await exclusive { folder, map, memory throws(StatusError) in
                for part in map.parts where !memory.parts.contains(part) { try folder.discard(part) }
                // A guest may write to a layer that no link leads to any more, or not yet again.
                var kept = Set(memory.pinned.keys)
                for layer in map.unreachable(pinned: kept) where !layer.isImage {
                    if try folder.isWritten(layer) { kept.insert(layer) }
                }
                for layer in map.unreachable(pinned: kept) { try folder.discard(layer.text) }
            }
        } catch {
            logger.warning("cannot tidy a storage pool up", metadata: ["detail": "\(error.detail)"])
        }
    }

    // MARK: Helpers

    /// - Returns: The one guest that has the volume.
    func attachment(of volume: VolumeID) async throws(StatusError) -> VolumeAttachment? {
        guard let attached else { return nil }
        let all = try await attached.attachments()[volume] ?? []
        // QEMU locks the files, so two can have it only while one of them is being moved.
        guard all.count <= 1 else { throw .inUse(volume) }
        return all.first
    }

    func pin(_ layer: LayerName, _ change: Int) {
        memory.withLock { memory in
            let count = memory.pinned[layer, default: 0] + change
            memory.pinned[layer] = count > 0 ? count : nil
        }
    }

    /// Looks at the pool and changes it, on a thread that may block and with nobody else doing so.
    func section<Value: Sendable>(
        _ body: @escaping @Sendable (PoolFolder, LayerMap) throws(StatusError) -> Value
    ) async throws(StatusError) -> Value {
        try await exclusive { folder, map, _ throws(StatusError) in try body(folder, map) }
    }

    func exclusive<Value: Sendable>(
        _ body: @escaping @Sendable (PoolFolder, LayerMap, inout Memory) throws(StatusError) -> Value
    ) async throws(StatusError) -> Value {
        try await workers.run { () throws(StatusError) -> Value in try self.locked(body) }
    }

    /// The same, for who is on a thread that may block already.
    func locked<Value: Sendable>(
        _ body: (PoolFolder, LayerMap, inout Memory) throws(StatusError) -> Value
    ) throws(StatusError) -> Value {
        let result: Result<Value, StatusError> = memory.withLock { memory in
            do throws(StatusError) {
                let map = try folder.map(memory.known)
                memory.known = map.layers
                return .success(try body(folder, map, &memory))
            } catch {
                return .failure(error)
            }
        }
        return try result.get()
    }
}

/// Where images are that were fetched.
public protocol ImageFiles: Sendable {
    func path(of image: ImageSpec) -> String
}

extension FilePool.Settings {
    /// Why nothing new may be put into the pool.
    func problem(total: Int, free: Int, promised: Int, lost: [String]) -> String {
        if let first = lost.first { return "\(lost.count) of its volumes and snapshots have no data (\(first))" }
        if free < reservedGiB { return "\(free) GiB are free, and \(reservedGiB) GiB are to stay so" }
        if promised * 100 > total * overcommitPercent {
            return "\(promised) GiB are promised to volumes, and the pool has \(total) GiB"
        }
        return ""
    }
}

extension StatusError {
    static func notHere(_ what: String, _ name: String) -> StatusError {
        StatusError(
            code: .hostFailure, message: "The \(what) that this is made from is not on the host.", detail: name)
    }

    static func tooManyLayers(_ limit: Int) -> StatusError {
        StatusError(
            code: .unsupported,
            message: "The volume stands on too many snapshots and clones: delete some, or copy it into a new volume.",
            detail: "\(limit) layers")
    }
}
