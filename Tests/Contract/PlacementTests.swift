import CoordinatorPlacement
import CoordinatorPlatform
import ProtocolModel
import Testing

struct PlacementTests {
    private static let newest = ["OpenStack-API-Version": "placement 1.13"]
    private static let consumer = "11111111-2222-4333-8444-555555555555"

    /// A cloud whose only node has reported 8 VCPUs, 16384 MiB (512 of them its own) and 200 GiB.
    private func makeCloud() async throws -> APIHarness {
        let slice = PlacementSlice(directory: NetworkOneNode())
        let harness = try await APIHarness(services: [slice.api], migrations: PlacementSlice.migrations)
        try await harness.database.write { transaction in
            let directory = NetworkOneNode()
            for node in try directory.nodes(in: transaction) {
                guard let report = node.report else { continue }
                for observer in slice.observers {
                    try observer.nodeReported(report, by: node.id, at: 1, in: transaction)
                }
            }
        }
        return harness
    }

    private var node: String { NetworkOneNode.node.text }

    @Test("the version document")
    func versions() async throws {
        let harness = try await makeCloud()
        let answer = await harness.get("/placement/", as: nil)
        #expect(answer.status == 200)
        #expect(answer.json.item("versions")?["max_version"] == "1.39")
        #expect(answer.json.item("versions")?["id"] == "v1.0")
    }

    @Test("a node is a provider under its id and host name, with what it reported")
    func nodeProvider() async throws {
        let harness = try await makeCloud()
        let list = await harness.get("/placement/resource_providers")
        let provider = try #require(list.json.item("resource_providers"))
        #expect(provider["uuid"] == JSON(node))
        #expect(provider["name"] == "host-1")
        #expect(provider["links"]?.arrayValue?.count == 3)
        let stock = await harness.get("/placement/resource_providers/\(node)/inventories")
        #expect(stock.json["inventories"]?["VCPU"]?["total"] == 8)
        #expect(stock.json["inventories"]?["VCPU"]?["allocation_ratio"] == 4.0)
        #expect(stock.json["inventories"]?["MEMORY_MB"]?["reserved"] == 512)
        #expect(await harness.get("/placement/resource_providers", as: .member).status == 403)
    }

    @Test("allocations are claimed, counted, refused beyond the capacity and given back")
    func allocations() async throws {
        let harness = try await makeCloud()
        let path = "/placement/allocations/\(Self.consumer)"
        func body(_ memory: Int) -> JSON {
            [
                "allocations": .object([node: ["resources": ["MEMORY_MB": JSON(memory), "VCPU": 2]]]),
                "project_id": JSON(TestCaller.project.compact), "user_id": "u"
            ]
        }
        #expect(await harness.put(path, body(4096), as: .admin, Self.newest).status == 204)
        let usages = await harness.get("/placement/resource_providers/\(node)/usages")
        #expect(usages.json["usages"] == ["VCPU": 2, "MEMORY_MB": 4096, "DISK_GB": 0])
        let shown = await harness.get(path, as: .admin, Self.newest)
        #expect(shown.json["allocations"]?[node]?["resources"] == ["VCPU": 2, "MEMORY_MB": 4096])
        #expect(shown.json["user_id"] == "u")
        let total = await harness.get(
            "/placement/usages?project_id=\(TestCaller.project.compact)", as: .member, Self.newest)
        #expect(total.json["usages"]?["MEMORY_MB"] == 4096)
        let tooMuch = await harness.put(path, body(15_873), as: .admin, Self.newest)
        #expect(tooMuch.status == 409)
        #expect(tooMuch.json.item("errors")?["title"] == "Conflict")
        #expect(await harness.get(path, as: .admin, Self.newest).json["allocations"]?[node]?["resources"]?["VCPU"] == 2)
        #expect(await harness.delete("/placement/resource_providers/\(node)").status == 409)
        #expect(await harness.delete(path).status == 204)
        #expect(await harness.delete(path).status == 404)
        let after = await harness.get("/placement/resource_providers/\(node)/usages")
        #expect(after.json["usages"] == ["VCPU": 0, "MEMORY_MB": 0, "DISK_GB": 0])
    }

