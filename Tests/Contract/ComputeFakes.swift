import CoordinatorFleet
import CoordinatorImage
import CoordinatorNetwork
import CoordinatorPlacement
import CoordinatorPlatform
import ProtocolModel
import Synchronization

/// A network slice with one network, whose ports live in memory.
final class FakeNetwork: NetworkForCompute {
    struct State {
        var ports: [ServerID: [ServerPort]] = [:]
        var bound: [ServerID: NodeID] = [:]
        var next: UInt128 = 0x0A00_0002
        /// What the next request for ports meets.
        var refusal: CoordinatorPlatform.Refusal?
    }
    let state = Mutex(State())
    static let network = NetworkID(high: 0x4444_4444_4444_4444, low: 0x8444_4444_4444_4444)
    static let subnet = SubnetID(high: 0x5555_5555_5555_4555, low: 0x8555_5555_5555_5555)

    func reservePorts(
        _ request: NetworkRequest, server: ServerID, hostname: String, permissions: Permissions, project: ProjectID,
        at now: Int64, in transaction: any SQLTransaction
    ) throws -> [ServerPort] {
        if let refusal = state.withLock({ $0.refusal }) { throw refusal }
        if request == .none { return [] }
        if case .interfaces(let interfaces, _) = request {
            for interface in interfaces where interface.network.flatMap({ NetworkID($0) }) != Self.network {
                throw CoordinatorPlatform.Refusal(.notFound, "network", interface.network ?? "")
            }
        }
        return state.withLock { state in
            let address = IPAddress(family: .ipv4, bits: state.next)
            state.next += 1
            let port = ServerPort(
                port: .random(), network: Self.network, networkName: "private", mtuBytes: 1450,
                mac: MACAddress(bits: 0xFA16_3E00_0000 + UInt64(state.next & 0xFFFF)),
                fixedIPs: [.init(subnet: Self.subnet, address: address)], floatingIPs: [], status: "DOWN")
            state.ports[server] = [port]
            return [port]
        }
    }

    func bindPorts(
        of server: ServerID, to node: NodeID, availabilityZone: String, at now: Int64,
        in transaction: any SQLTransaction
    ) throws { state.withLock { $0.bound[server] = node } }

    func releasePorts(of server: ServerID, at now: Int64, in transaction: any SQLTransaction) throws {
        state.withLock { state in
            state.ports[server] = nil
            state.bound[server] = nil
        }
    }

    func ports(of servers: [ServerID], in reader: any SQLReader) throws -> [ServerID: [ServerPort]] {
        state.withLock { state in
            Dictionary(uniqueKeysWithValues: servers.compactMap { id in state.ports[id].map { (id, $0) } })
        }
    }

    func securityGroupNames(of servers: [ServerID], in reader: any SQLReader) throws -> [ServerID: [String]] {
        try ports(of: servers, in: reader).mapValues { _ in ["default"] }
    }

    func physicalNetworks(of server: ServerID, in reader: any SQLReader) throws -> Set<String> { [] }
}

/// One image that everybody can boot.
struct FakeImages: ImageForCompute {
    static let id = ImageID(high: 0x6666_6666_6666_4666, low: 0x8666_6666_6666_6666)

    static let image = BootImage(
        spec: ImageSpec(
            id: id, sha512: String(repeating: "ab", count: 64), sizeBytes: 13 << 20, format: .qcow2), name: "guest",
        minDiskGiB: 0, minMemoryMiB: 64, virtualSizeBytes: 64 << 20, properties: ["hw_disk_bus": "scsi"])

    func bootable(_ id: String, caller: Caller, in reader: any SQLReader) throws -> BootImage {
        guard ImageID(id) == Self.id else { throw Refusal(.notFound, "image", id) }
        return Self.image
    }

    func describe(_ id: ImageID, in reader: any SQLReader) throws -> BootImage? { id == Self.id ? Self.image : nil }
}

/// Takes the first host that was not tried, up to a number of servers.
final class FakePlacement: Placement {
    let claims = Mutex<[AnyID: NodeID]>([:])
    let capacity: Int

    init(capacity: Int) { self.capacity = capacity }

    func claim(
        _ request: PlacementRequest, at now: Int64, in transaction: any SQLTransaction
    ) throws -> PlacementDecision {
        claims.withLock { claims in
            var host: PlacementDecision.Host?
            let groups = FakeFleet.nodes.map { node in
                let reason =
                    request.excluded[node.id].map { "tried: \($0)" }
                    ?? (claims.values.filter { $0 == node.id }.count >= capacity ? "full" : nil)
                if reason == nil, host == nil {
                    host = PlacementDecision.Host(
                        node: node.id, hostname: node.hostname,
                        availabilityZone: node.report?.availabilityZone ?? "")
                }
                return PlacementDecision.Group(
                    isKept: reason == nil, summary: reason ?? "suitable", count: 1,
                    samples: [PlacementDecision.Sample(hostname: node.hostname, reason: reason ?? "weight 1.0")])
            }
            claims[request.consumer.id] = host?.node ?? claims[request.consumer.id]
            return PlacementDecision(
                host: host, groups: groups,
                summary: host.map { "\($0.hostname) chosen" } ?? "\(groups.count) hosts: all full")
        }
    }

