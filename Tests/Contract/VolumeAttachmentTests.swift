import CoordinatorBlockStorage
import CoordinatorPlatform
import ProtocolModel
import Synchronization
import Testing

@Suite("volumes for servers")
struct VolumeAttachmentTests {
    private let server = ServerID(high: 0x8888_8888_8888_4888, low: 0x8888_8888_8888_8881)
    private let other = ServerID(high: 0x8888_8888_8888_4888, low: 0x8888_8888_8888_8882)

    private func reserve(
        _ id: VolumeID, for server: ServerID, _ cloud: VolumeCloud
    ) async throws -> VolumeAttachment {
        let (service, origin) = (cloud.slice.service, cloud.origin())
        var wish = AttachmentWish()
        wish.device = "vdb"
        let wanted = wish
        return try await cloud.harness.database.write {
            try service.reserve(id.text, for: server, wanted, origin: origin, in: $0)
        }
    }

    @Test("a volume is reserved, attached, detached; nobody else gets it meanwhile")
    func attach() async throws {
        let cloud = try await VolumeCloud()
        let id = try await cloud.available()
        let held = try await reserve(id, for: server, cloud)
        #expect(await cloud.status(id) == "reserved")
        await #expect(throws: CoordinatorPlatform.Refusal.self) { _ = try await reserve(id, for: other, cloud) }
        #expect(await cloud.act(id, ["os-reserve": .null]).status == 400)
        #expect(await cloud.delete("/volumes/\(id)").status == 400)

        let service = cloud.slice.service
        let node = cloud.first
        let specs = try await cloud.harness.database.write { transaction in
            let attachment = try service.attach(held.id, on: node, hostname: "store-a", at: 1, in: transaction)
            return try service.specs(of: [attachment], on: node, in: transaction)
        }
        #expect(specs == [ServerSpec.Volume(id: id, place: .pool("local"), device: "vdb")])
        #expect(await cloud.status(id) == "attaching")
        try await cloud.harness.database.write { try service.confirm(held.id, at: 1_767_225_700_000_000, in: $0) }
        let shown = await cloud.show(id)
        VolumeShapes.check(shown, VolumeShapes.shown(minor: 0, isAdmin: true))
        let attachment = shown["attachments"]?.arrayValue?.first
        #expect(shown["status"] == "in-use" && attachment?["server_id"] == .string(server.text))
        #expect(attachment?["device"] == "/dev/vdb" && attachment?["host_name"] == "store-a")

        // The volume API does not pull it from under its server.
        #expect(await cloud.act(id, ["os-detach": [:]]).status == 409)
        #expect(await cloud.act(id, ["os-begin_detaching": .null]).status == 409)
        #expect(await cloud.act(id, ["os-force_detach": [:]], as: .admin).status == 409)
        #expect(await cloud.delete("/attachments/\(held.id)", minor: 27).status == 409)
        #expect(await cloud.act(id, ["os-force_delete": .null], as: .admin).status == 400)

        try await cloud.harness.database.write { transaction in
            _ = try service.beginDetaching(held.id, at: 1, in: transaction)
        }
        #expect(await cloud.status(id) == "detaching")
        try await cloud.harness.database.write { try service.rollDetaching(held.id, at: 1, in: $0) }
        #expect(await cloud.status(id) == "in-use")
        try await cloud.harness.database.write { try service.detach(held.id, at: 1, in: $0) }
        #expect(await cloud.status(id) == "available")
    }

    @Test("a server on another host reaches the volume over the network while it holds it, and no longer")
    func remote() async throws {
        let cloud = try await VolumeCloud()
        let id = try await cloud.available()
        let held = try await reserve(id, for: server, cloud)
        let (service, node) = (cloud.slice.service, cloud.second)
        let before = try await cloud.entry(.volume(id))
        let specs = try await cloud.harness.database.write { transaction in
            let attachment = try service.attach(held.id, on: node, hostname: "store-b", at: 1, in: transaction)
            return try service.specs(of: [attachment], on: node, in: transaction)
        }
        guard case .remote(let host, _, let port)? = specs.first?.place else {
            Issue.record("\(specs)")
            return
        }
        #expect(host == cloud.first && port == 10_809)
        #expect(try await cloud.spec(id)?.exportedTo == [cloud.second])
        let after = try await cloud.entry(.volume(id))
        #expect((after?.generation ?? 0) > (before?.generation ?? 0))
        try await cloud.harness.database.write { try service.detach(held.id, at: 1, in: $0) }
        #expect(try await cloud.spec(id)?.exportedTo == [])
    }

