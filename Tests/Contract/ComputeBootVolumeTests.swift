import CoordinatorBlockStorage
import CoordinatorCompute
import CoordinatorPlatform
import ProtocolModel
import Testing

@Suite("compute: servers made with volumes")
struct ComputeBootVolumeTests {
    private static let base = "/volume/v3/\(TestCaller.project.compact)"

    private static func create(
        _ cloud: ComputeCloud, _ devices: [JSON], _ extra: [String: JSON] = [:], minor: Int = 67
    ) async -> Answer {
        var server: [String: JSON] = [
            "name": "web", "flavorRef": "1", "networks": "auto", "block_device_mapping_v2": .array(devices)
        ]
        server.merge(extra) { $1 }
        return await cloud.harness.post(
            "/compute/v2.1/servers", ["server": .object(server)], as: .member, ComputeCloud.version(minor))
    }

    private static func fromImage(_ more: [String: JSON] = [:]) -> JSON {
        let members: [String: JSON] = [
            "source_type": "image", "destination_type": "volume", "uuid": .string(ComputeCloud.image.text),
            "boot_index": 0, "volume_size": 1, "delete_on_termination": true
        ]
        return .object(members.merging(more) { $1 })
    }

    private static func volumes(_ cloud: ComputeCloud) async -> [JSON] {
        await cloud.harness.get("\(base)/volumes/detail", as: .member).json["volumes"]?.arrayValue ?? []
    }

    private static func id(_ volume: JSON) throws -> VolumeID {
        try #require(VolumeID(volume["id"]?.stringValue ?? ""))
    }

    /// What the host with the volume says of it.
    private static func report(
        _ cloud: ComputeCloud, _ volume: VolumeID, _ phase: ResourceStatus.Phase, error: StatusError? = nil
    ) async throws {
        let found = try await cloud.harness.database.read { reader in
            try reader.first(
                "SELECT node, generation FROM plan_entries WHERE kind = ? AND resource = ?",
                [ResourceKind.volume.rawValue, volume]
            ) { (try $0.id(0) as NodeID, $0.integer(1)) }
        }
        let (node, generation) = try #require(found)
        let status = ResourceStatus(
            key: .volume(volume), generation: generation, phase: phase,
            details: .volume(VolumeDetails(sizeGiB: 1, allocatedBytes: 0)), error: error, steps: [])
        try await cloud.hosts.say(status, from: node, at: cloud.harness.clock.now())
    }

    @Test("a volume is made from the image, the server waits for it, starts from it and takes it with it")
    func fromImage() async throws {
        let cloud = try await ComputeCloud()
        let answer = await Self.create(cloud, [Self.fromImage(["tag": "root"])])
        let id = try ComputeCloud.id(answer)
        let waiting = await cloud.show(id, minor: 70)
        #expect(waiting["status"] == "BUILD" && waiting["image"] == "")
        #expect(waiting["OS-EXT-STS:task_state"] == "block_device_mapping")
        #expect(try await cloud.entry(id) == nil, "its host hears of it when the volume is there")
        let made = try #require(await Self.volumes(cloud).first)
        #expect(made["status"] == "creating" && made["bootable"] == "true")
        let volume = try Self.id(made)
        try await Self.report(cloud, volume, .ready)
        #expect(await cloud.show(id)["OS-EXT-STS:task_state"] == "networking")
        let spec = try #require(try await cloud.spec(id))
        #expect(spec.image == nil)
        #expect(spec.volumes.map(\.id) == [volume] && spec.volumes.map(\.device) == ["vda"])
        #expect(spec.volumes.map(\.bootIndex) == [0] && spec.diskBus == "scsi", "the image says it")
        try await cloud.report(id, .ready, power: .running, volumes: [volume])
        #expect(await cloud.status(id) == "ACTIVE")
        #expect(await Self.volumes(cloud).first?["status"] == "in-use")
        let shown = await cloud.harness.get(
            "/compute/v2.1/servers/\(id)/os-volume_attachments/\(volume)", as: .member, ComputeCloud.version(79))
        #expect(shown.json["volumeAttachment"]?["device"] == "/dev/vda")
        #expect(shown.json["volumeAttachment"]?["tag"] == "root")
        #expect(shown.json["volumeAttachment"]?["delete_on_termination"] == true)
        let detached = await cloud.harness.delete(
            "/compute/v2.1/servers/\(id)/os-volume_attachments/\(volume)", as: .member)
        #expect(detached.status == 403)

        _ = await cloud.harness.delete("/compute/v2.1/servers/\(id)", as: .member)
        try await cloud.report(id, .gone)
        #expect(await Self.volumes(cloud).first?["status"] == "deleting")
        try await Self.report(cloud, volume, .gone)
        #expect(await Self.volumes(cloud).isEmpty)
        #expect(try await cloud.holdsNothing(for: id))
    }

