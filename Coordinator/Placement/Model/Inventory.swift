/// How much of one resource class a provider has.
struct Inventory: Sendable, Hashable {
    var total: Int
    var reserved = 0
    var minUnit = 1
    var maxUnit = Int(Int32.max)
    var stepSize = 1
    var allocationRatio = 1.0
    /// The sum of all claims. Never set from outside: claims write it.
    var used = 0

    /// What may be claimed in all, rounded down.
    var capacity: Int { max(0, surplus) }

    /// Below 0 where more is reserved than there is.
    var surplus: Int { Int(Double(total - reserved) * allocationRatio) }

    func hasRoom(for amount: Int) -> Bool { amount <= capacity - used && admits(amount) }

    /// Whether one consumer may have so much at once, whoever else has something.
    func admits(_ amount: Int) -> Bool { amount >= minUnit && amount <= maxUnit && amount % stepSize == 0 }

    /// Equal but for what is claimed.
    func describesSame(as other: Inventory) -> Bool {
        var other = other
        other.used = used
        return self == other
    }
}

/// A resource provider's own row.
struct Provider: Sendable, Hashable {
    /// The row's key, in order of insertion.
    var key: Int64
    var uuid: String
    var name: String
    var generation: Int
    var consumers: Int
    /// Microseconds since 1970.
    var updatedAt: Int64
    /// `nil` for the root of a tree.
    var parent: String?
    /// Its own uuid where it is one.
    var root: String
}

/// One claim of one consumer.
struct Claim: Sendable, Hashable {
    var provider: String
    var resourceClass: String
    var amount: Int
}

/// Who holds claims.
struct Consumer: Sendable, Hashable {
    var uuid: String
    /// As in ``PlacementRequest/Consumer/type``; empty for one of whom that was not said.
    var type = ""
    var project: String
    var user: String
    var generation: Int
    var updatedAt: Int64
}

/// How much more than there is may be given away.
public struct AllocationRatios: Sendable, Hashable {
    public var vcpus: Double
    public var memory: Double
    public var disk: Double

    /// The defaults are those that nova-compute reports for a new host (`initial_cpu_allocation_ratio` and siblings).
    public init(vcpus: Double = 4, memory: Double = 1, disk: Double = 1) {
        self.vcpus = vcpus
        self.memory = memory
        self.disk = disk
    }
}
