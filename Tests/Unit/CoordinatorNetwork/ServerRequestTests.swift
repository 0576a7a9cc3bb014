import CoordinatorNetwork
import CoordinatorPlatform
import ProtocolModel
import Testing

/// What the compute slice may ask, and how it is refused: in codes, never in words that it would have to read.
struct ServerRequestTests {
    /// A cloud with one network of each kind.
    private struct Setting: Sendable {
        var cloud: TestCloud
        var own: NetworkID
        var foreign: NetworkID
        var external: NetworkID
        var bare: NetworkID
        var full: NetworkID
        var usedPort: PortID
        var foreignPort: PortID
        var barePort: PortID
        var externalPort: PortID
    }

    private func makeSetting() async throws -> Setting {
        let cloud = try await TestCloud()
        let (foreign, external, bare) = try await cloud.write { service, transaction in
            var other = NetworkDraft(project: TestCloud.otherProject)
            let foreign = try service.createNetwork(other, viewer: .everything, at: 1, in: transaction)
            other.isExternal = true
            let external = try service.createNetwork(other, viewer: .everything, at: 1, in: transaction)
            let bare = try service.createNetwork(
                NetworkDraft(project: TestCloud.project), viewer: .everything, at: 1, in: transaction)
            for name in ["twin", "twin", "web"] {
                _ = try service.createGroup(
                    SecurityGroupDraft(project: TestCloud.project, name: name), at: 1, in: transaction)
            }
            return (foreign, external, bare)
        }
        let own = try await cloud.network()
        let full = try await cloud.network("192.168.0.0/30")
        _ = try await cloud.port(on: full)
        return Setting(
            cloud: cloud, own: own, foreign: foreign, external: external, bare: bare, full: full,
            usedPort: try await cloud.port(on: own) {
                $0.deviceID = "router"
                $0.setAddresses([IPAddress("10.0.0.9")].compactMap(\.self))
            },
            foreignPort: try await cloud.port(on: foreign, as: TestCloud.otherProject),
            barePort: try await cloud.port(on: own) { $0.setAddresses([]) },
            externalPort: try await cloud.port(on: external) { $0.setAddresses([]) })
    }

    private typealias Ask = @Sendable (Setting) -> (network: String?, port: String?, address: String?)

    private static let asked: [(String, Ask, @Sendable (Setting) -> String)] = [
        ("no id", { _ in ("nonsense", nil, nil) }, { _ in "notFound network nonsense" }),
        ("an unknown network", { _ in (server(7).text, nil, nil) }, { _ in "notFound network \(server(7).text)" }),
        ("a foreign network", { ($0.foreign.text, nil, nil) }, { "notFound network \($0.foreign)" }),
        ("an external network", { ($0.external.text, nil, nil) }, { "forbidden network \($0.external)" }),
        ("a network without subnets", { ($0.bare.text, nil, nil) }, { "conflict network \($0.bare)" }),
        ("a full network", { ($0.full.text, nil, nil) }, { "exhausted address \($0.full)" }),
        ("a free address", { ($0.own.text, nil, "10.0.0.77") }, { _ in "" }),
        ("a taken address", { ($0.own.text, nil, "10.0.0.9") }, { _ in "inUse address 10.0.0.9" }),
        ("an address elsewhere", { ($0.own.text, nil, "10.9.9.9") }, { _ in "invalid address " }),
        ("no address", { ($0.own.text, nil, "ten") }, { _ in "invalid address ten" }),
        ("no port id", { _ in (nil, "nonsense", nil) }, { _ in "notFound port nonsense" }),
        ("a foreign port", { (nil, $0.foreignPort.text, nil) }, { "notFound port \($0.foreignPort)" }),
        ("a port in use", { (nil, $0.usedPort.text, nil) }, { "inUse port \($0.usedPort)" }),
        ("a port on an external network", { (nil, $0.externalPort.text, nil) }, { "forbidden network \($0.external)" }),
        ("a port without address", { (nil, $0.barePort.text, nil) }, { "conflict port \($0.barePort)" })
    ]

