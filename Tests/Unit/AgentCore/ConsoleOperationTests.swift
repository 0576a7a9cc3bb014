import AgentCore
import AgentSimulated
import ProtocolModel
import Synchronization
import Testing

/// Somebody at the other end of the link.
final class FakeViewer: ByteChannel {
    private let typed: AsyncStream<[UInt8]>
    private let keyboard: AsyncStream<[UInt8]>.Continuation
    private let shown = Mutex<(bytes: [UInt8], isClosed: Bool)>(([], false))

    init() { (typed, keyboard) = AsyncStream.makeStream(of: [UInt8].self) }

    func type(_ text: String) { keyboard.yield(Array(text.utf8)) }
    func type(_ bytes: [UInt8]) { keyboard.yield(bytes) }
    func leave() { keyboard.finish() }
    var seen: [UInt8] { shown.withLock { $0.bytes } }
    var text: String { String(decoding: seen, as: UTF8.self) }
    var isClosed: Bool { shown.withLock { $0.isClosed } }

    func read() async throws -> [UInt8]? {
        var iterator = typed.makeAsyncIterator()
        return await iterator.next()
    }
    func write(_ bytes: [UInt8]) async throws { shown.withLock { $0.bytes += bytes } }
    func close() {
        shown.withLock { $0.isClosed = true }
        keyboard.finish()
    }
}

@Suite("consoles of an agent", .timeLimit(.minutes(2)))
struct ConsoleOperationTests {
    private func running() async throws -> EngineHarness {
        let harness = try EngineHarness()
        try await harness.start()
        try await harness.snapshot(EngineHarness.serverEntries(makeServer(ports: [701]), from: 1))
        #expect(await harness.reaches(power: .running, id(1), generation: 1))
        return harness
    }

    private func open(
        _ harness: EngineHarness, _ kind: ConsoleKind, _ session: ConsoleID, of server: ServerID = id(1)
    ) async -> OperationResult.Outcome? {
        let operation = Operation(
            id: OperationID(high: session.high, low: session.low), deadline: harness.clock.wall.now() + 20_000_000,
            action: .openConsole(server, kind, session: session))
        await harness.engine.handle(operation)
        _ = await harness.until { harness in harness.session.results.contains { $0.id == operation.id } }
        return harness.session.results.first { $0.id == operation.id }?.outcome
    }

    private func sees(_ viewer: FakeViewer, _ harness: EngineHarness, _ text: String) async -> Bool {
        await harness.until { _ in viewer.text.contains(text) }
    }

    @Test("who looks at a serial port sees what was said before, and all who look see the same")
    func serial() async throws {
        let harness = try await running()
        #expect(await open(harness, .serial, id(20)) == .done(output: []))
        #expect(await open(harness, .serial, id(21)) == .done(output: []))
        let first = try #require(harness.session.viewer(id(20)))
        let second = try #require(harness.session.viewer(id(21)))
        #expect(await sees(first, harness, "login: "))
        first.type("one")
        #expect(await sees(first, harness, "one"))
        #expect(await sees(second, harness, "one"))
        second.type("two")
        #expect(await sees(first, harness, "two"))
        // One that leaves takes nothing from the other.
        first.leave()
        #expect(await harness.until { _ in first.isClosed })
        second.type("three")
        #expect(await sees(second, harness, "three"))
        #expect(!first.text.contains("three"))
        // The last one ends the connection to the guest, and the next one makes another.
        second.leave()
        #expect(await harness.until { _ in second.isClosed })
        #expect(await open(harness, .serial, id(22)) == .done(output: []))
        let third = try #require(harness.session.viewer(id(22)))
        third.type("four")
        #expect(await sees(third, harness, "four"))
        third.leave()
        await harness.stop()
    }

    @Test("a screen speaks RFB up to a picture")
    func screen() async throws {
        let harness = try await running()
        #expect(await open(harness, .vnc, id(30)) == .done(output: []))
        let viewer = try #require(harness.session.viewer(id(30)))
        #expect(await sees(viewer, harness, "RFB 003.008\n"))
        // In pieces and several at once, as a network has it.
        viewer.type("RFB 003")
        viewer.type(".008\n")
        #expect(await harness.until { _ in viewer.seen.count == 14 && viewer.seen.suffix(2) == [1, 1] })
        viewer.type([1, 1])
        #expect(await harness.until { _ in viewer.text.hasSuffix("simulated") })
        let before = viewer.seen.count
        viewer.type([2, 0, 0, 1, 0, 0, 0, 0, 3, 0, 0, 0, 0, 0, 0, 16, 0, 16])
        #expect(await harness.until { _ in viewer.seen.count == before + 16 + 16 * 16 * 4 })
        // What is no message ends it.
        viewer.type([99])
        #expect(await harness.until { _ in viewer.isClosed })
        await harness.stop()
    }

    @Test("a server that is not here or does not run has no console, and so many consoles are open at once")
    func refused() async throws {
        let harness = try await running()
        guard case .failed? = await open(harness, .vnc, id(40), of: id(99)) else {
            Issue.record("a console of nothing")
            return
        }
        #expect(harness.session.viewer(id(40)) == nil)
        for number in 0..<32 {
            #expect(await open(harness, .serial, id(UInt64(100 + number))) == .done(output: []))
        }
        guard case .failed(let error)? = await open(harness, .serial, id(200)) else {
            Issue.record("too many")
            return
        }
        #expect(error.message.hasPrefix("Too many consoles"))
        // A place is free a moment after who had it has left.
        for number in 0..<4 { harness.session.viewer(id(UInt64(100 + number)))?.leave() }
        var outcome: OperationResult.Outcome?
        for number in 0..<50 where outcome != .done(output: []) {
            outcome = await open(harness, .serial, id(UInt64(400 + number)))
            try await Task.sleep(for: .milliseconds(20))
        }
        #expect(outcome == .done(output: []))
        try await Task.sleep(for: .milliseconds(200))

        try await harness.delta([entry(.server(makeServer(power: .stopped, ports: [701])), 2)], revision: 2)
        #expect(await harness.reaches(power: .shutdown, id(1), generation: 2))
        guard case .failed(let cold)? = await open(harness, .vnc, id(300)) else {
            Issue.record("a console of a guest that is off")
            return
        }
        #expect(cold.code == .conflict)
        await harness.stop()
    }
}
