import CoordinatorCompute
import CoordinatorPlatform
import ProtocolModel
import Testing

@Suite("compute: host aggregates and zones")
struct ComputeAggregateTests {
    static let path = "/compute/v2.1/os-aggregates"

    private static func make(_ cloud: ComputeCloud, _ name: String, zone: String? = nil) async -> Int {
        var aggregate: [String: JSON] = ["name": .string(name)]
        if let zone { aggregate["availability_zone"] = .string(zone) }
        let made = await cloud.harness.post(path, ["aggregate": .object(aggregate)])
        return made.json["aggregate"]?["id"]?.intValue.map(Int.init) ?? 0
    }

    private static func act(_ cloud: ComputeCloud, _ id: Int, _ body: JSON) async -> Answer {
        await cloud.harness.post("\(path)/\(id)/action", body)
    }

    private static func host(_ cloud: ComputeCloud, _ id: ServerID) async -> String? {
        await cloud.show(id, as: .admin)["OS-EXT-SRV-ATTR:host"]?.stringValue
    }

    @Test("made, shown, changed, with hosts and metadata, deleted when empty")
    func life() async throws {
        let cloud = try await ComputeCloud()
        let h = cloud.harness
        #expect(await h.post(Self.path, ["aggregate": ["name": "a"]], as: .member).status == 403)
        let made = await h.post(Self.path, ["aggregate": ["name": "a", "availability_zone": "east"]])
        #expect(made.status == 200)
        #expect(made.json["aggregate"]?["availability_zone"] == "east")
        #expect(made.json["aggregate"]?["hosts"] == nil)
        #expect(made.json["aggregate"]?["deleted"] == false)
        let id = made.json["aggregate"]?["id"]?.intValue.map(Int.init) ?? 0
        let again = await h.post(Self.path, ["aggregate": ["name": "a"]])
        #expect(again.status == 409)
        #expect(again.json["conflictingRequest"]?["message"] == "Aggregate a already exists.")

        let added = await Self.act(cloud, id, ["add_host": ["host": "host-b"]])
        #expect(added.status == 200)
        #expect(added.json["aggregate"]?["hosts"] == ["host-b"])
        #expect(added.json["aggregate"]?["metadata"] == ["availability_zone": "east"])
        #expect(await Self.act(cloud, id, ["add_host": ["host": "host-b"]]).status == 409)
        let unknown = await Self.act(cloud, id, ["add_host": ["host": "host-x"]])
        #expect(unknown.json["itemNotFound"]?["message"] == "Compute host host-x could not be found.")
        let set = await Self.act(cloud, id, ["set_metadata": ["metadata": ["ssd": "true", "gone": nil]]])
        #expect(set.json["aggregate"]?["metadata"] == ["availability_zone": "east", "ssd": "true"])
        #expect(await h.delete("\(Self.path)/\(id)").status == 400)

        let renamed = await h.put(
            "\(Self.path)/\(id)", ["aggregate": ["name": "b"]], as: .admin, ComputeCloud.version(41))
        #expect(renamed.json["aggregate"]?["name"] == "b")
        #expect(renamed.json["aggregate"]?["uuid"]?.stringValue.flatMap { AnyID($0) } != nil)
        #expect(await h.get(Self.path).json["aggregates"]?.arrayValue?.first?["hosts"] == ["host-b"])
        #expect(await Self.act(cloud, id, ["remove_host": ["host": "host-b"]]).json["aggregate"]?["hosts"] == [])
        let missing = await Self.act(cloud, id, ["remove_host": ["host": "host-b"]])
        #expect(missing.json["itemNotFound"]?["message"] == .string("Cannot remove host host-b in aggregate \(id)"))
        #expect(await h.delete("\(Self.path)/\(id)").status == 200)
        #expect(
            await h.get("\(Self.path)/\(id)").json["itemNotFound"]?["message"]
                == .string("Aggregate \(id) could not be found."))
        #expect(await h.get("\(Self.path)/none").status == 400)
    }

    @Test("what is no aggregate is refused")
    func bad() async throws {
        let cloud = try await ComputeCloud()
        let h = cloud.harness
        for body in [
            ["name": ""], ["availability_zone": "east"], ["name": "a", "availability_zone": "a:b"],
            ["name": "a", "hosts": ["host-a"]]
        ] as [JSON] {
            #expect(await h.post(Self.path, ["aggregate": body]).status == 400, "\(body.text)")
        }
        let id = await Self.make(cloud, "a")
        #expect(await h.put("\(Self.path)/\(id)", ["aggregate": [:]]).status == 400)
        #expect(await Self.act(cloud, id, ["dance": [:]]).status == 400)
        #expect(await Self.act(cloud, id, ["set_metadata": ["metadata": ["k": 1]]]).status == 400)
        let images: JSON = ["cache": [["id": .string(ComputeCloud.image.text)]]]
        #expect(await h.post("\(Self.path)/\(id)/images", images, as: .admin, ComputeCloud.version(80)).status == 404)
        #expect(await h.post("\(Self.path)/\(id)/images", images, as: .admin, ComputeCloud.version(81)).status == 400)
    }

    @Test("a zone is where its aggregate's hosts are, for servers, services and placement")
    func zones() async throws {
        let cloud = try await ComputeCloud()
        let h = cloud.harness
        #expect(await cloud.create(["availability_zone": "east"]).status == 400)
        let id = await Self.make(cloud, "a", zone: "east")
        _ = await Self.act(cloud, id, ["add_host": ["host": "host-b"]])
        let server = try ComputeCloud.id(await cloud.create(["availability_zone": "east"]))
        #expect(await Self.host(cloud, server) == "host-b")
        #expect(await cloud.show(server)["OS-EXT-AZ:availability_zone"] == "east")
        let plain = try ComputeCloud.id(await cloud.create(["availability_zone": "nova"]))
        #expect(await Self.host(cloud, plain) == "host-a")
        let zones = await h.get("/compute/v2.1/os-availability-zone", as: .member).json["availabilityZoneInfo"]
        #expect(zones?.arrayValue?.compactMap { $0["zoneName"]?.stringValue } == ["east", "nova"])
        let services = await h.get("/compute/v2.1/os-services?host=host-b").json["services"]
        #expect(services?.arrayValue?.first?["zone"] == "east")

        // A host is in one zone, and keeps it while servers are there.
        let other = await Self.make(cloud, "b", zone: "west")
        let second = await Self.act(cloud, other, ["add_host": ["host": "host-b"]])
        #expect(second.status == 409)
        #expect(
            second.json["conflictingRequest"]?["message"]
                == .string(
                    "Cannot add host to aggregate \(other). Reason: One or more hosts already in availability zone(s) "
                        + "['east']."))
        let moved = await h.put("\(Self.path)/\(id)", ["aggregate": ["availability_zone": "north"]])
        #expect(
            moved.json["badRequest"]?["message"]
                == .string(
                    "Cannot update aggregate \(id). Reason: One or more hosts contain instances in this zone."))
        _ = await Self.act(cloud, id, ["remove_host": ["host": "host-b"]])
        #expect(await cloud.show(server)["OS-EXT-AZ:availability_zone"] == "nova")
        #expect(await cloud.create(["availability_zone": "nova:host-b:host-a"], as: .admin).status == 400)
        let forced = try ComputeCloud.id(await cloud.create(["availability_zone": "nova:host-b"], as: .admin))
        #expect(await Self.host(cloud, forced) == "host-b")
    }

    @Test("an aggregate for some projects keeps the others out")
    func isolation() async throws {
        let cloud = try await ComputeCloud()
        for host in ["host-a", "host-b"] {
            let id = await Self.make(cloud, host)
            _ = await Self.act(cloud, id, ["add_host": ["host": .string(host)]])
            let project = host == "host-a" ? TestCaller.otherProject : TestCaller.project
            _ = await Self.act(
                cloud, id, ["set_metadata": ["metadata": ["filter_tenant_id": .string(project.compact)]]])
        }
        let own = try ComputeCloud.id(await cloud.create())
        #expect(await Self.host(cloud, own) == "host-b")
        let theirs = try ComputeCloud.id(await cloud.create(as: .stranger))
        #expect(await Self.host(cloud, theirs) == "host-a")
        _ = await Self.act(cloud, 2, ["set_metadata": ["metadata": ["filter_tenant_id": "nobody"]]])
        let none = try ComputeCloud.id(await cloud.create())
        #expect(
            await cloud.show(none)["fault"]?["message"]
                == "No valid host was found. 2 hosts: 2 kept for other projects")
    }

    @Test("flavors ask for aggregates, and aggregates give more of a host away than it has")
    func specsAndRatios() async throws {
        let cloud = try await ComputeCloud()
        let id = await Self.make(cloud, "fast")
        _ = await Self.act(cloud, id, ["add_host": ["host": "host-b"]])
        _ = await Self.act(
            cloud, id, ["set_metadata": ["metadata": ["ssd": "true", "cpu_allocation_ratio": "0.25"]]])
        let specs: JSON = ["extra_specs": ["aggregate_instance_extra_specs:ssd": "<or> yes <or> true"]]
        _ = await cloud.harness.post("/compute/v2.1/flavors/1/os-extra_specs", specs)
        for _ in 0..<2 {
            let server = try ComputeCloud.id(await cloud.create())
            #expect(await Self.host(cloud, server) == "host-b")
        }
        let third = try ComputeCloud.id(await cloud.create())
        #expect(
            await cloud.show(third)["fault"]?["message"]
                == .string(
                    "No valid host was found. 2 hosts: 1 short of VCPUs (need 1, has 0), "
                        + "1 not in an aggregate asked for"))
        let inventory = "/placement/resource_providers/\(cloud.second)/inventories/VCPU"
        #expect(await cloud.harness.get(inventory).json["allocation_ratio"] == .double(0.25))
        _ = await Self.act(cloud, id, ["remove_host": ["host": "host-b"]])
        #expect(await cloud.harness.get(inventory).json["allocation_ratio"] == .double(4))
    }
}
