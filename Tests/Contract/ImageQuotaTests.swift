import CoordinatorImage
import CoordinatorPlatform
import ProtocolModel
import Testing

/// Limits against data that comes in pieces, in several images at once, and by every way in.
@Suite("image quota")
struct ImageQuotaTests {
    private static let mebibyte = [UInt8](repeating: 1, count: 1 << 20)

    private static func mebibytes(_ count: Int) -> [UInt8] { Array(repeatElement(mebibyte, count: count).joined()) }

    private static func usage(_ cloud: ImageDataCloud, _ resource: String) async -> JSON? {
        await cloud.harness.get("/image/v2/info/usage", as: .member).json["usage"]?[resource]?["usage"]
    }

    /// Sends some MiB of more, and goes away.
    private static func cut(_ cloud: ImageDataCloud, _ id: String, _ what: String, after count: Int) async -> Int {
        await cloud.put(id, what, mebibytes(count), ["Content-Length": "\(64 << 20)"]).status
    }

    private static func goOn(
        _ cloud: ImageDataCloud, _ id: String, _ what: String, from: Int, with count: Int
    ) async -> Int {
        let range = "bytes \(from << 20)-\(((from + count) << 20) - 1)/\((from + count) << 20)"
        return await cloud.put(id, what, mebibytes(count), range: range).status
    }

    private static func failure(_ cloud: ImageDataCloud, _ id: String) async -> String {
        let tasks = await cloud.harness.get("/image/v2/images/\(id)/tasks", as: .member).json["tasks"]?.arrayValue
        guard let task = tasks?.last, task["status"] == "failure" else { return "no failure" }
        return task["message"]?.stringValue ?? ""
    }

    @Test(
        "pieces count as they are, and whoever was let in may go on",
        arguments: [("file", "image_size_total"), ("stage", "image_stage_total")])
    func pieces(what: String, resource: String) async throws {
        let cloud = try await ImageDataCloud()
        cloud.limits.set(resource, 2)
        let ids = [await cloud.create(), await cloud.create(), await cloud.create(), await cloud.create()]
        // At the limit is not over it.
        for id in ids[..<3] { #expect(await Self.cut(cloud, id, what, after: 1) == 400) }
        #expect(await Self.usage(cloud, resource) == 3)
        #expect(await Self.cut(cloud, ids[3], what, after: 1) == 413)
        #expect(await Self.usage(cloud, "image_count_uploading") == 0)
        // Without its own piece each of the three is within the limit.
        #expect(await Self.goOn(cloud, ids[0], what, from: 1, with: 1) == 204)
        #expect(await Self.usage(cloud, resource) == 4)
        // By now the others are too much for this one; what is here stays.
        #expect(await Self.goOn(cloud, ids[1], what, from: 1, with: 1) == 413)
        let head = await cloud.harness.send(.head, "/image/v2/images/\(ids[1])/\(what)", as: .member)
        #expect(head.header("Upload-Offset") == "\(1 << 20)")
        #expect(await cloud.status(ids[1]) == "queued")
        // Deleting makes room.
        #expect(await cloud.harness.delete("/image/v2/images/\(ids[0])", as: .member).status == 204)
        #expect(await Self.usage(cloud, resource) == 2)
        #expect(await Self.goOn(cloud, ids[1], what, from: 1, with: 1) == 204)
        // Beginning anew replaces the piece, which counts no more than once.
        #expect(await cloud.harness.delete("/image/v2/images/\(ids[1])", as: .member).status == 204)
        cloud.limits.set(resource, 0)
        #expect(await cloud.put(ids[2], what, Self.mebibytes(1)).status == 204)
        #expect(await Self.usage(cloud, resource) == 1)
    }

    @Test("with one image being uploaded at a time, a staged one can be imported")
    func uploading() async throws {
        let server = try await ImageWebServer()
        let cloud = try await ImageDataCloud { server.allow(&$0) }
        cloud.limits.set("image_count_uploading", 1)
        let (staged, other) = (await cloud.create(), await cloud.create())
        #expect(await cloud.put(staged, "stage", [1, 2, 3]).status == 204)
        for what in ["file", "stage"] {
            let refused = await cloud.put(other, what, [1])
            #expect(refused.status == 413)
            #expect(
                refused.json["message"]?.stringValue?.contains(
                    "Resource image_count_uploading is over limit of 1 due to current usage 2 and delta 0") == true)
        }
        // What is in the way of the request goes before any limit.
        #expect(await cloud.put(staged, "stage", [1]).status == 409)
        // A download is taken, as in Glance, and its task says why nothing came of it.
        #expect(await cloud.importImage(other, server.download()).status == 202)
        #expect(await Self.failure(cloud, other).contains("Resource image_count_uploading is over limit of 1"))
        #expect(await cloud.status(other) == "queued")
        #expect(await cloud.importImage(staged, ImageImportTests.direct).status == 202)
        #expect(await Self.usage(cloud, "image_count_uploading") == 1)
        await cloud.finishImports()
        #expect(await cloud.status(staged) == "active")
        #expect(await cloud.importImage(other, server.download()).status == 202)
        await cloud.finishImports()
        #expect(await cloud.status(other) == "active")
    }

