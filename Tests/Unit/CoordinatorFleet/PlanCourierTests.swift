import CoordinatorFleet
import Logging
import ProtocolModel
import ProtocolWire
import Synchronization
import Testing

@Suite("what an agent is sent of its plan")
struct PlanCourierTests {
    static let volume = ResourceKind(rawValue: 77)
    static let old = AgentCapabilities.unspoken
    static let new = AgentCapabilities(
        kinds: ResourceKind.allCases + [volume], operations: Operation.Kind.allCases)
    static let key = ResourceKey(kind: volume, id: AnyID(high: 0, low: 5))

    private func fleet(members: @escaping @Sendable (UInt64) -> Int = { _ in 0 }) async throws -> FakeFleet {
        try await FakeFleet(
            FakeGroups(kind: Self.volume, members: members), FakeConsumer(Self.volume))
    }

    @Test("of a kind that its agent does not know, nothing, and the kind's slice hears why; an upgrade brings it")
    func gate() async throws {
        let fleet = try await fleet()
        try await fleet.put(Self.key)
        let first = await fleet.session(Self.old).updates
        // The plan leads on, without the entry.
        #expect(first.map(\.revision) == [1] && first.allSatisfy(\.entries.isEmpty))
        let heard = try #require(fleet.consumer.statuses.first)
        #expect(heard.phase == .failed && heard.error?.code == .unsupported && heard.key == Self.key)
        #expect(heard.error?.message.contains(Release.version) == true)
        #expect(heard.error?.message.contains("0.0.9") == true)
        // Told once, also over several sessions.
        _ = await fleet.session(Self.old, after: 1)
        _ = await fleet.session(nil, after: 0, snapshot: true)
        #expect(fleet.consumer.statuses.count == 1)
        #expect(fleet.figures.current.entriesSetAside == 1)

        let upgraded = await fleet.session(Self.new, after: 1).updates
        #expect(upgraded.flatMap(\.entries).map(\.key) == [Self.key])
        #expect(upgraded.last?.revision == 2)
        #expect(try await fleet.count("plan_set_aside") == 0)
        #expect(await fleet.session(Self.new, after: 2).isEmpty)
    }

    @Test("who places things on nodes is told which ones' agents know the kind now")
    func knowing() async throws {
        let fleet = try await fleet()
        let directory = FleetCore(clock: FakeFleet.StoppedClock(), logger: Logger(label: "test")).directory
        func able(_ kind: ResourceKind) async throws -> Set<NodeID> {
            try await fleet.database.read { try directory.nodes(knowing: kind, in: $0) }
        }
        _ = await fleet.session(Self.old)
        #expect(try await able(.router) == [])
        _ = await fleet.session(Self.new)
        #expect(try await able(.router) == [FakeFleet.node])
        #expect(try await able(Self.volume) == [FakeFleet.node])
        _ = await fleet.session(Self.old)
        #expect(try await able(.router) == [])
    }

    @Test("what no agent of the host ever knew need not be removed from it")
    func removalOfTheUnknown() async throws {
        let fleet = try await fleet()
        try await fleet.put(Self.key)
        _ = await fleet.session(Self.old)
        try await fleet.remove(Self.key)
        _ = await fleet.session(Self.old, after: 1)
        #expect(fleet.consumer.statuses.map(\.phase) == [.failed, .gone])
        #expect(try await fleet.count("plan_entries") == 0)
        #expect(try await fleet.count("plan_set_aside") == 0)
    }

    @Test("what an earlier agent may have made waits for one that can remove it")
    func removalAfterDowngrade() async throws {
        let fleet = try await fleet()
        try await fleet.put(Self.key)
        _ = await fleet.session(Self.new)
        try await fleet.remove(Self.key)
        _ = await fleet.session(Self.old, after: 1)
        #expect(fleet.consumer.statuses.isEmpty, "a removal that waits is no failure of what was wanted")
        #expect(try await fleet.count("plan_entries") == 1)
        let entries = await fleet.session(Self.new, after: 2).updates.flatMap(\.entries)
        #expect(entries.map(\.key) == [Self.key] && entries.allSatisfy { $0.spec == nil })
    }

