import Glibc
import Testing

/// The real coordinator and real agents on hosts that only remember, under a virtual clock, with seeded faults.
///
/// `SKERRY_SIMULATION_SEEDS=100-200` tries others, `SKERRY_SIMULATION_LOG=1` shows what the daemons log. A seed makes
/// the same weather again, though what meets when is up to the threads.
@Suite("simulation", .serialized, .timeLimit(.minutes(10)))
struct SimulationTests {
    static var seeds: [UInt64] {
        guard let text = getenv("SKERRY_SIMULATION_SEEDS").map({ String(cString: $0) }) else { return Array(1...4) }
        let bounds = text.split(separator: "-").compactMap { UInt64($0) }
        return Array((bounds.first ?? 1)...(bounds.last ?? 1))
    }

    @Test("without faults every server is as asked")
    func calm() async throws {
        try await live(in: World(seed: 1, hosts: 2)) { world in
            try await world.storm(seconds: 40, isStormy: false)
            let problems = try await world.rest(within: 300)
            #expect(problems == [])
            #expect(await world.servers().allSatisfy { $0.status != "ERROR" })
            #expect(world.tally["create 202", default: 0] > 0)
            #expect(world.tally["attach 200", default: 0] > 0, "\(world.tally)")
            for node in world.nodes {
                #expect(try await world.givesImage(to: node) == !node.host.domains.isEmpty)
            }
            #expect(world.nodes.contains { !$0.host.domains.isEmpty })
            try await leave(world)
            for node in world.nodes { #expect(try await !world.givesImage(to: node), "no server of it uses the image") }
        }
    }

    @Test("whatever dies, breaks or fails: in the end all is as asked and nothing is left over", arguments: seeds)
    func storm(seed: UInt64) async throws {
        try await live(in: World(seed: seed)) { world in
            try await world.storm(seconds: 120, isStormy: true)
            let problems = try await world.rest(within: 1_500)
            #expect(problems == [], "seed \(seed)")
            #expect(world.tally["coordinator died", default: 0] > 0 && world.tally["agent died", default: 0] > 0)
            #expect(world.tally["create 202", default: 0] > 3)
        }
    }

    @Test("a host with an older agent goes on with what that knows, and gets the rest with its upgrade")
    func olderRelease() async throws {
        try await live(in: World(seed: 2, hosts: 2)) { world in
            try await world.storm(seconds: 15, isStormy: false)
            for node in world.nodes { node.change(toOlderRelease: true) }
            for _ in 0..<40 where try await world.coordinator.setAside().entries == 0 {
                await world.create()
                try await world.pass()
            }
            #expect(try await world.coordinator.setAside().entries > 0)
            for node in world.nodes { node.change(toOlderRelease: false) }
            #expect(try await world.rest(within: 600) == [])
            #expect(try await world.coordinator.setAside().entries == 0)
        }
    }

    @Test("what a slice refuses of one resource delays nothing of any other")
    func refusals() async throws {
        try await live(in: World(seed: 3, hosts: 2)) { world in
            try await world.coordinator.setRefusal(true)
            for _ in 0..<5 { await world.create() }
            #expect(try await world.rest(within: 60) == [])
            let servers = await world.servers()
            #expect(servers.count == 5 && servers.allSatisfy { $0.status == "ACTIVE" })
            #expect(try await world.coordinator.setAside().statuses > 0)
            try await world.coordinator.setRefusal(false)
        }
    }

    @Test("servers that the coordinator has forgotten run on, and are its own again when it remembers")
    func forgotten() async throws {
        try await live(in: World(seed: 5, hosts: 2)) { world in
            for _ in 0..<6 { await world.create() }
            #expect(try await world.rest(within: 300) == [])
            let running = world.nodes.map { node in node.host.domains.filter { node.host.power(of: $0) == .running } }
            #expect(running.map(\.count).reduce(0, +) == 6)
            try await world.coordinator.setForgetful(true)
            for node in world.nodes { node.cable.drop() }
            for _ in 0..<90 { try await world.pass() }
            for (node, guests) in zip(world.nodes, running) {
                #expect(guests.allSatisfy { node.host.power(of: $0) == .running } && node.host.servers == guests)
                #expect(node.host.networkState.ports.count == guests.count)
                #expect(try await node.store.setAside().count >= guests.count)
            }
            try await world.coordinator.setForgetful(false)
            for node in world.nodes { node.cable.drop() }
            #expect(try await world.rest(within: 300) == [])
            for (node, guests) in zip(world.nodes, running) {
                #expect(guests.allSatisfy { node.host.power(of: $0) == .running })
                #expect(try await node.store.setAside().isEmpty)
            }
        }
    }

    /// Whatever comes of it, the world and its folder are gone in the end.
    private func live(in world: World, _ story: (World) async throws -> Void) async throws {
        do {
            try await story(world)
            try await leave(world)
        } catch {
            try? await world.end()
            throw error
        }
        try await world.end()
    }

    private func leave(_ world: World) async throws {
        let problems = try await world.clear(within: 600)
        #expect(problems == [], "after all servers were deleted")
        #expect(await world.servers().isEmpty)
        for node in world.nodes {
            #expect(node.host.domains.isEmpty && node.host.servers.isEmpty)
            #expect(node.host.networkState.ports.isEmpty)
            #expect(node.host.volumes.isEmpty)
        }
    }
}
