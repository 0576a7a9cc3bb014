import CoordinatorBlockStorage
import CoordinatorPlatform
import ProtocolModel
import Testing

@Suite("volumes over HTTP")
struct VolumeTests {
    @Test("a volume is made on a host with a pool, is available once the host says so, and goes when it is gone")
    func life() async throws {
        let cloud = try await VolumeCloud()
        let answer = await cloud.create(["size": 2, "name": "data", "metadata": ["a": "b"]])
        #expect(answer.status == 202)
        let id = try VolumeCloud.id(answer)
        let made = answer.json["volume"]
        VolumeShapes.check(made, VolumeShapes.made(minor: 0))
        #expect(made?["status"] == "creating" && made?["volume_type"] == "__DEFAULT__" && made?["bootable"] == "false")
        #expect(try await cloud.claimed(id) == 2)
        let spec = try await cloud.spec(id)
        #expect(spec?.sizeGiB == 2 && spec?.source == .empty && spec?.pool == "local")

        try await cloud.report(id, .applying, sizeGiB: 2, progress: 40)
        #expect(await cloud.status(id) == "creating")
        try await cloud.report(id, .ready, sizeGiB: 2)
        let shown = await cloud.show(id)
        VolumeShapes.check(shown, VolumeShapes.shown(minor: 0, isAdmin: true))
        #expect(shown["status"] == "available" && shown["os-vol-host-attr:host"] == "store-a@local#local")
        #expect(await cloud.show(id, as: .member)["os-vol-host-attr:host"] == nil)

        #expect(await cloud.delete("/volumes/\(id)").status == 202)
        #expect(await cloud.status(id) == "deleting")
        #expect(try await cloud.spec(id) == nil)
        try await cloud.report(id, .gone)
        #expect(await cloud.get("/volumes/\(id)").status == 404)
        #expect(try await cloud.claimed(id) == 0)
    }

    @Test(
        "answers have their members and no other at every version that changes them",
        arguments: [0, 13, 21, 48, 61, 63, 65, 69, 70])
    func shapes(minor: Int) async throws {
        let cloud = try await VolumeCloud()
        for caller in [TestCaller.member, .admin] {
            let isAdmin = caller == .admin
            let answer = await cloud.create(["size": 1, "name": "v"], as: caller, minor: minor)
            VolumeShapes.check(answer.json["volume"], VolumeShapes.made(minor: minor, isAdmin: isAdmin))
            let id = try VolumeCloud.id(answer)
            try await cloud.report(id, .ready)
            let changed = await cloud.put("/volumes/\(id)", ["volume": ["name": "w"]], as: caller, minor: minor)
            #expect(changed.json["volume"]?["name"] == "w")
            VolumeShapes.check(changed.json["volume"], VolumeShapes.made(minor: minor, isAdmin: isAdmin))
            let shape = VolumeShapes.shown(minor: minor, isAdmin: isAdmin)
            VolumeShapes.check(await cloud.show(id, as: caller, minor: minor), shape)
            let detail = await cloud.get("/volumes/detail", as: caller, minor: minor).json
            VolumeShapes.check(detail["volumes"], .list(shape))
            let list = await cloud.get("/volumes", as: caller, minor: minor).json
            VolumeShapes.check(list, .members(["volumes": .list(VolumeShapes.brief)], optional: []))
            let snapshot = try await cloud.snapshot(of: id)
            let one = await cloud.get("/snapshots/\(snapshot)", as: caller, minor: minor).json["snapshot"]
            VolumeShapes.check(one, VolumeShapes.snapshot(minor: minor, isDetail: true))
            let brief = await cloud.get("/snapshots", as: caller, minor: minor).json["snapshots"]
            VolumeShapes.check(brief, .list(VolumeShapes.snapshot(minor: minor, isDetail: false)))
        }
    }

