import CoordinatorImage
import CoordinatorPlatform
import ProtocolModel
import Testing

@Suite("image upkeep")
struct ImageUpkeepTests {
    static let data = [UInt8]((0..<200_000).map { UInt8(truncatingIfNeeded: $0 &* 31 >> 3) })

    @Test("where data fills the database's own disk, giving the data up makes room for saying so")
    func sharedDisk() async throws {
        let cloud = try await ImageDataCloud()
        let id = await cloud.create("qcow2")
        let folder = cloud.folder
        // Full for as long as the data lies there.
        cloud.disk.fills { !TestFiles.names(folder).isEmpty }
        #expect(await cloud.put(id, Self.data).status == 415)
        #expect(await cloud.status(id) == "queued")
        // Also when the client went away, and the data could be gone on with elsewhere.
        #expect(await cloud.put(id, Self.data, ["Content-Length": "300000"]).status == 400)
        #expect(await cloud.status(id) == "queued" && cloud.counts() == [0, 0])
    }

    @Test(
        "an upload whose end could not be recorded is ended by upkeep",
        arguments: [("file", "saving", false), ("file", "saving", true), ("stage", "uploading", true)])
    func unrecorded(what: String, status: String, isCut: Bool) async throws {
        let cloud = try await ImageDataCloud()
        let id = await cloud.create("qcow2")
        cloud.disk.fills { true }
        let announced = isCut ? ["Content-Length": "300000"] : [:]
        #expect(await cloud.put(id, what, Self.data, announced).status >= 400)
        #expect(await cloud.status(id) == status)
        // Not while the disk is full, and not before it is sure that nobody is at it.
        cloud.harness.clock.advance(by: .seconds(200))
        await #expect(throws: StoreError.self) { try await cloud.slice.service.expire() }
        cloud.disk.fills { false }
        try await cloud.slice.service.expire()
        #expect(await cloud.status(id) == status)
        cloud.harness.clock.advance(by: .seconds(200))
        try await cloud.slice.service.expire()
        #expect(await cloud.status(id) == "queued" && cloud.counts() == [0, 0])
        // It can be used all the same.
        #expect(await cloud.put(id, "stage", Self.data).status == 204)
    }

    @Test("an upload that is only slow is left alone")
    func slow() async throws {
        let cloud = try await ImageDataCloud()
        let id = await cloud.create()
        cloud.disk.fills { true }
        #expect(await cloud.put(id, Self.data).status >= 400)
        cloud.disk.fills { false }
        let file = try await cloud.harness.database.read { reader in
            try reader.query("SELECT file FROM image_parts") { $0.text(0) }.first ?? ""
        }
        // As its request would.
        cloud.slice.blobs.pin(file)
        cloud.harness.clock.advance(by: .seconds(100_000))
        try await cloud.slice.service.expire()
        #expect(await cloud.status(id) == "saving")
        cloud.slice.blobs.unpin(file)
        try await cloud.slice.service.expire()
        #expect(await cloud.status(id) == "queued")
    }

    enum Ending: String, CaseIterable {
        case staged, cut, cutStage, resumed
        var what: String { self == .staged || self == .cutStage ? "stage" : "file" }
    }

