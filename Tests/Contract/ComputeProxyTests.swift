import CoordinatorCompute
import CoordinatorPlatform
import HTTPTypes
import ProtocolModel
import Testing

@Suite("compute: what old versions have of other services")
struct ComputeProxyTests {
    private static let images = "/compute/v2.1/images"

    @Test("images: listed, shown, filtered, deleted, until 2.36")
    func imagesOfOld() async throws {
        let cloud = try await ComputeCloud()
        let h = cloud.harness
        let list = await h.get(Self.images, as: .member)
        #expect(list.status == 200)
        #expect(list.json["images"]?.arrayValue?.first?["id"] == .string(ComputeCloud.image.text))
        #expect(list.json["images"]?.arrayValue?.first?["links"]?.arrayValue?.count == 3)
        let shown = await h.get("\(Self.images)/\(ComputeCloud.image)", as: .member).json["image"]
        #expect(shown?["status"] == "ACTIVE")
        #expect(shown?["progress"] == 100)
        #expect(shown?["minRam"] == 64)
        #expect(shown?["metadata"] == ["hw_disk_bus": "scsi"])
        for (query, count) in [
            ("?status=active", 1), ("?status=saving", 0), ("?name=guest", 1), ("?name=x", 0), ("?limit=1", 1),
            ("?property-hw_disk_bus=scsi", 1), ("?changes-since=2099-01-01T00:00:00Z", 0), ("?server=x", 0)
        ] {
            let found = await h.get("\(Self.images)/detail\(query)", as: .member)
            #expect(found.json["images"]?.arrayValue?.count == count, "\(query) \(found.json.text)")
        }
        #expect(await h.get(Self.images, as: .member, ComputeCloud.version(36)).status == 404)
        #expect(await h.delete("\(Self.images)/\(ComputeCloud.image)", as: .stranger).status == 403)
        #expect(await h.delete("\(Self.images)/\(ComputeCloud.image)", as: .admin).status == 204)
        let gone = await h.get("\(Self.images)/\(ComputeCloud.image)", as: .member)
        #expect(gone.json["itemNotFound"]?["message"] == "Image not found.")
    }

    @Test("metadata of images: read, merged, replaced, one by one, until 2.39")
    func imageMetadata() async throws {
        let cloud = try await ComputeCloud()
        let h = cloud.harness
        let path = "\(Self.images)/\(ComputeCloud.image)/metadata"
        #expect(await h.get(path).json == ["metadata": ["hw_disk_bus": "scsi"]])
        let merged = await h.post(path, ["metadata": ["a.b": "1", "c": "2"]])
        #expect(merged.json == ["metadata": ["hw_disk_bus": "scsi", "a.b": "1", "c": "2"]])
        #expect(await h.get(path + "/c").json == ["meta": ["c": "2"]])
        #expect(await h.put(path + "/c", ["meta": ["c": "3"]]).json == ["meta": ["c": "3"]])
        #expect(await h.put(path + "/c", ["meta": ["d": "3"]]).status == 400)
        #expect(await h.delete(path + "/c").status == 204)
        #expect(await h.delete(path + "/c").status == 404)
        #expect(await h.put(path, ["metadata": ["e": "5"]], as: .admin, ComputeCloud.version(38)).status == 200)
        #expect(await h.get(path, as: .admin, ComputeCloud.version(38)).json == ["metadata": ["e": "5"]])
        #expect(await h.get(path, as: .admin, ComputeCloud.version(39)).status == 404)
        #expect(await h.put(path, ["metadata": ["e": "6"]], as: .stranger).status == 403)
    }

    /// A network that leads out, with a router to the private one.
    private static func outside(_ cloud: ComputeCloud) async {
        let h = cloud.harness
        let made = await h.post(
            "/network/v2.0/networks", ["network": ["name": "outside", "router:external": true]])
        let id = made.json["network"]?["id"] ?? ""
        _ = await h.post(
            "/network/v2.0/subnets", ["subnet": ["network_id": id, "ip_version": 4, "cidr": "203.0.113.0/24"]])
        let router = await h.post(
            "/network/v2.0/routers", ["router": ["external_gateway_info": ["network_id": id]]], as: .admin)
        let subnets = await h.get("/network/v2.0/subnets?network_id=\(cloud.network)")
        _ = await h.put(
            "/network/v2.0/routers/\(router.json["router"]?["id"]?.stringValue ?? "")/add_router_interface",
            ["subnet_id": subnets.json["subnets"]?.arrayValue?.first?["id"] ?? ""])
    }

