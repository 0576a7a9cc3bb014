import NIOCore
import ProtocolModel

/// Cuts what may be larger than a frame. Sizes are those of the entries' bodies, so cutting costs one more encoding of
/// each entry, and only where there are several.
public enum MessageDivision {
    /// The frames of a plan update, all but the last with ``Frame/Flags/continues``.
    public static func frames(
        of update: PlanUpdate, limit: Int = WireLimits.divisionBytes
    ) throws(WireError) -> [Frame] {
        let parts = try divide(update.entries, limit: limit)
        var frames: [Frame] = []
        for (index, part) in parts.enumerated() {
            var piece = update
            piece.entries = Array(part)
            frames.append(try WireMessage.plan(piece, continues: index < parts.count - 1).frame())
        }
        return frames
    }

    /// The frames of a batch of statuses; each is a message of its own.
    public static func frames(
        of statuses: [ResourceStatus], limit: Int = WireLimits.divisionBytes
    ) throws(WireError) -> [Frame] {
        var frames: [Frame] = []
        for part in try divide(statuses, limit: limit) { frames.append(try WireMessage.statuses(Array(part)).frame()) }
        return frames
    }

    private static func divide<Item: MessageConvertible>(
        _ items: [Item], limit: Int
    ) throws(WireError) -> [ArraySlice<Item>] {
        guard items.count > 1 else { return [items[...]] }
        var parts: [ArraySlice<Item>] = []
        var start = 0
        var size = 0
        for (index, item) in items.enumerated() {
            let itemSize = try serialize(item.wire).count
            if index > start, size + itemSize > limit {
                parts.append(items[start..<index])
                start = index
                size = 0
            }
            size += itemSize
        }
        parts.append(items[start...])
        return parts
    }
}

/// Puts the frames of one plan update together again.
public struct PlanAssembler: Sendable {
    private var pending: PlanUpdate?
    private var pendingBytes = 0
    private let limit: Int

    public init(limit: Int = WireLimits.planBytes) { self.limit = limit }

    /// - Parameter bytes: The size of the frame that `part` came in.
    /// - Returns: The whole update once its last part is in.
    /// - Throws: ``WireError`` with `badBatch` when the parts do not belong together or grow beyond the limit.
    public mutating func add(
        _ part: PlanUpdate, continues: Bool, bytes: Int
    ) throws(WireError) -> PlanUpdate? {
        if pending == nil, !continues { return part }
        var whole = pending ?? part
        if pending != nil {
            guard whole.epoch == part.epoch, whole.revision == part.revision, whole.isSnapshot == part.isSnapshot
            else { throw WireError(.badBatch, "parts of revisions \(whole.revision) and \(part.revision) mixed") }
            pending = nil  // Or the append below copies the array.
            whole.entries += part.entries
        }
        pendingBytes += bytes
        guard pendingBytes <= limit else { throw WireError(.badBatch, "a plan of more than \(limit) octets") }
        guard continues else {
            pendingBytes = 0
            return whole
        }
        pending = whole
        return nil
    }
}
