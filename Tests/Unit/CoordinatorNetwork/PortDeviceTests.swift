import CoordinatorNetwork
import CoordinatorPlatform
import ProtocolModel
import Testing

/// Whose interface a port is, compute alone says: `device_id` and `device_owner` are anybody's words.
struct PortDeviceTests {
    /// A cloud in which another project's server is bound, and a port of our own as well.
    private struct Scene {
        let cloud: TestCloud
        let network: NetworkID
        let spy: PortID
        /// The victim's server.
        let victim = server(7)

        init() async throws {
            cloud = try await TestCloud()
            network = try await cloud.network()
            let theirs = try await cloud.write { service, transaction in
                let id = try service.createNetwork(
                    NetworkDraft(project: TestCloud.otherProject), viewer: .everything, at: 1, in: transaction)
                let draft = SubnetDraft(
                    project: TestCloud.otherProject, network: id, prefix: IPPrefix("10.7.0.0/24"))
                _ = try service.createSubnet(draft, viewer: .everything, at: 1, in: transaction)
                return id
            }
            let victim = victim
            try await cloud.write { service, transaction in
                var caller = TestCloud.member
                caller.scope = .project(TestCloud.otherProject)
                _ = try service.reservePorts(
                    .interfaces(
                        [.init(network: theirs.text, port: nil, fixedIP: nil, tag: nil)], securityGroups: []),
                    server: victim, hostname: "victim", permissions: TestCloud.permissions(caller),
                    project: TestCloud.otherProject, at: 5,
                    in: transaction)
            }
            try await cloud.bind(victim, to: TestCloud.node1)
            spy = try #require(try await cloud.reserve(server(1)).first).port
            try await cloud.bind(server(1), to: TestCloud.node1)
        }

        func change(_ port: PortID, _ change: @escaping @Sendable (inout PortChange) -> Void) async -> String {
            await cloud.refusal { service, transaction in
                var wanted = PortChange()
                change(&wanted)
                try service.updatePort(port, wanted, viewer: .everything, at: 9, in: transaction)
            }
        }

        func interfaces(_ server: ServerID) async throws -> [PortID] {
            let service = cloud.service
            return try await cloud.database.read { try service.ports(of: [server], in: $0)[server]?.map(\.port) ?? [] }
        }

        func planned(_ port: PortID) async throws -> PortSpec? {
            guard case .port(let spec) = try await cloud.spec(.port(port), on: TestCloud.node1) else { return nil }
            return spec
        }
    }

    @Test("a bound port stays its server's, whatever is written into device_id and device_owner")
    func boundPort() async throws {
        let scene = try await Scene()
        let victim = scene.victim
        #expect(await scene.change(scene.spy) { $0.deviceID = victim.text } == "DeviceIDNotOwnedByTenant")
        // Another server of one's own, a server that is not there yet, and nothing: all words.
        for word in [server(2).text, server(99).text, ""] {
            #expect(await scene.change(scene.spy) { ($0.deviceID, $0.deviceOwner) = (word, "compute:nova") } == "")
            #expect(try await scene.planned(scene.spy)?.server == server(1), "'\(word)'")
            #expect(try await scene.interfaces(server(1)) == [scene.spy])
        }
        #expect(try await scene.interfaces(server(2)) == [])
        #expect(try await scene.interfaces(server(99)) == [])
        // What says that it is free is not.
        let taken = NetworkRequest.interfaces(
            [.init(network: nil, port: scene.spy.text, fixedIP: nil, tag: nil)], securityGroups: [])
        let error = await #expect(throws: Refusal.self) { try await scene.cloud.reserve(server(3), taken) }
        #expect(error?.code == .inUse)
        try await scene.cloud.release(server(1))
        #expect(try await scene.interfaces(server(1)).isEmpty)
        #expect(try await scene.interfaces(victim).count == 1)
    }

    @Test("a port bound nowhere becomes nobody's interface by what its creator writes")
    func unboundPort() async throws {
        let scene = try await Scene()
        let (victim, network) = (scene.victim, scene.network)
        let refused = await scene.cloud.refusal { service, transaction in
            var draft = PortDraft(project: TestCloud.project, network: network)
            draft.deviceID = victim.text
            return try service.createPort(draft, viewer: TestCloud.viewer, at: 1, in: transaction)
        }
        #expect(refused == "DeviceIDNotOwnedByTenant")
        // One's own server, and one whose id is known before it has ports.
        for target in [server(1), server(42)] {
            let before = try await scene.interfaces(target)
            let stray = try await scene.cloud.port(on: network) { $0.deviceID = target.text }
            #expect(try await scene.interfaces(target) == before)
            try await scene.cloud.bind(target, to: TestCloud.node1)
            #expect(try await scene.planned(stray) == nil)
            try await scene.cloud.release(target)
            #expect(try await scene.cloud.addresses(stray).count == 1, "it outlives a server it never belonged to")
        }
    }

    @Test("ports that call themselves network:dhcp count, serve nobody, and go with their network")
    func falseServicePorts() async throws {
        let scene = try await Scene()
        let network = scene.network
        try await scene.cloud.write { try $0.setQuota(3, of: "port", project: TestCloud.project, in: $1) }
        @Sendable func claim(_ draft: inout PortDraft) {
            draft.deviceOwner = "network:dhcp"
            draft.deviceID = "dhcp-\(network)"
        }
        let served = try await scene.cloud.networkSpec(network)?.subnets.first?.serviceAddress
        let first = try await scene.cloud.port(on: network, claim)
        _ = try await scene.cloud.port(on: network, claim)
        let refused = await scene.cloud.refusal { service, transaction in
            var draft = PortDraft(project: TestCloud.project, network: network)
            claim(&draft)
            return try service.createPort(draft, viewer: TestCloud.viewer, at: 1, in: transaction)
        }
        #expect(refused == "OverQuota [\"port\"]")
        #expect(served != nil)
        #expect(try await scene.cloud.networkSpec(network)?.subnets.first?.serviceAddress == served)
        #expect(try await scene.cloud.addresses(first).count == 1)
        try await scene.cloud.release(server(1))
        #expect(await scene.cloud.refusal { try $0.deleteNetwork(network, in: $1) } == "")
    }
}
