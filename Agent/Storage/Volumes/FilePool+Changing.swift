import AgentCore
import ProtocolModel

/// What is done to volumes that are there, and may be in use.
extension FilePool {
    // MARK: Snapshots

    /// A guest keeps every layer open that it has seen since it was started, however short the chain has become.
    private static let mostOpenLayers = 256

    public func snapshot(_ volume: VolumeID, as snapshot: VolumeSnapshotID) async throws(StatusError) {
        let isThere = try await section { _, map throws(StatusError) in map.links[.snapshot(snapshot)] != nil }
        guard !isThere else { return }
        let layer = try await freeze(volume)
        try await section { folder, _ throws(StatusError) in try folder.link(.snapshot(snapshot), to: layer) }
    }

    /// Puts an empty layer above what a volume holds at this moment.
    /// - Returns: The layer that holds it, and is written to no more.
    func freeze(_ volume: VolumeID) async throws(StatusError) -> LayerName {
        try await finish(volume)
        guard let attached, let attachment = try await attachment(of: volume) else {
            return try await section { folder, map throws(StatusError) in
                try self.freezeIdle(volume, in: folder, map)
            }
        }
        guard attachment.isRunning else { throw .suspended(volume) }
        guard attachment.layers < Self.mostOpenLayers else { throw .tooManyOpenLayers(Self.mostOpenLayers) }
        let (active, overlay) = try await section { folder, map throws(StatusError) in
            try self.prepare(volume, in: folder, map)
        }
        let location = folder.location(of: volume)
        do throws(StatusError) {
            try await attached.snapshot(
                volume, of: attachment.server, to: folder.path(of: overlay), location: location)
        } catch {
            await abandon(volume, overlay)
            throw error
        }
        try await section { folder, map throws(StatusError) in try Self.conclude(volume, in: folder, map) }
        return active
    }

    private func freezeIdle(
        _ volume: VolumeID, in folder: PoolFolder, _ map: LayerMap
    ) throws(StatusError) -> LayerName {
        let active = try Self.idleLayer(of: volume, in: folder, map)
        let size = try folder.size(of: active)
        // Nothing was written since the last time, or that was cut off before the end.
        if let below = map.layers[active] ?? nil, !below.isImage, map.isAlone(active),
            try folder.size(of: below) == size, try folder.isUntouched(active)
        {
            return below
        }
        let overlay = map.next(of: volume, reversion: active.reversion)
        try write(overlay, sizeBytes: size, above: active, in: folder, map)
        try folder.link(.volume(volume), to: overlay)
        try folder.freeze(active)
        return active
    }

    /// The layer that a volume leads to, which no program writes to.
    private static func idleLayer(
        of volume: VolumeID, in folder: PoolFolder, _ map: LayerMap
    ) throws(StatusError) -> LayerName {
        guard let active = map.links[.volume(volume)], map.layers[active] != nil else {
            throw .notHere("volume", volume.text)
        }
        guard try !folder.isWritten(active) else { throw .inUse(volume) }
        return active
    }

    // MARK: Under a guest

    /// Makes the layer that a guest's writes are to go to, and notes that they may from now on, whatever becomes of the
    /// agent: the guest may have written to it before the volume leads there.
    private func prepare(
        _ volume: VolumeID, in folder: PoolFolder, _ map: LayerMap
    ) throws(StatusError) -> (active: LayerName, overlay: LayerName) {
        guard let active = map.links[.volume(volume)] else { throw .notHere("volume", volume.text) }
        let overlay = map.next(of: volume, reversion: active.reversion)
        try write(overlay, sizeBytes: try folder.size(of: active), above: active, in: folder, map)
        try folder.link(.pending(volume), to: overlay)
        return (active, overlay)
    }

    private static func conclude(_ volume: VolumeID, in folder: PoolFolder, _ map: LayerMap) throws(StatusError) {
        guard let overlay = map.links[.pending(volume)] else { return }
        let active = map.links[.volume(volume)]
        try folder.link(.volume(volume), to: overlay)
        try folder.remove(.pending(volume))
        if let active, active != overlay, map.layers[active] != nil { try folder.freeze(active) }
    }

