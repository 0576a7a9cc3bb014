import CoordinatorBlockStorage
import CoordinatorPlatform
import ProtocolModel
import Testing

@Suite("volume types and what belongs to them")
struct VolumeTypeTests {
    private func make(
        _ name: String, _ cloud: VolumeCloud, _ specs: [String: JSON] = [:], isPublic: Bool = true
    ) async -> String {
        let body: JSON = [
            "volume_type": [
                "name": .string(name), "extra_specs": .object(specs), "os-volume-type-access:is_public": .bool(isPublic)
            ]
        ]
        let answer = await cloud.post("/types", body, as: .admin)
        VolumeShapes.check(answer.json["volume_type"], VolumeShapes.type("made"))
        return answer.json["volume_type"]?["id"]?.stringValue ?? "\(answer.status)"
    }

    @Test("types are made, changed, listed and deleted; who may see what of them")
    func types() async throws {
        let cloud = try await VolumeCloud()
        let id = await make("a", cloud, ["volume_backend_name": "local", "multiattach": "<is> True"])
        #expect(await cloud.post("/types", ["volume_type": ["name": "a"]], as: .admin).status == 409)
        #expect(await cloud.post("/types", ["volume_type": ["name": "b"]]).status == 403)
        let shown = await cloud.get("/types/\(id)", as: .admin).json["volume_type"]
        VolumeShapes.check(shown, VolumeShapes.type("shown"))
        let plain = await cloud.get("/types/\(id)").json["volume_type"]
        #expect(plain?["extra_specs"] == ["multiattach": "<is> True"] && plain?["qos_specs_id"] == nil)
        let changed = await cloud.put("/types/\(id)", ["volume_type": ["description": "d"]], as: .admin)
        VolumeShapes.check(changed.json["volume_type"], VolumeShapes.type("changed"))
        #expect(await cloud.put("/types/\(id)", ["volume_type": [:]], as: .admin).status == 400)
        #expect(await cloud.get("/types").json["volume_types"]?.arrayValue?.count == 2)
        #expect(await cloud.get("/types/default").json["volume_type"]?["name"] == "__DEFAULT__")

        let specs = "/types/\(id)/extra_specs"
        #expect(await cloud.post(specs, ["extra_specs": ["k": "v"]], as: .admin).json == ["extra_specs": ["k": "v"]])
        #expect(await cloud.put(specs + "/k", ["k": "w"], as: .admin).json == ["k": "w"])
        #expect(await cloud.put(specs + "/x", ["k": "w"], as: .admin).status == 400)
        #expect(await cloud.get(specs + "/k", as: .admin).json == ["k": "w"])
        #expect(await cloud.get(specs + "/k").status == 404)
        #expect(await cloud.delete(specs + "/k", as: .admin).status == 202)
        #expect(await cloud.delete(specs + "/k", as: .admin).status == 404)

        let volume = try await cloud.available(["size": 1, "volume_type": "a"])
        #expect(await cloud.delete("/types/\(id)", as: .admin).status == 400)
        #expect(await cloud.post(specs, ["extra_specs": ["k": "v"]], as: .admin).status == 400)
        _ = await cloud.delete("/volumes/\(volume)")
        try await cloud.report(volume, .gone)
        #expect(await cloud.delete("/types/\(id)", as: .admin).status == 202)
        let last = await cloud.get("/types/default", as: .admin).json["volume_type"]?["id"]?.stringValue ?? ""
        #expect(await cloud.delete("/types/\(last)", as: .admin).status == 400)
    }

    @Test("private types are for those who were let in")
    func access() async throws {
        let cloud = try await VolumeCloud()
        let id = await make("hidden", cloud, isPublic: false)
        #expect(await cloud.get("/types/\(id)").status == 404)
        #expect(await cloud.create(["size": 1, "volume_type": "hidden"]).status == 404)
        let project = JSON.string(TestCaller.project.compact)
        let add: JSON = ["addProjectAccess": ["project": project]]
        #expect(await cloud.post("/types/\(id)/action", add, as: .admin).status == 202)
        #expect(await cloud.post("/types/\(id)/action", add, as: .admin).status == 409)
        let list = await cloud.get("/types/\(id)/os-volume-type-access", as: .admin).json["volume_type_access"]
        #expect(list == [["volume_type_id": .string(id), "project_id": project]])
        #expect(await cloud.create(["size": 1, "volume_type": "hidden"]).status == 202)
        #expect(await cloud.create(["size": 1, "volume_type": "hidden"], as: .stranger).status == 404)
        let remove: JSON = ["removeProjectAccess": ["project": project]]
        #expect(await cloud.post("/types/\(id)/action", remove, as: .admin).status == 202)
        #expect(await cloud.post("/types/\(id)/action", remove, as: .admin).status == 404)
    }

