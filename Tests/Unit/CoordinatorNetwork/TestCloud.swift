import CoordinatorFleet
import CoordinatorNetwork
import CoordinatorPlatform
import ProtocolModel
import Synchronization

/// Plans in memory. What a transaction that is undone wrote stays: tests do not look then.
final class RecordedPlan: PlanWriter {
    struct Entry: Hashable {
        var node: NodeID
        var key: ResourceKey
    }

    private let entries = Mutex<[Entry: Int64]>([:])
    private let touches = Mutex(0)

    func put(_ key: ResourceKey, on node: NodeID, in transaction: any SQLTransaction) throws -> Int64 {
        entries.withLock { entries in
            let generation = (entries[Entry(node: node, key: key)] ?? 0) + 1
            entries[Entry(node: node, key: key)] = generation
            return generation
        }
    }

    func remove(_ key: ResourceKey, from node: NodeID, in transaction: any SQLTransaction) throws -> Int64 {
        entries.withLock { $0.removeValue(forKey: Entry(node: node, key: key)) ?? 0 }
    }

    func touch(_ key: ResourceKey, in transaction: any SQLTransaction) throws {
        touches.withLock { $0 += 1 }
        entries.withLock { entries in
            for entry in entries.keys where entry.key == key { entries[entry, default: 0] += 1 }
        }
    }

    func nodes(holding key: ResourceKey, in reader: any SQLReader) throws -> [NodeID] {
        entries.withLock { $0.keys.filter { $0.key == key }.map(\.node).sorted() }
    }

    func keys(on node: NodeID) -> Set<ResourceKey> {
        entries.withLock { Set($0.keys.filter { $0.node == node }.map(\.key)) }
    }

    func generation(of key: ResourceKey, on node: NodeID) -> Int64? {
        entries.withLock { $0[Entry(node: node, key: key)] }
    }

    var touchCount: Int { touches.withLock { $0 } }
}

struct FixedDirectory: NodeDirectory {
    var count: Int

    static func id(_ number: Int) -> NodeID { NodeID(high: 9, low: UInt64(number)) }

    func nodes(in reader: any SQLReader) throws -> [Node] {
        (1...count).map { number in
            Node(
                id: Self.id(number), number: number, hostname: "host-\(number)", health: .up, isEnabled: true,
                disabledReason: nil, report: nil, lastSeen: 0, lastHealth: nil)
        }
    }
    func node(_ id: NodeID, in reader: any SQLReader) throws -> Node? { try nodes(in: reader).first { $0.id == id } }
    func setEnabled(_ enabled: Bool, reason: String?, node: NodeID, at now: Int64, in transaction: any SQLTransaction)
        throws
    {}
}

/// A network slice over a database in memory, with three nodes and a project.
struct TestCloud: Sendable {
    let database: EmbeddedDatabase
    let plan: RecordedPlan
    let slice: NetworkSlice
    var service: NetworkService { slice.service }

    static let project = ProtocolModel.ProjectID(high: 2, low: 2)
    static let otherProject = ProtocolModel.ProjectID(high: 2, low: 3)
    static let viewer = Viewer(isAdmin: false, project: project)
    static let member = Caller(
        user: UserID(high: 3, low: 3), userName: "demo", userDomain: "default", scope: .project(project),
        projectName: "demo", roles: ["member", "reader"])
    static func permissions(_ caller: Caller) -> Permissions {
        Permissions(caller: caller, policy: NetworkSlice.policy)
    }
    static let node1 = FixedDirectory.id(1)
    static let node2 = FixedDirectory.id(2)

    init() async throws {
        database = try EmbeddedDatabase(inMemory: .init())
        plan = RecordedPlan()
        // Whoever wants another kind of network says so.
        slice = NetworkSlice(
            plan: plan, directory: FixedDirectory(count: 3), settings: NetworkSettings(tenantNetworkTypes: [.local]))
        try await Migrator(PlatformMigrations.all + NetworkSlice.migrations).migrate(database, now: 0)
    }

