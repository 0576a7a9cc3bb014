import CoordinatorFleet
import CoordinatorPlatform
import ProtocolModel

enum FleetFixture {
    static func database() async throws -> EmbeddedDatabase {
        let database = try EmbeddedDatabase(inMemory: .init())
        try await Migrator(PlatformMigrations.all + FleetSlice.migrations).migrate(database, now: 0)
        return database
    }

    /// A database that knows one node.
    static func database(with node: NodeID) async throws -> EmbeddedDatabase {
        let database = try await database()
        try await database.write { transaction in
            try transaction.execute(
                """
                INSERT INTO nodes (uuid, hostname, health, enabled, last_seen, created_at, plan_epoch, plan_revision,
                    acknowledged_revision)
                VALUES (?, 'host', 'up', 1, 0, 0, 1, 0, 0)
                """, [node])
        }
        return database
    }
}
