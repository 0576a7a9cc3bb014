import CoordinatorCompute
import CoordinatorPlatform
import ProtocolModel
import Testing

@Suite("compute: migrations of servers that are off")
struct ComputeMigrationTests {
    /// A server on `host-a`, with another host beside it.
    private static func scene() async throws -> (ComputeCloud, ServerID) {
        let cloud = try await ComputeCloud()
        return (cloud, try await cloud.running())
    }

    /// The hosts on which something is claimed, by the type of who claims it.
    private static func claims(_ cloud: ComputeCloud) async throws -> [String: [String]] {
        let rows = try await cloud.harness.database.read { reader in
            try reader.query(
                """
                SELECT c.consumer_type, p.name FROM placement_consumers c
                JOIN placement_allocations a ON a.consumer_id = c.id
                JOIN placement_providers p ON p.id = a.provider_id
                WHERE a.resource_class = 'VCPU' ORDER BY p.name
                """, []
            ) { ($0.text(0), $0.text(1)) }
        }
        return Dictionary(grouping: rows, by: \.0).mapValues { $0.map(\.1) }
    }

    private static func task(_ cloud: ComputeCloud, _ id: ServerID) async -> JSON {
        await cloud.show(id)["OS-EXT-STS:task_state"] ?? .null
    }

    /// The guest is down, and its disk has gone up.
    private static func upload(_ cloud: ComputeCloud, _ id: ServerID) async throws -> ImageID {
        try await cloud.report(id, .ready, power: .shutdown, from: cloud.first)
        #expect(await task(cloud, id) == "resize_migrating")
        let operation = try #require(try await cloud.hosts.pending().first)
        guard case .snapshot(_, let image) = operation.action else { throw ComputeCloud.Failure(text: "no image") }
        try await cloud.fill(image)
        try await cloud.end(operation.id, .done(output: []))
        return image
    }

    private static func arrive(_ cloud: ComputeCloud, _ id: ServerID) async throws -> ImageID {
        #expect(await cloud.act(id, ["migrate": nil], as: .admin).status == 202)
        let image = try await upload(cloud, id)
        try await cloud.report(id, .gone, from: cloud.first)
        try await cloud.report(id, .ready, power: .running, from: cloud.second)
        #expect(await cloud.status(id) == "VERIFY_RESIZE")
        return image
    }

    @Test("the disk goes to another host as an image, and no two hosts have the server at once")
    func migrate() async throws {
        let (cloud, id) = try await Self.scene()
        #expect(await cloud.act(id, ["migrate": nil], as: .admin).status == 202)
        #expect(await cloud.status(id) == "RESIZE")
        #expect(await Self.task(cloud, id) == "resize_prep")
        #expect(try await cloud.spec(id)?.power == .stopped)
        #expect(try await Self.claims(cloud) == ["INSTANCE": ["host-b"], "MIGRATION": ["host-a"]])
        #expect(try await cloud.entry(id, on: cloud.second) == nil)
        let image = try await Self.upload(cloud, id)
        #expect(await Self.task(cloud, id) == "resize_migrated")
        #expect(try await cloud.entry(id, on: cloud.first)?.isWanted == false)
        let spec = try #require(try await cloud.spec(id, on: cloud.second))
        #expect(spec.image?.id == image && spec.rootDiskVersion == 1 && spec.power == .running)
        #expect(try await cloud.portHost(id) == "host-b")
        // What the old host says of it is heard as what it is.
        try await cloud.report(id, .gone, from: cloud.first)
        #expect(await Self.task(cloud, id) == "resize_migrated")
        try await cloud.report(id, .ready, power: .running, from: cloud.second)
        #expect(await cloud.status(id) == "VERIFY_RESIZE")
        #expect(await cloud.show(id, as: .admin)["OS-EXT-SRV-ATTR:host"] == "host-b")
        #expect(await cloud.act(id, ["confirmResize": nil]).status == 204)
        #expect(await cloud.status(id) == "ACTIVE")
        #expect(await cloud.image(image) == .null)
        #expect(try await Self.claims(cloud) == ["INSTANCE": ["host-b"]])
        let migration = try #require(await cloud.migrations("?instance_uuid=\(id)", minor: 59).first)
        #expect(migration["migration_type"] == "migration" && migration["status"] == "confirmed")
        #expect(migration["source_compute"] == "host-a" && migration["dest_compute"] == "host-b")
        #expect(await cloud.actions(id).map { $0["action"] } == ["confirmResize", "migrate", "create"])
    }

    @Test("taken back, it is made from the image where it was")
    func revert() async throws {
        let (cloud, id) = try await Self.scene()
        let image = try await Self.arrive(cloud, id)
        #expect(await cloud.act(id, ["revertResize": nil]).status == 202)
        #expect(try await cloud.spec(id, on: cloud.second)?.power == .stopped)
        #expect(try await cloud.spec(id, on: cloud.first) == nil, "the new host still has it")
        try await cloud.report(id, .ready, power: .shutdown, from: cloud.second)
        #expect(try await cloud.entry(id, on: cloud.second)?.isWanted == false)
        let spec = try #require(try await cloud.spec(id, on: cloud.first))
        #expect(spec.image?.id == image && spec.rootDiskVersion == 2 && spec.power == .running)
        #expect(await cloud.status(id) == "REVERT_RESIZE")
        try await cloud.report(id, .ready, power: .running, from: cloud.first)
        #expect(await cloud.status(id) == "ACTIVE")
        #expect(await cloud.image(image) == .null)
        #expect(try await cloud.portHost(id) == "host-a")
        #expect(try await Self.claims(cloud) == ["INSTANCE": ["host-a"]])
    }

