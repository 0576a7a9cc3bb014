import CoordinatorFleet
import CoordinatorPlatform
import ProtocolModel
import Testing

@Suite("statuses that a slice refuses")
struct StatusIntakeTests {
    private struct Refusal: Error {}

    private func status(_ number: UInt64, _ phase: ResourceStatus.Phase = .ready) -> ResourceStatus {
        ResourceStatus(key: FakeGroups.key(number), generation: Int64(number), phase: phase)
    }

    private func fleet(
        refusing number: UInt64, with error: any Error = Refusal()
    ) async throws -> FakeFleet {
        let consumer = FakeConsumer(.securityGroup) { $0.key == FakeGroups.key(number) ? error : nil }
        let fleet = try await FakeFleet(FakeGroups(), consumer)
        try await fleet.put(FakeGroups.key(1), FakeGroups.key(2), FakeGroups.key(3))
        return fleet
    }

    private func lastWritten(_ fleet: FakeFleet) async throws -> String? {
        try await fleet.database.read { try $0.first("SELECT disabled_reason FROM nodes") { $0.text(0) } }
    }

    @Test("cost themselves, with all that was written for them, and nothing else")
    func isolated() async throws {
        let fleet = try await fleet(refusing: 3)
        try await fleet.take([status(1), status(2), status(3)])
        #expect(fleet.consumer.statuses.map(\.generation) == [1, 2])
        #expect(try await lastWritten(fleet) == FakeGroups.key(2).id.text)
        #expect(try await fleet.count("refused_statuses") == 1)
        #expect(fleet.figures.current.refusedStatuses == 1)
    }

    @Test("a removal whose end was refused is asked for again")
    func finish() async throws {
        let fleet = try await fleet(refusing: 2)
        try await fleet.remove(FakeGroups.key(2))
        try await fleet.take([ResourceStatus(key: FakeGroups.key(2), generation: 4, phase: .gone)])
        #expect(try await fleet.count("plan_entries") == 3)
    }

    @Test("what ails the database is no refusal: the session ends and all is told again")
    func store() async throws {
        let fleet = try await fleet(refusing: 2, with: StoreError.unavailable("disk"))
        await #expect(throws: StoreError.self) { try await fleet.take([status(1), status(2)]) }
        #expect(try await fleet.count("refused_statuses") == 0)
        #expect(try await lastWritten(fleet) == "")
    }

    @Test("they are kept in a table that does not grow for ever")
    func bounded() async throws {
        let consumer = FakeConsumer(.securityGroup) { _ in Refusal() }
        let fleet = try await FakeFleet(FakeGroups(), consumer)
        let numbers = (1...UInt64(1_100)).map { $0 }
        try await fleet.database.write { [plan = fleet.plan] transaction in
            for number in numbers { try plan.put(FakeGroups.key(number), on: FakeFleet.node, in: transaction) }
        }
        try await fleet.take(numbers.map { status($0) })
        #expect(try await fleet.count("refused_statuses") == 1_000)
        #expect(fleet.figures.current.refusedStatuses == 1_100)
    }
}
