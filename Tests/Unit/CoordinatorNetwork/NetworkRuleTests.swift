import CoordinatorNetwork
import CoordinatorPlatform
import ProtocolModel
import Testing

/// What networks may be, and how they change.
struct NetworkRuleTests {
    private func create(
        _ cloud: TestCloud, _ change: @escaping @Sendable (inout NetworkDraft) -> Void
    ) async throws -> NetworkID {
        try await cloud.write { service, transaction in
            var draft = NetworkDraft(project: TestCloud.project)
            change(&draft)
            return try service.createNetwork(draft, viewer: .everything, at: 1, in: transaction)
        }
    }

    struct Attached: Sendable {
        var type: String?
        var physical: String?
        var tag: Int?
        /// The attachment, or the type of the refusal.
        var result: String
    }

    static let attachments = [
        Attached(result: "local"),
        Attached(type: "local", result: "local"),
        Attached(type: "local", physical: "physnet1", result: "InvalidInput"),
        Attached(type: "local", tag: 7, result: "InvalidInput"),
        Attached(physical: "physnet1", result: "InvalidInput"),
        Attached(tag: 7, result: "InvalidInput"),
        Attached(type: "flat", physical: "physnet1", result: "flat(physicalNetwork: \"physnet1\")"),
        Attached(type: "flat", result: "InvalidInput"),
        Attached(type: "flat", physical: "physnet1", tag: 7, result: "InvalidInput"),
        Attached(type: "flat", physical: "taken", result: "FlatNetworkInUse"),
        Attached(type: "vlan", physical: "physnet1", tag: 7, result: "vlan(physicalNetwork: \"physnet1\", tag: 7)"),
        Attached(type: "vlan", physical: "physnet1", result: "vlan(physicalNetwork: \"physnet1\", tag: 1)"),
        Attached(type: "vlan", physical: "busy", result: "vlan(physicalNetwork: \"busy\", tag: 3)"),
        Attached(type: "vlan", physical: "busy", tag: 2, result: "VlanIdInUse"),
        Attached(type: "vlan", physical: "busy", tag: 4094, result: "vlan(physicalNetwork: \"busy\", tag: 4094)"),
        Attached(type: "vlan", physical: "physnet1", tag: 0, result: "InvalidInput"),
        Attached(type: "vlan", physical: "physnet1", tag: 4095, result: "InvalidInput"),
        Attached(type: "vlan", tag: 7, result: "InvalidInput"),
        Attached(type: "vxlan", tag: 7, result: "vxlan(vni: 7)"),
        Attached(type: "vxlan", tag: 16_777_215, result: "vxlan(vni: 16777215)"),
        Attached(type: "vxlan", tag: 8, result: "TunnelIdInUse"),
        Attached(type: "vxlan", tag: 0, result: "InvalidInput"),
        Attached(type: "vxlan", tag: 16_777_216, result: "InvalidInput"),
        Attached(type: "vxlan", physical: "physnet1", tag: 7, result: "InvalidInput"),
        Attached(type: "geneve", result: "InvalidInput")
    ]

    @Test("a network hangs where the request says, or is refused", arguments: attachments.indices)
    func attachment(_ index: Int) async throws {
        let cloud = try await TestCloud()
        for (type, physical, tag) in [
            ("flat", "taken", nil), ("vlan", "busy", 1), ("vlan", "busy", 2), ("vxlan", nil, 8)
        ] as [(String, String?, Int?)] {
            _ = try await create(cloud) {
                ($0.networkType, $0.physicalNetwork, $0.segmentationID) = (type, physical, tag)
            }
        }
        let wanted = Self.attachments[index]
        let (id, refusal) = await cloud.attempt { service, transaction in
            var draft = NetworkDraft(project: TestCloud.project)
            (draft.networkType, draft.physicalNetwork, draft.segmentationID) = (
                wanted.type, wanted.physical, wanted.tag
            )
            return try service.createNetwork(draft, viewer: .everything, at: 1, in: transaction)
        }
        guard let id else {
            #expect(refusal == wanted.result)
            return
        }
        let spec = try #require(try await cloud.networkSpec(id))
        #expect("\(spec.attachment)" == wanted.result)
    }

    @Test("the last VLAN tag of a physical network is the end of them")
    func noTagLeft() async throws {
        let cloud = try await TestCloud()
        let refusal = await cloud.refusal { service, transaction in
            try service.setQuota(-1, of: "network", project: TestCloud.project, in: transaction)
            for _ in 1...4095 {
                var draft = NetworkDraft(project: TestCloud.project)
                draft.networkType = "vlan"
                draft.physicalNetwork = "physnet1"
                _ = try service.createNetwork(draft, viewer: .everything, at: 1, in: transaction)
            }
        }
        #expect(refusal == "NoNetworkAvailable")
    }