    @Test("staged data counts until it is imported, and stands in the way of downloads")
    func staged() async throws {
        let server = try await ImageWebServer()
        let cloud = try await ImageDataCloud { server.allow(&$0) }
        cloud.limits.set("image_stage_total", 1)
        let (staged, other) = (await cloud.create(), await cloud.create())
        #expect(await cloud.put(staged, "stage", Self.mebibytes(2)).status == 204)
        #expect(await cloud.put(other, "stage", [1]).status == 413)
        #expect(await cloud.importImage(other, server.download()).status == 202)
        #expect(await Self.failure(cloud, other).contains("Resource image_stage_total is over limit of 1"))
        // Data that is not staged is none of this limit's business.
        #expect(await cloud.put(other, [1]).status == 204)
        #expect(await Self.usage(cloud, "image_size_total") == 0)
        #expect(await cloud.importImage(staged, ImageImportTests.direct).status == 202)
        #expect(await Self.usage(cloud, "image_stage_total") == 2)
        await cloud.finishImports()
        #expect(await Self.usage(cloud, "image_stage_total") == 0)
        #expect(await Self.usage(cloud, "image_size_total") == 2)
    }

    @Test(
        "what a download finds used when its turn comes counts",
        arguments: [("file", "image_size_total"), ("stage", "image_stage_total")])
    func downloads(what: String, resource: String) async throws {
        let server = try await ImageWebServer()
        let cloud = try await ImageDataCloud { server.allow(&$0) }
        cloud.limits.set(resource, 1)
        let (waiting, other) = (await cloud.create(), await cloud.create())
        #expect(await cloud.importImage(waiting, server.download()).status == 202)
        #expect(await cloud.put(other, what, Self.mebibytes(2)).status == 204)
        await cloud.finishImports()
        let message = await Self.failure(cloud, waiting)
        #expect(message.contains("\(resource) is over limit of 1 due to current usage 2 and delta 0"), "\(message)")
        #expect(await cloud.status(waiting) == "queued")
        // Nothing keeps it from another try once there is room.
        #expect(await cloud.harness.delete("/image/v2/images/\(other)", as: .member).status == 204)
        #expect(await cloud.importImage(waiting, server.download()).status == 202)
        await cloud.finishImports()
        #expect(await cloud.status(waiting) == "active")
    }

    @Test("an import that would go over the limit fails, and of two at once the one that fits does not")
    func imports() async throws {
        let cloud = try await ImageDataCloud()
        cloud.limits.set("image_size_total", 5)
        let (first, second) = (await cloud.create(), await cloud.create())
        for id in [first, second] {
            #expect(await cloud.put(id, "stage", Self.mebibytes(3)).status == 204)
            #expect(await cloud.importImage(id, ImageImportTests.direct).status == 202)
        }
        await cloud.finishImports()
        let states = [await cloud.status(first), await cloud.status(second)]
        #expect(states.sorted() == ["active", "queued"])
        #expect(await Self.usage(cloud, "image_size_total") == 3)
        let message = await Self.failure(cloud, states[0] == "queued" ? first : second)
        #expect(
            message.contains("image_size_total is over limit of 5 due to current usage 3 and delta 3"), "\(message)")
        await cloud.slice.service.sweep()
        #expect(cloud.counts() == [1, 0])
    }

    @Test("however many come at once, no more are let in than the limit says")
    func atOnce() async throws {
        let cloud = try await ImageDataCloud()
        cloud.limits.set("image_count_total", 8)
        cloud.limits.set("image_count_uploading", 3)
        let ids = await withTaskGroup(of: String.self) { group in
            for _ in 0..<12 { group.addTask { await cloud.create() } }
            return await group.reduce(into: []) { $0.append($1) }
        }
        let made = ids.filter { !$0.hasPrefix("none: 413") }
        #expect(made.count == 8)
        let answers = await withTaskGroup(of: Int.self) { group in
            for id in made { group.addTask { await cloud.put(id, "stage", [1]).status } }
            return await group.reduce(into: []) { $0.append($1) }
        }
        #expect(answers.sorted() == [204, 204, 204, 413, 413, 413, 413, 413])
        #expect(await Self.usage(cloud, "image_count_uploading") == 3)
        #expect(await Self.usage(cloud, "image_count_total") == 8)
    }
}
