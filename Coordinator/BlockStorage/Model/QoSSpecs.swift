import ProtocolModel

public enum QoSSpecsTag {}
public typealias QoSSpecsID = Identifier<QoSSpecsTag>

/// How fast volumes of some types may be.
public struct QoSSpecs: Sendable, Hashable {
    public enum Consumer: String, Sendable, Hashable, CaseIterable {
        /// The guest's own host keeps to it.
        case frontEnd = "front-end"
        case backEnd = "back-end"
        case both
    }

    public var number: Int64 = 0
    public var id: QoSSpecsID
    public var generation: Int64 = 1
    public var name: String
    public var consumer: Consumer
    public var specs: [String: String]
    public var createdAt: Int64

    public init(
        id: QoSSpecsID, name: String, consumer: Consumer, specs: [String: String], createdAt: Int64
    ) {
        self.id = id
        self.name = name
        self.consumer = consumer
        self.specs = specs
        self.createdAt = createdAt
    }

    /// What a guest's disk can be held to, by libvirt's names.
    public static let limits: Set<String> = Set(
        ["total", "read", "write"].flatMap { what in
            ["\(what)_bytes_sec", "\(what)_iops_sec", "\(what)_bytes_sec_max", "\(what)_iops_sec_max"]
        } + ["size_iops_sec"])

    /// What the host of a guest holds a volume of this size to: each a positive number.
    public func guestLimits(sizeGiB: Int) -> [String: Int] {
        guard consumer != .backEnd else { return [:] }
        var found: [String: Int] = [:]
        for (key, value) in specs {
            guard let number = Int(value), number > 0 else { continue }
            if Self.limits.contains(key) { found[key] = number }
            guard key.hasSuffix("_per_gb") else { continue }
            let name = String(key.dropLast("_per_gb".count))
            guard Self.limits.contains(name) else { continue }
            let (product, isTooLarge) = number.multipliedReportingOverflow(by: max(1, sizeGiB))
            let least = specs["\(key)_min"].flatMap { Int($0) } ?? 0
            found[name] = isTooLarge ? .max : max(product, least)
        }
        return found
    }
}
