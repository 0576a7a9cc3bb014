import CoordinatorPlatform
import ProtocolModel

/// `/allocation_candidates`.
struct CandidateRoutes: Sendable {
    let service: PlacementService

    var routes: [Route] {
        [
            Route(.get, "/allocation_candidates", handler: list)
                .asking("placement:allocation_candidates:list")
        ]
    }

    @Sendable private func list(_ call: APICall) async throws -> APIResponse {
        try call.need(10)
        try call.authorize("placement:allocation_candidates:list")
        let request = try CandidateQuery.read(call)
        let (forest, found) = try await call.database.read { try service.candidates(for: request, in: $0) }
        let classes = request.classes
        var summaries: [String: JSON] = [:]
        for place in found.summaries {
            let state = forest.providers[place]
            summaries[state.uuid] = Self.summary(of: state, asked: classes, call)
        }
        return call.answer([
            "allocation_requests": .array(found.requests.map { Self.view($0, forest, call) }),
            "provider_summaries": .object(summaries)
        ])
    }

    private static func view(_ candidate: Candidate, _ forest: ProviderForest, _ call: APICall) -> JSON {
        let allocations = candidate.allocations.sorted { $0.key < $1.key }.map { place, amounts in
            (uuid: forest.providers[place].uuid, resources: JSON.object(amounts.mapValues { JSON($0) }))
        }
        guard call.isAtLeast(12) else {
            return [
                "allocations": .array(
                    allocations.map { ["resource_provider": ["uuid": JSON($0.uuid)], "resources": $0.resources] })
            ]
        }
        let keyed = allocations.map { ($0.uuid, ["resources": $0.resources] as JSON) }
        var view: [String: JSON] = ["allocations": .object(Dictionary(keyed) { first, _ in first })]
        if call.isAtLeast(34) {
            view["mappings"] = .object(
                candidate.mappings.mapValues { places in
                    .array(places.sorted().map { JSON(forest.providers[$0].uuid) })
                })
        }
        return .object(view)
    }

    private static func summary(of state: ProviderState, asked: Set<String>, _ call: APICall) -> JSON {
        let stock = state.inventories.filter { call.isAtLeast(27) || asked.contains($0.key) }
        var view: [String: JSON] = [
            "resources": .object(
                stock.mapValues { ["capacity": JSON($0.capacity), "used": JSON($0.used)] })
        ]
        if call.isAtLeast(17) { view["traits"] = .array(state.traits.sorted().map { JSON($0) }) }
        if call.isAtLeast(29) {
            view["parent_provider_uuid"] = JSON(state.provider.parent)
            view["root_provider_uuid"] = JSON(state.provider.root)
        }
        return .object(view)
    }
}
