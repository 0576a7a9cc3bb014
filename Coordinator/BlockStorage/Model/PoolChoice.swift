import CoordinatorFleet
import ProtocolModel

/// One pool of one host, as volumes are placed by it.
public struct PoolPlace: Sendable, Hashable {
    public var node: Node
    public var pool: StoragePool

    public init(node: Node, pool: StoragePool) {
        self.node = node
        self.pool = pool
    }

    /// `host@pool#pool`, as the volume API names it.
    public var name: String { "\(node.hostname)@\(pool.name)#\(pool.name)" }

    /// What types may ask of a pool. Pools are thin, whatever their backend.
    public var capabilities: [String: String] {
        [
            "volume_backend_name": pool.name, "pool_name": pool.name, "storage_protocol": pool.backend,
            "vendor_name": "Skerry", "thin_provisioning_support": "True", "thick_provisioning_support": "False",
            "multiattach": "True", "QoS_support": "True", "online_extend_support": "True",
            "replication_enabled": "False",
            "free_capacity_gb": String(pool.freeGiB), "total_capacity_gb": String(pool.totalGiB)
        ]
    }
}

/// Which pools a volume of a type may be put into. Pure.
public enum PoolChoice {
    /// - Returns: The names of pools that do, the one with the most room first, and why others do not.
    public static func names(
        for extraSpecs: [String: String], among places: [PoolPlace]
    ) -> (fitting: [String], reasons: [String]) {
        var room: [String: Int] = [:]
        var reasons: [String] = []
        for place in places {
            if let reason = refusal(of: place, for: extraSpecs) {
                reasons.append("\(place.name): \(reason)")
            } else {
                room[place.pool.name] = max(room[place.pool.name] ?? 0, place.pool.freeGiB)
            }
        }
        let fitting = room.sorted { ($1.value, $0.key) < ($0.value, $1.key) }.map(\.key)
        return (fitting, reasons)
    }

    /// Why the pool is not for volumes with these specs; `nil` when it is.
    static func refusal(of place: PoolPlace, for extraSpecs: [String: String]) -> String? {
        let capabilities = place.capabilities
        for (key, wanted) in extraSpecs.sorted(by: { $0.key < $1.key }) {
            // Specs with another scope are for others than the scheduler.
            let parts = key.split(separator: ":", maxSplits: 1)
            if parts.count == 2, parts[0] != "capabilities" { continue }
            let name = String(parts.last ?? "")
            guard let has = capabilities[name] else { return "it has no '\(name)'" }
            if !ExtraSpec.matches(has, wanted) { return "its \(name) is '\(has)', not '\(wanted)'" }
        }
        return place.pool.problem.isEmpty ? nil : place.pool.problem
    }
}

/// The little language of extra specs.
enum ExtraSpec {
    /// Whether what there is satisfies what is asked for: `<is> True`, `<in> abc`, `<or> a <or> b`, `s== a`, `>= 10`, or
    /// the text itself.
    static func matches(_ has: String, _ wanted: String) -> Bool {
        let words = wanted.split(separator: " ").map(String.init)
        guard let first = words.first, words.count > 1 else { return has == wanted }
        let rest = words.dropFirst().joined(separator: " ")
        switch first {
        case "<is>": return truth(has) == truth(rest)
        case "<in>", "<all-in>": return words.dropFirst().allSatisfy { $0 == first || has.contains($0) }
        case "<or>": return wanted.split(separator: "<or>").contains { $0.trimmingBlanks == has }
        case "s==": return has == rest
        case "s!=": return has != rest
        case "s<": return has < rest
        case "s<=": return has <= rest
        case "s>": return has > rest
        case "s>=": return has >= rest
        case "=", ">=", "<=", "==", "!=", ">", "<": return compare(has, first, rest)
        default: return has == wanted
        }
    }

    private static func truth(_ text: String) -> Bool {
        ["true", "1", "yes", "on", "t", "y"].contains(text.lowercased())
    }

    /// `=` is "at least", as in Cinder.
    private static func compare(_ has: String, _ sign: String, _ wanted: String) -> Bool {
        guard let left = Double(has), let right = Double(wanted) else { return false }
        return switch sign {
        case "=", ">=": left >= right
        case "<=": left <= right
        case "==": left == right
        case "!=": left != right
        case ">": left > right
        default: left < right
        }
    }
}
