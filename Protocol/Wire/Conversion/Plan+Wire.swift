import ProtocolModel

extension ResourceKind {
    init(_ message: PBResourceKind) throws(WireError) {
        switch message {
        case .securityGroup: self = .securityGroup
        case .network: self = .network
        case .port: self = .port
        case .server: self = .server
        case .unspecified, .UNRECOGNIZED: throw .invalid("resource kind \(message.rawValue)")
        }
    }

    var wire: PBResourceKind {
        switch self {
        case .securityGroup: .securityGroup
        case .network: .network
        case .port: .port
        case .server: .server
        }
    }
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
        case nil: throw .invalid("spec: empty or of an unknown kind")
        }
    }

    var wire: PBResourceSpec {
        var message = PBResourceSpec()
        switch self {
        case .securityGroup(let spec): message.securityGroup = spec.wire
        case .network(let spec): message.network = spec.wire
        case .port(let spec): message.port = spec.wire
        case .server(let spec): message.server = spec.wire
        }
        return message
    }
}

extension PlanEntry: MessageConvertible {
    init(_ message: PBPlanEntry) throws(WireError) {
        let key = try ResourceKey(message.key)
        var spec: ResourceSpec?
        if message.hasSpec {
            let given = try ResourceSpec(message.spec)
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
