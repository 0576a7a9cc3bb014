import ProtocolModel

/// The agent's side of its session, as the core sees it; the link implements it.
public protocol CoordinatorSession: Sendable, ImageSource {
    /// Empty when it did not say.
    var coordinatorVersion: String { get }
    /// Queues statuses; a newer status of the same resource replaces an older one that was not sent yet.
    func send(_ statuses: [ResourceStatus]) async
    func send(_ result: OperationResult) async
    func send(_ report: NodeReport) async
    func send(_ health: NodeHealth) async
    /// Sends what an operation made as the data of an image; returns when the coordinator has taken it in.
    func upload(_ file: any SnapshotFile, as image: ImageID, of operation: OperationID) async throws(UploadFailure)
    /// Opens the way to whoever asked for a console.
    func openConsole(_ session: ConsoleID) async throws -> any ByteChannel
}

extension CoordinatorSession {
    public func openConsole(_ session: ConsoleID) async throws -> any ByteChannel { throw CancellationError() }
}

/// Why the data of an image did not arrive.
public enum UploadFailure: Error, Sendable, Equatable {
    /// For good.
    case refused(StatusError)
    /// The link broke, or the coordinator cannot take it now: to be begun anew.
    case interrupted(String)
}
