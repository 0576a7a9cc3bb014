import CoordinatorPlatform
import ProtocolModel
import Testing

/// Providers that nest, from 1.14 on.
struct PlacementTreeTests {
    private func names(_ answer: Answer) -> [String] {
        (answer.json["resource_providers"]?.arrayValue ?? []).compactMap { $0["name"]?.stringValue }
    }

    @Test("a provider tells its parent and root from 1.14 on, and is made and found by them")
    func trees() async throws {
        let cloud = try await PlacementCloud()
        let root = await cloud.provider("root")
        let child = await cloud.provider("child", below: root)
        let leaf = await cloud.provider("leaf", below: child)
        _ = await cloud.provider("other")
        let shown = await cloud.get("/resource_providers/\(leaf)", 14).json
        #expect(shown["parent_provider_uuid"] == JSON(child))
        #expect(shown["root_provider_uuid"] == JSON(root))
        #expect(await cloud.get("/resource_providers/\(root)", 14).json["parent_provider_uuid"] == .null)
        #expect(await cloud.get("/resource_providers/\(leaf)", 13).json["root_provider_uuid"] == nil)
        #expect(names(await cloud.get("/resource_providers?in_tree=\(leaf)", 14)) == ["root", "child", "leaf"])
        #expect(await cloud.get("/resource_providers?in_tree=\(leaf)", 13).status == 400)
        let early = await cloud.post("/resource_providers", ["name": "x", "parent_provider_uuid": .null], 13)
        #expect(early.status == 400)
    }

