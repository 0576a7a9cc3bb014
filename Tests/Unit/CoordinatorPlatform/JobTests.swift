import CoordinatorPlatform
import Logging
import ProtocolModel
import Synchronization
import Testing

@Suite("durable jobs")
struct JobTests {
    private struct Broken: Error {}

    /// A world that steps change, and faults that strike once.
    private final class World: Sendable {
        struct State {
            var done: Set<String> = []
            var log: [String] = []
            var ended: [JobOutcome] = []
            /// Step and moment (`before` or `after`) at which the process dies.
            var crash: String?
            /// Steps that fail so many times.
            var failures: [String: Int] = [:]
            var isPermanent = false
        }
        let state = Mutex(State())

        func act(_ step: String, undo: Bool) throws {
            let name = undo ? "undo-\(step)" : step
            try state.withLock { state in
                if state.crash == "before \(name)" {
                    state.crash = nil
                    throw CancellationError()
                }
                if let left = state.failures[name], left > 0 {
                    state.failures[name] = left - 1
                    if state.isPermanent { throw PermanentJobFailure("never") }
                    throw Broken()
                }
                if undo { state.done.remove(step) } else { state.done.insert(step) }
                state.log.append(name)
                if state.crash == "after \(name)" {
                    state.crash = nil
                    throw CancellationError()
                }
            }
        }

        var kind: JobKind {
            let steps = ["a", "b", "c"].map { name in
                JobStep(
                    name, run: { _ in try self.act(name, undo: false) }, undo: { _ in try self.act(name, undo: true) })
            }
            return JobKind(name: "test", steps: steps, attempts: 2) { _, outcome, _ in
                self.state.withLock { $0.ended.append(outcome) }
            }
        }
    }

    private final class Clock: WallClock {
        private let time = Mutex<Int64>(0)
        func now() -> Int64 { time.withLock { $0 } }
        func advance() { time.withLock { $0 += 120_000_000 } }
    }

    /// Submits one job and runs it to its end, with a new engine for each life of the process.
    private func run(_ world: World) async throws -> (outcome: [JobOutcome], done: Set<String>, left: Int) {
        let database = try EmbeddedDatabase(inMemory: .init())
        try await Migrator(PlatformMigrations.all).migrate(database, now: 0)
        let clock = Clock()
        var logger = Logger(label: "test")
        logger.logLevel = .critical
        for life in 0..<6 {
            let engine = JobEngine(database: database, kinds: [world.kind], clock: clock, logger: logger)
            if life == 0 { try await database.write { try engine.submit("test", input: ["x": 1], at: 0, in: $0) } }
            await engine.pass()
            clock.advance()
            await engine.pass()
            clock.advance()
        }
        let left = try await database.read { try $0.count("SELECT COUNT(*) FROM jobs") }
        return world.state.withLock { ($0.ended, $0.done, left) }
    }

    @Test("all steps in order, then the end, then nothing is left")
    func completes() async throws {
        let world = World()
        let result = try await run(world)
        #expect(result.outcome == [.completed] && result.done == ["a", "b", "c"] && result.left == 0)
        #expect(world.state.withLock { $0.log } == ["a", "b", "c"])
    }

    @Test(
        "a crash before or after any step is made up for",
        arguments: ["before a", "after a", "before b", "after b", "before c", "after c"])
    func crashForward(moment: String) async throws {
        let world = World()
        world.state.withLock { $0.crash = moment }
        let result = try await run(world)
        #expect(result.outcome == [.completed] && result.done == ["a", "b", "c"] && result.left == 0)
        #expect(world.state.withLock { $0.crash } == nil)
    }

    @Test("a step that fails once is tried again", arguments: ["a", "b", "c"])
    func retried(step: String) async throws {
        let world = World()
        world.state.withLock { $0.failures = [step: 1] }
        #expect(try await run(world).outcome == [.completed])
    }

    @Test(
        "a step that keeps failing unwinds all before it, also through a crash while unwinding",
        arguments: [
            ("a", nil), ("b", nil), ("c", nil), ("c", "before undo-c"), ("c", "after undo-c"), ("c", "before undo-a"),
            ("b", "after undo-a"), ("c", "after undo-b")
        ] as [(String, String?)])
    func unwinds(step: String, crash: String?) async throws {
        let world = World()
        world.state.withLock {
            $0.failures = [step: 2]
            $0.crash = crash
        }
        let result = try await run(world)
        guard case .undone? = result.outcome.first else {
            Issue.record("ended as \(result.outcome)")
            return
        }
        #expect(result.outcome.count == 1 && result.done.isEmpty && result.left == 0)
    }

    @Test("a failure for good is not tried again; one undo failure is")
    func permanent() async throws {
        let world = World()
        world.state.withLock {
            $0.failures = ["b": 1, "undo-a": 1]
            $0.isPermanent = true
        }
        let result = try await run(world)
        #expect(result.outcome == [.undone(reason: "never")] && result.done.isEmpty)
    }

    @Test("undoing that keeps failing is told once and left for the operator")
    func stuck() async throws {
        let world = World()
        world.state.withLock { $0.failures = ["c": 2, "undo-b": 99] }
        let result = try await run(world)
        #expect(result.outcome == [.stuck(reason: "Broken(); undoing failed: Broken()")])
        #expect(result.left == 1)
    }

    @Test("many jobs of another kind, or of a kind that nobody knows, keep none waiting")
    func otherKinds() async throws {
        let world = World()
        let database = try EmbeddedDatabase(inMemory: .init())
        try await Migrator(PlatformMigrations.all).migrate(database, now: 0)
        // As if each were under way for hours: cut off, it stays where it is.
        let slow = JobKind(
            name: "slow", steps: [JobStep("a", run: { _ in throw CancellationError() }, undo: { _ in })])
        let clock = Clock()
        let engine = JobEngine(
            database: database, kinds: [slow, world.kind], clock: clock, logger: Logger(label: "test"))
        try await database.write { transaction in
            for _ in 0..<40 {
                for kind in ["slow", "gone"] { try engine.submit(kind, input: [:], at: 0, in: transaction) }
            }
            try engine.submit("test", input: [:], at: 0, in: transaction)
        }
        await engine.pass()
        #expect(world.state.withLock { $0.ended } == [.completed])
    }

    @Test("a job of a transaction that was undone never runs")
    func undone() async throws {
        let world = World()
        let database = try EmbeddedDatabase(inMemory: .init())
        try await Migrator(PlatformMigrations.all).migrate(database, now: 0)
        let engine = JobEngine(database: database, kinds: [world.kind], clock: Clock(), logger: Logger(label: "test"))
        await #expect(throws: Broken.self) {
            try await database.write { transaction in
                try engine.submit("test", input: [:], at: 0, in: transaction)
                throw Broken()
            }
        }
        await engine.pass()
        #expect(world.state.withLock { $0.log }.isEmpty)
    }
}
