import CoordinatorCompute
import CoordinatorPlatform
import ProtocolModel
import Testing

@Suite("compute: images of servers, and servers kept as images")
struct ComputeImageTests {
    @Test("an image is made by the server's host, with Nova's properties", arguments: [1, 45])
    func createImage(minor: Int) async throws {
        let cloud = try await ComputeCloud()
        let id = try await cloud.running()
        let body: JSON = ["createImage": ["name": "snap", "metadata": ["k": "v"]]]
        let answer = await cloud.act(id, body, minor: minor)
        #expect(answer.status == 202)
        let operation = try #require(try await cloud.hosts.pending().first)
        guard case .snapshot(id, let image) = operation.action else {
            Issue.record("\(operation)")
            return
        }
        if minor == 1 {
            #expect(answer.header("Location")?.hasSuffix("/images/\(image)") == true && answer.bytes.isEmpty)
        } else {
            #expect(answer.json == ["image_id": .string(image.text)] && answer.header("Location") == nil)
        }
        let queued = await cloud.image(image)
        #expect(queued["status"] == "queued" && queued["name"] == "snap" && queued["visibility"] == "private")
        #expect(queued["disk_format"] == "qcow2" && queued["container_format"] == "bare")
        #expect(queued["min_disk"] == 1 && queued["min_ram"] == 64 && queued["k"] == "v")
        #expect(queued["instance_uuid"] == .string(id.text) && queued["image_type"] == "snapshot")
        #expect(queued["base_image_ref"] == .string(ComputeCloud.image.text) && queued["hw_disk_bus"] == "scsi")
        #expect(await cloud.show(id)["OS-EXT-STS:task_state"] == "image_snapshot_pending")
        #expect(await cloud.act(id, ["os-stop": nil]).status == 409)
        try await cloud.fill(image)
        try await cloud.end(operation.id, .done(output: []))
        let shown = await cloud.show(id)
        #expect(shown["status"] == "ACTIVE" && shown["OS-EXT-STS:task_state"] == .null)
        #expect(await cloud.image(image)["status"] == "active")
        #expect(await cloud.actions(id).first?["action"] == "createImage")
    }

    @Test("an image that comes to nothing is removed, and the server is what it was", arguments: 0...3)
    func failure(way: Int) async throws {
        let cloud = try await ComputeCloud()
        let id = try await cloud.running()
        _ = await cloud.act(id, ["createImage": ["name": "snap"]])
        let operation = try #require(try await cloud.hosts.pending().first)
        guard case .snapshot(_, let image) = operation.action else { return }
        switch way {
        case 0:
            let error = StatusError(code: .noSpace, message: "No space.", detail: "")
            try await cloud.end(operation.id, .failed(error))
        case 1: try await cloud.end(operation.id, .interrupted)
        case 2:
            cloud.harness.clock.advance(by: .seconds(3601))
            try await cloud.expire()
        default:
            #expect(await cloud.harness.delete("/compute/v2.1/servers/\(id)", as: .member).status == 204)
            try await cloud.report(id, .gone)
        }
        #expect(await cloud.image(image) == .null)
        #expect(await cloud.status(id) == (way == 3 ? "none" : "ACTIVE"))
        try await cloud.end(operation.id, .done(output: []))
    }

    @Test("a guest that went down meanwhile makes a stopped server")
    func off() async throws {
        let cloud = try await ComputeCloud()
        let id = try await cloud.running()
        _ = await cloud.act(id, ["createImage": ["name": "snap"]])
        try await cloud.report(id, .ready, power: .shutdown)
        let operation = try #require(try await cloud.hosts.pending().first)
        try await cloud.end(operation.id, .done(output: []))
        #expect(await cloud.status(id) == "SHUTOFF")
        #expect(try await cloud.spec(id)?.power == .stopped)
    }

