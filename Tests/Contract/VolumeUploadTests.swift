import CoordinatorBlockStorage
import CoordinatorFleet
import CoordinatorPlatform
import ProtocolModel
import Testing

@Suite("volumes that become images")
struct VolumeUploadTests {
    private let data = [UInt8](repeating: 7, count: 4096)

    private func upload(
        _ id: VolumeID, _ cloud: VolumeCloud, _ members: [String: JSON] = [:], as caller: TestCaller = .member,
        minor: Int = 0
    ) async -> Answer {
        let body = members.merging(["image_name": "copy"]) { own, _ in own }
        return await cloud.act(id, ["os-volume_upload_image": .object(body)], as: caller, minor: minor)
    }

    private func image(_ answer: Answer) throws -> ImageID {
        let text = answer.json["os-volume_upload_image"]?["image_id"]?.stringValue
        return try #require(text.flatMap { ImageID($0) }, "\(answer.status) \(answer.json.text)")
    }

    private func shown(_ image: ImageID, _ cloud: VolumeCloud) async -> Answer {
        await cloud.harness.get("/image/v2/images/\(image)", as: .admin)
    }

    private func operation(_ cloud: VolumeCloud) async throws -> Operation {
        let service = OperationService(consumers: cloud.slice.operationConsumers)
        let node = cloud.first
        return try #require(try await cloud.harness.database.read { try service.pending(of: node, in: $0) }.last)
    }

    private func end(_ operation: Operation, _ outcome: OperationResult.Outcome, _ cloud: VolumeCloud) async throws {
        let service = OperationService(consumers: cloud.slice.operationConsumers)
        let (node, now) = (cloud.first, cloud.harness.clock.now())
        try await cloud.harness.database.write {
            try service.ended(OperationResult(id: operation.id, outcome: outcome), from: node, at: now, in: $0)
        }
    }

    private func send(_ image: ImageID, _ cloud: VolumeCloud) async throws {
        let data = data
        try await cloud.imageService.receive(
            image: image, sizeBytes: Int64(data.count),
            from: AsyncThrowingStream { continuation in
                continuation.yield(data)
                continuation.finish()
            })
    }

    private func imageCount(_ cloud: VolumeCloud) async throws -> Int {
        try await cloud.harness.database.read { try $0.count("SELECT COUNT(*) FROM images") }
    }

    @Test(
        "the host is asked for the data, the image has what is known of the volume's own, and the volume is free again")
    func whole() async throws {
        let cloud = try await VolumeCloud()
        let id = try await cloud.available(["size": 1, "imageRef": .string(VolumeCloud.image.text)])
        let answer = await upload(id, cloud, ["visibility": "shared", "protected": true], minor: 1)
        #expect(answer.status == 202)
        let said = answer.json["os-volume_upload_image"]
        #expect(said?["status"] == "uploading" && said?["id"] == .string(id.text) && said?["size"] == 1)
        #expect(said?["disk_format"] == "raw" && said?["container_format"] == "bare" && said?["image_name"] == "copy")
        #expect(said?["visibility"] == "shared" && said?["protected"] == true)
        #expect(said?["volume_type"]?["name"] == "__DEFAULT__")
        let image = try image(answer)
        #expect(await cloud.status(id) == "uploading")
        let waiting = await shown(image, cloud).json
        #expect(waiting["status"] == "queued" && waiting["hw_disk_bus"] == "scsi" && waiting["protected"] == true)
        #expect(waiting["image_name"] == nil && waiting["name"] == "copy" && waiting["visibility"] == "shared")
        // Nothing else is done with it meanwhile.
        #expect(await cloud.delete("/volumes/\(id)").status == 400)
        #expect(await cloud.act(id, ["os-extend": ["new_size": 2]]).status == 400)
        #expect(await upload(id, cloud).status == 400)

        let operation = try await operation(cloud)
        #expect(operation.action == .uploadVolume(id, image: image, format: .raw))
        try await send(image, cloud)
        try await end(operation, .done(output: []), cloud)
        #expect(await cloud.status(id) == "available")
        #expect(await shown(image, cloud).json["status"] == "active")
        #expect(await cloud.delete("/volumes/\(id)").status == 202)
    }

