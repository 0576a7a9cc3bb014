import AgentCore
import AgentNetwork
import Glibc
import ProtocolModel
import Testing

/// Address scopes of a router's interfaces: the rules, and what they let through on a real kernel.
struct RouterScopeTests {
    private static func scope(_ number: UInt64) -> AddressScopeID { Fixture.id(number) }

    /// The tenant's network, another one, and the outside, in these scopes.
    private static func router(
        _ first: AddressScopeID?, _ second: AddressScopeID?, outside: AddressScopeID? = nil, _ scene: RouterScene
    ) -> RouterSpec {
        var router = scene.router
        router.interfaces[0].addresses[0].scope = first
        router.interfaces.append(
            .init(
                port: Fixture.id(0x53), network: scene.second.id, mac: Fixture.mac("fa:16:3e:00:00:53"), mtuBytes: 1450,
                addresses: [
                    .init(
                        subnet: Fixture.id(0x43), address: Fixture.address("10.0.1.1"), prefixLength: 24, scope: second)
                ]))
        router.gateway?.interface.addresses[0].scope = outside
        return router
    }

    private func chain(_ name: String, of table: String, _ router: RouterSpec) -> [String] {
        RouterRules.tables(router)[.ipv4]?.first { $0.name == table }?.chains[name] ?? []
    }

    @Test("a router without scopes has no rules for them")
    func none() {
        let router = Self.router(nil, nil, RouterScene())
        #expect(chain("skerry-scope", of: "filter", router) == [])
        #expect(chain("skerry-mark", of: "mangle", router).count == 1)
    }

    @Test("each interface marks what comes in, and lets out only what has its mark; what is translated may leave")
    func rules() {
        var router = Self.router(Self.scope(0x91), nil, outside: Self.scope(0x92), RouterScene())
        #expect(
            chain("skerry-mark", of: "mangle", router).dropFirst() == [
                "-i rti00000051-51 -j MARK --set-xmark 0x20000/0xffff0000",
                "-i rti00000052-52 -j MARK --set-xmark 0x30000/0xffff0000",
                "-i rti00000053-53 -j MARK --set-xmark 0x10000/0xffff0000"
            ])
        let blocking = [
            "-m conntrack --ctstate RELATED,ESTABLISHED -j RETURN", "-m conntrack --ctstate DNAT -j RETURN",
            "-s 10.0.0.5/32 -o rti00000052-52 -j RETURN",
            "-o rti00000051-51 -m mark ! --mark 0x20000/0xffff0000 -j DROP",
            "-o rti00000053-53 -m mark ! --mark 0x10000/0xffff0000 -j DROP"
        ]
        #expect(chain("skerry-scope", of: "filter", router) == blocking)
        #expect(
            chain("skerry-snat", of: "nat", router).contains(
                "-o rti00000052-52 -m mark --mark 0x30000/0xffff0000 -j RETURN"))
        router.gateway?.isSNATEnabled = false
        #expect(
            chain("skerry-scope", of: "filter", router).contains(
                "-o rti00000052-52 -m mark ! --mark 0x30000/0xffff0000 -j DROP"))
    }

    @Test("a scope of IPv6 says nothing of IPv4")
    func families() {
        var router = Self.router(nil, nil, RouterScene())
        router.interfaces[0].addresses.append(
            .init(
                subnet: Fixture.id(0x44), address: Fixture.address("2001:db8::1"), prefixLength: 64,
                scope: Self.scope(0x91)))
        #expect(chain("skerry-scope", of: "filter", router) == [])
        let tables = RouterRules.tables(router)[.ipv6] ?? []
        #expect(
            tables.first { $0.name == "filter" }?.chains["skerry-scope"]?.last
                == "-o rti00000051-51 -m mark ! --mark 0x20000/0xffff0000 -j DROP")
        #expect(tables.first { $0.name == "mangle" }?.chains["skerry-mark"]?.count == 1)
    }

    @Test(
        "on a real kernel: apart in two scopes, together in one, and out either way",
        .enabled(if: getuid() == 0, "needs root, to make network namespaces"))
    func traffic() async throws {
        let scene = RouterScene()
        let stage = try await scene.stage()
        do {
            try await traffic(scene, stage)
        } catch {
            await stage.end()
            throw error
        }
        await stage.end()
    }

    private func traffic(_ scene: RouterScene, _ stage: RouterScene.Stage) async throws {
        let (one, two) = (Self.scope(0x91), Self.scope(0x92))
        try await stage.settle(Self.router(one, one, scene))
        let (near, far) = (try await stage.guest(0x2b), try await stage.guest(0x2d))
        defer {
            near.end()
            far.end()
        }
        #expect(await stage.ping(near.shell, "10.0.1.5"))
        #expect(await stage.ping(far.shell, "10.0.0.5"))
        try await stage.settle(Self.router(one, two, scene))
        #expect(await !stage.ping(near.shell, "10.0.1.5"))
        #expect(await !stage.ping(far.shell, "10.0.0.5"))
        #expect(await stage.ping(near.shell, "198.51.100.9"), "out, with the floating IP")
        #expect(await stage.ping(far.shell, "198.51.100.9"), "out, with the router's address")
        #expect(await stage.ping(stage.outside, "203.0.113.77"), "in, by the floating IP")
        try await stage.settle(Self.router(one, nil, scene))
        #expect(await !stage.ping(near.shell, "10.0.1.5"))
        // In the outside's own scope nobody translates, and the outside here knows no way back.
        try await stage.settle(Self.router(one, two, outside: two, scene))
        #expect(await !stage.ping(far.shell, "198.51.100.9"))
        #expect(await stage.ping(near.shell, "198.51.100.9"))
    }
}