    @Test("bad bodies are refused and make nothing")
    func refusals() async throws {
        let cloud = try await VolumeCloud()
        let missing = AnyID.random().text
        let cases: [(members: [String: JSON], status: Int)] = [
            ([:], 400), (["size": 0], 400), (["size": -1], 400), (["size": "#$%"], 400), (["size": nil], 400),
            (["size": 1, "snapshot_id": .string(missing)], 404), (["size": 1, "source_volid": .string(missing)], 404),
            (["size": 1, "imageRef": .string(missing)], 400), (["size": 1, "volume_type": .string(missing)], 404),
            (["size": 1, "volume_type": "none"], 404), (["size": 1, "availability_zone": "mars"], 400),
            (["size": 1, "snapshot_id": "x"], 400), (["size": 1, "multiattach": true], 400),
            (["size": 1, "metadata": ["k": .string(String(repeating: "v", count: 256))]], 400),
            (["size": 1, "name": .string(String(repeating: "v", count: 256))], 400)
        ]
        for (members, status) in cases {
            let answer = await cloud.create(members)
            #expect(answer.status == status, "\(JSON.object(members).text): \(answer.status) \(answer.json.text)")
        }
        #expect(await cloud.create(["size": 1, "nonsense": 1], minor: 53).status == 400)
        #expect(await cloud.create(["size": 1, "nonsense": 1], minor: 52).status == 202)
        #expect(await cloud.get("/volumes").json["volumes"]?.arrayValue?.count == 1)
    }

    @Test("a volume is made from an image, a snapshot or another volume, where that is")
    func sources() async throws {
        let cloud = try await VolumeCloud()
        let image = await cloud.create(["size": 1, "imageRef": .string(VolumeCloud.image.text)])
        let first = try VolumeCloud.id(image)
        guard case .image(let spec)? = try await cloud.spec(first)?.source else {
            Issue.record("no image")
            return
        }
        #expect(spec.id == VolumeCloud.image)
        try await cloud.report(first, .ready)
        let shown = await cloud.show(first)
        #expect(shown["bootable"] == "true" && shown["volume_image_metadata"]?["image_name"] == "guest")
        #expect(shown["volume_image_metadata"]?["hw_disk_bus"] == "scsi")

        let snapshot = try await cloud.snapshot(of: first)
        let second = try VolumeCloud.id(await cloud.create(["snapshot_id": .string(snapshot.text)]))
        #expect(try await cloud.spec(second)?.source == .snapshot(snapshot, of: first))
        // A snapshot that is being copied stays.
        #expect(await cloud.delete("/snapshots/\(snapshot)").status == 400)
        try await cloud.report(second, .ready)
        #expect(await cloud.show(second)["bootable"] == "true")

        let third = try VolumeCloud.id(await cloud.create(["source_volid": .string(first.text), "size": 3]))
        #expect(try await cloud.spec(third)?.source == .volume(first))
        #expect(try await cloud.entry(.volume(third))?.node == cloud.entry(.volume(first))?.node)
        #expect(await cloud.show(third)["source_volid"] == .string(first.text))
        #expect(await cloud.create(["source_volid": .string(third.text), "size": 1]).status == 400)
    }

    @Test("one that a host cannot make is tried on the next one, and is in error with a reason when none is left")
    func tried() async throws {
        let cloud = try await VolumeCloud()
        let id = try VolumeCloud.id(await cloud.create())
        let error = StatusError(code: .hostFailure, message: "The disk is broken.", detail: "EIO")
        #expect(try await cloud.entry(.volume(id))?.node == cloud.first)
        try await cloud.report(id, .failed, error: error)
        #expect(await cloud.status(id) == "creating")
        let claimed = try await cloud.claimed(id)
        #expect(claimed == 1)
        // Where else there is room: the same host is not tried twice.
        let elsewhere = try await cloud.harness.database.read { reader in
            try reader.first(
                "SELECT node FROM plan_entries WHERE resource = ? AND wanted = ?", [id, true]
            ) { try $0.id(0) as NodeID }
        }
        #expect(elsewhere == cloud.second)
        try await cloud.report(id, .failed, error: error)
        #expect(await cloud.status(id) == "error")
        let story = try await cloud.harness.database.read { try cloud.slice.explain(id, in: $0) }
        #expect(story?["fault"]?["message"]?.stringValue?.contains("The disk is broken.") == true)
        let steps = story?["actions"]?.arrayValue?.first?["steps"]?.arrayValue ?? []
        #expect(steps.contains { $0["name"] == "schedule" }, "\(story?.text ?? "")")
        #expect(story?["attachments"] == [])
    }