    @Test("what comes to nothing leaves the volume as it was, no image, protected or not, and a message")
    func failures() async throws {
        let error = StatusError(code: .noSpace, message: "The pool is full.", detail: "")
        for outcome in [OperationResult.Outcome.failed(error), .expired, .interrupted] {
            let cloud = try await VolumeCloud()
            let id = try await cloud.available()
            let image = try image(await upload(id, cloud, ["protected": true, "disk_format": "qcow2"], minor: 1))
            try await end(try await operation(cloud), outcome, cloud)
            #expect(await cloud.status(id) == "available")
            #expect(await shown(image, cloud).status == 404)
            let messages = await cloud.get("/messages", minor: 3).json["messages"]?.arrayValue ?? []
            #expect(messages.first?["event_id"] == "VOLUME_VOLUME_003_001")
        }
    }

    @Test("an image that is whole stays, also where the host could not say so any more")
    func lostAnswer() async throws {
        let cloud = try await VolumeCloud()
        let id = try await cloud.available()
        let image = try image(await upload(id, cloud))
        try await send(image, cloud)
        try await end(try await operation(cloud), .interrupted, cloud)
        #expect(await cloud.status(id) == "available")
        #expect(await shown(image, cloud).json["status"] == "active")
    }

    @Test("a host that says nothing is given up in time")
    func silence() async throws {
        let cloud = try await VolumeCloud()
        let id = try await cloud.available()
        let image = try image(await upload(id, cloud))
        try await cloud.expire(after: 3700)
        #expect(await cloud.status(id) == "available")
        #expect(await shown(image, cloud).status == 404)
    }

    @Test("an image that was under way goes with its volume, and where an administrator says what that is")
    func overtaken() async throws {
        let cloud = try await VolumeCloud()
        let (first, second) = (try await cloud.available(), try await cloud.available())
        let images = [try image(await upload(first, cloud)), try image(await upload(second, cloud))]
        #expect(await cloud.act(first, ["os-force_delete": .null], as: .admin).status == 202)
        #expect(await cloud.act(second, ["os-reset_status": ["status": "available"]], as: .admin).status == 202)
        for image in images { #expect(await shown(image, cloud).status == 404) }
        #expect(await cloud.status(second) == "available")
        // The host's answer comes too late to change anything.
        try await end(try await operation(cloud), .done(output: []), cloud)
        #expect(await cloud.status(second) == "available")
    }

    @Test("a volume in use is copied only by force, and stays in use")
    func inUse() async throws {
        let cloud = try await VolumeCloud()
        let id = try await cloud.available()
        let attach: JSON = ["os-attach": ["instance_uuid": .string(AnyID.random().text), "mountpoint": "/dev/vdb"]]
        #expect(await cloud.act(id, attach).status == 202)
        let refused = await upload(id, cloud)
        #expect(refused.status == 400)
        #expect(refused.json["badRequest"]?["message"] == "Invalid volume: Volume status is in-use.")
        let image = try image(await upload(id, cloud, ["force": "True"]))
        #expect(await cloud.status(id) == "uploading")
        try await send(image, cloud)
        try await end(try await operation(cloud), .done(output: []), cloud)
        #expect(await cloud.status(id) == "in-use")
    }

    @Test("bad bodies are refused and make nothing")
    func refusals() async throws {
        let cloud = try await VolumeCloud()
        let id = try await cloud.available()
        let before = try await imageCount(cloud)
        let cases: [(members: [String: JSON], minor: Int, status: Int)] = [
            (["image_name": ""], 0, 400), (["image_name": 7], 0, 400), (["disk_format": "vmdk"], 0, 400),
            (["disk_format": "pancake"], 0, 400), (["container_format": "ova"], 0, 400), (["force": "perhaps"], 0, 400),
            (["visibility": "private"], 0, 400), (["protected": true], 0, 400), (["visibility": "secret"], 1, 400),
            (["visibility": "public"], 1, 403), (["colour": "red"], 1, 400)
        ]
        for (members, minor, status) in cases {
            let answer = await upload(id, cloud, members, minor: minor)
            #expect(answer.status == status, "\(JSON.object(members).text): \(answer.status) \(answer.json.text)")
        }
        #expect(await cloud.act(id, ["os-volume_upload_image": [:]]).status == 400)
        #expect(await upload(id, cloud, as: .stranger).status == 404)
        #expect(await upload(.random(), cloud).status == 404)
        #expect(await cloud.status(id) == "available")
        #expect(try await imageCount(cloud) == before)
    }
}
