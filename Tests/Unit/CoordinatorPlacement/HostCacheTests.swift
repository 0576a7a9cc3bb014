import CoordinatorFleet
import CoordinatorPlacement
import CoordinatorPlatform
import Logging
import ProtocolModel
import Testing

/// Placement over the fleet's own rows: what either writes decides the very next request.
struct HostCacheTests {
    struct Undone: Error {}

    struct World {
        let database: EmbeddedDatabase
        let fleet: NodeService
        let placement: PlacementSlice
        /// Another coordinator's.
        let other: PlacementSlice
        let node: NodeID

        init() async throws {
            database = try EmbeddedDatabase(inMemory: .init())
            try await Migrator(PlatformMigrations.all + FleetSlice.migrations + PlacementSlice.migrations)
                .migrate(database, now: 0)
            let registry = SessionRegistry(startedAt: 0)
            let logger = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
            let directory = NodeService(registry: registry, observers: [], logger: logger)
            placement = PlacementSlice(directory: directory)
            other = PlacementSlice(directory: directory)
            fleet = NodeService(registry: registry, observers: placement.observers, logger: logger)
            let fleet = fleet
            node = try await database.write { transaction in
                let token = try fleet.makeToken(
                    authority: Array(repeating: 7, count: 32), uses: 1, lifetime: 60_000_000, now: 0, in: transaction)
                return try fleet.admit(secret: token.secret, hostname: "host-1", at: 0, in: transaction) ?? .random()
            }
            registry.register(SessionRegistry.Handle(serial: 1, keepAlive: 0), node: node, at: 0)
            registry.markReported(1, node: node)
        }

        func report(_ change: @Sendable (inout NodeReport) -> Void = { _ in }) async throws {
            guard var report = FixedDirectory.node(1).report else { return }
            change(&report)
            let (fleet, node, wanted) = (fleet, node, report)
            try await database.write { transaction in
                try fleet.report(wanted, by: node, at: 1, in: transaction)
                try fleet.judge(at: 1, in: transaction)
            }
        }

        static func request(_ number: Int, _ change: (inout PlacementRequest) -> Void = { _ in }) -> PlacementRequest {
            makeRequest {
                $0.consumer.id = AnyID(high: 5, low: UInt64(number))
                change(&$0)
            }
        }

        func summary(
            _ number: Int, of slice: PlacementSlice? = nil,
            _ change: @escaping @Sendable (inout PlacementRequest) -> Void = { _ in }
        ) async throws -> String {
            let service = (slice ?? placement).service
            return try await database.write { transaction in
                let request = Self.request(number, change)
                return try service.claim(request, at: 2, in: transaction).summary
            }
        }
    }

    static let fits = "1 host: 1 suitable, chose host-1"

    @Test("reports, verdicts and words of the operator count from the next request on")
    func follows() async throws {
        let world = try await World()
        #expect(try await world.summary(1) == "1 host: 1 runs no guests")
        try await world.report()
        #expect(try await world.summary(1) == Self.fits)
        let (fleet, node) = (world.fleet, world.node)
        try await world.database.write {
            try fleet.setEnabled(false, reason: "fan", node: node, at: 3, in: $0)
        }
        #expect(try await world.summary(1) == "1 host: 1 disabled: fan")
        try await world.database.write {
            try fleet.setEnabled(true, reason: nil, node: node, at: 3, in: $0)
        }
        try await world.report { $0.physicalNetworks = ["physnet-a"] }
        let mapped = try await world.summary(1) { $0.physicalNetworks = ["physnet-a"] }
        let similar = try await world.summary(1) { $0.physicalNetworks = ["physnet_a"] }
        #expect(mapped == Self.fits)
        #expect(similar == "1 host: 1 not connected to physnet_a")
        // Looked at every second: a judge who sleeps meanwhile finds nobody silent.
        for second in 2...62 as ClosedRange<Int64> {
            try await world.database.write { try fleet.judge(at: second * 1_000_000, in: $0) }
        }
        #expect(try await world.summary(1) == "1 host: 1 down")
        let wasThere = try await world.database.write { try fleet.remove(node, at: 4, in: $0) }
        #expect(wasThere)
        #expect(try await world.summary(1).hasPrefix("0 hosts"))
    }

    @Test("traits of a report are for requests and for the placement API; an operator's own stay")
    func traits() async throws {
        let world = try await World()
        try await world.report {
            $0.hypervisor.hasUEFI = false
            $0.physicalNetworks = ["phys-a"]
        }
        #expect(try await world.summary(1) { $0.required = [Trait.uefi] } == "1 host: 1 has no UEFI firmware")
        try await world.report()
        #expect(
            try await world.summary(1) { $0.required = [Trait.uefi, Trait.compute, "COMPUTE_ARCH_X86_64"] }
                == Self.fits)
        #expect(
            try await world.summary(1) { $0.required = ["CUSTOM_PHYSNET_PHYS_A"] }
                == "1 host: 1 lacks CUSTOM_PHYSNET_PHYS_A")
    }

    @Test("two coordinators over one database give nothing away twice")
    func twoCoordinators() async throws {
        let world = try await World()
        try await world.report()
        // 4096 - 512 reserved = 3584 MiB: seven times 512.
        var summaries: [String] = []
        for number in 1...8 {
            summaries.append(try await world.summary(number, of: number % 2 == 0 ? world.other : world.placement))
        }
        #expect(summaries.dropLast().allSatisfy { $0 == Self.fits })
        #expect(summaries.last == "1 host: 1 short of memory (need 512 MiB, has 0)")
    }

    @Test("a claim that was undone takes nothing, though the table saw it")
    func undone() async throws {
        let world = try await World()
        try await world.report()
        let service = world.placement.service
        for _ in 0..<5 {
            await #expect(throws: Undone.self) {
                try await world.database.write { transaction in
                    let hosts = try (1...8).map {
                        try service.claim(World.request($0), at: 2, in: transaction).host
                    }
                    #expect(hosts.map { $0 != nil } == Array(repeating: true, count: 7) + [false])
                    throw Undone()
                }
            }
            #expect(try await world.summary(1) == Self.fits)
        }
    }

    @Test("zones and hosts are known by role")
    func destinations() async throws {
        let world = try await World()
        try await world.report { $0.availabilityZone = "west" }
        let service = world.placement.service
        let (zones, known) = try await world.database.write { transaction in
            func isKnown(_ host: String, _ role: NodeReport.Role) throws -> Bool {
                try service.hasHost(named: host, role: role, in: transaction)
            }
            return (
                try [NodeReport.Role.compute, .storage].map { try service.zones(of: $0, in: transaction) },
                [try isKnown("host-1", .compute), try isKnown("host-1", .network), try isKnown("host-2", .compute)]
            )
        }
        #expect(zones == [["west"], []])
        #expect(known == [true, false, false])
    }
}
