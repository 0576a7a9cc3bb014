import CoordinatorPlatform

extension Provider: TableRecord {
    package static let blank = Provider(
        key: 0, uuid: "", name: "", generation: 0, consumers: 0, updatedAt: 0, parent: nil, root: "")
    package static let table = RecordTable<Self>("placement_providers")

    /// Generation and consumers are counted by statements of their own: an update of the rest leaves them.
    package mutating func columns(_ column: inout some ColumnVisitor) throws {
        try column("id", &key, .number)
        try column("uuid", &uuid, .key)
        try column("name", &name)
        try column("generation", &generation, .fixed)
        try column("consumers", &consumers, .fixed)
        try column("updated_at", &updatedAt)
        try column("parent_uuid", &parent)
        try column("root_uuid", &root)
    }
}

/// One inventory with where it belongs.
struct InventoryRecord: TableRecord {
    var provider: Int64 = 0
    var resourceClass = ""
    var inventory = Inventory(total: 0)

    static let blank = InventoryRecord()
    static let table = RecordTable<Self>("placement_inventories")

    mutating func columns(_ column: inout some ColumnVisitor) throws {
        try column("provider_id", &provider, .fixed)
        try column("resource_class", &resourceClass, .fixed)
        try column("total", &inventory.total)
        try column("reserved", &inventory.reserved)
        try column("min_unit", &inventory.minUnit)
        try column("max_unit", &inventory.maxUnit)
        try column("step_size", &inventory.stepSize)
        try column("allocation_ratio", &inventory.allocationRatio)
        try column("used", &inventory.used)
    }
}

/// The same with how many consumers its provider has: what the scheduler reads again after every claim, in one statement.
struct StockRecord: TableRecord {
    var inventory = InventoryRecord.blank
    var consumers = 0

    static let blank = StockRecord()
    static let table = RecordTable<Self>(
        "placement_inventories", alias: "i", join: "JOIN placement_providers p ON p.id = i.provider_id")

    mutating func columns(_ column: inout some ColumnVisitor) throws {
        try inventory.columns(&column)
        try column("p.consumers", &consumers, .joined)
    }
}

extension Consumer: TableRecord {
    package static let blank = Consumer(uuid: "", project: "", user: "", generation: 0, updatedAt: 0)
    package static let table = RecordTable<Self>("placement_consumers")

    package mutating func columns(_ column: inout some ColumnVisitor) throws {
        try column("uuid", &uuid, .key)
        try column("consumer_type", &type)
        try column("project_id", &project)
        try column("user_id", &user)
        try column("generation", &generation, .generation)
        try column("updated_at", &updatedAt)
    }
}

/// A claim with who holds it.
struct HeldClaim: TableRecord {
    var consumer: Consumer
    var claim: Claim

    static let blank = HeldClaim(consumer: .blank, claim: Claim(provider: "", resourceClass: "", amount: 0))
    static let table = RecordTable<Self>(
        "placement_allocations", alias: "a",
        join: """
            JOIN placement_consumers c ON c.id = a.consumer_id
            JOIN placement_providers p ON p.id = a.provider_id
            """)

    mutating func columns(_ column: inout some ColumnVisitor) throws {
        try column("p.uuid", &claim.provider, .joined)
        try column("resource_class", &claim.resourceClass, .fixed)
        try column("used", &claim.amount, .fixed)
        try column("c.uuid", &consumer.uuid, .joined)
        try column("c.consumer_type", &consumer.type, .joined)
        try column("c.project_id", &consumer.project, .joined)
        try column("c.user_id", &consumer.user, .joined)
        try column("c.generation", &consumer.generation, .joined)
        try column("c.updated_at", &consumer.updatedAt, .joined)
    }
}

/// How much of a class consumers of one type have.
struct Usage: TableRecord {
    var type = ""
    var resourceClass = ""
    var amount = 0

    static let blank = Usage()
    static let table = RecordTable<Self>("placement_consumers", alias: "c")

    mutating func columns(_ column: inout some ColumnVisitor) throws {
        try column("c.consumer_type", &type, .joined)
        try column("a.resource_class", &resourceClass, .joined)
        try column("SUM(a.used)", &amount, .joined)
    }
}

/// How many consumers of one type there are.
struct ConsumerCount: TableRecord {
    var type = ""
    var count = 0

    static let blank = ConsumerCount()
    static let table = RecordTable<Self>("placement_consumers")

    mutating func columns(_ column: inout some ColumnVisitor) throws {
        try column("consumer_type", &type, .joined)
        try column("COUNT(*)", &count, .joined)
    }
}

/// A trait, or an aggregate, of a provider.
struct ProviderTrait: TableRecord {
    var provider: Int64 = 0
    var name = ""

    static let blank = ProviderTrait()
    static let table = RecordTable<Self>("placement_traits")

    mutating func columns(_ column: inout some ColumnVisitor) throws {
        try column("provider_id", &provider, .fixed)
        try column("name", &name, .fixed)
    }
}

struct ProviderAggregate: TableRecord {
    var provider: Int64 = 0
    var uuid = ""

    static let blank = ProviderAggregate()
    static let table = RecordTable<Self>("placement_aggregates")

    mutating func columns(_ column: inout some ColumnVisitor) throws {
        try column("provider_id", &provider, .fixed)
        try column("uuid", &uuid, .fixed)
    }
}