    @Test("a volume of a type for several is held by one server all the same: its disk takes one writer")
    func several() async throws {
        let cloud = try await VolumeCloud()
        _ = await cloud.post(
            "/types", ["volume_type": ["name": "many", "extra_specs": ["multiattach": "<is> True"]]], as: .admin)
        let id = try await cloud.available(["size": 1, "volume_type": "many"])
        #expect(await cloud.show(id)["multiattach"] == true)
        let service = cloud.slice.service
        let held = try await reserve(id, for: server, cloud)
        try await cloud.harness.database.write { try service.confirm(held.id, at: 1, in: $0) }
        for server in [server, other] {
            await #expect(throws: CoordinatorPlatform.Refusal.self) { _ = try await reserve(id, for: server, cloud) }
        }
        #expect(await cloud.show(id)["attachments"]?.arrayValue?.count == 1)
    }

    @Test("whatever an administrator declares a volume to be, it is not held twice")
    func declared() async throws {
        let cloud = try await VolumeCloud()
        let id = try await cloud.available()
        let held = try await reserve(id, for: server, cloud)
        let service = cloud.slice.service
        try await cloud.harness.database.write { try service.confirm(held.id, at: 1, in: $0) }
        let reset: JSON = ["os-reset_status": ["status": "available"]]
        #expect(await cloud.act(id, reset).status == 403)
        #expect(await cloud.act(id, reset, as: .admin).status == 202)
        #expect(await cloud.status(id) == "available")
        await #expect(throws: CoordinatorPlatform.Refusal.self) { _ = try await reserve(id, for: other, cloud) }
        let body: JSON = ["os-attach": ["instance_uuid": .string(other.text), "mountpoint": "/dev/vdb"]]
        #expect(await cloud.act(id, body).status == 400)
        #expect(await cloud.delete("/volumes/\(id)").status == 400)
    }

    @Test("a server is made with a volume, which goes with it")
    func madeWithServer() async throws {
        let cloud = try await VolumeCloud()
        let (service, origin, server) = (cloud.slice.service, cloud.origin(), server)
        var wish = AttachmentWish()
        (wish.device, wish.bootIndex, wish.deletesVolume) = ("vda", 0, true)
        let (wanted, node) = (wish, cloud.first)
        let held = try await cloud.harness.database.write { transaction in
            let volume = ServerVolume(source: .image(VolumeCloud.image.text), sizeGiB: 2)
            let held = try service.create(volume, for: server, wanted, origin: origin, in: transaction)
            return try service.attach(held.id, on: node, hostname: "store-a", at: 1, in: transaction)
        }
        let id = held.volume
        #expect(await cloud.status(id) == "creating")
        try await cloud.report(id, .ready, sizeGiB: 2)
        #expect(await cloud.status(id) == "attaching")
        try await cloud.harness.database.write { try service.confirm(held.id, at: 1, in: $0) }
        #expect(await cloud.status(id) == "in-use")
        try await cloud.harness.database.write { try service.release(server, deleting: true, origin: origin, in: $0) }
        #expect(await cloud.status(id) == "deleting")
        try await cloud.report(id, .gone)
        #expect(await cloud.status(id) == "none")
    }

    @Test("the listener hears of the volume that a server waits for")
    func listener() async throws {
        let cloud = try await VolumeCloud(settings: Self.impatient)
        let heard = Heard()
        cloud.slice.service.listeners.add(heard)
        let (service, origin, server) = (cloud.slice.service, cloud.origin(), server)
        for phase in [ResourceStatus.Phase.ready, .failed] {
            let held = try await cloud.harness.database.write { transaction in
                var volume = ServerVolume(source: .blank, sizeGiB: 1)
                volume.hostname = "store-a"
                return try service.create(volume, for: server, AttachmentWish(), origin: origin, in: transaction)
            }
            let error = StatusError(code: .hostFailure, message: "no", detail: "")
            try await cloud.report(held.volume, phase, error: phase == .failed ? error : nil)
        }
        #expect(heard.all.map { $0 == nil } == [true, false])
    }