    /// The hypervisor refused: unless it did it all the same, everything is as before.
    private func abandon(_ volume: VolumeID, _ overlay: LayerName) async {
        let path = folder.path(of: overlay)
        do throws(StatusError) {
            // Nobody has it any more: what the guest wrote last went to either, and the upper one shows both.
            guard let attachment = try await attachment(of: volume), attachment.path != path else { return }
            try await section { folder, _ throws(StatusError) in
                // What the hypervisor's service says may be older than what QEMU does.
                guard try !folder.isWritten(overlay) else { return }
                try folder.remove(.pending(volume))
            }
        } catch {
            return  // It stays noted, and is brought to its end later.
        }
    }

    public func finish(_ volume: VolumeID) async throws(StatusError) {
        let overlay = try await section { _, map throws(StatusError) in map.links[.pending(volume)] }
        guard let overlay else { return }
        if let attached, let attachment = try await attachment(of: volume), attachment.isRunning {
            if attachment.path != folder.path(of: overlay) {
                // Somebody wrote to the overlay, and the guest writes below it now: the two cannot be one disk again.
                let isFresh = try await section { folder, _ throws(StatusError) in try folder.isUntouched(overlay) }
                guard isFresh else { throw .inUse(volume) }
            }
            try await attached.snapshot(
                volume, of: attachment.server, to: folder.path(of: overlay), location: folder.location(of: volume))
        } else {
            // What a guest is started from next may still name the overlay, as a power cut left it.
            try await attached?.restore(volume, to: folder.location(of: volume))
        }
        try await section { folder, map throws(StatusError) in try Self.conclude(volume, in: folder, map) }
    }

    // MARK: Size

    public func extend(_ volume: VolumeID, toBytes: Int64) async throws(StatusError) {
        if let attached, let attachment = try await attachment(of: volume) {
            guard attachment.isRunning else { throw .suspended(volume) }
            return try await attached.resize(volume, of: attachment.server, toBytes: toBytes)
        }
        try await section { folder, map throws(StatusError) in
            let active = try Self.idleLayer(of: volume, in: folder, map)
            guard try folder.size(of: active) < toBytes else { return }
            let larger = map.next(of: volume, reversion: active.reversion)
            var isReplaced = map.isAlone(active)
            if isReplaced { isReplaced = try folder.isUntouched(active) }
            try self.write(
                larger, sizeBytes: toBytes, above: isReplaced ? map.layers[active] ?? nil : active, in: folder, map)
            try folder.link(.volume(volume), to: larger)
            if !isReplaced { try folder.freeze(active) }
        }
        await discard()
    }

    // MARK: Going back

    public func revert(_ volume: VolumeID, to reversion: VolumeSpec.Reversion) async throws(StatusError) {
        guard try await attachment(of: volume) == nil else { throw .inUse(volume) }
        try await section { folder, map throws(StatusError) in
            let active = try Self.idleLayer(of: volume, in: folder, map)
            guard active.reversion < reversion.version else { return }
            guard let layer = map.links[.snapshot(reversion.snapshot)], map.layers[layer] != nil else {
                throw .notHere("snapshot", reversion.snapshot.text)
            }
            let size = max(try folder.size(of: active), try folder.size(of: layer))
            let fresh = map.next(of: volume, reversion: reversion.version)
            try self.write(fresh, sizeBytes: size, above: layer, in: folder, map)
            try folder.link(.volume(volume), to: fresh)
        }
        await discard()
    }
}

extension StatusError {
    static func tooManyOpenLayers(_ limit: Int) -> StatusError {
        StatusError(
            code: .unsupported,
            message: "The volume's server has seen \(limit) snapshots of it since it was started: stop and start it.",
            detail: "\(limit) layers are open")
    }

    static func suspended(_ volume: VolumeID) -> StatusError {
        StatusError(
            code: .conflict,
            message: "The volume's server is suspended, and finds its disks as it left them: resume it first.",
            detail: "volume=\(volume)")
    }
}
