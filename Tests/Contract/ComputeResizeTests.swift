import CoordinatorCompute
import CoordinatorPlatform
import ProtocolModel
import Testing

@Suite("compute: resizes")
struct ComputeResizeTests {
    /// A cloud with a larger flavor, `2`, and a server that runs.
    private static func scene(
        memoryMiB: Int = 16_384, settings: ComputeSettings = ComputeSettings(), larger: [String: JSON] = [:]
    ) async throws -> (ComputeCloud, ServerID) {
        let cloud = try await ComputeCloud(memoryMiB: memoryMiB, settings: settings)
        let flavor: [String: JSON] = ["name": "m1.micro", "id": "2", "ram": 256, "vcpus": 2, "disk": 2]
        let answer = await cloud.harness.post(
            "/compute/v2.1/flavors", ["flavor": .object(flavor.merging(larger) { $1 })], as: .admin)
        #expect(answer.status == 200)
        return (cloud, try await cloud.running())
    }

    private static func resize(_ cloud: ComputeCloud, _ id: ServerID, _ flavor: JSON = "2") async -> Answer {
        await cloud.act(id, ["resize": ["flavorRef": flavor]])
    }

    /// What a consumer holds, by resource class.
    private static func claims(_ cloud: ComputeCloud) async throws -> [String: Int] {
        let rows = try await cloud.harness.database.read { reader in
            try reader.query(
                "SELECT resource_class, SUM(used) FROM placement_allocations GROUP BY resource_class", []
            ) { ($0.text(0), $0.int(1)) }
        }
        return Dictionary(uniqueKeysWithValues: rows)
    }

    @Test("a resize stops, changes, starts, and holds both sizes until it is confirmed")
    func confirm() async throws {
        let (cloud, id) = try await Self.scene()
        #expect(await Self.resize(cloud, id).status == 202)
        #expect(await cloud.status(id) == "RESIZE")
        #expect(await cloud.show(id)["OS-EXT-STS:task_state"] == "resize_prep")
        var spec = try #require(try await cloud.spec(id))
        #expect(spec.power == .stopped && spec.vcpus == 1 && spec.rootGiB == 1)
        #expect(try await Self.claims(cloud) == ["VCPU": 3, "MEMORY_MB": 384, "DISK_GB": 3])
        try await cloud.report(id, .applying, power: .running)
        #expect(await cloud.show(id)["OS-EXT-STS:task_state"] == "resize_prep")
        try await cloud.report(id, .ready, power: .shutdown)
        #expect(await cloud.show(id)["OS-EXT-STS:task_state"] == "resize_finish")
        spec = try #require(try await cloud.spec(id))
        #expect(spec.power == .running && spec.vcpus == 2 && spec.memoryMiB == 256 && spec.rootGiB == 2)
        try await cloud.report(id, .applying, power: .shutdown)
        #expect(await cloud.show(id)["OS-EXT-STS:task_state"] == "resize_finish")
        try await cloud.report(id, .ready, power: .running)
        #expect(await cloud.status(id) == "VERIFY_RESIZE")
        #expect(await cloud.show(id)["flavor"]?["id"] == "2")
        #expect(await cloud.list("?status=VERIFY_RESIZE") == [id.text])
        #expect(try await Self.claims(cloud) == ["VCPU": 3, "MEMORY_MB": 384, "DISK_GB": 3])
        #expect(await cloud.act(id, ["os-stop": nil]).status == 409)
        #expect(await cloud.act(id, ["confirmResize": nil]).status == 204)
        #expect(await cloud.status(id) == "ACTIVE")
        #expect(try await Self.claims(cloud) == ["VCPU": 2, "MEMORY_MB": 256, "DISK_GB": 2])
        #expect(await cloud.actions(id).map { $0["action"] } == ["confirmResize", "resize", "create"])
        #expect(await cloud.act(id, ["confirmResize": nil]).status == 409)
        let slice = cloud.slice
        let explained = try await cloud.harness.database.read { try slice.explain(id, in: $0) }
        let migration = explained?["migrations"]?.arrayValue?.first
        #expect(migration?["type"] == "resize" && migration?["status"] == "confirmed")
        #expect(migration?["source"] == "host-a" && migration?["new_flavor"] == "m1.micro")
    }

