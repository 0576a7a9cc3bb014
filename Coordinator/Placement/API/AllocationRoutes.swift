import CoordinatorPlatform
import ProtocolModel

/// `/allocations`, `/usages` and `/allocation_candidates`.
struct AllocationRoutes: Sendable {
    let service: PlacementService

    var routes: [Route] {
        [
            Route(.post, "/allocations", action: "placement.allocation.replace_many", handler: setMany)
                .asking("placement:allocations:manage"),
            Route(.get, "/allocations/{consumer}", handler: show)
                .asking("placement:allocations:list"),
            Route(.put, "/allocations/{consumer}", action: "placement.allocation.replace", handler: set)
                .asking("placement:allocations:update"),
            Route(.delete, "/allocations/{consumer}", action: "placement.allocation.delete", handler: delete)
                .asking("placement:allocations:delete"),
            Route(.get, "/usages", handler: usages)
                .asking("placement:usages"),
            Route(.get, "/allocation_candidates", handler: candidates)
                .asking("placement:allocation_candidates:list")
        ]
    }

    private static let amounts: ClosedRange<Int64> = 1...Int64(Int32.max)

    private func consumer(_ call: APICall) throws -> String {
        guard let id = AnyID(call.parameter("consumer")) else {
            throw APIError.badRequest("Malformed consumer_uuid: \(call.parameter("consumer"))")
        }
        return id.text
    }

    @Sendable private func show(_ call: APICall) async throws -> APIResponse {
        try call.authorize("placement:allocations:list")
        let uuid = try consumer(call)
        return .json(
            try await call.database.read { reader in
                let claims = try service.allocations.claims(of: uuid, in: reader)
                var view: [String: JSON] = [:]
                for (provider, claims) in Dictionary(grouping: claims, by: \.provider) {
                    var resources: [String: JSON] = [:]
                    for claim in claims { resources[claim.resourceClass] = JSON(claim.amount) }
                    let generation = try service.provider(provider, in: reader).generation
                    view[provider] = ["generation": JSON(generation), "resources": .object(resources)]
                }
                var body: [String: JSON] = ["allocations": .object(view)]
                if call.isAtLeast(12), let consumer = try service.allocations.consumer(uuid, in: reader) {
                    body["project_id"] = JSON(consumer.project)
                    body["user_id"] = JSON(consumer.user)
                }
                return .object(body)
            })
    }

    /// What one consumer is to have.
    private struct Wanted: Sendable {
        var consumer: String
        var claims: [Claim]
        var project: String
        var user: String
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

    /// `{RP: {resources: {...}}}` from 1.12 on, `[{resource_provider: {uuid: RP}, resources: {...}}]` before.
    private func claims(_ value: JSON?, isKeyed: Bool) throws -> [Claim] {
        if isKeyed {
            return try PlacementBody.object(value, "allocations").sorted { $0.key < $1.key }.flatMap { key, item in
                try resources(item["resources"], provider: try PlacementBody.uuid(JSON(key), "resource provider"))
            }
        }
        guard let items = value?.arrayValue, !items.isEmpty else {
            throw PlacementBody.invalid("'allocations' is too short")
        }
        return try items.flatMap { item in
            try resources(
                item["resources"],
                provider: try PlacementBody.uuid(item["resource_provider"]?["uuid"], "resource_provider"))
        }
    }

    private func wanted(_ body: JSON, consumer: String, _ call: APICall, mayBeEmpty: Bool) throws -> Wanted {
        let members = try PlacementBody.object(body, "body")
        let claims = try claims(members["allocations"], isKeyed: call.isAtLeast(12))
        guard mayBeEmpty || !claims.isEmpty else {
            throw PlacementBody.invalid("'allocations' has too few properties")
        }
        var wanted = Wanted(consumer: consumer, claims: claims, project: "", user: "")
        if call.isAtLeast(8) {
            wanted.project = try PlacementBody.text(members["project_id"], "project_id", limit: 255)
            wanted.user = try PlacementBody.text(members["user_id"], "user_id", limit: 255)
        }
        return wanted
    }