    @Test("interfaces are reserved or refused by code, kind and name", arguments: asked.indices)
    func interfaces(_ index: Int) async throws {
        let setting = try await makeSetting()
        let (name, ask, result) = Self.asked[index]
        let (network, port, address) = ask(setting)
        let request = NetworkRequest.interfaces(
            [.init(network: network, port: port, fixedIP: address, tag: nil)], securityGroups: [])
        let (made, refusal) = await setting.cloud.attempt { service, transaction in
            try service.reservePorts(
                request, server: server(1), hostname: "web", permissions: TestCloud.permissions(TestCloud.member),
                project: TestCloud.project,
                at: 5,
                in: transaction)
        }
        #expect(refusal == result(setting), "\(name)")
        if let made { #expect(made.first?.fixedIPs.first?.address.description == address) }
        let left = try await setting.cloud.database.read { [service = setting.cloud.service] reader in
            try service.ports(of: [server(1)], in: reader)
        }
        #expect(left.isEmpty == (made == nil))
    }

    static let groups: [([String], String, [String])] = [
        ([], "", ["default"]), (["default"], "", ["default"]), (["web"], "", ["web"]),
        (["web", "default", "web"], "", ["default", "web"]), (["nope"], "notFound security_group nope", []),
        (["twin"], "ambiguous security_group twin", [])
    ]

    @Test("groups are found by name, each once", arguments: groups.indices)
    func groupNames(_ index: Int) async throws {
        let setting = try await makeSetting()
        let (names, result, found) = Self.groups[index]
        let request = NetworkRequest.interfaces(
            [.init(network: setting.own.text, port: nil, fixedIP: nil, tag: nil)], securityGroups: names)
        let refusal = await setting.cloud.refusal { service, transaction in
            try service.reservePorts(
                request, server: server(1), hostname: "web", permissions: TestCloud.permissions(TestCloud.member),
                project: TestCloud.project,
                at: 5,
                in: transaction)
        }
        #expect(refusal == result)
        let service = setting.cloud.service
        let shown = try await setting.cloud.database.read { try service.securityGroupNames(of: [server(1)], in: $0) }
        #expect(shown[server(1)] ?? [] == found)
    }

    /// Who asks, of which project the shared network is, and what comes of it.
    static let chosen: [(roles: Set<String>, isOwn: Bool, address: String?, refusal: String)] = [
        (["member", "reader"], false, "10.3.0.1", "403"), (["member", "reader"], false, "10.3.0.9", "403"),
        (["member", "reader"], false, nil, ""), (["member", "reader"], true, "10.3.0.9", ""),
        (["member", "reader"], true, "10.3.0.1", ""), (["admin"], false, "10.3.0.1", ""),
        (["reader"], true, nil, "403")
    ]

    @Test("an address is chosen by whom the network belongs to, for servers as for ports", arguments: chosen.indices)
    func addressChoice(_ index: Int) async throws {
        let (roles, isOwn, address, refusal) = Self.chosen[index]
        let cloud = try await TestCloud()
        let network = try await cloud.write { service, transaction in
            let owner = isOwn ? TestCloud.project : TestCloud.otherProject
            var draft = NetworkDraft(project: owner)
            draft.isShared = true
            let id = try service.createNetwork(draft, viewer: .everything, at: 1, in: transaction)
            let subnet = SubnetDraft(project: owner, network: id, prefix: IPPrefix("10.3.0.0/24"))
            _ = try service.createSubnet(subnet, viewer: .everything, at: 1, in: transaction)
            return id
        }
        var caller = TestCloud.member
        caller.roles = roles
        let permissions = TestCloud.permissions(caller)
        let (made, reason) = await cloud.attempt { service, transaction in
            try service.reservePorts(
                .interfaces(
                    [.init(network: network.text, port: nil, fixedIP: address, tag: nil)], securityGroups: []),
                server: server(1), hostname: "web", permissions: permissions, project: TestCloud.project, at: 5,
                in: transaction)
        }
        #expect(reason == refusal)
        #expect((made?.count ?? 0) == (refusal.isEmpty ? 1 : 0))
    }

    @Test("a project has as many ports as its quota says, also through its servers")
    func quota() async throws {
        let cloud = try await TestCloud()
        _ = try await cloud.network()
        try await cloud.write { try $0.setQuota(1, of: "port", project: TestCloud.project, in: $1) }
        #expect(try await cloud.reserve(server(1)).count == 1)
        try await cloud.bind(server(1), to: TestCloud.node1)
        let error = await #expect(throws: Refusal.self) { try await cloud.reserve(server(2)) }
        #expect(error?.code == .overQuota && error?.kind == "port")
    }

    static let hostnames: [(String, String)] = [
        ("web", "web"), ("web.example.org", "web"), ("Web_1", "web-1"), ("-a-", "a"), ("ümlaut", "mlaut"), ("", ""),
        ("...", ""), (String(repeating: "a", count: 70), String(repeating: "a", count: 63)),
        (String(repeating: "a", count: 62) + "_b", String(repeating: "a", count: 62))
    ]

    @Test("a guest's name is one that DHCP may hand out", arguments: hostnames.indices)
    func hostname(_ index: Int) async throws {
        let cloud = try await TestCloud()
        _ = try await cloud.network()
        let (name, label) = Self.hostnames[index]
        let port = try #require(try await cloud.reserve(server(1), hostname: name).first).port
        try await cloud.bind(server(1), to: TestCloud.node1)
        guard case .port(let spec) = try await cloud.spec(.port(port), on: TestCloud.node1) else {
            Issue.record("no spec")
            return
        }
        #expect(spec.hostname == label)
    }

    @Test("physical networks that a server's host must have")
    func physicalNetworks() async throws {
        let cloud = try await TestCloud()
        let network = try await cloud.write { service, transaction in
            var draft = NetworkDraft(project: TestCloud.project)
            (draft.networkType, draft.physicalNetwork) = ("flat", "physnet1")
            let id = try service.createNetwork(draft, viewer: .everything, at: 1, in: transaction)
            _ = try service.createSubnet(
                SubnetDraft(project: TestCloud.project, network: id, prefix: IPPrefix("10.7.0.0/24")),
                viewer: .everything, at: 1,
                in: transaction)
            return id
        }
        _ = try await cloud.reserve(server(1))
        let service = cloud.service
        let needed = try await cloud.database.read { reader in
            (
                try service.physicalNetworks(of: server(1), in: reader),
                try service.physicalNetworks(of: server(2), in: reader)
            )
        }
        #expect(needed.0 == ["physnet1"] && needed.1.isEmpty)
        #expect(try await cloud.networkSpec(network)?.attachment == .flat(physicalNetwork: "physnet1"))
    }
}