    @Test("a resize that is taken back leaves the server as it was, stopped or running", arguments: [true, false])
    func revert(isRunning: Bool) async throws {
        let (cloud, id) = try await Self.scene()
        let power: ServerDetails.PowerState = isRunning ? .running : .shutdown
        if !isRunning {
            _ = await cloud.act(id, ["os-stop": nil])
            try await cloud.report(id, .ready, power: .shutdown)
        }
        _ = await Self.resize(cloud, id)
        try await cloud.report(id, .ready, power: .shutdown)
        try await cloud.report(id, .ready, power: power)
        #expect(await cloud.status(id) == "VERIFY_RESIZE")
        #expect(await cloud.act(id, ["revertResize": nil]).status == 202)
        #expect(await cloud.status(id) == "REVERT_RESIZE")
        #expect(try await cloud.spec(id)?.power == .stopped)
        try await cloud.report(id, .ready, power: .shutdown)
        let spec = try #require(try await cloud.spec(id))
        #expect(spec.vcpus == 1 && spec.power == (isRunning ? .running : .stopped))
        #expect(await cloud.status(id) == "REVERT_RESIZE")
        try await cloud.report(id, .ready, power: power)
        #expect(await cloud.status(id) == (isRunning ? "ACTIVE" : "SHUTOFF"))
        #expect(await cloud.show(id)["flavor"]?["id"] == "1")
        #expect(try await Self.claims(cloud) == ["VCPU": 1, "MEMORY_MB": 128, "DISK_GB": 1])
        #expect(await cloud.act(id, ["revertResize": nil]).status == 409)
    }

    @Test("a host that cannot do it, or says nothing, gets the old size back", arguments: [0, 1], [true, false])
    func failure(step: Int, isSilent: Bool) async throws {
        let (cloud, id) = try await Self.scene()
        _ = await Self.resize(cloud, id)
        if step == 1 { try await cloud.report(id, .ready, power: .shutdown) }
        if isSilent {
            cloud.harness.clock.advance(by: .seconds(301))
            try await cloud.expire()
        } else {
            try await cloud.report(
                id, .failed, power: .shutdown, error: StatusError(code: .noMemory, message: "No memory.", detail: ""))
        }
        #expect(await cloud.status(id) == "ACTIVE")
        let spec = try #require(try await cloud.spec(id))
        #expect(spec.vcpus == 1 && spec.power == .running)
        #expect(try await Self.claims(cloud) == ["VCPU": 1, "MEMORY_MB": 128, "DISK_GB": 1])
        #expect(await cloud.actions(id).first?["message"] == "Error")
        #expect(await Self.resize(cloud, id).status == 202)
    }

    @Test("a size that no host has room for is accepted and explained, as Nova does it, and nothing is held")
    func noRoom() async throws {
        let (cloud, id) = try await Self.scene(larger: ["ram": 50_000, "vcpus": 1])
        let quota: JSON = ["quota_set": ["ram": -1, "force": true]]
        let project = TestCaller.project.compact
        _ = await cloud.harness.put("/compute/v2.1/os-quota-sets/\(project)", quota, as: .admin)
        #expect(await Self.resize(cloud, id).status == 202)
        #expect(await cloud.status(id) == "ACTIVE")
        #expect(try await cloud.spec(id)?.power == .running)
        #expect(try await Self.claims(cloud) == ["VCPU": 1, "MEMORY_MB": 128, "DISK_GB": 1])
        let action = try #require(await cloud.actions(id).first)
        #expect(action["action"] == "resize" && action["message"] == "Error")
    }

