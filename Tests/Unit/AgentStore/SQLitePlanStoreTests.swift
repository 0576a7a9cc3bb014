import AgentCore
import AgentStore
import Foundation
import ProtocolModel
import ProtocolSQLite
import ProtocolWire
import Testing
import TestsSupportRandomness

@Suite struct SQLitePlanStoreTests {
    /// Those above 3 are servers.
    private func key(_ number: UInt64) -> ResourceKey {
        number > 3 ? .server(ServerID(high: 1, low: number)) : .network(NetworkID(high: 1, low: number))
    }

    private func wanted(_ number: UInt64, _ generation: Int64, mtu: Int = 1_500) -> PlanEntry {
        guard number <= 3 else {
            let sha512 = String(repeating: "0f", count: 64)
            let image = ImageSpec(id: ImageID(high: 2, low: 1), sha512: sha512, sizeBytes: 1, format: .qcow2)
            let spec = ServerSpec(
                id: ServerID(high: 1, low: number), project: ProjectID(high: 0, low: 9), user: UserID(high: 0, low: 8),
                name: "vm", hostname: "vm", number: 1, flavorName: "nano", vcpus: 1, memoryMiB: mtu, rootGiB: 0,
                image: image, power: .running, interfaces: [])
            return PlanEntry(key: key(number), generation: generation, spec: .server(spec))
        }
        let spec = NetworkSpec(
            id: NetworkID(high: 1, low: number), project: ProjectID(high: 0, low: 9), attachment: .local, mtuBytes: mtu,
            subnets: [], dnsDomain: "")
        return PlanEntry(key: key(number), generation: generation, spec: .network(spec))
    }

    /// As a newer release would send it: with an attachment in a field that is not known here.
    private func unreadable(_ number: UInt64, _ generation: Int64) throws -> PlanEntry {
        let id = [UInt8](repeating: 0, count: 7) + [1] + [UInt8](repeating: 0, count: 7) + [UInt8(number)]
        let network: [UInt8] = [0x0A, 16] + id + [0x12, 16] + id + [0xA2, 0x06, 0]
        let bytes = [0x12, UInt8(network.count)] + network
        return PlanEntry(
            key: key(number), generation: generation, spec: try ResourceSpec(wireBytes: bytes, of: key(number)))
    }

    private func removal(_ number: UInt64, _ generation: Int64) -> PlanEntry {
        PlanEntry(key: key(number), generation: generation, spec: nil)
    }

    private func temporaryPath() -> String {
        FileManager.default.temporaryDirectory.appendingPathComponent("plan-\(UUID()).sqlite").path
    }

    private func remove(_ path: String) {
        for suffix in ["", "-wal", "-shm"] { try? FileManager.default.removeItem(atPath: path + suffix) }
    }

    @Test("the store and the plan in memory take every sequence of updates in alike", arguments: 0..<20)
    func agreement(seed: UInt64) async throws {
        var generator = SeededGenerator(seed: seed)
        let store = try SQLitePlanStore()
        var plan = AgentPlan()
        for step in 1...30 {
            let count = Int.random(in: 0...4, using: &generator)
            var entries: [ResourceKey: PlanEntry] = [:]
            for _ in 0..<count {
                let number = UInt64.random(in: 1...6, using: &generator)
                let generation = Int64(step * 10)
                switch Int.random(in: 0...2, using: &generator) {
                case 0: entries[key(number)] = wanted(number, generation, mtu: 1_280 + step)
                case 1: entries[key(number)] = removal(number, generation)
                default: entries[key(number)] = number > 3 ? nil : try unreadable(number, generation)
                }
            }
            let update = PlanUpdate(
                epoch: Int64.random(in: 1...2, using: &generator),
                revision: Int64.random(in: 1...40, using: &generator),
                isSnapshot: Int.random(in: 0..<4, using: &generator) == 0, entries: Array(entries.values))
            try await store.apply(update, at: Int64(step))
            plan.merge(update, at: Int64(step))
            if let gone = plan.entries.values.first(where: { $0.spec == nil }), step % 5 == 0 {
                try await store.forget(gone.key, generation: gone.generation)
                plan.forget(gone.key, generation: gone.generation)
            }
            if step % 7 == 0 {
                let strays = [key(5), key(6)]
                try await store.keep(strays: strays, of: 9, at: Int64(step))
                plan.keep(strays: strays, of: 9, at: Int64(step))
            } else if step % 3 == 0, let kept = plan.setAside.keys.min() {
                try await store.release([kept])
                _ = plan.release([kept])
            }
            #expect(try await store.setAside() == plan.setAside, "replay: seed \(seed)")
            #expect(try await store.position() == plan.position)
            let stored = try await store.entries()
            let differing = stored.filter { plan.entries[$0.key] != $0 }
            #expect(differing.isEmpty && stored.count == plan.entries.count, "replay: seed \(seed)")
            #expect(stored.map(\.key) == plan.entries.keys.sorted())
        }
    }

