import ProtocolModel

/// What a slice keeps for projects and users, told to the identity service so that deleting one of them orphans
/// nothing. Each slice that owns things by project has one; the daemon hands them over.
public protocol ProjectHoldings: Sendable {
    /// What of the project must not vanish unasked, by kind, in the order of ``remove(everythingOf:in:)``. What is
    /// already being deleted does not count, and neither does housekeeping that no client deletes by hand.
    func remaining(of project: ProjectID, in reader: any SQLReader) throws -> [ProjectHolding]

    /// Removes what ``remaining(of:in:)`` counts as far as it can be removed at once; what cannot stays counted. Where
    /// a host has to act, it is asked to.
    func remove(everythingOf project: ProjectID, by origin: RemovalOrigin, in transaction: any SQLTransaction) throws

    /// Removes the housekeeping: quotas, default groups. Called once nothing else remains.
    func tidy(after project: ProjectID, in transaction: any SQLTransaction) throws

    /// Removes what belongs to the user alone.
    func tidy(after user: UserID, in transaction: any SQLTransaction) throws
}

extension ProjectHoldings {
    public func tidy(after user: UserID, in transaction: any SQLTransaction) throws {}
}

/// How many of a kind a project has.
public struct ProjectHolding: Sendable, Hashable {
    /// Singular: `server`.
    public var kind: String
    public var count: Int

    public init(_ kind: String, _ count: Int) {
        self.kind = kind
        self.count = count
    }

    /// `1 server`, `2 servers`.
    public var text: String { count == 1 ? "1 \(kind)" : "\(count) \(kind)s" }
}

/// Who has a project removed, and when.
public struct RemovalOrigin: Sendable {
    public var permissions: Permissions
    public var requestID: String
    /// Microseconds since 1970.
    public var now: Int64

    public init(permissions: Permissions, requestID: String, now: Int64) {
        self.permissions = permissions
        self.requestID = requestID
        self.now = now
    }
}
