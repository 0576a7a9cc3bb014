/// How much of one resource class a provider has.
package struct Inventory: Sendable, Hashable {
    package var total: Int
    package var reserved: Int
    package var minUnit: Int
    package var maxUnit: Int
    package var stepSize: Int
    package var allocationRatio: Double
    /// The sum of all claims. Never set from outside: claims write it.
    package var used: Int

    package init(
        total: Int, reserved: Int = 0, minUnit: Int = 1, maxUnit: Int = Int(Int32.max), stepSize: Int = 1,
        allocationRatio: Double = 1, used: Int = 0
    ) {
        self.total = total
        self.reserved = reserved
        self.minUnit = minUnit
        self.maxUnit = maxUnit
        self.stepSize = stepSize
        self.allocationRatio = allocationRatio
        self.used = used
    }

    /// What may be claimed in all, rounded down.
    package var capacity: Int { max(0, surplus) }

    /// Below 0 where more is reserved than there is.
    package var surplus: Int { Int(Double(total - reserved) * allocationRatio) }

    package func hasRoom(for amount: Int) -> Bool { amount <= capacity - used && admits(amount) }

    /// Whether one consumer may have so much at once, whoever else has something.
    package func admits(_ amount: Int) -> Bool { amount >= minUnit && amount <= maxUnit && amount % stepSize == 0 }

    /// Equal but for what is claimed.
    package func describesSame(as other: Inventory) -> Bool {
        var other = other
        other.used = used
        return self == other
    }
}

/// A resource provider's own row.
package struct Provider: Sendable, Hashable {
    /// The row's key, in order of insertion.
    package var key: Int64
    package var uuid: String
    package var name: String
    package var generation: Int
    package var consumers: Int
    /// Microseconds since 1970.
    package var updatedAt: Int64
    /// `nil` for the root of a tree.
    package var parent: String?
    /// Its own uuid where it is one.
    package var root: String

    package init(
        key: Int64, uuid: String, name: String, generation: Int, consumers: Int, updatedAt: Int64, parent: String?,
        root: String
    ) {
        self.key = key
        self.uuid = uuid
        self.name = name
        self.generation = generation
        self.consumers = consumers
        self.updatedAt = updatedAt
        self.parent = parent
        self.root = root
    }
}

/// One claim of one consumer.
package struct Claim: Sendable, Hashable {
    package var provider: String
    package var resourceClass: String
    package var amount: Int

    package init(provider: String, resourceClass: String, amount: Int) {
        self.provider = provider
        self.resourceClass = resourceClass
        self.amount = amount
    }
}

/// Who holds claims.
package struct Consumer: Sendable, Hashable {
    package var uuid: String
    /// As in ``PlacementRequest/Consumer/type``; empty for one of whom that was not said.
    package var type: String
    package var project: String
    package var user: String
    package var generation: Int
    package var updatedAt: Int64

    package init(
        uuid: String, type: String = "", project: String, user: String, generation: Int, updatedAt: Int64
    ) {
        self.uuid = uuid
        self.type = type
        self.project = project
        self.user = user
        self.generation = generation
        self.updatedAt = updatedAt
    }
}

/// How much more than there is may be given away.
public struct AllocationRatios: Sendable, Hashable {
    public var vcpus: Double
    public var memory: Double
    public var disk: Double
    /// Volumes take their space as they are written.
    public var volumes: Double

    /// The defaults are those that nova-compute reports for a new host (`initial_cpu_allocation_ratio` and siblings),
    /// and cinder-volume for a thin pool (`max_over_subscription_ratio`).
    public init(vcpus: Double = 4, memory: Double = 1, disk: Double = 1, volumes: Double = 20) {
        self.vcpus = vcpus
        self.memory = memory
        self.disk = disk
        self.volumes = volumes
    }
}
