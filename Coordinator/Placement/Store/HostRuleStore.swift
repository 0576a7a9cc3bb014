import CoordinatorPlatform
import ProtocolModel

extension StoredHostRules: TableRecord {
    static let table = RecordTable<Self>("placement_host_rules")
    static let blank = Self(provider: "", rules: HostRules())

    mutating func columns(_ column: inout some ColumnVisitor) throws {
        try column("id", &number, .number)
        try column("provider_uuid", &provider, .fixed)
        try column("zone", &rules.zone)
        try Self.numbers("ratios", &rules.ratios, &column)
        try Self.numbers("replaced", &replaced, &column)
        var list = JSON.array(aggregates.map(JSON.string))
        try column("aggregates", &list)
        if column.isReading { aggregates = (list.arrayValue ?? []).compactMap(\.stringValue) }
    }

    private static func numbers(
        _ name: String, _ numbers: inout [String: Double], _ column: inout some ColumnVisitor
    ) throws {
        var texts = numbers.mapValues { "\($0)" }
        try column(name, &texts)
        if column.isReading { numbers = texts.compactMapValues(Double.init) }
    }
}

/// What operators say of hosts.
struct HostRuleStore: Sendable {
    private let table = StoredHostRules.table

    func find(_ provider: String, in reader: any SQLReader) throws -> StoredHostRules? {
        try table.first(where: .equal("provider_uuid", provider), in: reader)
    }

    /// By provider.
    func zones(in reader: any SQLReader) throws -> [String: String] {
        try table.all(in: reader).reduce(into: [:]) { $0[$1.provider] = $1.rules.zone }
    }

    func put(_ stored: StoredHostRules, in transaction: any SQLTransaction) throws {
        if stored.number == 0 {
            try table.insert(stored, in: transaction)
        } else {
            try table.update(stored, in: transaction)
        }
    }

    func remove(_ provider: String, in transaction: any SQLTransaction) throws {
        try table.delete(where: .equal("provider_uuid", provider), in: transaction)
    }
}
