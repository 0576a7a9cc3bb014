import CoordinatorFleet
import CoordinatorPlatform
import ProtocolLink
import ProtocolModel
import Synchronization

/// Brings viewers and guests together: asks a server's host for its console, and waits for the stream that the host's agent
/// opens then.
public final class ConsoleDesk: ConsoleStreams {
    /// Where a server is; `nil` for one that is nowhere.
    public typealias Locate = @Sendable (ServerID, any SQLReader) throws -> NodeID?

    private struct Wait {
        let node: NodeID
        let handoff: ConsoleHandoff
    }

    /// One lock; nothing is awaited while it is held.
    private let waits = Mutex<[ConsoleID: Wait]>([:])
    private let operations: any OperationDispatcher
    private let database: any SQLDatabase
    private let locate: Locate

    public init(operations: any OperationDispatcher, database: any SQLDatabase, locate: @escaping Locate) {
        self.operations = operations
        self.database = database
        self.locate = locate
    }

    /// How long a host may take.
    private static let patience = Duration.seconds(20)

    /// - Throws: ``ConsoleFailure`` with the reason, which the viewer may see.
    func open(_ kind: ConsoleKind, of server: ServerID) async throws(ConsoleFailure) -> ConsoleLine {
        let locate = locate
        let node: NodeID?
        do { node = try await database.read { try locate(server, $0) } } catch {
            throw ConsoleFailure(reason: "The coordinator cannot reach its database now.")
        }
        guard let node else { throw ConsoleFailure(reason: "The server is on no host.") }
        let session = ConsoleID.random()
        let handoff = ConsoleHandoff()
        waits.withLock { $0[session] = Wait(node: node, handoff: handoff) }
        defer {
            waits.withLock { $0[session] = nil }
            handoff.giveUp()?.end()
        }
        if let reason = await ask(.openConsole(server, kind, session: session), of: node) {
            throw ConsoleFailure(reason: reason)
        }
        // Its agent has opened it by now: only this side may not have got to it.
        guard let line = await handoff.take(within: .seconds(5)) else {
            throw ConsoleFailure(reason: "The server's host does not answer.")
        }
        return line
    }

    /// - Returns: Why nothing comes of it; `nil` when it does.
    private func ask(_ action: Operation.Action, of node: NodeID) async -> String? {
        do {
            let result = try await operations.ask(action, on: node, within: Self.patience)
            return switch result.outcome {
            case .done: nil
            case .failed(let error): error.message
            case .expired, .interrupted: "The server's host did not get to it."
            }
        } catch { return "The server's host does not answer." }
    }

    public func serve(_ session: ConsoleID, of node: NodeID, _ console: LinkConsole) async -> Bool {
        let (ends, end) = AsyncStream.makeStream(of: Never.self)
        let line = ConsoleLine(console: console) {
            console.finish()
            end.finish()
        }
        let handoff = waits.withLock { waits -> ConsoleHandoff? in
            guard let wait = waits[session], wait.node == node else { return nil }
            waits[session] = nil
            return wait.handoff
        }
        guard let handoff, handoff.put(line) else { return false }
        for await _ in ends {}
        return true
    }
}

/// Why there is no console.
struct ConsoleFailure: Error, Sendable {
    var reason: String
}

/// A guest's console, for one viewer.
struct ConsoleLine: Sendable {
    let console: LinkConsole
    /// More than once does nothing.
    let end: @Sendable () -> Void
}
