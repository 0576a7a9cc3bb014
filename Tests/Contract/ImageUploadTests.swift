import CoordinatorImage
import CoordinatorPlatform
import ProtocolModel
import Testing

@Suite("image data")
struct ImageUploadTests {
    static let data = [UInt8]((0..<200_000).map { UInt8(truncatingIfNeeded: $0 &* 31 >> 3) })

    @Test("what was uploaded is what comes down, whole and in ranges")
    func upAndDown() async throws {
        let cloud = try await ImageDataCloud()
        let id = await cloud.create()
        let empty = await cloud.harness.get("/image/v2/images/\(id)/file", as: .member)
        #expect(empty.status == 204 && empty.header("Upload-Offset") == "0")
        #expect(await cloud.put(id, Self.data).status == 204)
        let image = await cloud.image(id)
        #expect(image["status"] == "active" && image["size"] == 200_000 && image["virtual_size"] == 200_000)
        #expect(image["stores"] == "default" && image["checksum"]?.stringValue?.count == 32)
        let whole = await cloud.harness.get("/image/v2/images/\(id)/file", as: .member)
        #expect(whole.status == 200 && whole.bytes == Self.data && whole.header("Accept-Ranges") == "bytes")
        #expect(whole.header("Content-MD5") == image["checksum"]?.stringValue)
        #expect(whole.header("Content-Length") == "200000")
        for (range, expected, said) in [
            ("bytes=0-9", Array(Self.data[0..<10]), "bytes 0-9/200000"),
            ("bytes=199990-", Array(Self.data[199_990...]), "bytes 199990-199999/200000"),
            ("bytes=-5", Array(Self.data[199_995...]), "bytes 199995-199999/200000"),
            ("bytes=100000-999999999", Array(Self.data[100_000...]), "bytes 100000-199999/200000")
        ] {
            let part = await cloud.harness.get("/image/v2/images/\(id)/file", as: .member, ["Range": range])
            #expect(part.status == 206 && part.bytes == expected && part.header("Content-Range") == said, "\(range)")
            #expect(part.header("Content-Length") == "\(expected.count)")
        }
        for range in ["bytes=200000-", "bytes=5-4", "lines=1-2", "bytes=", "bytes=0-1,5-6", "bytes=-0"] {
            let answer = await cloud.harness.get("/image/v2/images/\(id)/file", as: .member, ["Range": range])
            #expect(answer.status == 416 && answer.header("Content-Range") == "bytes */200000", "\(range)")
        }
        #expect(await cloud.put(id, [1]).status == 409)
    }

    private static func pieces(_ bytes: [UInt8], thenFails: Bool = false) -> AsyncThrowingStream<[UInt8], any Error> {
        struct Cut: Error {}
        return AsyncThrowingStream { continuation in
            for start in stride(from: 0, to: bytes.count, by: 65_536) {
                continuation.yield(Array(bytes[start..<min(start + 65_536, bytes.count)]))
            }
            continuation.finish(throwing: thenFails ? Cut() : nil)
        }
    }

