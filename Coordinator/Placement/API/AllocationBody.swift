import CoordinatorPlatform
import ProtocolModel

/// Reads what consumers are to have, as each version writes it.
struct AllocationBody {
    let call: APICall

    /// Who consumes what came before owners were asked for.
    private static let incomplete = "00000000-0000-0000-0000-000000000000"
    private static let amounts: ClosedRange<Int64> = 1...Int64(Int32.max)

    /// - Parameter mayBeEmpty: Whether a consumer may have nothing.
    func wanted(_ body: JSON, consumer: String, mayBeEmpty: Bool) throws -> WantedClaims {
        let members = try PlacementBody.object(body, "body")
        try PlacementBody.only(allowed, members)
        let claims = try claims(members["allocations"])
        guard mayBeEmpty || !claims.isEmpty else {
            throw PlacementBody.invalid("'allocations' has too few properties")
        }
        var wanted = WantedClaims(
            consumer: consumer, claims: claims, project: Self.incomplete, user: Self.incomplete)
        if call.isAtLeast(8) {
            wanted.project = try PlacementBody.text(members["project_id"], "project_id", limit: 255)
            wanted.user = try PlacementBody.text(members["user_id"], "user_id", limit: 255)
        }
        if call.isAtLeast(28) { wanted.expected = try expectation(members["consumer_generation"]) }
        if let mappings = members["mappings"] { try check(mappings) }
        if call.isAtLeast(38) {
            let type = try PlacementBody.text(members["consumer_type"], "consumer_type", limit: 255)
            guard ResourceClass.isWellFormed(type) else {
                throw PlacementBody.invalid("'\(type)' does not match '^[A-Z0-9_]+$'")
            }
            wanted.type = type
        }
        return wanted
    }

    /// By the consumer's uuid.
    func many(_ value: JSON?, mayBeNone: Bool) throws -> [WantedClaims] {
        let members = try PlacementBody.object(value, "allocations")
        guard mayBeNone || !members.isEmpty else { throw PlacementBody.invalid("the body has too few properties") }
        return try members.sorted { $0.key < $1.key }.map { key, body in
            try wanted(body, consumer: try PlacementBody.uuid(JSON(key), "consumer"), mayBeEmpty: true)
        }
    }

    private var allowed: Set<String> {
        var names: Set<String> = ["allocations"]
        if call.isAtLeast(8) { names.formUnion(["project_id", "user_id"]) }
        if call.isAtLeast(28) { names.insert("consumer_generation") }
        if call.isAtLeast(34) { names.insert("mappings") }
        if call.isAtLeast(38) { names.insert("consumer_type") }
        return names
    }

    private func expectation(_ value: JSON?) throws -> WantedClaims.Expectation {
        guard let value else { throw PlacementBody.invalid("'consumer_generation' is a required property") }
        if value.isNull { return .nothing }
        guard let generation = value.intValue else {
            throw PlacementBody.invalid("'consumer_generation' is not of type 'integer', 'null'")
        }
        return .generation(Int(generation))
    }

    /// What candidates say of their groups may be sent back; it has no meaning any more.
    private func check(_ mappings: JSON) throws {
        let members = try PlacementBody.object(mappings, "mappings")
        guard !members.isEmpty else { throw PlacementBody.invalid("'mappings' has too few properties") }
        for (suffix, value) in members {
            guard let items = value.arrayValue, !items.isEmpty else {
                throw PlacementBody.invalid("'\(suffix)' of 'mappings' is not a list of providers")
            }
            for item in items { _ = try PlacementBody.uuid(item, suffix) }
        }
    }

    // MARK: Claims

    /// `{RP: {resources: {...}}}` from 1.12 on, `[{resource_provider: {uuid: RP}, resources: {...}}]` before.
    private func claims(_ value: JSON?) throws -> [Claim] {
        if call.isAtLeast(12) {
            return try PlacementBody.object(value, "allocations").sorted { $0.key < $1.key }.flatMap { key, item in
                let members = try PlacementBody.object(item, key)
                try PlacementBody.only(["resources", "generation"], members)
                return try resources(
                    members["resources"], provider: try PlacementBody.uuid(JSON(key), "resource provider"))
            }
        }
        guard let items = value?.arrayValue, !items.isEmpty else {
            throw PlacementBody.invalid("'allocations' is too short")
        }
        // The last word on a provider counts.
        var byProvider: [String: [Claim]] = [:]
        for item in items {
            let provider = try PlacementBody.uuid(item["resource_provider"]?["uuid"], "resource_provider")
            byProvider[provider] = try resources(item["resources"], provider: provider)
        }
        return byProvider.sorted { $0.key < $1.key }.flatMap(\.value)
    }

    private func resources(_ value: JSON?, provider: String) throws -> [Claim] {
        let members = try PlacementBody.object(value, "resources")
        guard !members.isEmpty else { throw PlacementBody.invalid("'resources' has too few properties") }
        return try members.sorted { $0.key < $1.key }.map { name, amount in
            Claim(
                provider: provider, resourceClass: name,
                amount: try PlacementBody.number(amount, name, Self.amounts))
        }
    }
}
