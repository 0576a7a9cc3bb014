import ProtocolModel

/// What operators say of a host, beside what it reports of itself.
public struct HostRules: Sendable, Hashable {
    /// Instead of the one that it reports.
    public var zone: String?
    /// How much more than there is may be given away, by resource class: instead of what the inventory says.
    public var ratios: [String: Double]

    public init(zone: String? = nil, ratios: [String: Double] = [:]) {
        self.zone = zone
        self.ratios = ratios
    }
}

/// A row of `placement_host_rules`.
struct StoredHostRules: Sendable, Hashable {
    var number: Int64 = 0
    var provider: String
    var rules: HostRules
    /// What inventories had before.
    var replaced: [String: Double] = [:]
    /// Those that came with the rules; others are the placement API's.
    var aggregates: [String] = []
}
