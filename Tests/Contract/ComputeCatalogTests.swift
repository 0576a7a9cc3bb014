import CoordinatorCompute
import CoordinatorPlatform
import ProtocolModel
import Testing

@Suite("compute: flavors, keypairs, hosts, quotas")
struct ComputeCatalogTests {
    static let key = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIAABAgMEBQYHCAkKCwwNDg8QERITFBUWFxgZGhscHR4f me"

    @Test("flavors: made, listed, private, with specs, deleted")
    func flavors() async throws {
        let cloud = try await ComputeCloud()
        let h = cloud.harness
        let body: JSON = [
            "flavor": [
                "name": "big", "id": "auto", "ram": "2048", "vcpus": 2, "disk": 20, "os-flavor-access:is_public": false
            ]
        ]
        #expect(await h.post("/compute/v2.1/flavors", body, as: .member).status == 403)
        let made = await h.post("/compute/v2.1/flavors", body)
        let id = made.json["flavor"]?["id"]?.stringValue ?? ""
        #expect(made.status == 200)
        #expect(made.json["flavor"]?["ram"] == 2048)
        #expect(await h.post("/compute/v2.1/flavors", body).status == 409)

        #expect(await h.get("/compute/v2.1/flavors/\(id)", as: .member).status == 404)
        let access: JSON = ["addTenantAccess": ["tenant": .string(TestCaller.project.compact)]]
        #expect(await h.post("/compute/v2.1/flavors/\(id)/action", access).status == 200)
        #expect(await h.post("/compute/v2.1/flavors/\(id)/action", access).status == 409)
        #expect(await h.get("/compute/v2.1/flavors/\(id)", as: .member).status == 200)
        #expect(await h.get("/compute/v2.1/flavors/\(id)", as: .stranger).status == 404)
        #expect(await h.get("/compute/v2.1/flavors", as: .stranger).json["flavors"]?.arrayValue?.count == 1)
        #expect(await h.get("/compute/v2.1/flavors?minRam=1000", as: .member).json["flavors"]?.arrayValue?.count == 1)

        let specs = "/compute/v2.1/flavors/\(id)/os-extra_specs"
        #expect(await h.post(specs, ["extra_specs": ["hw:cpu_policy": "shared"]]).status == 200)
        #expect(await h.get(specs + "/hw:cpu_policy", as: .member).json == ["hw:cpu_policy": "shared"])
        let shown = await h.get("/compute/v2.1/flavors/\(id)", as: .member, ComputeCloud.version(61))
        #expect(shown.json["flavor"]?["extra_specs"] == ["hw:cpu_policy": "shared"])
        #expect(await h.delete(specs + "/hw:cpu_policy").status == 200)
        #expect(await h.get(specs + "/hw:cpu_policy").status == 404)
        #expect(await h.delete("/compute/v2.1/flavors/\(id)").status == 202)
        #expect(await h.delete("/compute/v2.1/flavors/\(id)").status == 404)
    }

    @Test(
        "parameters that a call does not know are passed over before it was strict, and refused since",
        arguments: [
            ("os-services?host=host-a", 75, 200), ("os-services?limit=1", 74, 200), ("os-services?limit=1", 75, 400),
            ("os-services?sort_key=x", 1, 200), ("os-services?sort_key=host", 75, 400),
            ("limits?tenant_id=\(TestCaller.project.compact)", 75, 200), ("limits?reserved=1", 74, 200),
            ("limits?reserved=1", 75, 400), ("limits?marker=x", 75, 400),
            ("os-quota-sets/\(TestCaller.project.compact)?user_id=x", 75, 200),
            ("os-quota-sets/\(TestCaller.project.compact)?x=y", 74, 200),
            ("os-quota-sets/\(TestCaller.project.compact)/detail?x=y", 75, 400),
            ("os-hypervisors?sort_key=x", 52, 200), ("os-hypervisors?sort_key=x", 53, 400),
            ("os-hypervisors?x=y", 53, 400), ("os-hypervisors?limit=1&with_servers=1", 53, 200),
            ("os-keypairs?sort_dir=up", 74, 200), ("os-keypairs?sort_dir=asc", 75, 400),
            ("flavors?sort_key=x", 1, 400), ("flavors?sort_key=name&sort_dir=desc", 75, 200)
        ] as [(String, Int, Int)])
    func unknownParameters(path: String, minor: Int, status: Int) async throws {
        let cloud = try await ComputeCloud()
        let answer = await cloud.harness.get("/compute/v2.1/\(path)", as: .admin, ComputeCloud.version(minor))
        #expect(answer.status == status, "\(answer.json.text)")
    }