    @Test("floating addresses: made from a pool, given to a server, taken, deleted")
    func floating() async throws {
        let cloud = try await ComputeCloud()
        let h = cloud.harness
        let path = "/compute/v2.1/os-floating-ips"
        #expect(await h.post(path, [:], as: .member).status == 404)
        await Self.outside(cloud)
        let pools = await h.get("/compute/v2.1/os-floating-ip-pools", as: .member)
        #expect(pools.json == ["floating_ip_pools": [["name": "outside"]]])
        #expect(await h.post(path, ["pool": "none"], as: .member).status == 404)
        let made = await h.post(path, ["pool": "outside"], as: .member)
        #expect(made.status == 200)
        let address = made.json["floating_ip"]?["ip"]?.stringValue ?? ""
        let id = made.json["floating_ip"]?["id"]?.stringValue ?? ""
        #expect(made.json["floating_ip"]?["pool"] == "outside")
        #expect(made.json["floating_ip"]?["instance_id"] == .null)

        // The network that leads out is the project's own as well: one has to be named.
        let server = try await cloud.running(["networks": [["uuid": .string(cloud.network.text)]]])
        #expect(await cloud.act(server, ["addFloatingIp": ["address": .string(address)]], minor: 44).status == 400)
        #expect(await cloud.act(server, ["addFloatingIp": ["address": "203.0.113.250"]]).status == 404)
        let wrong = await cloud.act(
            server, ["addFloatingIp": ["address": .string(address), "fixed_address": "10.0.0.99"]])
        #expect(
            wrong.json["badRequest"]?["message"] == "Specified fixed address not assigned to instance")
        let added = await cloud.act(server, ["addFloatingIp": ["address": .string(address)]])
        #expect(added.status == 202, "\(added.json.text)")
        let shown = await h.get("\(path)/\(id)", as: .member)
        #expect(shown.json["floating_ip"]?["instance_id"] == .string(server.text))
        #expect(shown.json["floating_ip"]?["fixed_ip"]?.stringValue?.hasPrefix("10.0.0.") == true)
        #expect(await cloud.act(server, ["removeFloatingIp": ["address": .string(address)]]).status == 202)
        #expect(await cloud.act(server, ["removeFloatingIp": ["address": .string(address)]]).status == 409)
        #expect(await h.get(path, as: .member).json["floating_ips"]?.arrayValue?.count == 1)
        #expect(await h.get("\(path)/\(id)", as: .stranger).status == 404)
        #expect(await h.delete("\(path)/\(id)", as: .member).status == 202)
        #expect(await h.get("\(path)/\(id)", as: .member).status == 404)
        #expect(await h.get(path, as: .member, ComputeCloud.version(36)).status == 404)
    }

    @Test("networks, as they once were")
    func networks() async throws {
        let cloud = try await ComputeCloud()
        let h = cloud.harness
        let tenant = await h.get("/compute/v2.1/os-tenant-networks", as: .member)
        #expect(
            tenant.json == ["networks": [["id": .string(cloud.network.text), "label": "private", "cidr": "None"]]])
        let one = await h.get("/compute/v2.1/os-networks/\(cloud.network)", as: .member).json["network"]
        #expect(one?["label"] == "private")
        #expect(one?["cidr"] == .null)
        #expect(one?["bridge"] == nil)
        #expect(await h.get("/compute/v2.1/os-networks").json["networks"]?.arrayValue?.first?["bridge"] == .null)
        #expect(await h.get("/compute/v2.1/os-networks/none", as: .member).status == 404)
        #expect(await h.get("/compute/v2.1/os-networks", as: .member, ComputeCloud.version(36)).status == 404)
        let gone = await h.post("/compute/v2.1/os-networks", ["network": ["label": "x"]])
        #expect(gone.status == 410)
        for path in ["os-agents", "os-cells", "os-cloudpipe", "os-fping", "os-floating-ips-bulk"] {
            #expect(await h.get("/compute/v2.1/\(path)").status == 410)
        }
    }

    @Test("hosts, until 2.43")
    func hosts() async throws {
        let cloud = try await ComputeCloud()
        let h = cloud.harness
        _ = try await cloud.running()
        #expect(await h.get("/compute/v2.1/os-hosts", as: .member).status == 403)
        #expect(
            await h.get("/compute/v2.1/os-hosts").json["hosts"]?.arrayValue?.first
                == ["host_name": "host-a", "service": "compute", "zone": "nova"])
        let shown = await h.get("/compute/v2.1/os-hosts/host-a").json["host"]?.arrayValue ?? []
        #expect(
            shown.compactMap { $0["resource"]?["project"]?.stringValue }
                == ["(total)", "(used_now)", "(used_max)", TestCaller.project.compact])
        #expect(await h.get("/compute/v2.1/os-hosts/x").status == 404)
        let off = await h.put("/compute/v2.1/os-hosts/host-b", ["status": "disable"])
        #expect(off.json == ["host": "host-b", "status": "disabled"])
        #expect(
            await h.get("/compute/v2.1/os-services?host=host-b").json["services"]?.arrayValue?.first?["status"]
                == "disabled")
        #expect(await h.put("/compute/v2.1/os-hosts/host-b", ["maintenance_mode": "enable"]).status == 501)
        #expect(await h.get("/compute/v2.1/os-hosts/host-b/reboot").status == 501)
        #expect(await h.get("/compute/v2.1/os-hosts", as: .admin, ComputeCloud.version(43)).status == 404)
        #expect(await h.get("/compute/v2.1/os-baremetal-nodes").status == 501)
    }

    @Test("events of other services, topology, passwords, snapshots that are refused")
    func details() async throws {
        let cloud = try await ComputeCloud()
        let h = cloud.harness
        let id = try await cloud.running()
        let path = "/compute/v2.1/os-server-external-events"
        func event(_ server: String, _ name: String = "network-changed") -> JSON {
            ["name": .string(name), "server_uuid": .string(server), "tag": "t"]
        }
        let missing = "aaaaaaaa-bbbb-4ccc-8ddd-eeeeeeeeeeee"
        let before = try await cloud.entry(id)?.generation ?? 0
        let mixed = await h.post(path, ["events": [event(id.text), event(missing)]])
        #expect(mixed.status == 207)
        #expect(mixed.json["events"]?.arrayValue?.compactMap { $0["code"]?.intValue } == [200, 404])
        #expect(try await cloud.entry(id)?.generation ?? 0 > before)
        #expect(await h.post(path, ["events": [event(id.text)]]).status == 200)
        #expect(await h.post(path, ["events": [event(missing)]]).status == 404)
        #expect(await h.post(path, ["events": []]).status == 400)
        #expect(await h.post(path, ["events": [event(id.text, "volume-extended")]]).status == 400)
        let extended = await h.post(
            path, ["events": [event(id.text, "volume-extended")]], as: .admin, ComputeCloud.version(51))
        #expect(extended.status == 200)
        #expect(await h.post(path, ["events": [event(id.text)]], as: .member).status == 403)

        let server = "/compute/v2.1/servers/\(id)"
        #expect(await h.get("\(server)/topology", as: .member, ComputeCloud.version(77)).status == 404)
        #expect(
            await h.get("\(server)/topology", as: .member, ComputeCloud.version(78)).json
                == ["nodes": [], "pagesize_kb": .null])
        #expect(await h.get("\(server)/os-server-password", as: .member).json == ["password": ""])
        #expect(await h.delete("\(server)/os-server-password", as: .member).status == 204)
        #expect(await h.delete("\(server)/os-server-password", as: .reader).status == 403)
        #expect(await h.post("/compute/v2.1/os-assisted-volume-snapshots", ["snapshot": [:]]).status == 400)
    }
}
