import ProtocolLink
import ProtocolModel

/// Who looks at guests' consoles.
public protocol ConsoleStreams: Sendable {
    /// An agent has opened a console; when this returns it is over.
    /// - Returns: Whether somebody waited for it.
    func serve(_ session: ConsoleID, of node: NodeID, _ console: LinkConsole) async -> Bool
}
