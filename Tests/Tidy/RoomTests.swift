import Testing

/// What stands in which room of a slice. Counts are ratchets: they are what the tree has, and only ever get smaller.
@Suite("rooms")
struct RoomTests {
    static let tree = SourceTree()
    static let slices = [
        "Identity", "Image", "Network", "BlockStorage", "Compute", "Console", "Placement", "Fleet"
    ]

    private static func files(_ slice: String, _ room: String) -> [SourceTree.File] {
        tree.production.filter { $0.path.hasPrefix("Coordinator/\(slice)/\(room)/") }
    }

    /// Lines of the room's code in which the expression is found.
    private static func lines(_ slice: String, _ room: String, with expression: String) throws -> [String] {
        let regex = try Regex(expression).wordBoundaryKind(.simple)
        return files(slice, room).flatMap { file in
            file.code.filter { $0.text.contains(regex) }.map { "\(file.path):\($0.number)" }
        }
    }

    @Test("a slice has four rooms, and beside them only what puts it together", arguments: slices)
    func rooms(slice: String) {
        for file in Self.tree.production where file.path.hasPrefix("Coordinator/\(slice)/") {
            let parts = file.path.split(separator: "/")
            let isRoot = parts.count == 3 && parts[2].hasSuffix("Slice.swift")
            #expect(
                isRoot || ["API", "Service", "Store", "Model", "Hosted"].contains(String(parts[2])),
                "\(file.path) is in no room")
        }
    }

    @Test("an API calls services, and no store", arguments: slices)
    func noStoreInAPI(slice: String) throws {
        // `service.servers` is a store all the same, so the word is looked for that makes or names one.
        let found = try Self.lines(slice, "API", with: #"\b[A-Z]\w*Store\b|\bRecordTable\b|\bSQLCondition\b"#)
        #expect(found.count <= Self.storesInAPI[slice] ?? 0, "\(found)")
    }

    private static let storesInAPI: [String: Int] = ["Compute": 5]

    @Test("a service sees no request", arguments: slices)
    func noCallInService(slice: String) throws {
        let found = try Self.lines(slice, "Service", with: #"\bAPICall\b|\bAPIResponse\b|\bRoute\("#)
        #expect(found.count <= Self.callsInServices[slice] ?? 0, "\(found)")
    }

    private static let callsInServices: [String: Int] = [:]

    @Test("columns are read by name: no index is counted by hand", arguments: slices)
    func countedColumns(slice: String) throws {
        let found = try Self.lines(
            slice, "Store",
            with: #"\.(text|integer|int|bool|id|optionalText|optionalInteger|optionalID|real|blob|address)\([1-9]\d*\)"#
        )
        #expect(found.count <= Self.countedColumns[slice] ?? 0, "\(found.count): \(found)")
    }

    /// Statements that read a few columns of their own, where no record fits.
    private static let countedColumns: [String: Int] = ["Identity": 1, "BlockStorage": 6, "Compute": 8, "Fleet": 15]

    @Test("a row is read in Store, and nowhere else", arguments: slices)
    func rowsInStores(slice: String) throws {
        for room in ["API", "Service", "Model"] {
            let found = try Self.lines(slice, room, with: #"\bSQLRow\b|\bORDER BY\b|\bWHERE\b"#)
            #expect(found.isEmpty, "\(found)")
        }
    }
}