    @Test("a parent must be there, and be somebody else")
    func parents() async throws {
        let cloud = try await PlacementCloud()
        let nobody = "99999999-9999-4999-8999-999999999999"
        let orphan = await cloud.post(
            "/resource_providers", ["name": "a", "uuid": JSON(nobody), "parent_provider_uuid": JSON(nobody)])
        #expect(orphan.status == 400)
        #expect(
            orphan.error("detail")
                == JSON(
                    "Unable to create resource provider \"a\", \(nobody): Object action create failed because: parent "
                        + "provider UUID cannot be same as UUID. Please set parent provider UUID to None if there is "
                        + "no parent."))
        let lost = await cloud.post("/resource_providers", ["name": "a", "parent_provider_uuid": JSON(nobody)])
        #expect(lost.status == 400)
        #expect(lost.error("detail")?.stringValue?.hasSuffix("parent provider UUID does not exist.") == true)
    }

    @Test("who has children is not deleted")
    func deletion() async throws {
        let cloud = try await PlacementCloud()
        let root = await cloud.provider("root")
        let child = await cloud.provider("child", below: root)
        let refused = await cloud.delete("/resource_providers/\(root)")
        #expect(refused.status == 409)
        #expect(refused.error("code") == "placement.resource_provider.cannot_delete_parent")
        #expect(
            refused.error("detail")
                == JSON("Unable to delete parent resource provider \(root): It has child resource providers."))
        #expect(await cloud.delete("/resource_providers/\(child)").status == 204)
        #expect(await cloud.delete("/resource_providers/\(root)").status == 204)
        let gone = await cloud.delete("/resource_providers/\(root)")
        #expect(gone.error("detail") == JSON("No resource provider with uuid \(root) found for delete"))
    }

    @Test("a root gets a parent at any time, who has one only from 1.37 on; nobody below oneself")
    func moving() async throws {
        let cloud = try await PlacementCloud()
        let (a, b) = (await cloud.provider("a"), await cloud.provider("b"))
        let child = await cloud.provider("child", below: a)
        let leaf = await cloud.provider("leaf", below: child)
        func put(_ uuid: String, _ name: String, _ parent: String?, _ minor: Int) async -> Answer {
            await cloud.put(
                "/resource_providers/\(uuid)", ["name": JSON(name), "parent_provider_uuid": JSON(parent)], minor)
        }
        let moved = await put(child, "child", b, 36)
        #expect(moved.status == 400)
        #expect(
            moved.error("detail")
                == JSON(
                    "Unable to save resource provider \(child): Object action update failed because: re-parenting a "
                        + "provider is not currently allowed."))
        let freed = await put(child, "child", nil, 36)
        #expect(freed.error("detail")?.stringValue?.contains("un-parenting a provider is not") == true)
        let loop = await put(child, "child", leaf, 37)
        #expect(loop.error("detail")?.stringValue?.contains("creating loop in the provider tree is not") == true)
        #expect(await put(child, "child", a, 36).status == 200)
        #expect(await put(child, "renamed", b, 37).json["root_provider_uuid"] == JSON(b))
        #expect(await cloud.get("/resource_providers/\(leaf)").json["root_provider_uuid"] == JSON(b))
        #expect(await put(child, "renamed", nil, 37).json["parent_provider_uuid"] == .null)
        #expect(await cloud.get("/resource_providers/\(leaf)").json["root_provider_uuid"] == JSON(child))
        #expect(await put(b, "b", leaf, 14).json["root_provider_uuid"] == JSON(child))
        // A name alone moves nothing.
        #expect(await cloud.put("/resource_providers/\(b)", ["name": "c"]).json["parent_provider_uuid"] == JSON(leaf))
        #expect(await cloud.put("/resource_providers/\(b)", ["name": "a"]).error("code") == "placement.duplicate_name")
    }

    @Test("a host that goes takes what is below it along")
    func hosts() async throws {
        let cloud = try await PlacementCloud()
        let node = NetworkOneNode.node
        let observers = cloud.slice.observers
        try await cloud.harness.database.write { transaction in
            guard let report = try NetworkOneNode().nodes(in: transaction).first?.report else { return }
            for observer in observers { try observer.nodeReported(report, by: node, at: 1, in: transaction) }
        }
        let gpu = await cloud.provider("gpu", below: node.text, ["VGPU": 2])
        let consumer = "/allocations/11111111-2222-4333-8444-555555555555"
        let body = PlacementCloud.claims([gpu: ["VGPU": 1], node.text: ["VCPU": 1]])
        #expect(await cloud.put(consumer, body).status == 204)
        try await cloud.harness.database.write { transaction in
            for observer in observers { try observer.nodeRemoved(node, at: 2, in: transaction) }
        }
        #expect(names(await cloud.get("/resource_providers")) == [])
        #expect(await cloud.get(consumer).json["allocations"] == [:])
    }

    @Test("inventories move from a parent to a child with what is claimed of them")
    func reshaping() async throws {
        let cloud = try await PlacementCloud()
        let root = await cloud.provider("root", ["VCPU": 8, "VGPU": 2])
        let child = await cloud.provider("child", below: root)
        let consumer = "11111111-2222-4333-8444-555555555555"
        let first = PlacementCloud.claims([root: ["VCPU": 1, "VGPU": 2]])
        #expect(await cloud.put("/allocations/\(consumer)", first).status == 204)
        func generation(_ uuid: String) async -> JSON {
            await cloud.get("/resource_providers/\(uuid)").json["generation"] ?? .null
        }
        func body(_ claims: JSON?, root seen: JSON, child: [String: JSON]) -> JSON {
            [
                "inventories": .object([
                    root: ["resource_provider_generation": seen, "inventories": ["VCPU": ["total": 8]]],
                    child["uuid"]?.stringValue ?? "": [
                        "resource_provider_generation": child["generation"] ?? .null,
                        "inventories": ["VGPU": ["total": 2]]
                    ]
                ]), "allocations": claims.map { .object([consumer: $0]) } ?? [:]
            ]
        }
        let seen = (root: await generation(root), child: await generation(child))
        let target: [String: JSON] = ["uuid": JSON(child), "generation": seen.child]
        let moved = PlacementCloud.claims([root: ["VCPU": 1], child: ["VGPU": 2]], generation: 1)
        #expect(await cloud.post("/reshaper", body(moved, root: seen.root, child: target), 29).status == 404)
        #expect(await cloud.post("/reshaper", body(moved, root: seen.root, child: target), as: .member).status == 403)
        let stays = await cloud.post("/reshaper", body(nil, root: seen.root, child: target))
        #expect(stays.status == 409)
        #expect(stays.error("code") == "placement.inventory.inuse")
        let late = await cloud.post("/reshaper", body(moved, root: 77, child: target))
        #expect(late.error("code") == "placement.concurrent_update")
        let lost: [String: JSON] = ["uuid": JSON(consumer), "generation": 0]
        let nobody = await cloud.post("/reshaper", body(moved, root: seen.root, child: lost))
        #expect(nobody.status == 400)
        #expect(nobody.error("code") == "placement.resource_provider.not_found")
        #expect(await cloud.post("/reshaper", body(moved, root: seen.root, child: target)).status == 204)
        #expect(await cloud.get("/resource_providers/\(child)/usages").json["usages"] == ["VGPU": 2])
        #expect(await cloud.get("/resource_providers/\(root)/usages").json["usages"] == ["VCPU": 1])
    }
}
