import CoordinatorPlacement
import ProtocolModel

/// A row of `compute_aggregates`: hosts that have something in common.
package struct Aggregate: Sendable, Hashable {
    /// The API's id.
    package var number: Int64 = 0
    package var id: AnyID
    package var name: String
    package var metadata: [String: String] = [:]
    package var createdAt: Int64
    package var updatedAt: Int64?

    package init(id: AnyID, name: String, metadata: [String: String] = [:], createdAt: Int64) {
        self.id = id
        self.name = name
        self.metadata = metadata
        self.createdAt = createdAt
    }

    package static let zoneKey = "availability_zone"
    package var zone: String? { metadata[Self.zoneKey] }
}

/// What aggregates ask of servers' hosts, and of hosts. Pure.
package enum AggregateRules {
    /// What placement is told of a host that is in these.
    package static func rules(of aggregates: [Aggregate]) -> HostRules {
        var rules = HostRules(zone: aggregates.compactMap(\.zone).first)
        for (key, resource) in ratios {
            rules.ratios[resource] = aggregates.compactMap { $0.metadata[key].flatMap(Double.init) }
                .filter { $0 > 0 && $0.isFinite }.min()
        }
        return rules
    }

    private static let ratios = [
        "cpu_allocation_ratio": ResourceClass.vcpu, "ram_allocation_ratio": ResourceClass.memory,
        "disk_allocation_ratio": ResourceClass.disk
    ]

    /// Aggregates for some projects keep the others' servers out; what a flavor asks of aggregates, a host has to be in.
    package static func apply(
        _ aggregates: [Aggregate], extraSpecs: [String: String], project: ProjectID, to request: inout PlacementRequest
    ) {
        var isolation = PlacementRequest.Isolation()
        for aggregate in aggregates {
            let lists = aggregate.metadata.filter { $0.key.hasPrefix("filter_tenant_id") }.values
            let tenants = lists.flatMap { (list: String) -> [String] in
                list.split(separator: ",").map { String($0).filter { $0 != " " } }
            }
            guard !tenants.isEmpty else { continue }
            isolation.closed.insert(aggregate.id.text)
            if tenants.contains(where: { ProjectID($0) == project }) { isolation.open.insert(aggregate.id.text) }
        }
        if !isolation.closed.isEmpty { request.isolation = isolation }
        for (key, wanted) in extraSpecs.sorted(by: { $0.key < $1.key }) where key.hasPrefix(scope) {
            let name = String(key.dropFirst(scope.count))
            request.aggregates.append(
                Set(
                    aggregates.filter { aggregate in
                        aggregate.metadata[name].map { value in
                            value.split(separator: ",").contains { ExtraSpecMatch.matches(wanted, String($0)) }
                        } ?? false
                    }.map(\.id.text)))
        }
    }

    private static let scope = "aggregate_instance_extra_specs:"
}

/// What a flavor's extra spec asks of a value, in Nova's words: `s== fast`, `>= 4`, `<in> ssd`, `<or> a <or> b`.
package enum ExtraSpecMatch {
    package static func matches(_ wanted: String, _ value: String) -> Bool {
        let words = wanted.split(separator: " ").map(String.init)
        let value = String(value.drop { $0 == " " })
        guard let word = words.first, words.count > 1 else { return wanted == value }
        let rest = Array(words.dropFirst())
        switch word {
        case "<in>": return value.contains(rest[0])
        case "<all-in>": return rest.allSatisfy { value.contains($0) }
        case "<or>": return rest.filter { $0 != "<or>" }.contains(value)
        case "s==": return value == rest[0]
        case "s!=": return value != rest[0]
        case "s<": return value < rest[0]
        case "s<=": return value <= rest[0]
        case "s>": return value > rest[0]
        case "s>=": return value >= rest[0]
        default: return compare(word, value, rest[0]) ?? (wanted == value)
        }
    }

    /// - Returns: `nil` for a word that is no operator.
    private static func compare(_ word: String, _ value: String, _ wanted: String) -> Bool? {
        let operators: [String: (Double, Double) -> Bool] = [
            // Nova's own: "equal to or greater than".
            "=": { $0 >= $1 }, "==": { $0 == $1 }, "!=": { $0 != $1 }, ">=": { $0 >= $1 }, "<=": { $0 <= $1 }
        ]
        guard let compare = operators[word] else { return nil }
        guard let left = Double(value), let right = Double(wanted) else { return false }
        return compare(left, right)
    }
}
