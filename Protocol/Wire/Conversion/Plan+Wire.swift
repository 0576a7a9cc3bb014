import ProtocolModel

extension ResourceKind {
    /// Kinds of a newer release are kept as they are; zero and less is what nobody sends.
    init(_ message: PBResourceKind) throws(WireError) {
        guard message.rawValue > 0 else { throw .invalid("resource kind \(message.rawValue)") }
        self.init(rawValue: message.rawValue)
    }

    var wire: PBResourceKind { PBResourceKind(rawValue: rawValue) ?? .unspecified }
}

extension ResourceKey: MessageConvertible {
    init(_ message: PBResourceKey) throws(WireError) {
        self.init(
            kind: try ResourceKind(message.kind), id: try AnyID(octets: message.id, field: "key.id"))
    }

    var wire: PBResourceKey {
        .with {
            $0.kind = kind.wire
            $0.id = .init(id.octets)
        }
    }
}

extension ResourceSpec: MessageConvertible {
    init(_ message: PBResourceSpec) throws(WireError) {
        switch message.spec {
        case .securityGroup(let spec)?: self = .securityGroup(try SecurityGroupSpec(spec))
        case .network(let spec)?: self = .network(try NetworkSpec(spec))
        case .port(let spec)?: self = .port(try PortSpec(spec))
        case .server(let spec)?: self = .server(try ServerSpec(spec))
        case .router(let spec)?: self = .router(try RouterSpec(spec))
        case .volume(let spec)?: self = .volume(try VolumeSpec(spec))
        case .volumeSnapshot(let spec)?: self = .volumeSnapshot(try VolumeSnapshotSpec(spec))
        case .withheld(let withheld)?: throw .invalid(withheld.reason)
        case nil: throw .invalid("spec: empty or of an unknown kind")
        }
    }

    /// What cannot be read is kept as it came: it costs its own entry, and nothing else.
    init(_ message: PBResourceSpec, of key: ResourceKey) throws(WireError) {
        do {
            self = try Self(message)
        } catch {
            var spec = OpaqueSpec(key: key, bytes: try serialize(message), problem: error.detail)
            if case .withheld? = message.spec { spec.isWithheld = true }
            self = .opaque(spec)
        }
    }

    var wire: PBResourceSpec {
        var message = PBResourceSpec()
        switch self {
        case .securityGroup(let spec): message.securityGroup = spec.wire
        case .network(let spec): message.network = spec.wire
        case .port(let spec): message.port = spec.wire
        case .server(let spec): message.server = spec.wire
        case .router(let spec): message.router = spec.wire
        case .volume(let spec): message.volume = spec.wire
        case .volumeSnapshot(let spec): message.volumeSnapshot = spec.wire
        // The bytes are those of such a message.
        case .opaque(let spec): return (try? parse(spec.bytes)) ?? message
        }
        return message
    }
}

extension OpaqueSpec {
    /// In place of a spec that cannot be sent.
    /// - Parameter reason: For the tenant.
    public static func withheld(_ key: ResourceKey, reason: String) throws(WireError) -> OpaqueSpec {
        let message = PBResourceSpec.with { $0.withheld = .with { $0.reason = reason } }
        return OpaqueSpec(key: key, bytes: try serialize(message), problem: reason, isWithheld: true)
    }
}

extension PlanEntry: MessageConvertible {
    init(_ message: PBPlanEntry) throws(WireError) {
        let key = try ResourceKey(message.key)
        var spec: ResourceSpec?
        if message.hasSpec {
            let given = try ResourceSpec(message.spec, of: key)
            guard given.key == key else { throw .invalid("entry: key \(key) does not name its spec \(given.key)") }
            spec = given
        }
        self.init(key: key, generation: message.generation, spec: spec)
    }

    var wire: PBPlanEntry {
        .with {
            $0.key = key.wire
            $0.generation = generation
            if let spec { $0.spec = spec.wire }
        }
    }
}

extension PlanUpdate: MessageConvertible {
    init(_ message: PBPlanUpdate) throws(WireError) {
        self.init(
            epoch: message.epoch, revision: message.revision, isSnapshot: message.isSnapshot,
            entries: try message.entries.converted { entry throws(WireError) in try PlanEntry(entry) })
    }

    var wire: PBPlanUpdate {
        .with {
            $0.epoch = epoch
            $0.revision = revision
            $0.isSnapshot = isSnapshot
            $0.entries = entries.map(\.wire)
        }
    }
}

extension PlanPosition: MessageConvertible {
    init(_ message: PBPlanPosition) { self.init(epoch: message.epoch, revision: message.revision) }

    var wire: PBPlanPosition {
        .with {
            $0.epoch = epoch
            $0.revision = revision
        }
    }
}