    static let sizes: [(Int, String)] = [
        (0, "1500"), (67, "InvalidInput"), (68, "68"), (9000, "9000"), (65_535, "65535"), (65_536, "InvalidInput"),
        (-1, "InvalidInput")
    ]

    @Test("an MTU is what the request says, the default where it says 0, and one that can be", arguments: sizes.indices)
    func mtu(_ index: Int) async throws {
        let cloud = try await TestCloud()
        let (wanted, result) = Self.sizes[index]
        for isNew in [true, false] {
            let (id, refusal) = await cloud.attempt { service, transaction in
                var draft = NetworkDraft(project: TestCloud.project)
                if isNew { draft.mtuBytes = wanted }
                let id = try service.createNetwork(draft, viewer: .everything, at: 1, in: transaction)
                var change = NetworkChange()
                if !isNew { change.mtuBytes = wanted }
                try service.updateNetwork(id, change, viewer: .everything, at: 2, in: transaction)
                return id
            }
            var bytes: Int?
            if let id { bytes = try await cloud.networkSpec(id)?.mtuBytes }
            #expect(bytes.map { "\($0)" } ?? refusal == result, "new: \(isNew)")
        }
    }

    @Test("IPv6 keeps a link's MTU at 1280 octets or more, whichever comes first")
    func mtuAndIPv6() async throws {
        let cloud = try await TestCloud()
        let network = try await cloud.network("2001:db8::/64")
        for (bytes, result) in [(1279, "NetworkMTUSubnetConflict"), (1280, "")] {
            let refusal = await cloud.refusal { service, transaction in
                var change = NetworkChange()
                change.mtuBytes = bytes
                try service.updateNetwork(network, change, viewer: .everything, at: 2, in: transaction)
            }
            #expect(refusal == result)
        }
        let small = try await create(cloud) { $0.mtuBytes = 1279 }
        let refusal = await cloud.refusal { service, transaction in
            try service.createSubnet(
                SubnetDraft(project: TestCloud.project, network: small, prefix: IPPrefix("2001:db8:1::/64")),
                viewer: .everything, at: 2,
                in: transaction)
        }
        #expect(refusal == "NetworkMTUSubnetConflict")
    }

    @Test("a change of the MTU is told to the network's nodes, another change is not")
    func told() async throws {
        let cloud = try await TestCloud()
        let network = try await cloud.network()
        func touches(_ change: NetworkChange) async throws -> Int {
            let before = cloud.plan.touchCount
            try await cloud.write { try $0.updateNetwork(network, change, viewer: .everything, at: 2, in: $1) }
            return cloud.plan.touchCount - before
        }
        var change = NetworkChange()
        change.name = "new"
        change.isAdminUp = false
        #expect(try await touches(change) == 0)
        change.mtuBytes = 1400
        #expect(try await touches(change) == 1)
        #expect(try await touches(change) == 0)
    }

    @Test("a network stays shared while others have ports in it")
    func sharing() async throws {
        let cloud = try await TestCloud()
        let network = try await cloud.network()
        var change = NetworkChange()
        change.isShared = true
        let share = change
        try await cloud.write { try $0.updateNetwork(network, share, viewer: .everything, at: 2, in: $1) }
        let port = try await cloud.port(on: network, as: TestCloud.otherProject)
        change.isShared = false
        let unshare = change
        #expect(
            await cloud.refusal { try $0.updateNetwork(network, unshare, viewer: .everything, at: 3, in: $1) }
                == "InvalidSharedSetting")
        try await cloud.write { try $0.deletePort(port, at: 4, in: $1) }
        #expect(
            await cloud.refusal { try $0.updateNetwork(network, unshare, viewer: .everything, at: 5, in: $1) } == "")
        #expect(
            await cloud.refusal { service, transaction in
                try service.createPort(
                    PortDraft(project: TestCloud.otherProject, network: network),
                    viewer: Viewer(isAdmin: false, project: TestCloud.otherProject), at: 6, in: transaction)
            } == "NetworkNotFound")
    }

    @Test("a network goes with its subnets and its service port, once no other port is left")
    func deletion() async throws {
        let cloud = try await TestCloud()
        let network = try await cloud.network()
        _ = try await cloud.reserve(server(1))
        try await cloud.bind(server(1), to: TestCloud.node1)
        #expect(await cloud.refusal { try $0.deleteNetwork(network, in: $1) } == "NetworkInUse")
        try await cloud.release(server(1))
        #expect(await cloud.refusal { try $0.deleteNetwork(network, in: $1) } == "")
        #expect(await cloud.refusal { try $0.deleteNetwork(network, in: $1) } == "NetworkNotFound")
        #expect(
            await cloud.refusal { try $0.updateNetwork(network, NetworkChange(), viewer: .everything, at: 1, in: $1) }
                == "NetworkNotFound")
        #expect(try await cloud.reserve(server(2)).isEmpty)
    }
}
