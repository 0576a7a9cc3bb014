import CoordinatorPlatform
import ProtocolModel

/// A row of `flavors`.
package struct Flavor: Sendable, Hashable {
    package var number: Int64 = 0
    package var snapshot: FlavorSnapshot
    package var description: String?
    package var rxtxFactor: Double
    package var isPublic: Bool
    package var createdAt: Int64

    package init(
        snapshot: FlavorSnapshot, description: String? = nil, rxtxFactor: Double = 1, isPublic: Bool = true,
        createdAt: Int64
    ) {
        self.snapshot = snapshot
        self.description = description
        self.rxtxFactor = rxtxFactor
        self.isPublic = isPublic
        self.createdAt = createdAt
    }

    package var id: String { snapshot.id }
    package var name: String { snapshot.name }
}

extension Flavor: TableRecord {
    package static let table = RecordTable<Self>("flavors")
    package static let blank = Flavor(snapshot: .blank, createdAt: 0)

    package mutating func columns(_ column: inout some ColumnVisitor) throws {
        try column("id", &number, .number)
        try snapshot.columns(&column, name: "name", .key, specs: .changing)
        try column("description", &description)
        try column("rxtx_factor", &rxtxFactor, .fixed)
        try column("is_public", &isPublic, .fixed)
        try column("created_at", &createdAt, .fixed)
    }
}

package struct FlavorStore: Sendable {
    package init() {}

    /// Which flavors a list shows.
    package enum Scope: Sendable, Hashable {
        case all
        case alike(isPublic: Bool)
        /// Public ones, and those that the project has access to.
        case open(to: ProjectID?)
    }

    /// By the compute API's names.
    package static let schema = ListSchema(
        Flavor.table, identity: "flavor_id",
        columns: [
            "created_at": .init("created_at", .number), "description": .init("description", isNullable: true),
            "disabled": .init("id", .number), "ephemeral_gb": .init("ephemeral_gib", .number),
            "flavorid": .init("flavor_id"), "id": .init("id", .number), "is_public": .init("is_public", .flag),
            "memory_mb": .init("memory_mib", .number), "name": .init("name"), "root_gb": .init("root_gib", .number),
            "rxtx_factor": .init("CAST(rxtx_factor * 1000000 AS BIGINT)", .number),
            "swap": .init("swap_mib", .number), "updated_at": .init("created_at", .number),
            "vcpu_weight": .init("id", .number), "vcpus": .init("vcpus", .number)
        ], numberFollows: true)

    package func find(_ id: String, in reader: any SQLReader) throws -> Flavor? {
        try Flavor.table.find(id, in: reader)
    }

    package func exists(named name: String, in reader: any SQLReader) throws -> Bool {
        try Flavor.table.exists(where: .equal("name", name), in: reader)
    }

    /// - Throws: ``UnknownMarker``
    package func list(_ query: ListQuery, _ scope: Scope, in reader: any SQLReader) throws -> [Flavor] {
        let visible: SQLCondition =
            switch scope {
            case .all: .always
            case .alike(let isPublic): .equal("is_public", isPublic)
            case .open(let project):
                SQLCondition(
                    """
                    is_public = ? OR flavor_id IN (SELECT a.flavor_id FROM flavor_access a WHERE a.project_id = ?)
                    """, [true, project?.compact ?? ""])
            }
        return try Self.schema.records(Flavor.table, query, visible: visible, in: reader)
    }

    package func insert(_ flavor: Flavor, in transaction: any SQLTransaction) throws {
        try Flavor.table.insert(flavor, in: transaction)
    }

    package func update(_ flavor: Flavor, in transaction: any SQLTransaction) throws {
        try Flavor.table.update(flavor, in: transaction)
    }

    /// - Returns: `false` when there was none.
    package func delete(_ id: String, in transaction: any SQLTransaction) throws -> Bool {
        try transaction.execute("DELETE FROM flavor_access WHERE flavor_id = ?", [id])
        return try Flavor.table.delete(id, in: transaction)
    }

    // MARK: Access to private flavors

    /// The projects (as 32 digits), in the order in which they got it.
    package func access(to id: String, in reader: any SQLReader) throws -> [String] {
        try reader.query("SELECT project_id FROM flavor_access WHERE flavor_id = ? ORDER BY id", [id]) { $0.text(0) }
    }

    package func hasAccess(_ project: ProjectID, to id: String, in reader: any SQLReader) throws -> Bool {
        try reader.exists("flavor_access", Self.one(project, id))
    }

    /// - Returns: `false` when it had access already.
    package func grant(_ project: ProjectID, to id: String, in transaction: any SQLTransaction) throws -> Bool {
        try transaction.execute(
            """
            INSERT INTO flavor_access (flavor_id, project_id) VALUES (?, ?)
            ON CONFLICT (flavor_id, project_id) DO NOTHING
            """,
            [id, project.compact]) == 1
    }

    /// - Returns: `false` when it had none.
    package func revoke(_ project: ProjectID, from id: String, in transaction: any SQLTransaction) throws -> Bool {
        let one = Self.one(project, id)
        return try transaction.execute("DELETE FROM flavor_access WHERE \(one.sql)", one.arguments) == 1
    }

    package func revokeAll(of project: ProjectID, in transaction: any SQLTransaction) throws {
        try transaction.execute("DELETE FROM flavor_access WHERE project_id = ?", [project.compact])
    }

    private static func one(_ project: ProjectID, _ id: String) -> SQLCondition {
        SQLCondition("project_id = ? AND flavor_id = ?", [project.compact, id])
    }
}
