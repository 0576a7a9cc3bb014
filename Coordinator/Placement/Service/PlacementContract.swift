import CoordinatorPlatform
import ProtocolModel

/// What other slices ask of placement, inside their own transactions.
public protocol Placement: Sendable {
    /// Chooses a host and claims the resources for the consumer, all in the caller's transaction. What the consumer had
    /// before it gives back.
    func claim(_ request: PlacementRequest, at now: Int64, in transaction: any SQLTransaction) throws
        -> PlacementDecision
    /// Gives the consumer's claims back; nothing happens without any.
    func release(_ consumer: AnyID, at now: Int64, in transaction: any SQLTransaction) throws
    /// Changes what the consumer has of one class where it has it.
    /// - Returns: `false` when there is no room for so much, or it has nothing of the class; then nothing changes.
    func resize(
        _ consumer: AnyID, _ resourceClass: String, to amount: Int, at now: Int64, in transaction: any SQLTransaction
    ) throws -> Bool
    /// The availability zones that hosts of the role are in; empty text for hosts that name none.
    func zones(of role: NodeReport.Role, in transaction: any SQLTransaction) throws -> Set<String>
    func hasHost(named hostname: String, role: NodeReport.Role, in transaction: any SQLTransaction) throws -> Bool
}