    @Test("a quota set does not tell a project of types that are not open to it")
    func closedTypesInQuotaSets() async throws {
        let cloud = try await VolumeCloud()
        let mine = "/os-quota-sets/\(TestCaller.project.compact)"
        let id = await make("hidden", cloud, isPublic: false)
        for path in [mine, mine + "?usage=true", mine + "/defaults"] {
            let quotas = await cloud.get(path)
            #expect(quotas.status == 200 && !quotas.json.text.contains("hidden"))
        }
        #expect(await cloud.get(mine, as: .admin).json["quota_set"]?["volumes_hidden"] == -1)
        let add: JSON = ["addProjectAccess": ["project": .string(TestCaller.project.compact)]]
        #expect(await cloud.post("/types/\(id)/action", add, as: .admin).status == 202)
        #expect(await cloud.get(mine).json["quota_set"]?["volumes_hidden"] == -1)
    }

    @Test("a type that is renamed keeps what projects may have of it")
    func renamed() async throws {
        let cloud = try await VolumeCloud()
        let mine = "/os-quota-sets/\(TestCaller.project.compact)"
        let id = await make("small", cloud)
        let limits: JSON = ["quota_set": ["volumes_small": 1, "gigabytes_small": 6, "snapshots_small": 0]]
        #expect(await cloud.put(mine, limits, as: .admin).status == 200)
        _ = try await cloud.available(["size": 1, "volume_type": "small"])
        #expect(await cloud.put("/types/\(id)", ["volume_type": ["name": "tiny"]], as: .admin).status == 200)
        let after = await cloud.get(mine).json["quota_set"]
        #expect(after?["volumes_tiny"] == 1 && after?["gigabytes_tiny"] == 6 && after?["snapshots_tiny"] == 0)
        #expect(after?["volumes_small"] == nil)
        #expect(await cloud.create(["size": 1, "volume_type": "tiny"]).status == 413)
        // Another type of the old name begins without any.
        _ = await make("small", cloud)
        #expect(await cloud.get(mine).json["quota_set"]?["volumes_small"] == -1)
    }

    @Test("quotas count volumes, snapshots and their space, in all and by type")
    func quotas() async throws {
        let cloud = try await VolumeCloud()
        let mine = "/os-quota-sets/\(TestCaller.project.compact)"
        _ = await make("small", cloud)
        let before = await cloud.get(mine).json["quota_set"]
        #expect(before?["volumes"] == 10 && before?["volumes_small"] == -1 && before?["per_volume_gigabytes"] == -1)
        #expect(await cloud.put(mine, ["quota_set": ["volumes": 3]]).status == 403)
        let limits: JSON = [
            "quota_set": ["volumes": 3, "gigabytes": 10, "gigabytes_small": 6, "per_volume_gigabytes": 8]
        ]
        #expect(await cloud.put(mine, limits, as: .admin).json["quota_set"]?["gigabytes_small"] == 6)
        #expect(await cloud.put(mine, ["quota_set": ["nonsense": 3]], as: .admin).status == 400)
        let id = try await cloud.available(["size": 3, "volume_type": "small"])
        for (members, word) in [
            (["size": 4, "volume_type": "small"], "gigabytes_small"), (["size": 8], "gigabytes"),
            (["size": 9], "larger")
        ] as [([String: JSON], String)] {
            let answer = await cloud.create(members)
            #expect(answer.status == 413 && answer.json["overLimit"]?["message"]?.stringValue?.contains(word) == true)
        }
        _ = try await cloud.snapshot(of: id)
        let usage = await cloud.get(mine + "?usage=true").json["quota_set"]
        #expect(usage?["gigabytes"] == ["limit": 10, "in_use": 6, "reserved": 0])
        #expect(usage?["snapshots_small"]?["in_use"] == 1)
        #expect(await cloud.act(id, ["os-extend": ["new_size": 5]]).status == 413)
        #expect(await cloud.put(mine, ["quota_set": ["gigabytes": 5]], as: .admin).status == 400)
        let absolute = await cloud.get("/limits").json["limits"]?["absolute"]
        #expect(absolute?["totalGigabytesUsed"] == 6 && absolute?["maxTotalVolumes"] == 3)
        #expect(absolute?.objectValue?.count == 10)
        #expect(await cloud.delete(mine, as: .admin).status == 200)
        #expect(await cloud.get(mine).json["quota_set"]?["volumes"] == 10)
    }

