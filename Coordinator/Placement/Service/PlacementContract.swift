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
    /// Who is where of the group is nobody's business any more.
    func forget(group: AnyID, in transaction: any SQLTransaction) throws
    /// What a host is beside what it reports of itself, and the aggregates that it is in: instead of what was said before.
    func set(
        _ rules: HostRules, aggregates: [String], of node: NodeID, at now: Int64, in transaction: any SQLTransaction
    ) throws
    /// Gives what one consumer has claimed to another, instead of what that has: a server's old place while it may go back
    /// there. Server groups have the members they had.
    func hand(
        _ consumer: AnyID, to other: PlacementRequest.Consumer, at now: Int64, in transaction: any SQLTransaction)
        throws
    /// Changes what the consumer has of one class where it has it.
    /// - Returns: `false` when there is no room for so much, or it has nothing of the class; then nothing changes.
    func resize(
        _ consumer: AnyID, _ resourceClass: String, to amount: Int, at now: Int64, in transaction: any SQLTransaction
    ) throws -> Bool
    /// The availability zones that hosts of the role are in; empty text for hosts that name none.
    func zones(of role: NodeReport.Role, in transaction: any SQLTransaction) throws -> Set<String>
    func hasHost(named hostname: String, role: NodeReport.Role, in transaction: any SQLTransaction) throws -> Bool
}