    @Test("a snapshot is declared further along only by what follows, and shows how far it is said to be")
    func snapshotStatus() async throws {
        let cloud = try await VolumeCloud()
        let snapshot = try await cloud.snapshot(of: try await cloud.available())
        func update(_ status: String, _ progress: JSON? = nil, as caller: TestCaller = .member) async -> Int {
            var wish: [String: JSON] = ["status": .string(status)]
            wish["progress"] = progress
            return await cloud.post(
                "/snapshots/\(snapshot)/action", ["os-update_snapshot_status": .object(wish)], as: caller
            ).status
        }
        #expect(await update("error") == 400)
        let reset: JSON = ["os-reset_status": ["status": "creating"]]
        #expect(await cloud.post("/snapshots/\(snapshot)/action", reset, as: .admin).status == 202)
        for progress in ["80", "101%", "-1%", "much%"] as [JSON] { #expect(await update("error", progress) == 400) }
        #expect(await update("deleting") == 400)
        #expect(await update("nonsense") == 400)
        #expect(await update("error", "80%", as: .stranger) == 404)
        #expect(await cloud.status(snapshot) == "creating")
        #expect(await update("error", "80%") == 202)
        let shown = await cloud.get("/snapshots/\(snapshot)", as: .admin).json["snapshot"]
        #expect(shown?["status"] == "error" && shown?["os-extended-snapshot-attributes:progress"] == "80%")
    }

    @Test("without room anywhere a volume is in error at once, with a reason, and can be deleted")
    func noRoom() async throws {
        let cloud = try await VolumeCloud()
        let type = await cloud.post(
            "/types", ["volume_type": ["name": "x", "extra_specs": ["volume_backend_name": "nowhere"]]], as: .admin)
        #expect(type.status == 200)
        let id = try VolumeCloud.id(await cloud.create(["size": 1, "volume_type": "x"]))
        #expect(await cloud.status(id) == "error")
        #expect(await cloud.delete("/volumes/\(id)").status == 202)
        #expect(await cloud.status(id) == "none")
    }

    @Test("a type's backend name decides the pool")
    func pools() async throws {
        let cloud = try await VolumeCloud()
        _ = await cloud.post(
            "/types", ["volume_type": ["name": "fast", "extra_specs": ["volume_backend_name": "fast"]]], as: .admin)
        let id = try VolumeCloud.id(await cloud.create(["size": 1, "volume_type": "fast"]))
        #expect(try await cloud.spec(id)?.pool == "fast")
        #expect(await cloud.show(id)["os-vol-host-attr:host"] == "store-a@fast#fast")
    }

    @Test("a volume that nobody makes in time is in error; one that is removed on a host that is down waits")
    func deadlines() async throws {
        let cloud = try await VolumeCloud()
        let id = try await cloud.available()
        try await cloud.hosts.goDown(cloud.first)
        #expect(await cloud.delete("/volumes/\(id)").status == 202)
        try await cloud.expire()
        #expect(await cloud.status(id) == "deleting")
        // An administrator who knows better is rid of it at once.
        #expect(await cloud.act(id, ["os-force_delete": .null]).status == 403)
        #expect(await cloud.act(id, ["os-force_delete": .null], as: .admin).status == 202)
        #expect(await cloud.status(id) == "none")
        #expect(try await cloud.claimed(id) == 1)
        try await cloud.report(id, .gone)
        #expect(try await cloud.claimed(id) == 0)
    }

    @Test("a host that does not get to a removal leaves it in error_deleting, and ends it when it does")
    func lateRemoval() async throws {
        let cloud = try await VolumeCloud()
        let id = try await cloud.available()
        _ = await cloud.delete("/volumes/\(id)")
        try await cloud.expire()
        #expect(await cloud.status(id) == "error_deleting")
        try await cloud.report(id, .gone)
        #expect(await cloud.status(id) == "none")
    }

    @Test("extending claims what is added, once, and gives it back when it fails")
    func extend() async throws {
        let cloud = try await VolumeCloud()
        let id = try await cloud.available()
        #expect(await cloud.act(id, ["os-extend": ["new_size": 1]]).status == 400)
        #expect(await cloud.act(id, ["os-extend": ["new_size": 3]]).status == 202)
        #expect(await cloud.status(id) == "extending")
        #expect(await cloud.show(id)["size"] == 1)
        #expect(try await cloud.spec(id)?.sizeGiB == 3)
        #expect(try await cloud.claimed(id) == 3)
        #expect(await cloud.act(id, ["os-extend": ["new_size": 4]]).status == 400)
        try await cloud.report(id, .ready, sizeGiB: 3)
        #expect(await cloud.show(id)["size"] == 3)

        #expect(await cloud.act(id, ["os-extend": ["new_size": 9]]).status == 202)
        let error = StatusError(code: .hostFailure, message: "no", detail: "")
        try await cloud.report(id, .failed, sizeGiB: 3, error: error)
        #expect(await cloud.status(id) == "available")
        #expect(await cloud.show(id)["size"] == 3)
        #expect(try await cloud.claimed(id) == 3)
        #expect(try await cloud.spec(id)?.sizeGiB == 3)
    }

    @Test("a volume goes back to its newest snapshot")
    func revert() async throws {
        let cloud = try await VolumeCloud()
        let id = try await cloud.available()
        let older = try await cloud.snapshot(of: id)
        let newer = try await cloud.snapshot(of: id)
        let body = { (snapshot: VolumeSnapshotID) -> JSON in ["revert": ["snapshot_id": .string(snapshot.text)]] }
        #expect(await cloud.act(id, body(newer), minor: 39).status == 404)
        #expect(await cloud.act(id, body(older), minor: 40).status == 400)
        #expect(await cloud.act(id, body(newer), minor: 40).status == 202)
        #expect(await cloud.status(id) == "reverting")
        #expect(try await cloud.spec(id)?.reversion == .init(version: 1, snapshot: newer))
        #expect(await cloud.delete("/snapshots/\(newer)").status == 400)
        try await cloud.report(id, .ready)
        #expect(await cloud.status(id) == "available")
        #expect(try await cloud.spec(id)?.reversion == nil)
    }

    @Test("flags, metadata and image metadata are changed one by one")
    func flags() async throws {
        let cloud = try await VolumeCloud()
        let id = try await cloud.available()
        for flag in [true, false] {
            #expect(await cloud.act(id, ["os-set_bootable": ["bootable": .bool(flag)]]).status == 200)
            #expect(await cloud.show(id)["bootable"] == .string(flag ? "true" : "false"))
            #expect(await cloud.act(id, ["os-update_readonly_flag": ["readonly": .bool(flag)]]).status == 202)
            #expect(await cloud.show(id)["metadata"]?["readonly"] == .string(flag ? "True" : "False"))
        }
        let set = await cloud.act(id, ["os-set_image_metadata": ["metadata": ["a": "1", "b": "2"]]])
        #expect(set.json["metadata"] == ["a": "1", "b": "2"])
        #expect(await cloud.act(id, ["os-unset_image_metadata": ["key": "a"]]).status == 200)
        #expect(await cloud.act(id, ["os-unset_image_metadata": ["key": "a"]]).status == 404)
        #expect(await cloud.act(id, ["os-show_image_metadata": .null]).json["metadata"] == ["b": "2"])
        #expect(await cloud.act(id, ["nonsense": .null]).status == 400)

        let path = "/volumes/\(id)/metadata"
        #expect(await cloud.post(path, ["metadata": ["k": "v"]]).json["metadata"] == ["k": "v"])
        #expect(await cloud.put(path + "/k", ["meta": ["k": "w"]]).json["meta"] == ["k": "w"])
        #expect(await cloud.put(path + "/x", ["meta": ["k": "w"]]).status == 400)
        #expect(await cloud.get(path + "/k").json["meta"] == ["k": "w"])
        #expect(await cloud.put(path, ["metadata": ["z": "1"]]).json["metadata"] == ["z": "1"])
        #expect(await cloud.delete(path + "/k").status == 404)
        #expect(await cloud.delete(path + "/z").status == 200)
        #expect(await cloud.get(path).json["metadata"] == [:])
    }
}