    @Test("a store of the release before is taken over, with what was reached")
    func migration() async throws {
        let path = temporaryPath()
        defer { remove(path) }
        let old = try SQLiteDatabase(path: path, waiting: 0, statementMemory: 0)
        try old.run(
            """
            CREATE TABLE position (
                one INTEGER PRIMARY KEY CHECK (one = 1), epoch INTEGER NOT NULL, revision INTEGER NOT NULL);
            CREATE TABLE entry (
                kind INTEGER NOT NULL, id BLOB NOT NULL, generation INTEGER NOT NULL, spec BLOB,
                PRIMARY KEY (kind, id)) WITHOUT ROWID;
            CREATE TABLE settled (
                server BLOB NOT NULL PRIMARY KEY, power TEXT NOT NULL, generation INTEGER NOT NULL,
                boot TEXT NOT NULL) WITHOUT ROWID;
            CREATE TABLE operation (
                id BLOB NOT NULL PRIMARY KEY, deadline INTEGER NOT NULL, result BLOB,
                acknowledged INTEGER NOT NULL DEFAULT 0) WITHOUT ROWID;
            INSERT INTO position VALUES (1, 3, 8);
            INSERT INTO settled VALUES (X'00000000000000050000000000000006', 'paused', 8, 'b');
            PRAGMA user_version = 1;
            """)
        old.close()
        let store = try SQLitePlanStore(path: path)
        #expect(try await store.position() == PlanPosition(epoch: 3, revision: 8))
        #expect(
            try await store.settled() == [
                .server(ServerID(high: 5, low: 6)): SettledState(power: .paused, generation: 8, bootID: "b")
            ])
        try store.close()
    }

    @Test("what was acknowledged is there after the process died")
    func reopen() async throws {
        let path = temporaryPath()
        defer { remove(path) }
        let store = try SQLitePlanStore(path: path)
        try await store.apply(
            PlanUpdate(epoch: 3, revision: 8, isSnapshot: true, entries: [wanted(1, 8), removal(2, 7)]), at: 0)
        let server = ResourceKey.server(ServerID(high: 5, low: 6))
        let state = SettledState(power: .paused, generation: 8, bootID: "b")
        try await store.settle(server, state)
        // Not closed: a second connection sees what a fresh process would.
        let again = try SQLitePlanStore(path: path)
        #expect(try await again.position() == PlanPosition(epoch: 3, revision: 8))
        #expect(try await again.entries() == [wanted(1, 8), removal(2, 7)])
        #expect(try await again.settled() == [server: state])
        try await again.settle(server, nil)
        #expect(try await store.settled().isEmpty)
        try store.close()
        try again.close()
    }

    @Test("a host that joins once more keeps its plan, and takes only a snapshot of the new one")
    func anotherHistory() async throws {
        let store = try SQLitePlanStore()
        try await store.apply(
            PlanUpdate(epoch: 3, revision: 8, isSnapshot: true, entries: [wanted(1, 8), wanted(5, 7)]), at: 1)
        try await store.forgetPosition()
        #expect(try await store.position() == .none)
        try await store.apply(PlanUpdate(epoch: 3, revision: 9, isSnapshot: false, entries: [removal(5, 9)]), at: 2)
        #expect(try await store.entries() == [wanted(1, 8), wanted(5, 7)])
        try await store.apply(PlanUpdate(epoch: 3, revision: 1, isSnapshot: true, entries: []), at: 3)
        #expect(try await store.entries() == [removal(1, 8), wanted(5, 7)])
        #expect(try await store.setAside() == [key(5): SetAside(since: 3, isHeld: false)])
    }

    @Test("an operation runs at most once, and its result is kept until acknowledged")
    func ledger() async throws {
        let path = temporaryPath()
        defer { remove(path) }
        let store = try SQLitePlanStore(path: path)
        let one = Operation(id: .fresh(), deadline: 5, action: .hardReboot(ServerID(high: 1, low: 1)))
        let two = Operation(id: .fresh(), deadline: 6, action: .hardReboot(ServerID(high: 1, low: 2)))
        #expect(try await store.admit(one) == .run)
        #expect(try await store.admit(one) == .alreadyRunning)
        #expect(try await store.admit(two) == .run)
        let done = OperationResult(id: one.id, outcome: .done(output: [1, 2]))
        try await store.finish(done)
        try store.close()

        let again = try SQLitePlanStore(path: path)
        try await again.interruptRunning()
        let interrupted = OperationResult(id: two.id, outcome: .interrupted)
        #expect(try await again.unacknowledged() == [done, interrupted])
        #expect(try await again.admit(one) == .finished(done))
        try await again.acknowledge(one.id)
        #expect(try await again.unacknowledged() == [interrupted])
        #expect(try await again.admit(one) == .finished(done))
        try again.close()
    }

    @Test("the ledger forgets the oldest acknowledged operations")
    func ledgerBound() async throws {
        let store = try SQLitePlanStore()
        let operations = (0..<300).map {
            Operation(id: .fresh(), deadline: Int64($0), action: .hardReboot(ServerID(high: 1, low: 1)))
        }
        for operation in operations {
            _ = try await store.admit(operation)
            try await store.finish(OperationResult(id: operation.id, outcome: .expired))
            try await store.acknowledge(operation.id)
        }
        #expect(try await store.admit(operations[0]) == .run)
        #expect(try await store.admit(operations[299]) == .finished(.init(id: operations[299].id, outcome: .expired)))
    }
}
