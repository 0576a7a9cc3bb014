import CoordinatorPlatform
import ProtocolModel

/// `/allocations` and `/usages`.
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
                .asking("placement:usages")
        ]
    }

    private func consumer(_ call: APICall) throws -> String {
        guard let id = AnyID(call.parameter("consumer")) else {
            throw APIError.badRequest("Malformed consumer_uuid: \(call.parameter("consumer"))")
        }
        return id.text
    }

    // MARK: Allocations

    @Sendable private func show(_ call: APICall) async throws -> APIResponse {
        try call.authorize("placement:allocations:list")
        let uuid = try consumer(call)
        return try await call.database.read { reader in
            let claims = try service.allocations.claims(of: uuid, in: reader)
            var view: [String: JSON] = [:]
            for (provider, claims) in Dictionary(grouping: claims, by: \.provider) {
                var resources: [String: JSON] = [:]
                for claim in claims { resources[claim.resourceClass] = JSON(claim.amount) }
                let generation = try service.provider(provider, in: reader).generation
                view[provider] = ["generation": JSON(generation), "resources": .object(resources)]
            }
            let holder = try service.allocations.consumer(uuid, in: reader)
            let body = Self.owner(holder, call).merging(["allocations": .object(view)]) { _, own in own }
            return call.answer(.object(body), modified: holder?.updatedAt)
        }
    }

    private static func owner(_ consumer: Consumer?, _ call: APICall) -> [String: JSON] {
        guard let consumer, call.isAtLeast(12) else { return [:] }
        var view = ["project_id": JSON(consumer.project), "user_id": JSON(consumer.user)]
        if call.isAtLeast(28) { view["consumer_generation"] = JSON(consumer.generation) }
        if call.isAtLeast(38) {
            view["consumer_type"] = JSON(consumer.type.isEmpty ? UsageType.unknown : consumer.type)
        }
        return view
    }

    @Sendable private func set(_ call: APICall) async throws -> APIResponse {
        try call.authorize("placement:allocations:update")
        let consumer = try consumer(call)
        let wanted = try AllocationBody(call: call).wanted(
            try await call.json(), consumer: consumer, mayBeEmpty: call.isAtLeast(28))
        try await write([wanted], call)
        return .empty(204)
    }

    @Sendable private func setMany(_ call: APICall) async throws -> APIResponse {
        try call.need(13)
        try call.authorize("placement:allocations:manage")
        try await write(try AllocationBody(call: call).many(try await call.json(), mayBeNone: false), call)
        return .empty(204)
    }

    private func write(_ all: [WantedClaims], _ call: APICall) async throws {
        try await call.write(target: { _ in all.map(\.consumer).joined(separator: ",") }) { transaction in
            try service.setClaims(all, at: call.now, in: transaction)
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

    // MARK: Usages

    @Sendable private func usages(_ call: APICall) async throws -> APIResponse {
        try call.need(9)
        guard let text = PlacementQuery.last("project_id", call) else {
            throw PlacementQuery.invalid("'project_id' is a required property")
        }
        let project = ProjectID(text)
        try call.authorize("placement:usages", project: project ?? ProjectID(high: 0, low: 0))
        let isByType = call.isAtLeast(38)
        try PlacementQuery.only(
            isByType ? ["project_id", "user_id", "consumer_type"] : ["project_id", "user_id"], call)
        let type = PlacementQuery.last("consumer_type", call)
        if let type, ![UsageType.all, UsageType.unknown].contains(type), !ResourceClass.isWellFormed(type) {
            throw PlacementQuery.invalid("'\(type)' does not match '^[A-Z0-9_]+$|^all|^unknown$'")
        }
        let found = try await call.database.read { reader in
            try service.usages(
                project: project?.compact ?? text, user: PlacementQuery.last("user_id", call),
                type: isByType ? type : UsageType.all, in: reader)
        }
        guard isByType else {
            return call.answer([
                "usages": .object((found[UsageType.all]?.amounts ?? [:]).mapValues { JSON($0) })
            ])
        }
        let views = found.mapValues { usage -> JSON in
            .object(
                usage.amounts.mapValues { JSON($0) }
                    .merging(["consumer_count": JSON(usage.consumers)]) { _, count in count })
        }
        return call.answer(["usages": .object(views)])
    }
}