    private static let impatient: BlockStorageSettings = {
        var settings = BlockStorageSettings()
        settings.buildAttempts = 1
        return settings
    }()

    private final class Heard: VolumeListener {
        private let failures = Mutex<[String?]>([])
        var all: [String?] { failures.withLock { $0 } }

        func volumeSettled(
            _ volume: VolumeID, servers: [ServerID], failure: String?, at now: Int64,
            in transaction: any SQLTransaction
        ) throws { failures.withLock { $0.append(failure) } }
    }

    @Test("what callers keep account of themselves never reaches a server's plan")
    func byHand() async throws {
        let cloud = try await VolumeCloud()
        let id = try await cloud.available()
        let body: JSON = ["os-attach": ["instance_uuid": .string(server.text), "mountpoint": "/dev/vdb"]]
        #expect(await cloud.act(id, ["os-reserve": .null]).status == 202)
        #expect(await cloud.status(id) == "attaching")
        #expect(await cloud.act(id, ["os-unreserve": .null]).status == 202)
        #expect(await cloud.status(id) == "available")
        #expect(await cloud.act(id, body).status == 202)
        #expect(await cloud.status(id) == "in-use")
        #expect(await cloud.act(id, body).status == 400)
        let (service, server) = (cloud.slice.service, server)
        let mine = try await cloud.harness.database.read { try service.attachments(of: [server], in: $0) }
        #expect(mine.isEmpty)
        #expect(await cloud.act(id, ["os-begin_detaching": .null]).status == 202)
        #expect(await cloud.status(id) == "detaching")
        #expect(await cloud.act(id, ["os-roll_detaching": .null]).status == 202)
        #expect(await cloud.act(id, ["os-detach": [:]]).status == 202)
        #expect(await cloud.status(id) == "available")
        // One that was declared to be in error meanwhile is free all the same.
        #expect(await cloud.act(id, body).status == 202)
        #expect(await cloud.act(id, ["os-reset_status": ["status": "error"]], as: .admin).status == 202)
        let held = await cloud.show(id)["attachments"]?.arrayValue?.first?["attachment_id"] ?? .null
        let force: JSON = ["os-force_detach": ["attachment_id": held, "connector": nil]]
        #expect(await cloud.act(id, force).status == 403)
        #expect(await cloud.act(id, force, as: .admin).status == 202)
        #expect(await cloud.status(id) == "available")
        #expect(await cloud.act(id, ["os-initialize_connection": ["connector": [:]]]).status == 400)
        #expect(await cloud.act(id, ["os-terminate_connection": ["connector": [:]]]).status == 202)
    }

    @Test("the attachments API from 3.27 on")
    func attachments() async throws {
        let cloud = try await VolumeCloud()
        let id = try await cloud.available()
        let body: JSON = [
            "attachment": ["volume_uuid": .string(id.text), "instance_uuid": .string(server.text)]
        ]
        #expect(await cloud.post("/attachments", body, minor: 26).status == 404)
        let made = await cloud.post("/attachments", body, minor: 27).json["attachment"]
        #expect(made?["status"] == "reserved" && made?["attach_mode"] == "rw" && made?["connection_info"] == [:])
        let path = "/attachments/\(made?["id"]?.stringValue ?? "")"
        #expect(await cloud.status(id) == "reserved")
        #expect(await cloud.get("/attachments", minor: 27).json["attachments"]?.arrayValue?.count == 1)
        #expect(await cloud.get("/attachments/detail?volume_id=\(id)", minor: 27).json["attachments"] != [])
        #expect(await cloud.get(path, as: .stranger, minor: 27).status == 404)
        let connector: JSON = ["attachment": ["connector": ["host": "x"]]]
        #expect(await cloud.put(path, connector, minor: 27).status == 400)
        #expect(await cloud.post(path + "/action", ["os-complete": .null], minor: 43).status == 404)
        #expect(await cloud.post(path + "/action", ["os-complete": .null], minor: 44).status == 204)
        #expect(await cloud.status(id) == "in-use")
        #expect(await cloud.delete(path, minor: 27).json["attachments"] == [])
        #expect(await cloud.status(id) == "available")
    }
}