    @Test("of backups, as many stay as are asked for, the newest")
    func backups() async throws {
        let cloud = try await ComputeCloud()
        let id = try await cloud.running()
        var images: [ImageID] = []
        for number in 1...3 {
            let wish: JSON = ["name": JSON("b\(number)"), "backup_type": "daily", "rotation": 2]
            let answer = await cloud.act(id, ["createBackup": wish], minor: 45)
            #expect(answer.status == 202)
            #expect(await cloud.show(id)["OS-EXT-STS:task_state"] == "image_backup")
            let operation = try #require(try await cloud.hosts.pending().first)
            guard case .snapshot(_, let image) = operation.action else { return }
            images.append(image)
            try await cloud.fill(image)
            try await cloud.end(operation.id, .done(output: []))
            cloud.harness.clock.advance(by: .seconds(1))
        }
        #expect(await cloud.image(images[0]) == .null)
        #expect(await cloud.image(images[1])["backup_type"] == "daily")
        #expect(await cloud.image(images[2])["image_type"] == "backup")
        for wrong: JSON in [
            ["name": "b", "backup_type": "daily"], ["name": "b", "rotation": 1],
            ["name": "b", "backup_type": "daily", "rotation": -1]
        ] { #expect(await cloud.act(id, ["createBackup": wrong]).status == 400) }
    }

    @Test("images that are refused: the state, the quota of metadata, a reader")
    func refusals() async throws {
        var settings = ComputeSettings()
        settings.quotas["metadata_items"] = 1
        let cloud = try await ComputeCloud(settings: settings)
        let id = try await cloud.running()
        let much: JSON = ["createImage": ["name": "s", "metadata": ["a": "1", "b": "2"]]]
        let limited = await cloud.act(id, much)
        #expect(limited.status == 403)
        #expect(limited.json["forbidden"]?["message"] == "Image metadata limit exceeded")
        #expect(await cloud.act(id, ["createImage": ["name": "s"]], as: .reader).status == 403)
        #expect(await cloud.act(id, ["createImage": [:]]).status == 400)
        // A lock is no obstacle to a copy.
        _ = await cloud.act(id, ["lock": nil])
        #expect(await cloud.act(id, much, minor: 39).status == 202)
        let again = await cloud.act(id, ["createImage": ["name": "s"]])
        #expect(
            again.json["conflictingRequest"]?["message"]
                == .string(
                    "Cannot 'createImage' instance \(id) while it is in task_state image_snapshot_pending"))
    }

    // MARK: Shelving

    /// A server that is shelved, and the image of its disk.
    private static func shelved(offload: Int64 = 0) async throws -> (ComputeCloud, ServerID, ImageID) {
        var settings = ComputeSettings()
        settings.shelvedOffloadSeconds = offload
        let cloud = try await ComputeCloud(settings: settings)
        let id = try await cloud.running()
        #expect(await cloud.act(id, ["shelve": nil]).status == 202)
        #expect(await cloud.show(id)["OS-EXT-STS:task_state"] == "shelving")
        #expect(try await cloud.spec(id)?.power == .stopped)
        #expect(try await cloud.hosts.pending().isEmpty)
        try await cloud.report(id, .ready, power: .shutdown)
        #expect(await cloud.show(id)["OS-EXT-STS:task_state"] == "shelving_image_uploading")
        let operation = try #require(try await cloud.hosts.pending().first)
        guard case .snapshot(_, let image) = operation.action else { throw ComputeCloud.Failure(text: "no image") }
        #expect(await cloud.image(image)["name"] == "web-shelved")
        try await cloud.fill(image)
        try await cloud.end(operation.id, .done(output: []))
        return (cloud, id, image)
    }

    @Test("a shelved server leaves its host at once, keeps its ports, and comes back from its image")
    func shelve() async throws {
        let (cloud, id, image) = try await Self.shelved()
        #expect(await cloud.show(id)["OS-EXT-STS:task_state"] == "shelving_offloading")
        #expect(try await cloud.entry(id)?.isWanted == false)
        try await cloud.report(id, .gone)
        let shown = await cloud.show(id)
        #expect(shown["status"] == "SHELVED_OFFLOADED" && shown["hostId"] == "")
        #expect(try await cloud.portHost(id) == "")
        #expect(await cloud.act(id, ["os-start": nil]).status == 409)
        #expect(await cloud.act(id, ["unshelve": nil]).status == 202)
        let spec = try #require(try await cloud.spec(id))
        #expect(spec.image?.id == image && spec.rootDiskVersion == 1 && spec.power == .running)
        #expect(try await cloud.portHost(id) == "host-a")
        #expect(await cloud.show(id)["image"]?["id"] == .string(ComputeCloud.image.text))
        try await cloud.report(id, .ready, power: .running)
        #expect(await cloud.status(id) == "ACTIVE")
        #expect(await cloud.image(image) == .null)
        #expect(await cloud.actions(id).map { $0["action"] } == ["unshelve", "shelve", "create"])
    }

