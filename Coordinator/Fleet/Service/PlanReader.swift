import CoordinatorPlatform
import ProtocolModel
import ProtocolWire

/// A part of a plan as it can be sent.
package struct PlanPart: Sendable {
    package var update: PlanUpdate
    /// What is not sent of it, or not as it is wanted.
    package var setAside: [SetAside] = []

    /// Whether it lacks an entry that its agent would take for removed: then nobody may send it.
    package var wouldRemove = false

    /// Whether nothing comes behind it, as the plan was when it was read.
    package var isLast = true
}

/// Reads updates out of the store, with the specs as they are now.
package struct PlanReader: Sendable {
    private let store = PlanStore()
    private let providers: [ResourceKind: any PlanSpecProvider]
    /// Entries that are looked at together, and so what a delta carries at most.
    static let batch = 256

    package init(providers: [any PlanSpecProvider], planBytes: Int = PlanBudget.planBytes) {
        self.planBytes = planBytes
        self.providers = Dictionary(providers.map { ($0.kind, $0) }, uniquingKeysWith: { first, _ in first })
    }

    /// Bytes of a plan in frames. A smaller number is for tests.
    private let planBytes: Int
    /// What surrounds an entry in its message, at most: a tag, and a length of up to 1 MiB.
    private static let entryFrame = 4
    /// What the frames of a plan hold beside entries: cut at half a MiB, a few hundred with some bytes each.
    private static let frames = 65_536

    /// The whole plan.
    /// - Parameter agent: `nil` for an agent that cannot be told of what is withheld.
    package func snapshot(
        of node: NodeID, for agent: AgentCapabilities?, in reader: any SQLReader
    ) throws -> PlanPart? {
        guard let position = try store.position(of: node, in: reader) else { return nil }
        var part = PlanPart(
            update: PlanUpdate(epoch: position.epoch, revision: position.revision, isSnapshot: true, entries: []))
        let entries = try store.changes(of: node, after: -1, limit: Int(Int32.max), in: reader)
        let specs = try specs(of: entries, node: node, in: reader)
        // What must not be left out has its place first: removals, and a mark for each entry that may be withheld.
        var room = planBytes - min(Self.frames, planBytes / 4)
        for entry in entries { room -= try leastBytes(of: entry, hasSpec: specs[entry.key] != nil) }
        for entry in entries {
            let least = try leastBytes(of: entry, hasSpec: specs[entry.key] != nil)
            room += least
            room -= try add(entry, specs[entry.key], for: agent, room: room, to: &part)
        }
        return part
    }

    /// What changed after `revision`, as much as fits one frame.
    /// - Returns: `nil` when nothing changed.
    package func delta(
        of node: NodeID, after revision: Int64, for agent: AgentCapabilities?, in reader: any SQLReader
    ) throws -> PlanPart? {
        guard let position = try store.position(of: node, in: reader) else { return nil }
        let entries = try store.changes(of: node, after: revision, limit: Self.batch, in: reader)
        guard !entries.isEmpty else { return nil }
        var part = PlanPart(
            update: PlanUpdate(epoch: position.epoch, revision: revision, isSnapshot: false, entries: []))
        let specs = try specs(of: entries, node: node, in: reader)
        var bytes = 0
        for entry in entries where bytes < WireLimits.divisionBytes {
            bytes += try add(entry, specs[entry.key], for: agent, room: planBytes, to: &part)
            part.update.revision = entry.generation
        }
        part.isLast = entries.count < Self.batch && part.update.revision == entries.last?.generation
        return part
    }

    /// Whether the slice that owns the resource still knows it.
    func hasSpec(_ key: ResourceKey, node: NodeID, in reader: any SQLReader) throws -> Bool {
        try providers[key.kind]?.specs(of: [key.id], on: node, in: reader)[key.id] != nil
    }

    /// Whether anything that the node shall have is made from these bytes.
    package func needsImage(_ sha512: String, on node: NodeID, in reader: any SQLReader) throws -> Bool {
        try providers.values.contains { try $0.needsImage(sha512, on: node, in: reader) }
    }

    private func specs(
        of entries: [PlanStore.Entry], node: NodeID, in reader: any SQLReader
    ) throws -> [ResourceKey: ResourceSpec] {
        var wanted: [ResourceKind: [AnyID]] = [:]
        for entry in entries where entry.isWanted { wanted[entry.key.kind, default: []].append(entry.key.id) }
        var specs: [ResourceKey: ResourceSpec] = [:]
        for (kind, ids) in wanted {
            for (id, spec) in try providers[kind]?.specs(of: ids, on: node, in: reader) ?? [:] {
                specs[ResourceKey(kind: kind, id: id)] = spec
            }
        }
        return specs
    }

    /// What the entry takes where its spec is withheld.
    private func leastBytes(of entry: PlanStore.Entry, hasSpec: Bool) throws -> Int {
        let sent = PlanEntry(
            key: entry.key, generation: entry.generation, spec: hasSpec ? try Self.mark(entry.key) : nil)
        return try sent.wireBytes.count + Self.entryFrame
    }

    private static func mark(_ key: ResourceKey) throws -> ResourceSpec {
        .opaque(try .withheld(key, reason: SetAside.tooLarge))
    }

    /// - Parameter room: Bytes that the entry may have. A removal has what it needs.
    /// - Returns: The bytes that were added.
    private func add(
        _ entry: PlanStore.Entry, _ spec: ResourceSpec?, for agent: AgentCapabilities?, room: Int,
        to part: inout PlanPart
    ) throws -> Int {
        // Written by a later release of the coordinator: no removal follows from this one not knowing what it is.
        guard providers[entry.key.kind] != nil else { return 0 }
        guard (agent ?? .unspoken).knows(entry.key.kind) else {
            part.setAside.append(
                SetAside(
                    key: entry.key, generation: entry.generation, isWanted: entry.isWanted, reason: .unknownKind))
            return 0
        }
        var sent = PlanEntry(key: entry.key, generation: entry.generation, spec: spec)
        var bytes = try sent.wireBytes.count
        if spec != nil, bytes > PlanBudget.entryBytes || bytes + Self.entryFrame > room {
            part.setAside.append(
                SetAside(
                    key: entry.key, generation: entry.generation, isWanted: true, reason: .tooLarge(bytes: bytes)))
            guard agent != nil else {
                part.wouldRemove = part.update.isSnapshot
                return 0
            }
            // It keeps what it has: left out of a snapshot, it would pass for removed.
            sent.spec = try Self.mark(entry.key)
            bytes = try sent.wireBytes.count
        }
        part.update.entries.append(sent)
        return bytes + Self.entryFrame
    }
}
