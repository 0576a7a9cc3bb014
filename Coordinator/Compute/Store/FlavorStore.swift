import CoordinatorPlatform
import ProtocolModel

/// A row of `flavors`.
public struct Flavor: Sendable, Hashable {
    public var number: Int64
    public var snapshot: FlavorSnapshot
    public var description: String?
    public var rxtxFactor: Double
    public var isPublic: Bool
    public var createdAt: Int64

    public init(
        number: Int64 = 0, snapshot: FlavorSnapshot, description: String?, rxtxFactor: Double, isPublic: Bool,
        createdAt: Int64
    ) {
        self.number = number
        self.snapshot = snapshot
        self.description = description
        self.rxtxFactor = rxtxFactor
        self.isPublic = isPublic
        self.createdAt = createdAt
    }

    public var id: String { snapshot.id }
    public var name: String { snapshot.name }
}

/// Which flavors to list.
struct FlavorFilter: Sendable {
    /// `nil` for both kinds.
    var isPublic: Bool?
    /// Also private ones that this project has access to.
    var project: ProjectID?
    var minMemoryMiB: Int?
    var minRootGiB: Int?
    var sortColumn = "flavor_id"
    var isDescending = false
}

struct FlavorStore: Sendable {
    private static let selection = """
        SELECT id, flavor_id, name, description, vcpus, memory_mib, root_gib, ephemeral_gib, swap_mib, rxtx_factor,
            is_public, extra_specs, created_at FROM flavors
        """

    func find(_ id: String, in reader: any SQLReader) throws -> Flavor? {
        try reader.first(Self.selection + " WHERE flavor_id = ?", [id], Self.read)
    }

    func exists(named name: String, in reader: any SQLReader) throws -> Bool {
        try reader.count("SELECT COUNT(*) FROM flavors WHERE name = ?", [name]) > 0
    }

    /// All that match, sorted; clouds have dozens of flavors, so pages are cut by the caller.
    func list(_ filter: FlavorFilter, in reader: any SQLReader) throws -> [Flavor] {
        var conditions: [String] = []
        var arguments: [any SQLArgument] = []
        if let isPublic = filter.isPublic {
            var condition = "is_public = ?"
            arguments.append(isPublic)
            if let project = filter.project {
                condition = "(\(condition) OR flavor_id IN (SELECT flavor_id FROM flavor_access WHERE project_id = ?))"
                arguments.append(project.compact)
            }
            conditions.append(condition)
        }
        for (condition, value) in [("memory_mib >= ?", filter.minMemoryMiB), ("root_gib >= ?", filter.minRootGiB)] {
            guard let value else { continue }
            conditions.append(condition)
            arguments.append(value)
        }
        let clause = conditions.isEmpty ? "" : " WHERE " + conditions.joined(separator: " AND ")
        let direction = filter.isDescending ? "DESC" : "ASC"
        return try reader.query(
            Self.selection + clause + " ORDER BY \(filter.sortColumn) \(direction), id \(direction)", arguments,
            Self.read)
    }

    func insert(_ flavor: Flavor, in transaction: any SQLTransaction) throws {
        let snapshot = flavor.snapshot
        try transaction.execute(
            """
            INSERT INTO flavors (flavor_id, name, description, vcpus, memory_mib, root_gib, ephemeral_gib, swap_mib,
                rxtx_factor, is_public, extra_specs, created_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
            """,
            [
                snapshot.id, snapshot.name, flavor.description, snapshot.vcpus, snapshot.memoryMiB, snapshot.rootGiB,
                snapshot.ephemeralGiB, snapshot.swapMiB, flavor.rxtxFactor, flavor.isPublic,
                JSONColumn.text(snapshot.extraSpecs), flavor.createdAt
            ])
    }

    func update(
        _ id: String, description: String?, extraSpecs: [String: String], in transaction: any SQLTransaction
    ) throws {
        try transaction.execute(
            "UPDATE flavors SET description = ?, extra_specs = ? WHERE flavor_id = ?",
            [description, JSONColumn.text(extraSpecs), id])
    }

    /// - Returns: `false` when there was none.
    func delete(_ id: String, in transaction: any SQLTransaction) throws -> Bool {
        try transaction.execute("DELETE FROM flavor_access WHERE flavor_id = ?", [id])
        return try transaction.execute("DELETE FROM flavors WHERE flavor_id = ?", [id]) == 1
    }

    /// The projects (as 32 digits) with access to a private flavor.
    func access(to id: String, in reader: any SQLReader) throws -> [String] {
        try reader.query("SELECT project_id FROM flavor_access WHERE flavor_id = ? ORDER BY id", [id]) { $0.text(0) }
    }

    /// - Returns: `false` when it had access already.
    func grant(_ project: String, to id: String, in transaction: any SQLTransaction) throws -> Bool {
        try transaction.execute(
            """
            INSERT INTO flavor_access (flavor_id, project_id) VALUES (?, ?)
            ON CONFLICT (flavor_id, project_id) DO NOTHING
            """,
            [id, project]) == 1
    }

    /// - Returns: `false` when it had none.
    func revoke(_ project: String, from id: String, in transaction: any SQLTransaction) throws -> Bool {
        try transaction.execute("DELETE FROM flavor_access WHERE flavor_id = ? AND project_id = ?", [id, project]) == 1
    }

    private static func read(_ row: any SQLRow) throws -> Flavor {
        Flavor(
            number: row.integer(0),
            snapshot: FlavorSnapshot(
                id: row.text(1), name: row.text(2), vcpus: row.int(4), memoryMiB: row.int(5), rootGiB: row.int(6),
                ephemeralGiB: row.int(7), swapMiB: row.int(8), extraSpecs: try JSONColumn.map(row.text(11))),
            description: row.optionalText(3), rxtxFactor: row.real(9), isPublic: row.bool(10),
            createdAt: row.integer(12))
    }
}