    @Test("keypairs: imported, generated, refused, one's own")
    func keypairs() async throws {
        let cloud = try await ComputeCloud()
        let h = cloud.harness
        let path = "/compute/v2.1/os-keypairs"
        let made = await h.post(path, ["keypair": ["name": "mine", "public_key": .string(Self.key)]], as: .member)
        #expect(made.status == 200)
        #expect(made.json["keypair"]?["private_key"] == nil)
        #expect(made.json["keypair"]?["user_id"] == .string(TestCaller.member.caller.user.compact))
        let again = await h.post(
            path, ["keypair": ["name": "mine", "public_key": .string(Self.key)]], as: .member, ComputeCloud.version(2))
        #expect(again.status == 409)
        #expect(again.json["conflictingRequest"]?["message"] == "Key pair 'mine' already exists.")
        let generated = await h.post(path, ["keypair": ["name": "new"]], as: .member, ComputeCloud.version(2))
        #expect(generated.status == 201)
        #expect(generated.json["keypair"]?["private_key"]?.stringValue?.hasPrefix("-----BEGIN") == true)
        #expect(await h.post(path, ["keypair": ["name": "no"]], as: .member, ComputeCloud.version(92)).status == 400)
        let bad = await h.post(path, ["keypair": ["name": "bad", "public_key": "nonsense"]], as: .member)
        #expect(bad.json["badRequest"]?["message"] == "Keypair data is invalid: failed to generate fingerprint")

        #expect(await h.get(path, as: .manager).json == ["keypairs": []])
        let user = TestCaller.member.caller.user.compact
        let version = ComputeCloud.version(10)
        #expect(await h.get(path + "?user_id=\(user)", as: .manager, version).status == 403)
        #expect(await h.get(path + "?user_id=\(user)", as: .admin, version).json["keypairs"]?.arrayValue?.count == 2)
        #expect(await h.delete(path + "/mine", as: .manager, version).status == 404)

        let id = try ComputeCloud.id(await cloud.create(["key_name": "mine"]))
        #expect(try await cloud.spec(id)?.publicKeys == [.init(name: "mine", key: Self.key)])
        #expect(await h.delete(path + "/mine", as: .member).status == 202)
        #expect(await cloud.show(id)["key_name"] == "mine")
    }

    @Test("hosts: for administrators, disabled and enabled")
    func hosts() async throws {
        let cloud = try await ComputeCloud()
        let h = cloud.harness
        #expect(await h.get("/compute/v2.1/os-hypervisors", as: .member).status == 403)
        _ = try await cloud.running()
        let detail = await h.get(
            "/compute/v2.1/os-hypervisors/detail?with_servers=1", as: .admin, ComputeCloud.version(87))
        let first = detail.json["hypervisors"]?.arrayValue?.first
        #expect(first?["id"] == .string(cloud.first.text))
        #expect(first?["vcpus_used"] == 1)
        #expect(first?["servers"]?.arrayValue?.first?["name"] == "web")
        let newest = await h.get(
            "/compute/v2.1/os-hypervisors/\(cloud.first)", as: .admin, ComputeCloud.version(88))
        #expect(newest.json["hypervisor"]?["vcpus"] == nil)
        #expect(
            newest.json["hypervisor"]?["uptime"] == " 00:00:00 up 1 days, 1:01,  0 users,  load average: 0.25")