    func zones(of role: NodeReport.Role, in transaction: any SQLTransaction) throws -> Set<String> {
        Set(FakeFleet.nodes.map { $0.report?.availabilityZone ?? "" })
    }

    func hasHost(
        named hostname: String, role: NodeReport.Role, in transaction: any SQLTransaction
    ) throws -> Bool { FakeFleet.nodes.contains { $0.hostname == hostname } }

    func release(_ consumer: AnyID, at now: Int64, in transaction: any SQLTransaction) throws {
        claims.withLock { $0[consumer] = nil }
    }
}

/// Two hosts, their plans and operations.
final class FakeFleet: PlanWriter, OperationDispatcher, NodeDirectory {
    struct Entry: Hashable {
        var generation: Int64
        var isWanted: Bool
    }
    struct State {
        var generation: Int64 = 0
        var plans: [NodeID: [ResourceKey: Entry]] = [:]
        var operations: [OperationID: Operation.Action] = [:]
        var down: Set<NodeID> = []
        var disabled: [NodeID: String] = [:]
        var console = "login: \n"
    }
    let state = Mutex(State())
    static let first = NodeID(high: 0x7777_7777_7777_4777, low: 0x8777_7777_7777_7771)
    static let second = NodeID(high: 0x7777_7777_7777_4777, low: 0x8777_7777_7777_7772)
    static let nodes = [make(first, 1, "host-a"), make(second, 2, "host-b")]

    private static func make(_ id: NodeID, _ number: Int, _ hostname: String) -> Node {
        let hypervisor = HypervisorReport(
            type: "QEMU", version: 7_002_000, virtType: "kvm", cpuModel: "EPYC", cpuVendor: "AMD",
            cpuArchitecture: "x86_64", cpuFeatures: ["svm"], cpuSockets: 1, cpuCores: 4, cpuThreads: 2,
            machineTypes: ["q35"], hasUEFI: true)
        let report = NodeReport(
            hostname: hostname, roles: [.compute], agentVersion: "1", availabilityZone: "",
            capacity: NodeCapacity(
                vcpus: 8, memoryMiB: 16_384, diskGiB: 100, reservedMemoryMiB: 512, reservedDiskGiB: 0,
                usedMemoryMiB: 700, freeDiskGiB: 90), hypervisor: hypervisor, physicalNetworks: [], problems: [])
        let health = NodeHealth(
            uptimeSeconds: 90_061, loadMilli: 250, usedMemoryMiB: 700, freeDiskGiB: 90, runningGuests: 0, problems: [])
        return Node(
            id: id, number: number, hostname: hostname, health: .up, isEnabled: true, disabledReason: nil,
            report: report, lastSeen: 1_767_225_600_000_000, lastHealth: health)
    }

    func put(_ key: ResourceKey, on node: NodeID, in transaction: any SQLTransaction) throws -> Int64 {
        change(key, node, isWanted: true)
    }
    func remove(_ key: ResourceKey, from node: NodeID, in transaction: any SQLTransaction) throws -> Int64 {
        change(key, node, isWanted: false)
    }
    private func change(_ key: ResourceKey, _ node: NodeID, isWanted: Bool) -> Int64 {
        state.withLock { state in
            state.generation += 1
            state.plans[node, default: [:]][key] = Entry(generation: state.generation, isWanted: isWanted)
            return state.generation
        }
    }
    func touch(_ key: ResourceKey, in transaction: any SQLTransaction) throws {}
    func nodes(holding key: ResourceKey, in reader: any SQLReader) throws -> [NodeID] {
        state.withLock { $0.plans.filter { $0.value[key]?.isWanted == true }.map(\.key) }
    }

    func entry(_ server: ServerID, on node: NodeID) -> Entry? {
        state.withLock { $0.plans[node]?[.server(server)] }
    }

    func submit(
        _ action: Operation.Action, on node: NodeID, deadline: Int64, in transaction: any SQLTransaction
    ) throws -> OperationID {
        let id = OperationID.random()
        state.withLock { $0.operations[id] = action }
        return id
    }

    func ask(
        _ action: Operation.Action, on node: NodeID, within: Duration
    ) async throws -> OperationResult {
        let (console, isDown) = state.withLock { ($0.console, $0.down.contains(node)) }
        if isDown { throw FleetError.nodeAway("host") }
        return OperationResult(id: .random(), outcome: .done(output: Array(console.utf8)))
    }

    func nodes(in reader: any SQLReader) throws -> [Node] {
        state.withLock { state in
            Self.nodes.map { node in
                var node = node
                if state.down.contains(node.id) { node.health = .down }
                node.isEnabled = state.disabled[node.id] == nil
                node.disabledReason = state.disabled[node.id]
                return node
            }
        }
    }
    func node(_ id: NodeID, in reader: any SQLReader) throws -> Node? { try nodes(in: reader).first { $0.id == id } }
    func setEnabled(_ enabled: Bool, reason: String?, node: NodeID, at now: Int64, in transaction: any SQLTransaction)
        throws
    {
        state.withLock { $0.disabled[node] = enabled ? nil : reason ?? "" }
    }
}
