import CoordinatorPlatform
import ProtocolModel
import Testing

/// Which bodies each version takes.
struct PlacementBodyTests {
    private static let consumer = "/allocations/11111111-2222-4333-8444-555555555555"

    /// Members that make a sound body another one, and those that it is without.
    struct Case: Sendable, CustomTestStringConvertible {
        var minor: Int
        var change: [String: JSON]
        var without: [String]
        var status: Int

        init(_ minor: Int, _ change: [String: JSON], without: [String] = [], _ status: Int) {
            self.minor = minor
            self.change = change
            self.without = without
            self.status = status
        }

        var testDescription: String { "1.\(minor) \(change) without \(without)" }

        func apply(to body: JSON) -> JSON {
            var members = body.objectValue ?? [:]
            for (name, value) in change { members[name] = value }
            for name in without { members[name] = nil }
            return .object(members)
        }
    }

    static let allocations = [
        Case(38, [:], 204), Case(38, ["colour": "red"], 400), Case(38, [:], without: ["allocations"], 400),
        Case(38, ["allocations": []], 400), Case(38, ["allocations": ["x": ["resources": ["VCPU": 1]]]], 400),
        Case(38, [:], without: ["project_id"], 400), Case(38, ["project_id": ""], 400), Case(38, ["user_id": 5], 400),
        Case(38, ["user_id": JSON(String(repeating: "u", count: 256))], 400),
        Case(38, [:], without: ["consumer_generation"], 400), Case(38, ["consumer_generation": "1"], 400),
        Case(38, ["consumer_generation": 1.5], 400), Case(38, ["consumer_generation": 0], 409),
        Case(38, [:], without: ["consumer_type"], 400), Case(38, ["consumer_type": "unknown"], 400),
        Case(38, ["consumer_type": JSON(String(repeating: "T", count: 256))], 400),
        Case(38, ["consumer_type": "A_1"], 204), Case(37, ["consumer_type": "A_1"], 400),
        Case(38, ["mappings": [:]], 400), Case(38, ["mappings": ["": []]], 400),
        Case(38, ["mappings": ["": ["x"]]], 400),
        Case(34, [:], without: ["consumer_type"], 204), Case(28, [:], without: ["consumer_type"], 204),
        Case(27, [:], without: ["consumer_type"], 400),
        Case(27, [:], without: ["consumer_type", "consumer_generation"], 204),
        Case(12, [:], without: ["consumer_type", "consumer_generation"], 204),
        Case(11, [:], without: ["consumer_type", "consumer_generation"], 400)
    ]

    @Test("allocations", arguments: allocations)
    func allocation(_ one: Case) async throws {
        let cloud = try await PlacementCloud()
        let provider = await cloud.provider("a", ["VCPU": 4])
        let body = one.apply(to: PlacementCloud.claims([provider: ["VCPU": 1]]))
        let answer = await cloud.put(Self.consumer, body, one.minor)
        #expect(answer.status == one.status, "\(answer.json)")
    }

    @Test("allocations as lists, before 1.12; owners are asked for from 1.8 on")
    func lists() async throws {
        let cloud = try await PlacementCloud()
        let provider = await cloud.provider("a", ["VCPU": 4])
        func item(_ amount: Int) -> JSON {
            ["resource_provider": ["uuid": JSON(provider)], "resources": ["VCPU": JSON(amount)]]
        }
        let owned: JSON = ["allocations": [item(1)], "project_id": "p", "user_id": "u"]
        #expect(await cloud.put(Self.consumer, owned, 8).status == 204)
        #expect(await cloud.get(Self.consumer, 12).json["project_id"] == "p")
        #expect(await cloud.put(Self.consumer, owned, 7).status == 400)
        #expect(await cloud.put(Self.consumer, ["allocations": []], 7).status == 400)
        #expect(await cloud.put(Self.consumer, ["allocations": [item(1), item(3)]], 0).status == 204)
        let shown = await cloud.get(Self.consumer, 12).json
        #expect(shown["allocations"]?[provider]?["resources"] == ["VCPU": 3])
        #expect(shown["project_id"] == "00000000-0000-0000-0000-000000000000")
    }

    static let amounts: [(JSON, Int)] = [
        (["VCPU": 0], 400), (["VCPU": -1], 400), (["VCPU": "1"], 400), (["VCPU": 1.5], 400), ([:], 400),
        (["VCPU": 9_223_372_036_854_775_807], 400), (["VCPU": 5], 409), (["MEMORY_MB": 1], 409), (["GOLD": 1], 400),
        (["VCPU": 4], 204)
    ]

