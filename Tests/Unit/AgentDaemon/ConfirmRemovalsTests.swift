import AgentCore
import AgentDaemon
import Foundation
import ProtocolLink
import ProtocolModel
import Testing

@Suite struct ConfirmRemovalsTests {
    private let one = AnyID(high: 0, low: 1)
    private let two = AnyID(high: 0, low: 2)

    @Test("what an operator confirmed lies in the state folder until the agent has heeded it")
    func folder() throws {
        let root = FileManager.default.temporaryDirectory.appendingPathComponent("agent-\(UUID())").path
        defer { try? FileManager.default.removeItem(atPath: root) }
        let folder = StateFolder(root: root)
        try folder.make()
        #expect(folder.confirmedRemovals().isEmpty)
        try folder.confirmRemovals([one])
        try folder.confirmRemovals([two])
        #expect(folder.confirmedRemovals() == [one, two])
        // What was confirmed while the agent heeded the first is not forgotten with it.
        folder.forgetConfirmedRemovals([one])
        #expect(folder.confirmedRemovals() == [two])
        folder.forgetConfirmedRemovals([one, two])
        #expect(folder.confirmedRemovals().isEmpty)
    }

    @Test("a host does not join once more beside its agent")
    func joinAgain() async throws {
        let root = FileManager.default.temporaryDirectory.appendingPathComponent("agent-\(UUID())").path
        defer { try? FileManager.default.removeItem(atPath: root) }
        let folder = StateFolder(root: root)
        try folder.make()
        try await folder.takeLock()
        await #expect(throws: (any Error).self) { try await StateFolder(root: root).takeLock(attempts: 2) }
    }

    @Test("only what is kept can be confirmed, and all of it when nothing is named")
    func choice() throws {
        let kept = SetAside(since: 0, isHeld: true)
        let plan = AgentPlan(setAside: [
            .server(one.cast()): kept, .volume(two.cast()): kept, .port(PortID(high: 0, low: 3)): kept
        ])
        #expect(try plan.kept(named: []) == [.volume(two.cast()), .server(one.cast())])
        #expect(try plan.kept(named: [two.text]) == [.volume(two.cast())])
        #expect(throws: (any Error).self) {
            try plan.kept(named: [ServerID(high: 0, low: 3).text])
        }
        let lines = plan.keptLines(at: 0, keepSeconds: 86_400)
        #expect(lines.count == 2 && lines[1].contains(one.text) && lines[0].contains("confirm-removals"))
    }

    @Test("days of keeping are a setting")
    func setting() throws {
        #expect(try Configuration.parse("roles: [compute]", path: "agent.yaml").keepSeconds == 7 * 86_400)
        #expect(try Configuration.parse("keep_days: 30", path: "agent.yaml").keepSeconds == 30 * 86_400)
        #expect(throws: (any Error).self) { try Configuration.parse("keep_days: 0", path: "agent.yaml") }
    }

    @Test("a join token comes from one place, and a file hides it from other users", arguments: ["", " \nmore"])
    func token(rest: String) throws {
        let path = FileManager.default.temporaryDirectory.appendingPathComponent("token-\(UUID())").path
        defer { try? FileManager.default.removeItem(atPath: path) }
        let text = try #require(JoinToken.make(authorityHash: [UInt8](repeating: 7, count: 32))).text
        try (text + rest).write(toFile: path, atomically: true, encoding: .utf8)
        #expect(try JoinToken(given: nil, orIn: path)?.text == text)
        #expect(try JoinToken(given: text, orIn: nil)?.text == text)
        #expect(try JoinToken(given: nil, orIn: nil) == nil)
        #expect(throws: (any Error).self) { try JoinToken(given: nil, orIn: path + ".none") }
    }
}