    @Test("an upload that ends, or goes on, while upkeep looks at it is left as it is", arguments: Ending.allCases)
    func endsMeanwhile(ending: Ending) async throws {
        let cloud = try await ImageDataCloud()
        let database = cloud.harness.database
        let other = await cloud.create()
        #expect(await cloud.put(other, Self.data).status == 204)
        let whole = await cloud.image(other)
        let id = await cloud.create()
        cloud.disk.fills { true }
        #expect(await cloud.put(id, ending.what, Self.data, ["Content-Length": "300000"]).status >= 400)
        cloud.disk.fills { false }
        let status = await cloud.status(id)
        let file = try await database.read { reader in
            try reader.query("SELECT file FROM image_parts") { $0.text(0) }.first ?? ""
        }
        // Its request is at it yet, and noted some of it long ago.
        try TestFiles.write(Self.data, cloud.folder + "/" + file)
        try await database.write { try $0.execute("UPDATE image_parts SET size = ?", [100_000]) }
        cloud.harness.clock.advance(by: .seconds(400))
        let (now, md5, sha512) = (
            cloud.harness.clock.now(), whole["checksum"]?.stringValue, whole["os_hash_value"]?.stringValue
        )
        cloud.disk.intrude { [blobs = cloud.slice.blobs] in
            if ending == .resumed { return blobs.pin(file) }
            try await database.write { transaction in
                try transaction.execute(
                    "UPDATE image_parts SET size = ?, complete = ?, md5 = ?, sha512 = ?, updated_at = ?",
                    [ending == .staged ? 200_000 : 150_000, ending == .staged, md5, sha512, now])
                if ending == .staged { return }
                try transaction.execute("UPDATE images SET status = 'queued' WHERE uuid = ?", [id])
            }
        }
        try await cloud.slice.service.expire()
        #expect(try TestFiles.read(cloud.folder + "/" + file) == Self.data)
        switch ending {
        case .staged:
            #expect(await cloud.status(id) == "uploading")
            #expect(await cloud.importImage(id, ImageImportTests.direct).status == 202)
            await cloud.finishImports()
        case .cut, .cutStage:
            #expect(await cloud.status(id) == "queued")
            let rest = Array(Self.data[150_000...])
            #expect(await cloud.put(id, ending.what, rest, range: "bytes 150000-199999/200000").status == 204)
            guard ending == .cut else { return }
        case .resumed:
            #expect(await cloud.status(id) == status)
            cloud.slice.blobs.unpin(file)
            return
        }
        #expect(await cloud.harness.get("/image/v2/images/\(id)/file", as: .member).bytes == Self.data)
    }

    @Test("a file that the disk tells nothing of keeps upkeep, and the coordinator's start, from nothing else")
    func badFile() async throws {
        let cloud = try await ImageDataCloud()
        let database = cloud.harness.database
        let (bad, good, lost) = (await cloud.create(), await cloud.create(), await cloud.create())
        #expect(await cloud.put(lost, Self.data).status == 204)
        cloud.disk.fills { true }
        for id in [bad, good] {
            #expect(await cloud.put(id, "stage", Self.data, ["Content-Length": "300000"]).status >= 400)
        }
        cloud.disk.fills { false }
        // The first that upkeep comes upon. No file system has names of this length, so every look at it is an error.
        let name = String(repeating: "0", count: 400)
        try await database.write { transaction in
            try transaction.execute(
                "UPDATE image_parts SET file = ? WHERE image = ?", [BlobStore.partPrefix + name, bad])
            try transaction.execute("UPDATE images SET sha512 = ? WHERE uuid = ?", [name, lost])
        }
        cloud.harness.clock.advance(by: .seconds(400))
        try await cloud.slice.service.expire()
        #expect(await cloud.status(good) == "queued")
        #expect(await cloud.status(bad) == "uploading")
        _ = try await cloud.restarted()
        #expect(await cloud.status(bad) == "uploading")
        #expect(await cloud.status(lost) == "active")
        // Once the disk is well again, so is the image.
        try await database.write { try $0.execute("UPDATE image_parts SET file = ?", [BlobStore.partPrefix + "0"]) }
        try await cloud.slice.service.expire()
        #expect(await cloud.status(bad) == "queued")
    }

    @Test("a crash behind the naming of a content never cuts that content")
    func cutAfterPublish() async throws {
        let cloud = try await ImageDataCloud()
        let id = await cloud.create()
        #expect(await cloud.put(id, Self.data).status == 204)
        let (other, sha512) = (await cloud.create(), cloud.files().first ?? "")
        #expect(await cloud.put(other, Array(Self.data[..<70_000]), ["Content-Length": "200000"]).status == 400)
        let part = cloud.files().first { $0.hasPrefix("part-") } ?? ""
        // The rest came in and was named, over the same content of the first image; the row was never written.
        try TestFiles.write(Self.data, cloud.folder + "/" + part)
        try await cloud.slice.blobs.publish(part: part, as: sha512)
        let slice = try await cloud.restarted()
        let harness = APIHarness(services: [slice.api], database: cloud.harness.database, clock: cloud.harness.clock)
        #expect(await harness.get("/image/v2/images/\(id)/file", as: .member).bytes == Self.data)
        #expect(await harness.get("/image/v2/images/\(other)", as: .member).json["status"] == "queued")
        #expect(cloud.counts() == [1, 0])
    }
}
