import CoordinatorFleet
import CoordinatorNetwork
import CoordinatorPlatform
import ProtocolModel

/// The network API over a database in memory, with one node and no plans.
struct NetworkCloud: Sendable {
    let harness: APIHarness
    let slice: NetworkSlice

    init() async throws {
        slice = NetworkSlice(plan: NetworkNoPlan(), directory: NetworkOneNode())
        harness = try await APIHarness(services: slice.apis, migrations: NetworkSlice.migrations)
    }

    /// Sends `{"network": body}` and gives the resource in the answer.
    func make(_ kind: String, _ body: JSON, as caller: TestCaller = .member) async throws -> JSON {
        let path = kind.replacing("_", with: "-") + "s"
        let answer = await harness.post("/network/v2.0/\(path)", .object([kind: body]), as: caller)
        guard answer.status == 201, let made = answer.json[kind] else { throw NetworkRefusal(answer: answer) }
        return made
    }

    func makeNetwork(_ body: JSON = ["name": "net"], as caller: TestCaller = .member) async throws -> String {
        try await make("network", body, as: caller)["id"]?.stringValue ?? ""
    }

    func makeSubnet(_ network: String, _ cidr: String = "10.1.0.0/24", _ more: [String: JSON] = [:]) async throws
        -> JSON
    {
        var body: [String: JSON] = [
            "network_id": JSON(network), "cidr": JSON(cidr), "ip_version": JSON(cidr.contains(":") ? 6 : 4)
        ]
        body.merge(more) { $1 }
        return try await make("subnet", .object(body))
    }
}

struct NetworkRefusal: Error, CustomStringConvertible {
    let answer: Answer
    var description: String { "\(answer.status) \(answer.json)" }
}

struct NetworkNoPlan: PlanWriter {
    func put(_ key: ResourceKey, on node: NodeID, in transaction: any SQLTransaction) throws -> Int64 { 1 }
    func remove(_ key: ResourceKey, from node: NodeID, in transaction: any SQLTransaction) throws -> Int64 { 1 }
    func touch(_ key: ResourceKey, in transaction: any SQLTransaction) throws {}
    func nodes(holding key: ResourceKey, in reader: any SQLReader) throws -> [NodeID] { [] }
}

struct NetworkOneNode: NodeDirectory {
    static let node = NodeID(high: 9, low: 1)

    func nodes(in reader: any SQLReader) throws -> [Node] {
        let report = NodeReport(
            hostname: "host-1", roles: [.compute, .network], agentVersion: "1.0", availabilityZone: "nova",
            capacity: NodeCapacity(
                vcpus: 8, memoryMiB: 16_384, diskGiB: 200, reservedMemoryMiB: 512, reservedDiskGiB: 0, usedMemoryMiB: 0,
                freeDiskGiB: 200),
            hypervisor: HypervisorReport(
                type: "QEMU", version: 1, virtType: "qemu", cpuModel: "", cpuVendor: "", cpuArchitecture: "x86_64",
                cpuFeatures: [], cpuSockets: 1, cpuCores: 8, cpuThreads: 1, machineTypes: [], hasUEFI: false),
            physicalNetworks: ["physnet1"], problems: [])
        return [
            Node(
                id: Self.node, number: 1, hostname: "host-1", health: .up, isEnabled: true, disabledReason: nil,
                report: report, lastSeen: 0, lastHealth: nil)
        ]
    }
    func node(_ id: NodeID, in reader: any SQLReader) throws -> Node? { try nodes(in: reader).first { $0.id == id } }
    func setEnabled(_ enabled: Bool, reason: String?, node: NodeID, at now: Int64, in transaction: any SQLTransaction)
        throws
    {}
}

extension JSON {
    /// The `index`th member of the list `key`.
    func item(_ key: String, _ index: Int = 0) -> JSON? {
        guard let items = self[key]?.arrayValue, items.indices.contains(index) else { return nil }
        return items[index]
    }

    var neutronType: String? { self["NeutronError"]?["type"]?.stringValue }
    var neutronMessage: String? { self["NeutronError"]?["message"]?.stringValue }
}