    @Test("refusals in Nova's words; nothing is changed")
    func refusals() async throws {
        let (cloud, id) = try await Self.scene()
        let cases: [(flavor: JSON, message: String)] = [
            ("none", "Flavor none could not be found."), ("1", "When resizing, instances must change flavor!")
        ]
        for (flavor, message) in cases {
            let answer = await Self.resize(cloud, id, flavor)
            #expect(answer.status == 400 && answer.json["badRequest"]?["message"] == .string(message))
        }
        #expect(await Self.resize(cloud, id, nil).status == 400)
        #expect(await Self.resize(cloud, id, "").status == 400)
        for (disk, message) in [(0, "Resize to zero disk flavor is not allowed."), (1, "Unable to resize disk down.")] {
            let small: JSON = ["name": .string("disk\(disk)"), "id": "3", "ram": 256, "vcpus": 1, "disk": JSON(disk)]
            _ = await cloud.harness.post("/compute/v2.1/flavors", ["flavor": small], as: .admin)
            let own = disk == 0 ? id : try await cloud.running(["flavorRef": "2"])
            let answer = await Self.resize(cloud, own, "3")
            #expect(answer.status == 400)
            #expect(
                answer.json["badRequest"]?["message"]
                    == .string("Server disk was unable to be resized because: \(message)"))
            _ = await cloud.harness.delete("/compute/v2.1/flavors/3", as: .admin)
        }
        #expect(await cloud.act(id, ["confirmResize": nil]).status == 409)
        let project = TestCaller.project.compact
        _ = await cloud.harness.put(
            "/compute/v2.1/os-quota-sets/\(project)", ["quota_set": ["cores": 3, "force": true]], as: .admin)
        let full = await Self.resize(cloud, id)
        #expect(full.status == 403)
        #expect(
            full.json["forbidden"]?["message"]
                == "Quota exceeded for cores: Requested 1, but already used 3 of 3 cores")
        try await cloud.hosts.goDown(cloud.first)
        let down = await Self.resize(cloud, id)
        #expect(down.status == 409)
        #expect(down.json["conflictingRequest"]?["message"] == "Service is unavailable at this time.")
    }

    @Test("what nobody confirms is confirmed by itself after the time that is set, and not before")
    func automatic() async throws {
        var settings = ComputeSettings()
        settings.resizeConfirmSeconds = 60
        let (cloud, id) = try await Self.scene(settings: settings)
        _ = await Self.resize(cloud, id)
        try await cloud.report(id, .ready, power: .shutdown)
        try await cloud.report(id, .ready, power: .running)
        try await cloud.run("compute.confirm")
        #expect(await cloud.status(id) == "VERIFY_RESIZE")
        cloud.harness.clock.advance(by: .seconds(61))
        try await cloud.run("compute.confirm")
        #expect(await cloud.status(id) == "ACTIVE")
        #expect(try await Self.claims(cloud) == ["VCPU": 2, "MEMORY_MB": 256, "DISK_GB": 2])
    }

    @Test("resizes under way at once do not pass the quota between them")
    func quota() async throws {
        let (cloud, id) = try await Self.scene()
        let other = try await cloud.running()
        let limits: JSON = ["quota_set": ["cores": 3, "ram": 384, "force": true]]
        _ = await cloud.harness.put("/compute/v2.1/os-quota-sets/\(TestCaller.project.compact)", limits, as: .admin)
        #expect(await Self.resize(cloud, id).status == 202)
        let full = await Self.resize(cloud, other)
        #expect(full.status == 403)
        #expect(
            full.json["forbidden"]?["message"]
                == "Quota exceeded for cores, ram: Requested 1, 128, but already used 3, 384 of 3, 384 cores, ram")
        try await cloud.report(id, .failed, power: .running, error: nil)
        #expect(await cloud.status(id) == "ACTIVE")
        #expect(await Self.resize(cloud, other).status == 202, "what failed takes nothing")
    }

    @Test("a server that breaks in its new size keeps that, and gives the old one's place back")
    func broken() async throws {
        let (cloud, id) = try await Self.scene()
        _ = await Self.resize(cloud, id)
        try await cloud.report(id, .ready, power: .shutdown)
        try await cloud.report(id, .ready, power: .running)
        try await cloud.report(
            id, .failed, power: .shutdown, error: StatusError(code: .hostFailure, message: "It broke.", detail: ""))
        #expect(await cloud.status(id) == "ERROR")
        try await cloud.run("compute.confirm")
        #expect(await cloud.status(id) == "ERROR")
        #expect(try await Self.claims(cloud) == ["VCPU": 2, "MEMORY_MB": 256, "DISK_GB": 2])
    }

    @Test("a server that is deleted on its way, or before it is confirmed, leaves nothing claimed", arguments: 0...2)
    func deleted(steps: Int) async throws {
        let (cloud, id) = try await Self.scene()
        _ = await Self.resize(cloud, id)
        if steps > 0 { try await cloud.report(id, .ready, power: .shutdown) }
        if steps > 1 { try await cloud.report(id, .ready, power: .running) }
        #expect(await cloud.harness.delete("/compute/v2.1/servers/\(id)", as: .member).status == 204)
        try await cloud.report(id, .gone)
        #expect(try await cloud.holdsNothing(for: id))
        #expect(try await Self.claims(cloud) == [:])
    }

    @Test("a state that is declared meanwhile leaves nothing of the other size claimed", arguments: 0...2)
    func declared(steps: Int) async throws {
        let (cloud, id) = try await Self.scene()
        _ = await Self.resize(cloud, id)
        if steps > 0 { try await cloud.report(id, .ready, power: .shutdown) }
        if steps > 1 { try await cloud.report(id, .ready, power: .running) }
        #expect(await cloud.act(id, ["os-resetState": ["state": "error"]], as: .admin).status == 202)
        #expect(await cloud.status(id) == "ERROR")
        let isLarge = steps > 1
        #expect(await cloud.show(id)["flavor"]?["id"] == (isLarge ? "2" : "1"))
        #expect(try await Self.claims(cloud)["VCPU"] == (isLarge ? 2 : 1))
    }

    @Test("a guest that turned itself off while it waited is confirmed as a stopped server")
    func off() async throws {
        let (cloud, id) = try await Self.scene()
        _ = await Self.resize(cloud, id)
        try await cloud.report(id, .ready, power: .shutdown)
        try await cloud.report(id, .ready, power: .running)
        try await cloud.report(id, .ready, power: .shutdown)
        #expect(await cloud.status(id) == "VERIFY_RESIZE")
        #expect(await cloud.act(id, ["confirmResize": nil]).status == 204)
        #expect(await cloud.status(id) == "SHUTOFF")
        #expect(try await cloud.spec(id)?.power == .stopped)
    }

    // MARK: Deleted servers that come back

    private static func kept() async throws -> (ComputeCloud, ServerID) {
        var settings = ComputeSettings()
        settings.reclaimSeconds = 600
        settings.quotas["instances"] = 1
        let cloud = try await ComputeCloud(settings: settings)
        let id = try await cloud.running()
        #expect(await cloud.harness.delete("/compute/v2.1/servers/\(id)", as: .member).status == 204)
        #expect(await cloud.show(id)["OS-EXT-STS:task_state"] == "soft-deleting")
        try await cloud.report(id, .ready, power: .shutdown)
        return (cloud, id)
    }

    @Test("a deleted server is stopped and hidden, takes no quota, and comes back")
    func restore() async throws {
        let (cloud, id) = try await Self.kept()
        #expect(await cloud.status(id) == "SOFT_DELETED")
        #expect(await cloud.list("").isEmpty)
        #expect(await cloud.list("?status=soft_deleted") == [id.text])
        #expect(try await cloud.spec(id)?.power == .stopped)
        #expect(await cloud.act(id, ["os-start": nil]).status == 409)
        let other = try await cloud.running()
        let full = await cloud.act(id, ["restore": nil])
        #expect(full.status == 403)
        _ = await cloud.act(other, ["forceDelete": nil])
        try await cloud.report(other, .gone)
        #expect(await cloud.act(id, ["restore": nil]).status == 202)
        try await cloud.report(id, .ready, power: .running)
        #expect(await cloud.status(id) == "ACTIVE")
        #expect(await cloud.list("") == [id.text])
    }

    @Test("what nobody wants back goes for good, and at once where that is asked for")
    func reclaim() async throws {
        let (cloud, id) = try await Self.kept()
        try await cloud.run("compute.reclaim")
        #expect(try await cloud.entry(id)?.isWanted == true)
        cloud.harness.clock.advance(by: .seconds(601))
        try await cloud.run("compute.reclaim")
        #expect(try await cloud.entry(id)?.isWanted == false)
        try await cloud.report(id, .gone)
        #expect(try await cloud.holdsNothing(for: id))
        let (second, other) = try await Self.kept()
        #expect(await second.act(other, ["forceDelete": nil]).status == 202)
        try await second.report(other, .gone)
        #expect(await second.status(other) == "none")
    }

    @Test("a deleted server on its way back takes its quota at once")
    func restoredQuota() async throws {
        let (cloud, id) = try await Self.kept()
        let other = try await cloud.running()
        _ = await cloud.harness.delete("/compute/v2.1/servers/\(other)", as: .member)
        try await cloud.report(other, .ready, power: .shutdown)
        #expect(await cloud.act(id, ["restore": nil]).status == 202)
        #expect(await cloud.act(other, ["restore": nil]).status == 403)
    }
}

extension ComputeCloud {
    /// Runs what the slice does by itself under a name, now.
    func run(_ name: String) async throws {
        let now = harness.clock.now()
        for periodic in slice.periodics where periodic.name == name {
            try await harness.database.write { try periodic.run(now, $0) }
        }
    }
}
