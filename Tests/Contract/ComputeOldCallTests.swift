import CoordinatorCompute
import CoordinatorPlatform
import ProtocolModel
import Testing

@Suite("compute: calls that clients of old times make")
struct ComputeOldCallTests {
    @Test("volumes and snapshots as the compute API had them, to 2.35")
    func volumes() async throws {
        let cloud = try await ComputeCloud()
        let h = cloud.harness
        let path = "/compute/v2.1/os-volumes"
        let wish: JSON = [
            "size": 2, "display_name": "v", "display_description": "d", "metadata": ["a": "b"],
            "availability_zone": "nova", "volume_type": "__DEFAULT__"
        ]
        let made = await h.post(path, ["volume": wish], as: .member)
        #expect(made.status == 200, "\(made.json.text)")
        let volume = made.json["volume"] ?? .null
        #expect(volume["displayName"] == "v" && volume["displayDescription"] == "d" && volume["size"] == 2)
        #expect(volume["metadata"] == ["a": "b"] && volume["attachments"] == [[:]])
        #expect(volume["availabilityZone"] == "nova" && volume["volumeType"] == "__DEFAULT__")
        let id = volume["id"]?.stringValue ?? ""
        #expect(await h.get("\(path)/\(id)", as: .member).json["volume"]?["id"] == .string(id))
        #expect(await h.get(path + "/detail?limit=1", as: .member).json["volumes"]?.arrayValue?.count == 1)
        #expect(await h.get(path, as: .stranger).json["volumes"] == [])
        #expect(await h.get("\(path)/\(id)", as: .stranger).status == 404)
        #expect(await h.get(path, as: .member, ComputeCloud.version(36)).status == 404)
        #expect(await h.post(path, ["volume": [:]], as: .member).status == 400)
        let snapshot: JSON = [
            "volume_id": .string(id), "display_name": "s", "display_description": "d", "force": true
        ]
        let early = await h.post("/compute/v2.1/os-snapshots", ["snapshot": snapshot], as: .member)
        #expect(early.status == 400, "the volume is not there yet: \(early.json.text)")
        let absent: JSON = ["snapshot_id": "11111111-2222-4333-8444-555555555555"]
        #expect(await h.post(path, ["volume": absent], as: .member).status == 404)
        #expect(await h.get("/compute/v2.1/os-snapshots", as: .member).json["snapshots"] == [])
        #expect(await h.delete("\(path)/\(id)", as: .stranger).status == 404)
    }

    @Test("the default class of quotas is that of projects without limits of their own")
    func classes() async throws {
        let cloud = try await ComputeCloud()
        let h = cloud.harness
        let path = "/compute/v2.1/os-quota-class-sets/default"
        #expect(await h.get(path, as: .member).status == 403)
        let before = await h.get(path, as: .admin).json["quota_class_set"] ?? .null
        #expect(before["id"] == "default" && before["cores"]?.intValue != nil && before["server_groups"] == nil)
        let changed = await h.put(path, ["quota_class_set": ["cores": 1, "ram": 4096]], as: .admin)
        #expect(changed.json["quota_class_set"]?["cores"] == 1 && changed.json["quota_class_set"]?["id"] == nil)
        let sets = "/compute/v2.1/os-quota-sets/\(TestCaller.project.compact)"
        #expect(await h.get(sets, as: .member).json["quota_set"]?["cores"] == 1)
        #expect(await h.get(sets + "/defaults", as: .member).json["quota_set"]?["ram"] == 4096)
        #expect(await cloud.create().status == 202)
        #expect(await cloud.create().status == 403)
        let newest = await h.get(path, as: .admin, ComputeCloud.version(57)).json["quota_class_set"] ?? .null
        #expect(newest["server_groups"] != nil && newest["injected_files"] == nil && newest["floating_ips"] == nil)
        let other = await h.put("/compute/v2.1/os-quota-class-sets/gold", ["quota_class_set": [:]], as: .admin)
        #expect(other.status == 400)
    }

    @Test("certificates for keys")
    func certificates() async throws {
        let cloud = try await ComputeCloud()
        let path = "/compute/v2.1/os-keypairs"
        let made = await cloud.harness.post(
            path, ["keypair": ["name": "w", "type": "x509"]], as: .member, ComputeCloud.version(2))
        #expect(made.status == 201, "\(made.json.text)")
        let keypair = made.json["keypair"] ?? .null
        let pem = keypair["public_key"]?.stringValue ?? ""
        #expect(pem.hasPrefix("-----BEGIN CERTIFICATE-----") && keypair["type"] == "x509")
        #expect(keypair["fingerprint"]?.stringValue?.count == 59 && keypair["private_key"]?.stringValue != nil)
        let again = await cloud.harness.post(
            path, ["keypair": ["name": "i", "type": "x509", "public_key": .string(pem)]], as: .member,
            ComputeCloud.version(2))
        #expect(again.json["keypair"]?["fingerprint"] == keypair["fingerprint"])
        #expect(again.json["keypair"]?["private_key"] == nil)
        let wrong = await cloud.harness.post(
            path, ["keypair": ["name": "x", "type": "x509", "public_key": "ssh-rsa AAAA"]], as: .member,
            ComputeCloud.version(2))
        #expect(wrong.status == 400)
    }

    @Test("version 2.0 is 2.1 without microversions; what has no name is nothing")
    func versions() async throws {
        let cloud = try await ComputeCloud()
        let h = cloud.harness
        let listed = await h.get("/compute", as: nil).json["versions"]?.arrayValue ?? []
        #expect(listed.map { $0["id"] ?? .null } == ["v2.0", "v2.1"])
        let id = try await cloud.running()
        let old = await h.get("/compute/v2/servers/\(id)", as: .member, ComputeCloud.version(26))
        #expect(old.status == 200 && old.json["server"]?["tags"] == nil)
        #expect(await h.get("/compute/v2/servers/\(id)", as: .stranger).status == 404)
        #expect(await h.delete("/compute/v2.1/os-security-groups/", as: .member).status == 404)
    }

    @Test("the audit log says that no host wrote any")
    func audit() async throws {
        let cloud = try await ComputeCloud()
        let h = cloud.harness
        let path = "/compute/v2.1/os-instance_usage_audit_log"
        #expect(await h.get(path, as: .member).status == 403)
        let log = await h.get(path, as: .admin).json["instance_usage_audit_logs"] ?? .null
        #expect(log["num_hosts"] == 2 && log["num_hosts_not_run"] == 2 && log["log"] == [:])
        let dated = await h.get(path + "/2026-02-03%2010:00:00", as: .admin)
        #expect(
            dated.json["instance_usage_audit_log"]?["period_beginning"] == "2026-01-01 00:00:00",
            "\(dated.json.text)")
        #expect(await h.get(path + "/yesterday", as: .admin).status == 400)
    }
}