    @Test("what an agent made for an image is taken in as a user's upload is, whole or not at all")
    func fromAgent() async throws {
        let cloud = try await ImageDataCloud()
        let service = cloud.slice.service
        let text = await cloud.create()
        let id = try #require(ImageID(text))
        func receive(_ bytes: [UInt8], announced: Int64, thenFails: Bool = false) async throws {
            try await service.receive(
                image: id, sizeBytes: announced, from: Self.pieces(bytes, thenFails: thenFails))
        }
        await #expect(throws: APIError.self) { try await receive(Self.data, announced: 200_001) }
        await #expect(throws: (any Error).self) {
            try await receive(Array(Self.data.prefix(100_000)), announced: 200_000, thenFails: true)
        }
        #expect(await cloud.status(text) == "queued")
        try await receive(Self.data, announced: 200_000)
        let image = await cloud.image(text)
        #expect(image["status"] == "active" && image["size"] == 200_000)
        let whole = await cloud.harness.get("/image/v2/images/\(text)/file", as: .member)
        #expect(whole.bytes == Self.data)
        // The answer was lost: the agent sends it once more, and hears that it is there.
        try await receive(Self.data, announced: 200_000)
        let again = await #expect(throws: APIError.self) { try await receive(Self.data, announced: 199_999) }
        #expect(again?.status == 409)
        // What it is said to be is looked into, too.
        let other = await cloud.create("qcow2")
        let refused = await #expect(throws: APIError.self) {
            try await service.receive(
                image: try #require(ImageID(other)), sizeBytes: 200_000, from: Self.pieces(Self.data))
        }
        #expect(refused?.status == 415)
        await #expect(throws: APIError.self) {
            try await service.receive(image: .random(), sizeBytes: 1, from: Self.pieces([1]))
        }
    }

    @Test("one copy of one content, gone with the last image that has it")
    func oneCopy() async throws {
        let cloud = try await ImageDataCloud()
        let (first, second) = (await cloud.create(), await cloud.create())
        for id in [first, second] { #expect(await cloud.put(id, Self.data).status == 204) }
        #expect(cloud.counts() == [1, 0])
        #expect(await cloud.harness.delete("/image/v2/images/\(first)", as: .member).status == 204)
        await cloud.slice.service.sweep()
        #expect(cloud.counts() == [1, 0])
        #expect(await cloud.harness.delete("/image/v2/images/\(second)", as: .member).status == 204)
        await cloud.slice.service.sweep()
        #expect(cloud.counts() == [0, 0])
    }

    @Test("an upload goes on where it broke, in as many pieces as it takes", arguments: ["file", "stage"])
    func resume(what: String) async throws {
        let cloud = try await ImageDataCloud()
        let id = await cloud.create()
        func offset() async -> String? {
            await cloud.harness.send(.head, "/image/v2/images/\(id)/\(what)", as: .member).header("Upload-Offset")
        }
        // Announced more than came: the client went away.
        let broken = await cloud.put(id, what, Array(Self.data[..<70_000]), ["Content-Length": "200000"])
        #expect(broken.status == 400)
        #expect(await cloud.status(id) == "queued")
        #expect(await offset() == "70000")
        let wrong = await cloud.put(id, what, Array(Self.data[60_000...]), range: "bytes 60000-199999/200000")
        #expect(wrong.status == 416 && wrong.header("Upload-Offset") == "70000")
        #expect(await cloud.status(id) == "queued")
        let piece = await cloud.put(id, what, Array(Self.data[70_000..<100_000]), range: "bytes 70000-99999/200000")
        #expect(piece.status == 202 && piece.header("Upload-Offset") == "100000")
        let rest = await cloud.put(id, what, Array(Self.data[100_000...]), range: "bytes 100000-199999/200000")
        #expect(rest.status == 204)
        if what == "stage" {
            #expect(await cloud.status(id) == "uploading")
            #expect(await cloud.importImage(id, ["method": ["name": "glance-direct"]]).status == 202)
            await cloud.finishImports()
        }
        #expect(await cloud.status(id) == "active")
        #expect(await cloud.harness.get("/image/v2/images/\(id)/file", as: .member).bytes == Self.data)
        await cloud.slice.service.sweep()
        #expect(cloud.counts() == [1, 0])
    }

    @Test("a client that knows nothing of resuming begins anew")
    func anew() async throws {
        let cloud = try await ImageDataCloud()
        let id = await cloud.create()
        #expect(await cloud.put(id, [9, 9, 9], ["Content-Length": "10"]).status == 400)
        #expect(await cloud.put(id, Self.data).status == 204)
        #expect(await cloud.harness.get("/image/v2/images/\(id)/file", as: .member).bytes == Self.data)
        await cloud.slice.service.sweep()
        #expect(cloud.counts() == [1, 0])
    }

    @Test("refused uploads leave a queued image and nothing else")
    func refused() async throws {
        let cloud = try await ImageDataCloud { $0.sizeLimit = 300_000 }
        let id = await cloud.create()
        let stranger = await cloud.put(id, [1], as: .stranger)
        #expect(stranger.status == 404)
        #expect(await cloud.put(id, [1], as: .reader).status == 403)
        #expect(await cloud.put(id, [1], ["Content-Type": "text/plain"]).status == 415)
        #expect(await cloud.put(id, [1], ["X-Image-Meta-Store": "elsewhere"]).status == 400)
        #expect(await cloud.put(id, [1], range: "bytes 3").status == 400)
        #expect(await cloud.put(id, Self.data + Self.data).status == 413)
        #expect(await cloud.status(id) == "queued")
        let unformatted =
            await cloud.harness.post("/image/v2/images", ["name": "x"], as: .member)
            .json["id"]?.stringValue ?? ""
        #expect(await cloud.put(unformatted, [1]).status == 400)
        let lying = await cloud.create("qcow2")
        let mismatch = await cloud.put(lying, Self.data)
        #expect(mismatch.status == 415)
        #expect(mismatch.json["message"]?.stringValue?.contains("does not match stream data raw") == true)
        #expect(await cloud.status(lying) == "queued")
        let backed: [UInt8] = [0x51, 0x46, 0x49, 0xFB, 0, 0, 0, 3] + [UInt8](repeating: 1, count: 600)
        for format in ["qcow2", "raw"] {
            let hostile = await cloud.create(format)
            let answer = await cloud.put(hostile, backed)
            #expect(answer.status == 415)
            #expect(answer.json["message"]?.stringValue?.contains("backing file") == true)
        }
        #expect(cloud.counts() == [0, 0])
    }

    @Test("rotten data is never served, and heals when it comes in again")
    func rot() async throws {
        let cloud = try await ImageDataCloud()
        let id = await cloud.create()
        #expect(await cloud.put(id, Self.data).status == 204)
        let path = cloud.folder + "/" + (cloud.files().first ?? "")
        var rotten = Self.data
        rotten[77] ^= 4
        try TestFiles.write(rotten, path)
        cloud.harness.clock.advance(by: .seconds(8 * 86_400))
        try await cloud.slice.service.scrub()
        let image = await cloud.image(id)
        #expect(image["status"] == "killed")
        #expect(image["os_glance_damage"]?.stringValue?.contains("hash") == true)
        #expect(await cloud.harness.get("/image/v2/images/\(id)/file", as: .admin).status == 410)
        await #expect(throws: Refusal.self) {
            _ = try await cloud.slice.service.read(
                image: ImageID(id) ?? .random(), sha512: image["os_hash_value"]?.stringValue ?? "", from: 0)
        }
        let again = await cloud.create()
        #expect(await cloud.put(again, Self.data).status == 204)
        #expect(await cloud.status(id) == "active")
        #expect(await cloud.image(id)["os_glance_damage"] == nil)
        #expect(await cloud.harness.get("/image/v2/images/\(id)/file", as: .member).bytes == Self.data)
    }

    @Test("content that rotted unseen is whole again when the same content comes in")
    func unseenRot() async throws {
        let cloud = try await ImageDataCloud()
        let id = await cloud.create()
        #expect(await cloud.put(id, Self.data).status == 204)
        var rotten = Self.data
        rotten[77] ^= 4
        try TestFiles.write(rotten, cloud.folder + "/" + (cloud.files().first ?? ""))
        #expect(await cloud.put(await cloud.create(), Self.data).status == 204)
        #expect(await cloud.harness.get("/image/v2/images/\(id)/file", as: .member).bytes == Self.data)
        #expect(cloud.counts() == [1, 0])
    }

    @Test("a disk that was not there at a start takes no image out of use for good")
    func unmounted() async throws {
        let cloud = try await ImageDataCloud()
        let id = await cloud.create()
        #expect(await cloud.put(id, Self.data).status == 204)
        let path = cloud.folder + "/" + (cloud.files().first ?? "")
        try TestFiles.delete(path)
        _ = try await cloud.restarted()
        #expect(await cloud.status(id) == "killed")
        try TestFiles.write(Self.data, path)
        try await cloud.restarted().service.scrub()
        #expect(await cloud.status(id) == "active")
    }

    @Test("a file that is cut short is noticed when it is asked for")
    func short() async throws {
        let cloud = try await ImageDataCloud()
        let id = await cloud.create()
        #expect(await cloud.put(id, Self.data).status == 204)
        try TestFiles.write([1, 2, 3], cloud.folder + "/" + (cloud.files().first ?? ""))
        #expect(await cloud.harness.get("/image/v2/images/\(id)/file", as: .member).status == 410)
        #expect(await cloud.status(id) == "killed")
    }

    @Test("after a crash an upload is queued and can be resumed, and nobody's files are gone")
    func crash() async throws {
        let cloud = try await ImageDataCloud()
        let id = await cloud.create()
        #expect(await cloud.put(id, Array(Self.data[..<70_000]), ["Content-Length": "200000"]).status == 400)
        let part = cloud.folder + "/" + (cloud.files().first ?? "")
        // What was written and not yet known to be safe may be anything.
        try TestFiles.write(Array(Self.data[..<70_000]) + [0, 0, 0], part)
        try TestFiles.write([1], cloud.folder + "/part-nobodys")
        try TestFiles.write([1], cloud.folder + "/" + String(repeating: "a", count: 128))
        let slice = try await cloud.restarted()
        let harness = APIHarness(services: [slice.api], database: cloud.harness.database, clock: cloud.harness.clock)
        #expect(cloud.counts() == [0, 1])
        let offset = await harness.get("/image/v2/images/\(id)/file", as: .member).header("Upload-Offset")
        #expect(offset == "70000")
        let rest = await harness.send(
            .put, "/image/v2/images/\(id)/file", bytes: Array(Self.data[70_000...]), token: TestCaller.member.token,
            headers: ["Content-Type": "application/octet-stream", "Content-Range": "bytes 70000-199999/200000"])
        #expect(rest.status == 204)
        #expect(await harness.get("/image/v2/images/\(id)/file", as: .member).bytes == Self.data)
    }

    @Test("what nobody carries on ends")
    func expiry() async throws {
        let cloud = try await ImageDataCloud()
        let (broken, staged) = (await cloud.create(), await cloud.create())
        #expect(await cloud.put(broken, [1, 2], ["Content-Length": "3"]).status == 400)
        #expect(await cloud.put(staged, "stage", [1, 2]).status == 204)
        #expect(await cloud.put(staged, "stage", [1, 2]).status == 409)
        #expect(cloud.counts() == [0, 2])
        try await cloud.slice.service.expire()
        #expect(cloud.counts() == [0, 2])
        cloud.harness.clock.advance(by: .seconds(86_500))
        try await cloud.slice.service.expire()
        #expect(cloud.counts() == [0, 0])
        #expect(await cloud.status(staged) == "queued")
        #expect(await cloud.status(broken) == "queued")
    }

    @Test("deleting waits for who reads")
    func deleteWhileReading() async throws {
        let cloud = try await ImageDataCloud()
        let id = await cloud.create()
        #expect(await cloud.put(id, Self.data).status == 204)
        let sha512 = await cloud.image(id)["os_hash_value"]?.stringValue ?? ""
        do {
            let stream = try await cloud.slice.service.read(image: ImageID(id) ?? .random(), sha512: sha512, from: 0)
            #expect(await cloud.harness.delete("/image/v2/images/\(id)", as: .member).status == 204)
            await cloud.slice.service.sweep()
            #expect(cloud.counts() == [1, 0])
            var read: [UInt8] = []
            for try await chunk in stream { read += chunk }
            #expect(read == Self.data)
        }
        for _ in 0..<100 where cloud.counts() != [0, 0] { try await Task.sleep(for: .milliseconds(20)) }
        #expect(cloud.counts() == [0, 0])
    }
}
