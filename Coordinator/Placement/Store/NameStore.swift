import CoordinatorPlatform

/// Own resource classes and traits, and what providers have of traits and aggregates.
struct NameStore: Sendable {
    enum Kind: String, Sendable {
        case resourceClass = "class"
        case trait
    }

    func names(_ kind: Kind, in reader: any SQLReader) throws -> [String] {
        try reader.query(
            "SELECT name FROM placement_custom_names WHERE kind = ? ORDER BY id", [kind.rawValue]
        ) { $0.text(0) }
    }

    func has(_ name: String, _ kind: Kind, in reader: any SQLReader) throws -> Bool {
        try reader.count(
            "SELECT COUNT(*) FROM placement_custom_names WHERE kind = ? AND name = ?", [kind.rawValue, name]) > 0
    }

    /// - Returns: `false` when it was there.
    func add(_ name: String, _ kind: Kind, in transaction: any SQLTransaction) throws -> Bool {
        try transaction.execute(
            "INSERT INTO placement_custom_names (kind, name) VALUES (?, ?) ON CONFLICT (kind, name) DO NOTHING",
            [kind.rawValue, name]) == 1
    }

    func remove(_ name: String, _ kind: Kind, in transaction: any SQLTransaction) throws {
        try transaction.execute(
            "DELETE FROM placement_custom_names WHERE kind = ? AND name = ?", [kind.rawValue, name])
    }

    /// - Returns: The keys of the providers that have some of it.
    func renameClass(_ old: String, to name: String, in transaction: any SQLTransaction) throws -> [Int64] {
        try transaction.execute(
            "UPDATE placement_custom_names SET name = ? WHERE kind = ? AND name = ?",
            [name, Kind.resourceClass.rawValue, old])
        try transaction.execute(
            "UPDATE placement_allocations SET resource_class = ? WHERE resource_class = ?", [name, old])
        return try transaction.query(
            "UPDATE placement_inventories SET resource_class = ? WHERE resource_class = ? RETURNING provider_id",
            [name, old]
        ) { $0.integer(0) }
    }

    func isUsed(_ name: String, _ kind: Kind, in reader: any SQLReader) throws -> Bool {
        switch kind {
        case .resourceClass:
            try reader.count("SELECT COUNT(*) FROM placement_inventories WHERE resource_class = ?", [name]) > 0
        case .trait: try reader.count("SELECT COUNT(*) FROM placement_traits WHERE name = ?", [name]) > 0
        }
    }

    func traits(of provider: Int64, in reader: any SQLReader) throws -> [String] {
        try reader.query("SELECT name FROM placement_traits WHERE provider_id = ? ORDER BY name", [provider]) {
            $0.text(0)
        }
    }

    /// Those that a provider has.
    func usedTraits(in reader: any SQLReader) throws -> Set<String> {
        Set(try reader.query("SELECT DISTINCT name FROM placement_traits") { $0.text(0) })
    }

    /// By the provider's key.
    func allTraits(in reader: any SQLReader) throws -> [Int64: Set<String>] {
        var result: [Int64: Set<String>] = [:]
        for trait in try ProviderTrait.table.all(order: nil, in: reader) {
            result[trait.provider, default: []].insert(trait.name)
        }
        return result
    }

    func allAggregates(in reader: any SQLReader) throws -> [Int64: Set<String>] {
        var result: [Int64: Set<String>] = [:]
        for aggregate in try ProviderAggregate.table.all(order: nil, in: reader) {
            result[aggregate.provider, default: []].insert(aggregate.uuid)
        }
        return result
    }

    func setTraits(_ names: [String], of provider: Int64, in transaction: any SQLTransaction) throws {
        try transaction.execute("DELETE FROM placement_traits WHERE provider_id = ?", [provider])
        for name in Set(names).sorted() {
            try transaction.execute("INSERT INTO placement_traits (provider_id, name) VALUES (?, ?)", [provider, name])
        }
    }

    func aggregates(of provider: Int64, in reader: any SQLReader) throws -> [String] {
        try reader.query("SELECT uuid FROM placement_aggregates WHERE provider_id = ? ORDER BY uuid", [provider]) {
            $0.text(0)
        }
    }

    func setAggregates(_ uuids: [String], of provider: Int64, in transaction: any SQLTransaction) throws {
        try transaction.execute("DELETE FROM placement_aggregates WHERE provider_id = ?", [provider])
        for uuid in Set(uuids).sorted() {
            try transaction.execute(
                "INSERT INTO placement_aggregates (provider_id, uuid) VALUES (?, ?)", [provider, uuid])
        }
    }
}
