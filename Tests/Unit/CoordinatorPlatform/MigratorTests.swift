import CoordinatorPlatform
import Testing

@Suite("schema steps")
struct MigratorTests {
    private let first = Migration(slice: "a", number: 1, name: "start", sql: "CREATE TABLE a (n BIGINT)")
    private let second = Migration(slice: "a", number: 2, name: "more", sql: "CREATE TABLE b (n BIGINT)")

    private func applied(_ step: Migration) -> Migrator.Applied {
        .init(slice: step.slice, number: step.number, name: step.name, checksum: Migrator.checksum(step))
    }

    @Test("only what is missing is run")
    func missing() throws {
        #expect(try Migrator.plan([first, second], applied: [applied(first)]).map(\.number) == [2])
        #expect(try Migrator.plan([first, second], applied: [applied(first), applied(second)]).isEmpty)
    }

    @Test("a changed, an unknown and a misnumbered step are refused")
    func refusals() throws {
        let changed = Migration(slice: "a", number: 1, name: "start", sql: "CREATE TABLE a (n TEXT)")
        #expect(throws: Migrator.Failure.changed("a 1 start")) {
            try Migrator.plan([changed], applied: [applied(first)])
        }
        #expect(throws: Migrator.Failure.newer("a 2 more")) {
            try Migrator.plan([first], applied: [applied(first), applied(second)])
        }
        #expect(throws: Migrator.Failure.numbering("a")) { try Migrator.plan([second], applied: []) }
    }

    @Test("a failing step is undone and the steps before it stay")
    func failure() async throws {
        let database = try EmbeddedDatabase(inMemory: .init())
        let bad = Migration(
            slice: "a", number: 2, name: "bad", sql: "CREATE TABLE c (n BIGINT); CREATE TABLE a (n BIGINT)")
        await #expect(throws: Migrator.Failure.self) { try await Migrator([first, bad]).migrate(database, now: 0) }
        let tables = try await database.read {
            try $0.query("SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY name") { $0.text(0) }
        }
        #expect(tables == ["a", "schema_migrations"])
        #expect(try await Migrator([first, second]).migrate(database, now: 0) == 1)
    }
}