    @Sendable private func set(_ call: APICall) async throws -> APIResponse {
        try call.authorize("placement:allocations:update")
        let wanted = try wanted(try await call.json(), consumer: try consumer(call), call, mayBeEmpty: false)
        try await write([wanted], call)
        return .empty(204)
    }

    @Sendable private func setMany(_ call: APICall) async throws -> APIResponse {
        try call.need(13)
        try call.authorize("placement:allocations:manage")
        let members = try PlacementBody.object(try await call.json(), "body")
        guard !members.isEmpty else { throw PlacementBody.invalid("the body has too few properties") }
        let all = try members.sorted { $0.key < $1.key }.map { key, body in
            try wanted(body, consumer: try PlacementBody.uuid(JSON(key), "consumer"), call, mayBeEmpty: true)
        }
        try await write(all, call)
        return .empty(204)
    }

    private func write(_ all: [Wanted], _ call: APICall) async throws {
        try await call.write(target: { _ in all.map(\.consumer).joined(separator: ",") }) { transaction in
            // What is given back in this call may be taken by another of its consumers.
            for wanted in all.sorted(by: { $0.claims.count < $1.claims.count }) {
                try service.setClaims(
                    wanted.claims, consumer: wanted.consumer, project: wanted.project, user: wanted.user, at: call.now,
                    in: transaction)
            }
        }
    }

    @Sendable private func delete(_ call: APICall) async throws -> APIResponse {
        try call.authorize("placement:allocations:delete")
        let uuid = try consumer(call)
        try await call.write { transaction in
            guard try !service.allocations.release(uuid, at: call.now, in: transaction).isEmpty else {
                throw APIError.notFound("No allocations for consumer '\(uuid)'")
            }
        }
        return .empty(204)
    }

    @Sendable private func usages(_ call: APICall) async throws -> APIResponse {
        try call.need(9)
        guard let text = call.query("project_id") else {
            throw APIError.badRequest("Invalid query string parameters: 'project_id' is a required property")
        }
        let project = ProjectID(text)
        try call.authorize("placement:usages", project: project ?? ProjectID(high: 0, low: 0))
        let found = try await call.database.read { reader in
            try service.allocations.usages(
                project: project?.compact ?? text, user: call.query("user_id"), in: reader)
        }
        return .json(["usages": .object(found.mapValues { JSON($0) })])
    }

    @Sendable private func candidates(_ call: APICall) async throws -> APIResponse {
        try call.need(10)
        try call.authorize("placement:allocation_candidates:list")
        if let unknown = call.query.first(where: { $0.name != "resources" })?.name {
            throw APIError.badRequest("Invalid query string parameters: '\(unknown)' does not match any of the regexes")
        }
        guard let text = call.query("resources") else {
            throw APIError.badRequest("Invalid query string parameters: 'resources' is a required property")
        }
        let wanted = try PlacementBody.resources(text)
        let found = try await call.database.read { reader in
            for name in wanted.keys.sorted() where try !service.isKnown(resourceClass: name, in: reader) {
                throw APIError.badRequest(
                    "Invalid resource class in resources parameter: No such resource class \(name).")
            }
            return try service.providers.allInventories(in: reader).values.filter { entry in
                wanted.allSatisfy { entry.inventories[$0]?.hasRoom(for: $1) ?? false }
            }.sorted { $0.provider.key < $1.provider.key }
        }
        let resources = JSON.object(wanted.mapValues { JSON($0) })
        let requests = found.map { entry -> JSON in
            call.isAtLeast(12)
                ? ["allocations": .object([entry.provider.uuid: ["resources": resources]])]
                : ["allocations": [["resource_provider": ["uuid": JSON(entry.provider.uuid)], "resources": resources]]]
        }
        var summaries: [String: JSON] = [:]
        for entry in found {
            let stock = entry.inventories.filter { wanted[$0.key] != nil }.mapValues { inventory -> JSON in
                ["capacity": JSON(inventory.capacity), "used": JSON(inventory.used)]
            }
            summaries[entry.provider.uuid] = ["resources": .object(stock)]
        }
        return .json(["allocation_requests": .array(requests), "provider_summaries": .object(summaries)])
    }
}