    @Test("a server that stays on its host for a while starts there again, or leaves when its time is over")
    func stays() async throws {
        let (cloud, id, image) = try await Self.shelved(offload: 60)
        #expect(await cloud.status(id) == "SHELVED")
        try await cloud.run("compute.offload")
        #expect(await cloud.status(id) == "SHELVED")
        let zone = await cloud.act(id, ["unshelve": ["availability_zone": "nova"]], minor: 77)
        #expect(zone.status == 409)
        #expect(await cloud.act(id, ["unshelve": nil]).status == 202)
        #expect(try await cloud.spec(id)?.rootDiskVersion == 0)
        try await cloud.report(id, .ready, power: .running)
        #expect(await cloud.status(id) == "ACTIVE")
        #expect(await cloud.image(image) == .null)
        let (second, other, _) = try await Self.shelved(offload: 60)
        second.harness.clock.advance(by: .seconds(61))
        try await second.run("compute.offload")
        #expect(await second.show(other)["OS-EXT-STS:task_state"] == "shelving_offloading")
        // A host that says nothing keeps nobody waiting.
        second.harness.clock.advance(by: .seconds(121))
        try await second.expire()
        #expect(await second.status(other) == "SHELVED_OFFLOADED")
        let (third, last, _) = try await Self.shelved(offload: -1)
        #expect(await third.act(last, ["shelveOffload": nil]).status == 403)
        #expect(await third.act(last, ["shelveOffload": nil], as: .admin).status == 202)
    }

    @Test("to a zone and to a host, for those who may say so")
    func places() async throws {
        let (cloud, id, _) = try await Self.shelved()
        try await cloud.report(id, .gone)
        func unshelve(_ body: JSON, _ minor: Int, as caller: TestCaller = .admin) async -> (Int, String) {
            let answer = await cloud.act(id, ["unshelve": body], as: caller, minor: minor)
            return (answer.status, answer.json.objectValue?.values.first?["message"]?.stringValue ?? "")
        }
        #expect(await unshelve([:], 77).0 == 400)
        #expect(await unshelve(["host": "host-b"], 90).0 == 400)
        #expect(
            await unshelve(["availability_zone": "mars"], 77)
                == (400, "The requested availability zone is not available"))
        #expect(await unshelve(["host": "host-x"], 91) == (400, "Compute host host-x could not be found."))
        #expect(await unshelve(["host": "host-b"], 91, as: .member).0 == 403)
        #expect(await unshelve(["host": "host-b", "availability_zone": nil], 91).0 == 202)
        #expect(try await cloud.spec(id, on: cloud.second) != nil)
        try await cloud.report(
            id, .failed, power: .none, error: StatusError(code: .noSpace, message: "No space.", detail: ""),
            from: cloud.second)
        #expect(await cloud.status(id) == "SHELVED_OFFLOADED")
        #expect(try await cloud.entry(id, on: cloud.second)?.isWanted == false)
        #expect(await cloud.harness.delete("/compute/v2.1/servers/\(id)", as: .member).status == 204)
        #expect(try await cloud.holdsNothing(for: id))
    }

    @Test("shelving that fails leaves the server as it was, without an image", arguments: [true, false])
    func shelveFailure(isSilent: Bool) async throws {
        let cloud = try await ComputeCloud()
        let id = try await cloud.running()
        _ = await cloud.act(id, ["shelve": nil])
        try await cloud.report(id, .ready, power: .shutdown)
        let operation = try #require(try await cloud.hosts.pending().first)
        guard case .snapshot(_, let image) = operation.action else { return }
        if isSilent {
            cloud.harness.clock.advance(by: .seconds(3601))
            try await cloud.expire()
        } else {
            try await cloud.end(
                operation.id, .failed(StatusError(code: .noSpace, message: "No space.", detail: "")))
        }
        #expect(await cloud.status(id) == "ACTIVE")
        #expect(try await cloud.spec(id)?.power == .running)
        #expect(await cloud.image(image) == .null)
    }
}

extension ComputeCloud {
    func image(_ id: ImageID) async -> JSON {
        let answer = await harness.get("/image/v2/images/\(id)", as: .admin)
        return answer.status == 200 ? answer.json : .null
    }

    /// The image has its data, as if a host had sent it.
    func fill(_ id: ImageID) async throws {
        try await harness.database.write { transaction in
            _ = try transaction.execute(
                "UPDATE images SET status = 'active', sha512 = ?, size = 5, virtual_size = 5 WHERE uuid = ?",
                [String(repeating: "cd", count: 64), id])
        }
    }
}