    @Test("amounts", arguments: amounts)
    func amount(resources: JSON, status: Int) async throws {
        let cloud = try await PlacementCloud()
        let provider = await cloud.provider("a", ["VCPU": 4])
        let body = Case(38, ["allocations": .object([provider: ["resources": resources]])], status)
            .apply(to: PlacementCloud.claims([:]))
        let answer = await cloud.put(Self.consumer, body)
        #expect(answer.status == status, "\(answer.json)")
        let held = await cloud.get("/resource_providers/\(provider)/usages").json["usages"]
        #expect(held == ["VCPU": status == 204 ? 4 : 0])
    }

    static let inventories = [
        Case(26, [:], 200), Case(26, [:], without: ["total"], 400), Case(26, ["total": 0], 400),
        Case(26, ["total": 2_147_483_648], 400), Case(26, ["reserved": -1], 400), Case(26, ["min_unit": 0], 400),
        Case(26, ["max_unit": 0], 400), Case(26, ["step_size": 0], 400), Case(26, ["allocation_ratio": 0], 400),
        Case(26, ["allocation_ratio": "1"], 400), Case(26, ["allocation_ratio": 0.5], 200),
        Case(26, ["colour": "red"], 400), Case(26, ["reserved": 8], 200), Case(25, ["reserved": 8], 400),
        Case(26, ["reserved": 9], 400), Case(26, ["resource_provider_generation": 2], 409),
        Case(26, [:], without: ["resource_provider_generation"], 400)
    ]

    @Test("inventories", arguments: inventories)
    func inventory(_ one: Case) async throws {
        let cloud = try await PlacementCloud()
        let provider = await cloud.provider("a", ["VCPU": 4])
        let body = one.apply(to: ["total": 8, "resource_provider_generation": 3])
        let answer = await cloud.put("/resource_providers/\(provider)/inventories/VCPU", body, one.minor)
        #expect(answer.status == one.status, "\(answer.json)")
        let generation = await cloud.get("/resource_providers/\(provider)").json["generation"]
        #expect(generation == (one.status == 200 ? 4 : 3))
    }

    static let providers = [
        Case(20, [:], 200), Case(20, [:], without: ["name"], 400), Case(20, ["name": 5], 400),
        Case(20, ["name": JSON(String(repeating: "n", count: 201))], 400), Case(20, ["uuid": "x"], 400),
        Case(20, ["uuid": "99999999-9999-4999-8999-999999999999"], 200), Case(20, ["colour": "red"], 400),
        Case(20, ["parent_provider_uuid": .null], 200), Case(20, ["parent_provider_uuid": 5], 400),
        Case(20, ["parent_provider_uuid": "x"], 400), Case(13, ["parent_provider_uuid": .null], 400),
        Case(13, [:], 201)
    ]

    @Test("providers", arguments: providers)
    func provider(_ one: Case) async throws {
        let cloud = try await PlacementCloud()
        let answer = await cloud.post("/resource_providers", one.apply(to: ["name": "a"]), one.minor)
        #expect(answer.status == one.status, "\(answer.json)")
    }

    @Test("what is in use stays, and says so")
    func inUse() async throws {
        let cloud = try await PlacementCloud()
        let provider = "/resource_providers/\(await cloud.provider("a", ["VCPU": 4, "MEMORY_MB": 8]))"
        let uuid = String(provider.dropFirst(20))
        #expect(await cloud.put(Self.consumer, PlacementCloud.claims([uuid: ["VCPU": 1]])).status == 204)
        let generation = await cloud.get(provider).json["generation"] ?? .null
        let cleared = await cloud.put(
            "\(provider)/inventories", ["resource_provider_generation": generation, "inventories": [:]])
        #expect(cleared.status == 409)
        #expect(cleared.error("code") == "placement.inventory.inuse")
        #expect(
            cleared.error("detail")
                == JSON("update conflict: Inventory for 'VCPU' on resource provider '\(uuid)' in use."))
        #expect(await cloud.delete("\(provider)/inventories/VCPU").status == 409)
        #expect(await cloud.delete("\(provider)/inventories/MEMORY_MB").status == 204)
        let refused = await cloud.delete(provider)
        #expect(refused.error("code") == "placement.resource_provider.inuse")
        #expect(await cloud.delete(Self.consumer).status == 204)
        #expect(await cloud.delete(provider).status == 204)
    }
}