    @Test("limits of speed reach the guest's host, for types that they are given to")
    func speed() async throws {
        let cloud = try await VolumeCloud()
        let type = await make("slow", cloud)
        let body: JSON = [
            "qos_specs": ["name": "slow", "consumer": "front-end", "total_iops_sec": "100", "read_bytes_sec_per_gb": 5]
        ]
        #expect(await cloud.post("/qos-specs", body).status == 403)
        let made = await cloud.post("/qos-specs", body, as: .admin).json["qos_specs"]
        let path = "/qos-specs/\(made?["id"]?.stringValue ?? "")"
        #expect(made?["specs"] == ["total_iops_sec": "100", "read_bytes_sec_per_gb": "5"])
        #expect(await cloud.post("/qos-specs", body, as: .admin).status == 409)
        #expect(await cloud.get(path + "/associate?vol_type_id=\(type)", as: .admin).status == 202)
        let types = await cloud.get(path + "/associations", as: .admin).json["qos_associations"]
        #expect(types?.arrayValue?.first?["name"] == "slow")
        #expect(await cloud.get("/types/\(type)", as: .admin).json["volume_type"]?["qos_specs_id"] == made?["id"])
        let id = try await cloud.available(["size": 3, "volume_type": "slow"])
        let (service, origin, node) = (cloud.slice.service, cloud.origin(), cloud.first)
        let specs = try await cloud.harness.database.write { transaction in
            let held = try service.reserve(
                id.text, for: ServerID(high: 1, low: 1), AttachmentWish(), origin: origin, in: transaction)
            let attachment = try service.attach(held.id, on: node, hostname: "store-a", at: 1, in: transaction)
            return try service.specs(of: [attachment], on: node, in: transaction)
        }
        #expect(specs.first?.limits == ["total_iops_sec": 100, "read_bytes_sec": 15])
        #expect(await cloud.put(path + "/delete_keys", ["keys": ["total_iops_sec"]], as: .admin).status == 202)
        #expect(await cloud.delete(path, as: .admin).status == 400)
        #expect(await cloud.delete(path + "?force=true", as: .admin).status == 202)
        #expect(await cloud.get(path, as: .admin).status == 404)
    }

    @Test("a type that asks for encryption makes no volume while no host can do it")
    func encryption() async throws {
        let cloud = try await VolumeCloud()
        let type = await make("secret", cloud)
        let body: JSON = [
            "encryption": [
                "provider": "luks", "control_location": "front-end", "cipher": "aes-xts-plain64", "key_size": 256
            ]
        ]
        let path = "/types/\(type)/encryption"
        #expect(await cloud.post(path, body, as: .admin).json["encryption"]?["key_size"] == 256)
        #expect(await cloud.post(path, body, as: .admin).status == 400)
        #expect(await cloud.get(path + "/cipher", as: .admin).json == ["cipher": "aes-xts-plain64"])
        #expect(await cloud.create(["size": 1, "volume_type": "secret"]).status == 400)
        let id = await cloud.get(path, as: .admin).json["encryption_id"]?.stringValue ?? ""
        let change: JSON = ["encryption": ["key_size": 128]]
        #expect(await cloud.put("\(path)/\(id)", change, as: .admin).status == 200)
        #expect(await cloud.get(path, as: .admin).json["key_size"] == 128)
        #expect(await cloud.delete("\(path)/\(id)", as: .admin).status == 202)
        #expect(await cloud.get(path, as: .admin).json == [:])
    }

    @Test("a project has a default type of its own from 3.62 on")
    func defaults() async throws {
        let cloud = try await VolumeCloud()
        let type = await make("ours", cloud)
        let path = "/default-types/\(TestCaller.project.compact)"
        let body: JSON = ["default_type": ["volume_type": "ours"]]
        #expect(await cloud.put(path, body, as: .admin, minor: 61).status == 404)
        let set = await cloud.put(path, body, as: .admin, minor: 62).json["default_type"]
        #expect(set?["volume_type_id"] == .string(type))
        #expect(await cloud.create().json["volume"]?["volume_type"] == "ours")
        #expect(await cloud.create(as: .stranger).json["volume"]?["volume_type"] == "__DEFAULT__")
        #expect(await cloud.get("/default-types", as: .admin, minor: 62).json["default_types"]?.arrayValue?.count == 1)
        #expect(await cloud.delete("/types/\(type)", as: .admin).status == 400)
        #expect(await cloud.delete(path, as: .admin, minor: 62).status == 204)
        #expect(await cloud.get(path, as: .admin, minor: 62).status == 404)
    }

    @Test("a volume gets another type where it is, and moves nowhere")
    func retype() async throws {
        let cloud = try await VolumeCloud()
        _ = await make("fast", cloud, ["volume_backend_name": "fast"])
        _ = await make("local", cloud, ["volume_backend_name": "local"])
        let id = try await cloud.available()
        func retype(_ type: String) async -> Int {
            await cloud.act(id, ["os-retype": ["new_type": .string(type), "migration_policy": "never"]]).status
        }
        #expect(await retype("fast") == 400)
        #expect(await retype("none") == 400)
        #expect(await retype("local") == 202)
        #expect(await retype("local") == 400)
        #expect(await cloud.show(id)["volume_type"] == "local")
        let move: JSON = ["os-migrate_volume": ["host": "store-b@local#local"]]
        #expect(await cloud.act(id, move).status == 403)
        #expect(await cloud.act(id, move, as: .admin).status == 400)
    }
}
