import AgentCore
import Logging
import ProtocolModel

/// Keeps chains of layers short, in the background.
///
/// A layer that is written to no more is replaced by one that holds the same and stands further down: the file has the same
/// name, so that what is above it need not know. A guest that has the old file open keeps it, and finds the new one when it
/// is started next. Cut off anywhere, everything is as before.
extension FilePool {
    /// How long one of these may take.
    private static let timeLimit = Duration.seconds(3600)
    /// After one that came to nothing.
    private static let pause = Duration.seconds(1800)

    /// Makes one chain shorter, if one is too long; one at a time.
    /// - Returns: Whether there was one.
    @discardableResult
    package func shorten() async -> Bool {
        let mayBegin = memory.withLock { memory in
            if let next = memory.nextShortening, ContinuousClock.now < next { return false }
            guard !memory.isShortening else { return false }
            memory.isShortening = true
            return true
        }
        guard mayBegin else { return false }
        var next: ContinuousClock.Instant?
        var isDone = false
        do throws(StatusError) {
            isDone = try await shortenOne()
        } catch {
            logger.warning("cannot shorten a chain of layers", metadata: ["detail": "\(error.detail)"])
            next = ContinuousClock.now + Self.pause
        }
        memory.withLock { memory in
            memory.isShortening = false
            memory.nextShortening = next
        }
        await discard()
        return isDone
    }

    private func shortenOne() async throws(StatusError) -> Bool {
        let (usual, longest) = (settings.usualChain, settings.longestChain)
        let reserve = Int64(settings.reservedGiB) << 30
        let shortcut = try await exclusive { folder, map, memory throws(StatusError) -> LayerMap.Shortcut? in
            guard let shortcut = map.shortcut(usual: usual, longest: longest) else { return nil }
            // A guest goes on with what was taken from under it, or was never given back to it.
            guard try !folder.isWritten(shortcut.layer) else { return nil }
            let chain = map.chain(of: shortcut.layer)
            let copied = chain.prefix { $0 != shortcut.base }
            try Self.requireRoom(Self.bytes(of: Array(copied), in: folder), beside: reserve, in: folder)
            memory.parts.insert(Self.part(of: shortcut.layer))
            memory.pinned[shortcut.layer, default: 0] += 1
            return shortcut
        }
        guard let shortcut else { return false }
        let part = Self.part(of: shortcut.layer)
        defer {
            pin(shortcut.layer, -1)
            memory.withLock { _ = $0.parts.remove(part) }
        }
        try await make(shortcut, as: part)
        try await exclusive { folder, map, memory throws(StatusError) in
            // Nobody wants it any more.
            guard map.layers[shortcut.layer] != nil else { return }
            try folder.replace(shortcut.layer, by: part)
            memory.known[shortcut.layer] = nil
        }
        return true
    }

    /// The same content above another layer, or alone.
    private func make(_ shortcut: LayerMap.Shortcut, as part: String) async throws(StatusError) {
        let folder = folder
        let (source, target) = (folder.path(of: shortcut.layer), folder.path + "/" + part)
        guard let base = shortcut.base else {
            try await copiers.run { () throws(StatusError) in try folder.begin(part) }
            return try await DiskProgram.run(
                ["convert", "-q", "-f", "qcow2", "-O", "qcow2", source, target], timeLimit: Self.timeLimit)
        }
        try await copiers.run { () throws(StatusError) in try folder.copy(source, to: part, mode: 0o600) }
        try await DiskProgram.run(
            ["rebase", "-q", "-f", "qcow2", "-b", base.text, "-F", base.format.rawValue, target],
            timeLimit: Self.timeLimit)
    }

    private static func part(of layer: LayerName) -> String { layer.text + ".short" + PoolFolder.partSuffix }
}
