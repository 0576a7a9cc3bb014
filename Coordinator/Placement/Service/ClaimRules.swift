import CoordinatorPlatform
import ProtocolModel

/// What the placement API changes of claims, with its refusals.
extension PlacementService {
    /// Replaces all claims of some consumers. What one of them gives back another one may take.
    func setClaims(_ all: [WantedClaims], at now: Int64, in transaction: any SQLTransaction) throws {
        var held: [String: Consumer] = [:]
        for wanted in all {
            let consumer = try allocations.consumer(wanted.consumer, in: transaction)
            if let conflict = wanted.conflict(with: consumer) {
                throw APIError.conflict(conflict, type: PlacementCode.concurrentUpdate)
            }
            held[wanted.consumer] = consumer
        }
        for wanted in all { try allocations.release(wanted.consumer, at: now, in: transaction) }
        for wanted in all where !wanted.claims.isEmpty {
            try check(wanted, in: transaction)
            try take(wanted, held: held[wanted.consumer], at: now, in: transaction)
        }
    }

    private func check(_ wanted: WantedClaims, in reader: any SQLReader) throws {
        for claim in wanted.claims {
            guard let provider = try providers.find(uuid: claim.provider, in: reader) else {
                throw APIError.badRequest(
                    "Allocation for resource provider '\(claim.provider)' that does not exist.")
            }
            guard let stock = try providers.inventories(of: provider.key, in: reader)[claim.resourceClass] else {
                guard try isKnown(resourceClass: claim.resourceClass, in: reader) else {
                    throw APIError.badRequest(
                        "Unable to allocate inventory for consumer \(wanted.consumer): No such resource class "
                            + "\(claim.resourceClass).")
                }
                throw APIError.conflict(
                    "Unable to allocate inventory: Inventory for '\(claim.resourceClass)' on resource provider "
                        + "'\(claim.provider)' invalid.")
            }
            guard stock.admits(claim.amount) else {
                throw APIError.conflict(
                    "Unable to allocate inventory: Unable to create allocation for '\(claim.resourceClass)' on resource "
                        + "provider '\(claim.provider)'. The requested amount would violate inventory constraints.")
            }
        }
    }

    private func take(
        _ wanted: WantedClaims, held: Consumer?, at now: Int64, in transaction: any SQLTransaction
    ) throws {
        do {
            try allocations.claim(
                wanted.claims,
                for: Consumer(
                    uuid: wanted.consumer, type: wanted.type ?? held?.type ?? "", project: wanted.project,
                    user: wanted.user, generation: (held?.generation ?? 0) + 1, updatedAt: now),
                at: now, in: transaction)
        } catch StoreError.stale(let what) {
            throw APIError.conflict(
                "Unable to allocate inventory: Unable to create allocation for \(what). The requested amount would exceed "
                    + "the capacity.")
        }
    }

    // MARK: Reshaping

    /// New inventories of a provider, with the generation that the caller saw.
    struct Reshaped: Sendable {
        var provider: String
        var seen: Int
        var inventories: [String: Inventory]
    }

    /// Moves inventories between providers together with what is claimed of them, at once.
    func reshape(
        _ all: [Reshaped], claims: [WantedClaims], at now: Int64, in transaction: any SQLTransaction
    ) throws {
        var held: [(provider: Provider, inventories: [String: Inventory])] = []
        for reshaped in all {
            guard let provider = try providers.find(uuid: reshaped.provider, in: transaction) else {
                throw APIError.badRequest(
                    "Resource provider \(reshaped.provider) in inventories not found: No resource provider with uuid "
                        + "\(reshaped.provider) found", type: PlacementCode.providerNotFound)
            }
            try advance(
                provider, from: reshaped.seen, at: now, in: transaction,
                words: "resource provider generation conflict for provider \(provider.uuid): actual: "
                    + "\(provider.generation), given: \(reshaped.seen)")
            // What goes is still there while claims move away from it.
            for (name, inventory) in reshaped.inventories.sorted(by: { $0.key < $1.key }) {
                guard try isKnown(resourceClass: name, in: transaction) else {
                    throw APIError.badRequest("malformed reshaper data: No such resource class \(name).")
                }
                try check(inventory, name, provider, mayReserveAll: true, in: transaction)
                try providers.put(inventory, of: name, on: provider.key, in: transaction)
            }
            held.append((provider, reshaped.inventories))
        }
        try setClaims(claims, at: now, in: transaction)
        for (provider, inventories) in held {
            try removeInventories(of: provider, but: inventories, in: transaction)
        }
    }

    // MARK: Usages

    /// What the API tells of a project: by type of consumer how much of each class, and how many consumers.
    /// - Parameter type: Only this one; `all` counts all of them together.
    func usages(
        project: String, user: String?, type: String?, in reader: any SQLReader
    ) throws -> [String: (amounts: [String: Int], consumers: Int)] {
        func name(_ held: String) -> String? {
            let held = held.isEmpty ? UsageType.unknown : held
            if type == UsageType.all { return UsageType.all }
            return type == nil || type == held ? held : nil
        }
        var result: [String: (amounts: [String: Int], consumers: Int)] = [:]
        for usage in try allocations.usages(project: project, user: user, in: reader) {
            guard let name = name(usage.type) else { continue }
            result[name, default: ([:], 0)].amounts[usage.resourceClass, default: 0] += usage.amount
        }
        for count in try allocations.consumers(project: project, user: user, in: reader) {
            guard let name = name(count.type), result[name] != nil else { continue }
            result[name]?.consumers += count.count
        }
        return result
    }
}

/// Types of consumers that only reports of usages know.
enum UsageType {
    static let all = "all"
    /// Of those of whom that was not said.
    static let unknown = "unknown"
}
