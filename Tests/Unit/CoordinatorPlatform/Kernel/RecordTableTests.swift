import CoordinatorPlatform
import ProtocolModel
import Testing
import TestsSupportRandomness

@Suite("tables of records")
struct RecordTableTests {
    private static func thing(_ name: String = "a") -> Thing {
        Thing(id: .fresh(), project: .fresh(), name: name, size: 3, labels: ["k": "v"])
    }

    @Test("what was written comes back, with the row's number")
    func roundTrip() async throws {
        let database = try await Thing.database()
        var thing = Self.thing()
        thing.size = nil
        thing.colour = .green
        let wanted = thing
        let number = try await database.write { try Thing.table.insert(wanted, in: $0) }
        let read = try await database.read { try Thing.table.find(wanted.id, in: $0) }
        thing.number = number
        #expect(number > 0)
        #expect(read == thing)
    }

    @Test("an update writes what changes and counts the generation; fixed columns stay")
    func update() async throws {
        let database = try await Thing.database()
        let thing = Self.thing()
        let read = try await database.write { transaction in
            try Thing.table.insert(thing, in: transaction)
            var changed = thing
            changed.name = "b"
            changed.project = .fresh()
            try Thing.table.update(changed, in: transaction)
            return try Thing.table.find(thing.id, in: transaction)
        }
        #expect(read?.name == "b")
        #expect(read?.project == thing.project)
        #expect(read?.generation == thing.generation + 1)
    }

    @Test("an update of an older generation, or of what is gone, changes nothing")
    func stale() async throws {
        let database = try await Thing.database()
        let thing = Self.thing()
        try await database.write { transaction in
            try Thing.table.insert(thing, in: transaction)
            try Thing.table.update(thing, in: transaction)
        }
        for gone in [thing, Self.thing()] {
            await #expect(throws: StoreError.self) { try await database.write { try Thing.table.update(gone, in: $0) } }
        }
        let read = try await database.read { try Thing.table.find(thing.id, in: $0) }
        #expect(read?.generation == 1)
    }

    @Test("a taken unique value refuses, or is told where the caller asks for that")
    func duplicates() async throws {
        let database = try await Thing.database()
        let thing = Self.thing()
        let twice = try await database.write { transaction in
            [
                try Thing.table.insert(thing, unlessTaken: "uuid", in: transaction),
                try Thing.table.insert(thing, unlessTaken: "uuid", in: transaction)
            ]
        }
        #expect(twice == [true, false])
        await #expect(throws: StoreError.self) { try await database.write { try Thing.table.insert(thing, in: $0) } }
    }

    @Test("any number of keys is found, in pieces a statement can bear", arguments: [0, 1, 5, 4097])
    func manyKeys(count: Int) async throws {
        let database = try await Thing.database()
        let things = (0..<min(count, 50)).map { Self.thing("n\($0)") }
        let others = (things.count..<max(count, things.count)).map { _ in Identifier<Thing.ThingTag>.fresh() }
        let found = try await database.write { transaction in
            for thing in things { try Thing.table.insert(thing, in: transaction) }
            return try Thing.table.find(things.map(\.id) + others, in: transaction)
        }
        #expect(Set(found.map(\.name)) == Set(things.map(\.name)))
    }

    @Test("a column that holds what its type does not know is told as corrupt")
    func corrupt() async throws {
        let database = try await Thing.database()
        let thing = Self.thing()
        try await database.write { transaction in
            try Thing.table.insert(thing, in: transaction)
            try transaction.execute("UPDATE things SET colour = 'mauve'")
        }
        await #expect(throws: StoreError.corrupt("'mauve' is not a Colour")) {
            try await database.read { try Thing.table.find(thing.id, in: $0) }
        }
    }
}

@Suite("conditions")
struct SQLConditionTests {
    @Test("none of several conditions, and one of none")
    func empty() {
        #expect(SQLCondition.all([]).sql == "1 = 1")
        #expect(SQLCondition.any([]).sql == "1 = 0")
        #expect(SQLCondition.in("x", []).sql == "1 = 0")
    }

    @Test("lists come in few lengths", arguments: [(1, 1), (2, 4), (4, 4), (5, 16), (17, 64)])
    func lengths(count: Int, marks: Int) {
        let condition = SQLCondition.in("x", Array(0..<count))
        #expect(condition.arguments.count == marks)
        #expect(condition.sql.filter { $0 == "?" }.count == marks)
    }
}
