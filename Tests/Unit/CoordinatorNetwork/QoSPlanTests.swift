import CoordinatorNetwork
import CoordinatorPlatform
import ProtocolModel
import Testing

@Suite("quality of service in plans")
struct QoSPlanTests {
    private let cloud: TestCloud

    init() async throws { cloud = try await TestCloud() }

    private func quality(_ port: PortID) async throws -> PortSpec.Quality? {
        guard case .port(let spec) = try await cloud.spec(.port(port), on: TestCloud.node1) else { return nil }
        return spec.quality
    }

    private func policy(_ rules: [(QoSRuleRecord.Kind, QoSRuleDraft)]) async throws -> QoSPolicyID {
        try await cloud.write { service, transaction in
            let id = try service.createQoSPolicy(
                QoSPolicyDraft(project: TestCloud.project), at: 1, in: transaction)
            for (kind, draft) in rules {
                _ = try service.createQoSRule(kind, draft, of: id, at: 1, in: transaction)
            }
            return id
        }
    }

    private func limit(_ kbps: Int, burst: Int? = nil, _ direction: QoSRuleRecord.Direction = .egress) -> QoSRuleDraft {
        var draft = QoSRuleDraft()
        draft.maxKbps = kbps
        draft.maxBurstKbps = burst
        draft.direction = direction
        return draft
    }

    private func give(_ policy: QoSPolicyID?, to port: PortID) async throws {
        try await cloud.write { service, transaction in
            var change = PortChange()
            change.qosPolicy = .some(policy)
            try service.updatePort(port, change, viewer: TestCloud.viewer, at: 5, in: transaction)
        }
    }

    private func give(_ policy: QoSPolicyID?, to network: NetworkID) async throws {
        try await cloud.write { service, transaction in
            var change = NetworkChange()
            change.qosPolicy = .some(policy)
            try service.updateNetwork(network, change, viewer: TestCloud.viewer, at: 5, in: transaction)
        }
    }

    @Test("a port is told its own policy, else its network's, and hears of every change")
    func told() async throws {
        let network = try await cloud.network()
        let ports = try await cloud.reserve(server(1))
        let port = try #require(ports.first?.port)
        try await cloud.bind(server(1), to: TestCloud.node1)
        #expect(try await quality(port) == PortSpec.Quality())
        var mark = QoSRuleDraft()
        mark.dscp = 46
        let common = try await policy([(.dscpMarking, mark), (.bandwidthLimit, limit(800, .ingress))])
        let own = try await policy([(.bandwidthLimit, limit(1000, burst: 80))])
        func generation() -> Int64 { cloud.plan.generation(of: .port(port), on: TestCloud.node1) ?? 0 }
        var seen = generation()
        func hears(_ what: String) {
            #expect(generation() > seen, "\(what) was not told")
            seen = generation()
        }

        try await give(common, to: network)
        hears("the network's policy")
        #expect(
            try await quality(port)
                == PortSpec.Quality(
                    toGuest: .init(bitsPerSecond: 800_000, burstBytes: 80_000), dscp: 46))
        try await give(own, to: port)
        hears("the port's policy")
        #expect(
            try await quality(port)
                == PortSpec.Quality(fromGuest: .init(bitsPerSecond: 1_000_000, burstBytes: 10_000)))
        // What the network has does not concern it now.
        try await give(nil, to: network)
        #expect(generation() == seen)
        let rule = try await cloud.write { [limit] service, transaction in
            try service.createQoSRule(.bandwidthLimit, limit(0, nil, .ingress), of: own, at: 6, in: transaction)
        }
        hears("a new rule")
        #expect(try await quality(port)?.toGuest == nil, "0 limits nothing")
        _ = try await cloud.write { [limit] service, transaction in
            try service.updateQoSRule(rule, limit(2_147_483_647, nil, .ingress), at: 7, in: transaction)
        }
        hears("a changed rule")
        #expect(try await quality(port)?.toGuest?.bitsPerSecond == 2_147_483_647_000)
        try await cloud.write { try $0.deleteQoSRule(rule, at: 8, in: $1) }
        hears("a rule that went")
        try await give(nil, to: port)
        hears("a policy that went")
        #expect(try await quality(port) == PortSpec.Quality())
    }

    @Test("policies go with their project, but for those that others use")
    func holdings() async throws {
        let (free, used) = (try await policy([(.bandwidthLimit, limit(1))]), try await policy([]))
        let network = try await cloud.network()
        try await give(used, to: network)
        _ = try await cloud.port(on: network)
        let holdings = try #require(cloud.slice.holdings.first)
        let before = try await cloud.database.read { try holdings.remaining(of: TestCloud.project, in: $0) }
        #expect(before.first { $0.kind == "QoS rule set" }?.count == 2)
        try await cloud.write { service, transaction in
            try holdings.remove(
                everythingOf: TestCloud.project,
                by: RemovalOrigin(
                    permissions: TestCloud.permissions(TestCloud.member), requestID: "", now: 9),
                in: transaction)
        }
        let after = try await cloud.database.read { try holdings.remaining(of: TestCloud.project, in: $0) }
        #expect(after.allSatisfy { $0.count == 0 }, "\(after)")
        _ = (free, used)
    }
}