    @Test("a host that cannot send the disk keeps the server; nothing is held elsewhere", arguments: [true, false])
    func notSent(isSilent: Bool) async throws {
        let (cloud, id) = try await Self.scene()
        _ = await cloud.act(id, ["migrate": nil], as: .admin)
        try await cloud.report(id, .ready, power: .shutdown, from: cloud.first)
        let operation = try #require(try await cloud.hosts.pending().first)
        guard case .snapshot(_, let image) = operation.action else { return }
        if isSilent {
            cloud.harness.clock.advance(by: .seconds(3601))
            try await cloud.expire()
        } else {
            try await cloud.end(
                operation.id, .failed(StatusError(code: .hostFailure, message: "It broke.", detail: "")))
        }
        #expect(await cloud.status(id) == "ACTIVE")
        #expect(try await cloud.spec(id, on: cloud.first)?.power == .running)
        #expect(await cloud.image(image) == .null)
        #expect(try await Self.claims(cloud) == ["INSTANCE": ["host-a"]])
        #expect(await cloud.migrations("").first?["status"] == "error")
        #expect(await cloud.act(id, ["migrate": nil], as: .admin).status == 202)
    }

    @Test("a new host that fails keeps an ERROR and the image of the disk: it is tried nowhere else by itself")
    func notMade() async throws {
        let (cloud, id) = try await Self.scene()
        _ = await cloud.act(id, ["migrate": nil], as: .admin)
        let image = try await Self.upload(cloud, id)
        try await cloud.report(
            id, .failed, power: .none, error: StatusError(code: .noSpace, message: "No space.", detail: ""),
            from: cloud.second)
        #expect(await cloud.status(id) == "ERROR")
        #expect(try await cloud.entry(id, on: cloud.first)?.isWanted == false)
        #expect(await cloud.image(image)["status"] == "active")
        #expect(try await Self.claims(cloud) == ["INSTANCE": ["host-b"]])
        #expect(await cloud.act(id, ["reboot": ["type": "HARD"]]).status == 202)
        _ = await cloud.harness.delete("/compute/v2.1/servers/\(id)", as: .member)
        try await cloud.report(id, .gone, from: cloud.second)
        #expect(try await Self.claims(cloud) == [:])
        #expect(await cloud.image(image) == .null)
    }

    @Test("an image that its owner deletes meanwhile ends the move where the server is", arguments: [true, false])
    func withoutImage(isBack: Bool) async throws {
        let (cloud, id) = try await Self.scene()
        if isBack {
            let image = try await Self.arrive(cloud, id)
            _ = await cloud.act(id, ["revertResize": nil])
            #expect(await cloud.harness.delete("/image/v2/images/\(image)", as: .member).status == 204)
            try await cloud.report(id, .ready, power: .shutdown, from: cloud.second)
            #expect(await cloud.status(id) == "VERIFY_RESIZE")
            #expect(try await cloud.spec(id, on: cloud.second)?.power == .running)
            let again = await cloud.act(id, ["revertResize": nil])
            #expect(again.status == 409)
        } else {
            _ = await cloud.act(id, ["migrate": nil], as: .admin)
            try await cloud.report(id, .ready, power: .shutdown, from: cloud.first)
            let operation = try #require(try await cloud.hosts.pending().first)
            guard case .snapshot(_, let image) = operation.action else { return }
            #expect(await cloud.harness.delete("/image/v2/images/\(image)", as: .member).status == 204)
            try await cloud.end(operation.id, .done(output: []))
            #expect(await cloud.status(id) == "ACTIVE")
            #expect(try await cloud.spec(id, on: cloud.first)?.power == .running)
            #expect(try await Self.claims(cloud) == ["INSTANCE": ["host-a"]])
        }
    }

    @Test("a size that the server's host has no room for beside the old one is had on another")
    func resize() async throws {
        let (cloud, id) = try await Self.scene()
        let large: JSON = ["name": "m1.large", "id": "2", "ram": 256, "vcpus": 1, "disk": 100]
        _ = await cloud.harness.post("/compute/v2.1/flavors", ["flavor": large], as: .admin)
        #expect(await cloud.act(id, ["resize": ["flavorRef": "2"]]).status == 202)
        #expect(try await Self.claims(cloud)["MIGRATION"] == ["host-a"])
        _ = try await Self.upload(cloud, id)
        #expect(try await cloud.spec(id, on: cloud.second)?.memoryMiB == 256)
        try await cloud.report(id, .ready, power: .running, from: cloud.second)
        #expect(await cloud.show(id)["flavor"]?["id"] == "2")
        #expect(await cloud.act(id, ["revertResize": nil]).status == 202)
        try await cloud.report(id, .ready, power: .shutdown, from: cloud.second)
        #expect(try await cloud.spec(id, on: cloud.first)?.memoryMiB == 128)
    }

    @Test("what is on the host's own storage keeps a server there")
    func obstacles() async throws {
        let (cloud, _) = try await Self.scene()
        let flavor: JSON = [
            "name": "m1.extra", "id": "2", "ram": 128, "vcpus": 1, "disk": 1, "OS-FLV-EXT-DATA:ephemeral": 1
        ]
        _ = await cloud.harness.post("/compute/v2.1/flavors", ["flavor": flavor], as: .admin)
        let id = try await cloud.running(["flavorRef": "2"])
        let answer = await cloud.act(id, ["migrate": nil], as: .admin)
        #expect(answer.status == 400)
        #expect(
            answer.json["badRequest"]?["message"]
                == .string(
                    "No valid host was found. The ephemeral disk of instance \(id) is on its host's own storage, and is "
                        + "not moved."))
        #expect(await cloud.status(id) == "ACTIVE")
        #expect(await cloud.migrations("").isEmpty)
    }
}