    @Test("an entry that is too large is withheld with an alarm, and everything else arrives")
    func tooLarge() async throws {
        // 18 bytes a member.
        let fleet = try await fleet { $0 == 2 ? 70_000 : 1 }
        let keys = (1...3).map { ResourceKey(kind: Self.volume, id: AnyID(high: 0, low: $0)) }
        try await fleet.put(keys[0], keys[1], keys[2])
        let sent = await fleet.session(Self.new)
        let entries = sent.updates.flatMap(\.entries)
        #expect(entries.map(\.key) == keys)
        guard case .opaque(let spec)? = entries[1].spec else { return #expect(Bool(false)) }
        #expect(spec.isWithheld)
        #expect(fleet.consumer.statuses.map(\.key) == [keys[1]])
        #expect(fleet.consumer.statuses.first?.error?.detail.contains("\(PlanBudget.entryBytes)") == true)
        #expect(try await fleet.count("plan_set_aside") == 1)
        #expect(await fleet.session(Self.new, snapshot: true).updates.first?.entries.count == 3)
        #expect(fleet.consumer.statuses.count == 1)
    }

    @Test("a snapshot from which an older agent would take a removal is not sent")
    func noRemovalByOmission() async throws {
        let large = Mutex(true)
        let fleet = try await FakeFleet(
            FakeGroups(members: { $0 == 2 && large.withLock { $0 } ? 70_000 : 1 }), FakeConsumer(.securityGroup))
        try await fleet.put(FakeGroups.key(1), FakeGroups.key(2), FakeGroups.key(3))
        #expect(await fleet.session(nil, snapshot: true).isEmpty)
        #expect(fleet.consumer.statuses.map(\.key) == [FakeGroups.key(2)])
        #expect(try await fleet.count("plan_set_aside") == 1)
        // Told once; and all comes once it can.
        #expect(await fleet.session(nil, snapshot: true).isEmpty)
        #expect(fleet.consumer.statuses.count == 1)
        large.withLock { $0 = false }
        let updates = await fleet.session(nil, snapshot: true).updates
        #expect(updates.map(\.isSnapshot) == [true] && updates[0].entries.count == 3)
        #expect(try await fleet.count("plan_set_aside") == 0)
    }

    @Test("a plan that is larger than a plan may be arrives, less what has no room; removals always do")
    func wholePlan() async throws {
        let limit = 400_000
        // 18 bytes a member: marks and removals alone take more than what is left for what surrounds entries.
        let fleet = try await FakeFleet(
            FakeGroups(members: { _ in 200 }), FakeConsumer(.securityGroup), planBytes: limit)
        for number in 1...2_500 as ClosedRange<UInt64> {
            let key = FakeGroups.key(number)
            try await fleet.put(key)
            if number > 2_490 { try await fleet.remove(key) }
        }
        let update = try #require(await fleet.session(Self.new, snapshot: true).updates.first)
        #expect(update.entries.count == 2_500)
        #expect(update.entries.filter { $0.spec == nil }.map(\.key.id.low) == Array(2_491...2_500))
        let withheld = update.entries.filter { entry in
            if case .opaque(let spec)? = entry.spec { spec.isWithheld } else { false }
        }
        #expect(withheld.count > 2_000 && withheld.count < 2_490)
        var assembler = PlanAssembler(limit: limit)
        let frames = try MessageDivision.frames(of: update, limit: 50_000)
        #expect(frames.count > 1)
        var whole: PlanUpdate?
        for frame in frames {
            guard case .plan(let part, let continues)? = try WireMessage.decode(frame) else { continue }
            whole = try assembler.add(part, continues: continues, bytes: frame.wireBytes)
        }
        #expect(whole?.entries.count == 2_500)
    }

    @Test("deltas are cut by bytes, and nothing is lost between them")
    func cut() async throws {
        let fleet = try await fleet { _ in 10_000 }
        for number in 1...12 {
            try await fleet.put(ResourceKey(kind: Self.volume, id: AnyID(high: 0, low: UInt64(number))))
        }
        let updates = await fleet.session(Self.new).updates
        #expect(updates.count > 1)
        #expect(updates.flatMap(\.entries).map(\.key.id.low) == Array(1...12))
        for update in updates { #expect(try update.wireBytes.count < WireLimits.divisionBytes + PlanBudget.entryBytes) }
        #expect(updates.map(\.revision) == updates.compactMap { $0.entries.last?.generation })
    }

    @Test("a kind that no slice here provides is neither sent nor taken for removed")
    func noProvider() async throws {
        let fleet = try await fleet()
        try await fleet.put(ResourceKey(kind: ResourceKind(rawValue: 78), id: AnyID(high: 0, low: 1)))
        let updates = await fleet.session(Self.new, snapshot: true).updates
        #expect(updates.count == 1 && updates.allSatisfy(\.entries.isEmpty))
        #expect(try await fleet.count("plan_entries") == 1)
    }
}