    @Test("candidates are the providers with room")
    func candidates() async throws {
        let harness = try await makeCloud()
        let path = "/placement/allocation_candidates?resources=VCPU:2,MEMORY_MB:"
        let found = await harness.get("\(path)1024", as: .admin, Self.newest)
        #expect(
            found.json.item("allocation_requests")?["allocations"]
                == .object([node: ["resources": ["VCPU": 2, "MEMORY_MB": 1024]]]))
        #expect(found.json["provider_summaries"]?[node]?["resources"]?["MEMORY_MB"]?["capacity"] == 15_872)
        #expect(
            await harness.get("\(path)99999", as: .admin, Self.newest).json["allocation_requests"] == [])
        #expect(await harness.get("\(path)1024").status == 404)
    }

    @Test("generations decide between two who change one provider")
    func generations() async throws {
        let harness = try await makeCloud()
        let made = await harness.post("/placement/resource_providers", ["name": "pool"])
        #expect(made.status == 201)
        let uuid = made.header("Location")?.split(separator: "/").last.map(String.init) ?? ""
        let path = "/placement/resource_providers/\(uuid)/inventories"
        let body: JSON = ["resource_provider_generation": 0, "inventories": ["DISK_GB": ["total": 100]]]
        let first = await harness.put(path, body)
        #expect(first.status == 200)
        #expect(first.json["resource_provider_generation"] == 1)
        let second = await harness.put(path, body)
        #expect(second.status == 409)
        #expect(second.json.item("errors")?["detail"] == "resource provider generation conflict")
        #expect(
            await harness.put("\(path)/DISK_GB", ["resource_provider_generation": 1, "total": 50]).json["total"] == 50)
        #expect(await harness.delete("\(path)/DISK_GB").status == 204)
        #expect(await harness.post("/placement/resource_providers", ["name": "pool"]).status == 409)
        #expect(await harness.delete("/placement/resource_providers/\(uuid)").status == 204)
    }

    @Test("own classes, traits and aggregates")
    func names() async throws {
        let harness = try await makeCloud()
        #expect(
            await harness.post("/placement/resource_classes", ["name": "CUSTOM_GOLD"], as: .admin, Self.newest).status
                == 201)
        #expect(
            await harness.put("/placement/resource_classes/CUSTOM_GOLD", nil, as: .admin, Self.newest).status == 204)
        #expect(await harness.put("/placement/resource_classes/GOLD", nil, as: .admin, Self.newest).status == 400)
        #expect(await harness.put("/placement/traits/CUSTOM_FAST", nil, as: .admin, Self.newest).status == 201)
        let path = "/placement/resource_providers/\(node)"
        let generation = await harness.get(path).json["generation"] ?? .null
        let set = await harness.put(
            "\(path)/traits", ["traits": ["CUSTOM_FAST"], "resource_provider_generation": generation], as: .admin,
            Self.newest)
        #expect(set.json["traits"] == ["CUSTOM_FAST"])
        #expect(await harness.delete("/placement/traits/CUSTOM_FAST", as: .admin, Self.newest).status == 409)
        let aggregates = await harness.put("\(path)/aggregates", [JSON(Self.consumer)], as: .admin, Self.newest)
        #expect(aggregates.json["aggregates"] == [JSON(Self.consumer)])
        let members = await harness.get(
            "/placement/resource_providers?member_of=in:\(Self.consumer)", as: .admin, Self.newest)
        #expect(members.json["resource_providers"]?.arrayValue?.count == 1)
        let many = await harness.post(
            "/placement/allocations",
            .object([
                Self.consumer: [
                    "allocations": .object([node: ["resources": ["VCPU": 1]]]), "project_id": "p", "user_id": "u"
                ]
            ]), as: .admin, Self.newest)
        #expect(many.status == 204)
    }
}
