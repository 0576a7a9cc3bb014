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
