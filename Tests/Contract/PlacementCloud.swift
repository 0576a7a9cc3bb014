import CoordinatorPlacement
import CoordinatorPlatform
import ProtocolModel

/// Placement alone, asked in the version of one's choice.
struct PlacementCloud: Sendable {
    let slice: PlacementSlice
    let harness: APIHarness

    init() async throws {
        slice = PlacementSlice(directory: NetworkOneNode())
        harness = try await APIHarness(services: [slice.api], migrations: PlacementSlice.migrations)
    }

    static func headers(_ minor: Int) -> [String: String] { ["OpenStack-API-Version": "placement 1.\(minor)"] }

    func get(_ path: String, _ minor: Int = 39, as caller: TestCaller = .admin) async -> Answer {
        await harness.get("/placement\(path)", as: caller, Self.headers(minor))
    }
    func post(_ path: String, _ body: JSON, _ minor: Int = 39, as caller: TestCaller = .admin) async -> Answer {
        await harness.post("/placement\(path)", body, as: caller, Self.headers(minor))
    }
    func put(_ path: String, _ body: JSON?, _ minor: Int = 39) async -> Answer {
        await harness.put("/placement\(path)", body, as: .admin, Self.headers(minor))
    }
    func delete(_ path: String, _ minor: Int = 39) async -> Answer {
        await harness.delete("/placement\(path)", as: .admin, Self.headers(minor))
    }

    /// Makes a provider with these inventories, each all there is for one consumer.
    /// - Returns: Its uuid.
    func provider(
        _ name: String, below parent: String? = nil, _ stock: [String: Int] = [:], traits: [String] = [],
        aggregates: [String] = []
    ) async -> String {
        let made = await post("/resource_providers", ["name": JSON(name), "parent_provider_uuid": JSON(parent)])
        let uuid = made.json["uuid"]?.stringValue ?? ""
        let path = "/resource_providers/\(uuid)"
        _ = await put(
            "\(path)/inventories",
            [
                "resource_provider_generation": 0,
                "inventories": .object(stock.mapValues { ["total": JSON($0)] })
            ])
        _ = await put(
            "\(path)/traits",
            ["resource_provider_generation": 1, "traits": .array(traits.map { JSON($0) })])
        _ = await put(
            "\(path)/aggregates",
            ["resource_provider_generation": 2, "aggregates": .array(aggregates.map { JSON($0) })])
        return uuid
    }

    static func claims(
        _ claims: [String: [String: Int]], generation: Int? = nil, type: String? = "INSTANCE", user: String = "u"
    ) -> JSON {
        var body: [String: JSON] = [
            "allocations": .object(
                claims.mapValues { ["resources": .object($0.mapValues { JSON($0) })] }),
            "project_id": JSON(TestCaller.project.compact), "user_id": JSON(user),
            "consumer_generation": JSON(generation)
        ]
        if let type { body["consumer_type"] = JSON(type) }
        return .object(body)
    }
}

extension Answer {
    /// What the first of the errors says.
    func error(_ member: String) -> JSON? { json.item("errors")?[member] }
}