    @Test("a volume that is there decides the host, and is kept")
    func existing() async throws {
        let cloud = try await ComputeCloud()
        let made = await cloud.harness.post(
            "\(Self.base)/volumes", ["volume": ["size": 2, "imageRef": .string(ComputeCloud.image.text)]], as: .member)
        let volume = try Self.id(made.json["volume"] ?? .null)
        let device: JSON = [
            "source_type": "volume", "destination_type": "volume", "uuid": .string(volume.text), "boot_index": 0
        ]
        let early = await Self.create(cloud, [device])
        #expect(early.status == 400, "it is not there yet: \(early.json.text)")
        try await Self.report(cloud, volume, .ready)
        let id = try ComputeCloud.id(await Self.create(cloud, [device], ["imageRef": ""]))
        #expect(await cloud.show(id)["OS-EXT-STS:task_state"] == "networking")
        #expect(await Self.create(cloud, [device]).status == 400, "it is taken")
        try await cloud.report(id, .ready, power: .running, volumes: [volume])
        for action: JSON in [
            ["rebuild": ["imageRef": .string(ComputeCloud.image.text)]], ["rescue": [:]],
            ["createBackup": ["name": "b", "backup_type": "daily", "rotation": 1]]
        ] {
            #expect(await cloud.act(id, action).status == 400, "\(action.text)")
        }
        #expect(await cloud.act(id, ["createImage": ["name": "i"]]).status == 403)
        _ = await cloud.harness.delete("/compute/v2.1/servers/\(id)", as: .member)
        try await cloud.report(id, .gone)
        #expect(await Self.volumes(cloud).first?["status"] == "available")
    }

    @Test("a volume that is not to be made ends the server, and goes with it")
    func failure() async throws {
        let cloud = try await ComputeCloud()
        let id = try ComputeCloud.id(await Self.create(cloud, [Self.fromImage()]))
        let volume = try Self.id(try #require(await Self.volumes(cloud).first))
        let error = StatusError(code: .hostFailure, message: "The disk is full.", detail: "")
        try await Self.report(cloud, volume, .failed, error: error)
        let shown = await cloud.show(id)
        #expect(shown["status"] == "ERROR")
        #expect(shown["fault"]?["message"]?.stringValue?.contains("The disk is full.") == true, "\(shown.text)")
        #expect(try await cloud.holdsNothing(for: id))
        #expect(await cloud.harness.delete("/compute/v2.1/servers/\(id)", as: .member).status == 204)
        #expect(await cloud.show(id) == .null)
        #expect(await Self.volumes(cloud).allSatisfy { $0["status"] == "deleting" })
    }

    @Test("a server that waits can be deleted, and does not wait for ever")
    func waiting() async throws {
        let cloud = try await ComputeCloud()
        let id = try ComputeCloud.id(await Self.create(cloud, [Self.fromImage()]))
        #expect(await cloud.harness.delete("/compute/v2.1/servers/\(id)", as: .member).status == 204)
        try await cloud.report(id, .gone)
        #expect(await cloud.show(id) == .null)
        #expect(try await cloud.holdsNothing(for: id))
        #expect(await Self.volumes(cloud).allSatisfy { $0["status"] == "deleting" })
        let other = try ComputeCloud.id(await Self.create(cloud, [Self.fromImage()]))
        cloud.harness.clock.advance(by: .seconds(1900))
        try await cloud.expire()
        #expect(await cloud.status(other) == "ERROR")
        #expect(try await cloud.holdsNothing(for: other))
    }

    @Test("what cannot be had is refused, and nothing is made")
    func refusals() async throws {
        let cloud = try await ComputeCloud()
        let absent = "11111111-2222-4333-8444-555555555555"
        func root(_ source: String) -> JSON {
            [
                "source_type": .string(source), "destination_type": "volume", "uuid": .string(absent), "boot_index": 0,
                "volume_size": 1
            ]
        }
        let cases: [([JSON], String)] = [
            ([root("volume")], "Block Device Mapping is Invalid: failed to get volume \(absent)."),
            ([root("snapshot")], "Block Device Mapping is Invalid: failed to get snapshot \(absent)."),
            ([root("image")], "Block Device Mapping is Invalid: failed to get image \(absent)."),
            ([Self.fromImage(["volume_type": "gold"])], "Volume type gold could not be found.")
        ]
        for (devices, words) in cases {
            let answer = await Self.create(cloud, devices)
            #expect(answer.status == 400 && answer.json["badRequest"]?["message"]?.stringValue == words)
        }
        let blank = await cloud.harness.post("\(Self.base)/volumes", ["volume": ["size": 1]], as: .member)
        let volume = try Self.id(blank.json["volume"] ?? .null)
        try await Self.report(cloud, volume, .ready)
        let unbootable = await Self.create(
            cloud,
            [
                [
                    "source_type": "volume", "destination_type": "volume", "uuid": .string(volume.text),
                    "boot_index": 0
                ]
            ])
        #expect(unbootable.json["badRequest"]?["message"] == .string("Block Device \(volume) is not bootable."))
        #expect(await Self.volumes(cloud).count == 1)
    }

    @Test("more volumes than its host can make: ERROR says why, and nothing stays")
    func noRoom() async throws {
        let cloud = try await ComputeCloud()
        let id = try ComputeCloud.id(await Self.create(cloud, [Self.fromImage(["volume_size": 500])]))
        let shown = await cloud.show(id)
        #expect(shown["status"] == "ERROR")
        #expect(await Self.volumes(cloud).isEmpty)
        #expect(try await cloud.holdsNothing(for: id))
    }
}
