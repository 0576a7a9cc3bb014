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
}
