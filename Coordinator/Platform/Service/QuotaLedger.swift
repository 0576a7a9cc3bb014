import ProtocolModel

/// What projects may have of one service's resources, and what they have: one ledger for all services. A limit is the
/// project's own or the default; what is used is counted in the transaction that is to use more, so that it is exact
/// whatever goes on beside it.
public struct QuotaLedger: Sendable {
    /// One thing that is counted.
    public struct Resource: Sendable {
        /// The API's word: `security_group_rule`.
        public let name: String
        /// In the resource's unit; -1 is no limit.
        public let defaultLimit: Int
        /// What a project has now.
        public let used: @Sendable (ProjectID, any SQLReader) throws -> Int

        public init(
            _ name: String, defaultLimit: Int,
            used: @escaping @Sendable (ProjectID, any SQLReader) throws -> Int = { _, _ in 0 }
        ) {
            self.name = name
            self.defaultLimit = defaultLimit
            self.used = used
        }
    }

    /// What one item needs of a resource.
    public struct Demand: Sendable, Hashable {
        public var name: String
        public var amount: Int

        public init(_ name: String, _ amount: Int = 1) {
            self.name = name
            self.amount = amount
        }
    }

    /// Limits that differ from the defaults.
    public typealias Limits = [String: Int]

    /// The catalog's word for the service: limits of several services stand in one table.
    public let service: String
    /// In the order in which they are told.
    public let resources: [Resource]
    private let counts: @Sendable (ProjectID, any SQLReader) throws -> [String: Int]
    private let store = QuotaStore()

    /// - Parameter counts: What a project has of several resources that one statement counts together; it goes before
    ///   their own counters.
    public init(
        service: String, _ resources: [Resource],
        counts: @escaping @Sendable (ProjectID, any SQLReader) throws -> [String: Int] = { _, _ in [:] }
    ) {
        self.service = service
        self.resources = resources
        self.counts = counts
    }

    public subscript(name: String) -> Resource? { resources.first { $0.name == name } }

    public var defaults: Limits {
        Dictionary(resources.map { ($0.name, $0.defaultLimit) }, uniquingKeysWith: { first, _ in first })
    }

    /// The name of the one class of limits that projects have without limits of their own.
    public static let defaultClass = "default"
    /// Whose rows they are.
    private static let everybody = ProjectID(high: 0, low: 0)

    /// The defaults as an administrator changed them.
    public func defaults(in reader: any SQLReader) throws -> Limits {
        try defaults.merging(store.limits(of: Self.everybody, service: service, in: reader)) { _, own in own }
    }

    public func setDefault(_ limit: Int, of name: String, in transaction: any SQLTransaction) throws {
        try store.set(limit, of: name, service: service, project: Self.everybody, in: transaction)
    }

    /// All limits of a project.
    public func limits(of project: ProjectID, in reader: any SQLReader) throws -> Limits {
        try defaults(in: reader).merging(store.limits(of: project, service: service, in: reader)) { _, own in own }
    }

    public func limit(_ name: String, of project: ProjectID, in reader: any SQLReader) throws -> Int {
        try limits(of: project, in: reader)[name] ?? -1
    }

    public func used(_ name: String, by project: ProjectID, in reader: any SQLReader) throws -> Int {
        try used([name], by: project, in: reader)[name] ?? 0
    }

    /// What a project has of each.
    public func used(_ names: [String], by project: ProjectID, in reader: any SQLReader) throws -> [String: Int] {
        let counted = try counts(project, reader)
        var used: [String: Int] = [:]
        for name in names { used[name] = try counted[name] ?? self[name]?.used(project, reader) ?? 0 }
        return used
    }

    /// Makes sure that the project may have this much more.
    /// - Throws: ``QuotaExceeded``
    public func claim(
        _ name: String, _ amount: Int = 1, for project: ProjectID, in transaction: any SQLTransaction
    ) throws {
        _ = try grant([Demand(name, amount)], atLeast: 1, atMost: 1, for: project, in: transaction)
    }

    /// How many items the project may have more of: all that are asked for, else as many as fit.
    /// - Throws: ``QuotaExceeded`` when that is not enough.
    public func grant(
        _ demands: [Demand], atLeast least: Int, atMost most: Int, for project: ProjectID,
        in transaction: any SQLTransaction
    ) throws -> Int {
        let limits = try limits(of: project, in: transaction)
        let limited = demands.filter { $0.amount > 0 && (limits[$0.name] ?? -1) >= 0 }
        guard !limited.isEmpty else { return most }
        let counted = try used(limited.map(\.name), by: project, in: transaction)
        var granted = most
        var excesses: [QuotaExceeded.Excess] = []
        for demand in limited {
            guard let limit = limits[demand.name], let used = counted[demand.name] else { continue }
            granted = min(granted, max(0, (limit - used) / demand.amount))
            let wanted = demand.amount * least
            guard used + wanted > limit else { continue }
            excesses.append(.init(name: demand.name, wanted: wanted, used: used, limit: limit))
        }
        guard excesses.isEmpty else { throw QuotaExceeded(project: project, excesses: excesses) }
        return granted
    }

    // MARK: Changing limits

    /// - Parameter limit: -1 for none.
    public func set(
        _ limit: Int, of name: String, for project: ProjectID, in transaction: any SQLTransaction
    ) throws {
        try store.set(limit, of: name, service: service, project: project, in: transaction)
    }

    /// A resource is called otherwise from now on: projects keep their limits.
    public func rename(_ old: String, to new: String, in transaction: any SQLTransaction) throws {
        try store.rename(old, to: new, service: service, in: transaction)
    }

    /// Back to the defaults.
    public func reset(_ project: ProjectID, in transaction: any SQLTransaction) throws {
        try store.reset(project, service: service, in: transaction)
    }

    /// Projects with limits of their own, in order.
    public func projects(in reader: any SQLReader) throws -> [ProjectID] {
        try store.projects(service: service, in: reader).filter { $0 != Self.everybody }
    }
}

/// More was asked for than a project may have.
public struct QuotaExceeded: Error, Sendable, Hashable {
    public struct Excess: Sendable, Hashable {
        public var name: String
        public var wanted: Int
        public var used: Int
        public var limit: Int

        public init(name: String, wanted: Int, used: Int, limit: Int) {
            self.name = name
            self.wanted = wanted
            self.used = used
            self.limit = limit
        }
    }

    public var project: ProjectID
    /// At least one, in the order of the demands.
    public var excesses: [Excess]
}