        let service = "/compute/v2.1/os-services/\(cloud.second)"
        let disabled = await h.put(
            service, ["status": "disabled", "disabled_reason": "disk"], as: .admin, ComputeCloud.version(53))
        #expect(disabled.json["service"]?["status"] == "disabled")
        #expect(disabled.json["service"]?["disabled_reason"] == "disk")
        let old = await h.put(
            "/compute/v2.1/os-services/enable", ["host": "host-b", "binary": "nova-compute"], as: .admin)
        #expect(old.json["service"]?["status"] == "enabled")
        let zones = await h.get("/compute/v2.1/os-availability-zone", as: .member)
        #expect(
            zones.json == [
                "availabilityZoneInfo": [
                    ["zoneName": "nova", "zoneState": ["available": true], "hosts": nil]
                ]
            ])
    }

    @Test("quotas: shown, raised, counted, taken back")
    func quotas() async throws {
        let cloud = try await ComputeCloud()
        let h = cloud.harness
        let path = "/compute/v2.1/os-quota-sets/\(TestCaller.project.compact)"
        _ = try await cloud.running()
        #expect(await h.get(path, as: .member).json["quota_set"]?["instances"] == 10)
        #expect(await h.get(path, as: .stranger).status == 403)
        #expect(await h.put(path, ["quota_set": ["instances": 2]], as: .member).status == 403)
        #expect(await h.put(path, ["quota_set": ["instances": 2]]).json["quota_set"]?["instances"] == 2)
        #expect(await h.put(path, ["quota_set": ["instances": 0]]).status == 400)
        #expect(await h.put(path, ["quota_set": ["bogus": 2]]).status == 400)
        #expect(
            await h.get(path + "/detail", as: .member).json["quota_set"]?["instances"]
                == ["limit": 2, "in_use": 1, "reserved": 0])
        let limits = await h.get("/compute/v2.1/limits", as: .member)
        #expect(limits.json["limits"]?["absolute"]?["totalInstancesUsed"] == 1)
        #expect(limits.json["limits"]?["absolute"]?["maxTotalInstances"] == 2)
        #expect(await h.delete(path).status == 202)
        #expect(await h.get(path, as: .member).json["quota_set"]?["instances"] == 10)
    }

    @Test("metadata and tags")
    func labels() async throws {
        let cloud = try await ComputeCloud()
        let h = cloud.harness
        let id = try await cloud.running(["metadata": ["a": "1"]])
        let path = "/compute/v2.1/servers/\(id)/metadata"
        #expect(await h.post(path, ["metadata": ["b": "2"]], as: .member).json == ["metadata": ["a": "1", "b": "2"]])
        #expect(await h.put(path + "/a", ["meta": ["a": "9"]], as: .member).json == ["meta": ["a": "9"]])
        #expect(await h.put(path + "/a", ["meta": ["x": "9"]], as: .member).status == 400)
        #expect(await h.delete(path + "/b", as: .member).status == 204)
        #expect(await h.delete(path + "/b", as: .member).status == 404)
        #expect(try await cloud.spec(id)?.metadata == ["a": "9"])
        #expect(await h.put(path, ["metadata": [:]], as: .member).json == ["metadata": [:]])

        let tags = "/compute/v2.1/servers/\(id)/tags"
        let version = ComputeCloud.version(26)
        #expect(await h.put(tags + "/red", nil, as: .member, version).status == 201)
        #expect(await h.put(tags + "/red", nil, as: .member, version).status == 204)
        #expect(await h.get(tags, as: .member, version).json == ["tags": ["red"]])
        #expect(
            await h.put(tags, ["tags": ["blue", "green"]], as: .member, version).json == ["tags": ["blue", "green"]])
        #expect(await h.get(tags + "/red", as: .member, version).status == 404)
        #expect(await h.delete(tags, as: .member, version).status == 204)
        #expect(await h.get(tags, as: .member).status == 404)
    }

    @Test("versions are told and out-of-range ones refused")
    func versions() async throws {
        let cloud = try await ComputeCloud()
        let h = cloud.harness
        let root = await h.get("/compute", as: nil)
        #expect(root.json["versions"]?.arrayValue?.last?["version"] == "2.96")
        #expect(await h.get("/compute/v2.1/", as: nil).json["version"]?["min_version"] == "2.1")
        let refused = await h.get("/compute/v2.1/servers", as: .member, ComputeCloud.version(999))
        #expect(refused.status == 406)
        #expect(refused.json["computeFault"]?["code"] == 406)
        #expect(refused.json["computeFault"]?["message"]?.stringValue?.contains("2.999") == true)
        #expect(refused.header("OpenStack-API-Version") != nil)
        let old = await h.get("/compute/v2.1/servers", as: .member, ["X-OpenStack-Nova-API-Version": "2.60"])
        #expect(old.header("X-OpenStack-Nova-API-Version") == "2.60")
    }
}