    /// A tenant network with one subnet.
    func network(
        _ cidr: String = "10.0.0.0/24", change: @escaping @Sendable (inout SubnetDraft) -> Void = { _ in }
    ) async throws -> NetworkID {
        let service = service
        return try await database.write { transaction in
            var network = NetworkDraft(project: Self.project)
            network.name = "private"
            let id = try service.createNetwork(network, viewer: .everything, at: 1, in: transaction)
            guard let prefix = IPPrefix(cidr) else { throw StoreError.corrupt(cidr) }
            var subnet = SubnetDraft(project: Self.project, network: id, prefix: prefix)
            change(&subnet)
            _ = try service.createSubnet(subnet, viewer: .everything, at: 1, in: transaction)
            return id
        }
    }

    @discardableResult
    func write<T: Sendable>(
        _ body: @escaping @Sendable (NetworkService, any SQLTransaction) throws -> T
    ) async throws -> T {
        let service = service
        return try await database.write { try body(service, $0) }
    }

    /// Runs what may be refused.
    /// - Returns: What came of it, and Neutron's type of the refusal, what other slices are told, or nothing.
    func attempt<T: Sendable>(
        _ body: @escaping @Sendable (NetworkService, any SQLTransaction) throws -> T
    ) async -> (made: T?, refusal: String) {
        do {
            return (try await write(body), "")
        } catch let error as APIError {
            return (nil, error.type.isEmpty ? "\(error.status)" : error.type)
        } catch let error as AddressRefusal {
            return (nil, error.neutron.type)
        } catch let error as QuotaExceeded {
            return (nil, "OverQuota \(error.excesses.map(\.name))")
        } catch let error as Refusal {
            return (nil, "\(error.code) \(error.kind) \(error.name)")
        } catch {
            return (nil, "\(error)")
        }
    }

    func refusal<T: Sendable>(
        of body: @escaping @Sendable (NetworkService, any SQLTransaction) throws -> T
    ) async -> String { await attempt(body).refusal }

    func port(
        on network: NetworkID, as project: ProjectID = Self.project,
        _ change: @escaping @Sendable (inout PortDraft) -> Void = { _ in }
    ) async throws -> PortID {
        try await write { service, transaction in
            var draft = PortDraft(project: project, network: network)
            change(&draft)
            return try service.createPort(
                draft, viewer: Viewer(isAdmin: false, project: project), at: 1, in: transaction)
        }
    }

    func addresses(_ port: PortID) async throws -> [String] {
        let service = service
        return try await database.read { try service.fixedAddresses(of: port, in: $0).map(\.description) }
    }

    func networkSpec(_ network: NetworkID) async throws -> NetworkSpec? {
        guard case .network(let spec) = try await spec(.network(network), on: Self.node1) else { return nil }
        return spec
    }

    func reserve(
        _ server: ServerID, _ request: NetworkRequest = .automatic, hostname: String = "web.example"
    ) async throws -> [ServerPort] {
        let service = service
        return try await database.write { transaction in
            try service.reservePorts(
                request, server: server, hostname: hostname, permissions: Self.permissions(Self.member),
                project: Self.project, at: 5,
                in: transaction)
        }
    }

    func bind(_ server: ServerID, to node: NodeID) async throws {
        let service = service
        try await database.write { transaction in
            try service.bindPorts(of: server, to: node, availabilityZone: "nova", at: 6, in: transaction)
        }
    }

    func release(_ server: ServerID) async throws {
        let service = service
        try await database.write { try service.releasePorts(of: server, at: 8, in: $0) }
    }

    func spec(_ key: ResourceKey, on node: NodeID) async throws -> ResourceSpec? {
        let slice = slice
        return try await database.read { reader in
            try slice.providers.first { $0.kind == key.kind }?.specs(of: [key.id], on: node, in: reader)[key.id]
        }
    }

    func report(_ key: ResourceKey, _ phase: ResourceStatus.Phase, from node: NodeID, error: StatusError? = nil)
        async throws
    {
        let slice = slice
        try await database.write { transaction in
            let status = ResourceStatus(key: key, generation: 1, phase: phase, error: error)
            try slice.consumers.first { $0.kind == key.kind }?.consume(status, from: node, at: 9, in: transaction)
        }
    }
}

func server(_ number: Int) -> ServerID { ServerID(high: 1, low: UInt64(number)) }
