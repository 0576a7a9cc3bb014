import CoordinatorImage
import CoordinatorPlatform
import ProtocolLink
import ProtocolModel
import Testing

@Suite("image downloads")
struct ImageWebTests {
    /// A file of its own for an authority's certificate.
    private final class AuthorityFile {
        let path = "/tmp/skerry-image-authority-\(ImageID.random().short).pem"
        init(_ text: String) throws { try TestFiles.write(Array(text.utf8), path) }
        deinit { try? TestFiles.delete(path) }
    }

    private static func message(_ cloud: ImageDataCloud, _ id: String) async -> String {
        let tasks = await cloud.harness.get("/image/v2/images/\(id)/tasks", as: .member).json["tasks"]?.arrayValue
        return tasks?.last?["message"]?.stringValue ?? "no message"
    }

    @Test("a server whose certificate comes from an authority that the operator names is believed")
    func privateAuthority() async throws {
        let now = SystemClock().now() / 1_000_000
        let authority = try CertificateAuthority.create(at: now)
        let server = try await ImageWebServer(
            certificate: try authority.issueServerCertificate(names: ["localhost"], at: now))
        let file = try AuthorityFile(authority.certificatePEM)
        let cloud = try await ImageDataCloud {
            server.allow(&$0)
            $0.webDownload.authorities = file.path
        }
        let id = await cloud.create()
        #expect(await cloud.importImage(id, server.download(scheme: "https", host: "localhost")).status == 202)
        await cloud.finishImports()
        let message = await Self.message(cloud, id)
        #expect(await cloud.status(id) == "active", "\(message)")
        let data = await cloud.harness.get("/image/v2/images/\(id)/file", as: .member).bytes
        #expect(data == ImageWebServer.image)
    }

    enum Doubt: String, CaseIterable {
        case noAuthority, otherAuthority, otherName, unreadableAuthority

        var reason: String {
            switch self {
            case .noAuthority, .otherAuthority: "its certificate is not from an authority that this cloud trusts"
            case .otherName: "its certificate is for another name"
            case .unreadableAuthority: "has to look at 'images.web_download.ca_file'"
            }
        }
    }

    @Test("any other is not, and the task says why", arguments: Doubt.allCases)
    func notBelieved(doubt: Doubt) async throws {
        let now = SystemClock().now() / 1_000_000
        let authority = try CertificateAuthority.create(at: now)
        let name = doubt == .otherName ? "other.test" : "localhost"
        let server = try await ImageWebServer(
            certificate: try authority.issueServerCertificate(names: [name], at: now))
        let other = try CertificateAuthority.create(at: now)
        let file = try AuthorityFile(doubt == .otherAuthority ? other.certificatePEM : authority.certificatePEM)
        let cloud = try await ImageDataCloud {
            server.allow(&$0)
            $0.webDownload.authorities =
                switch doubt {
                case .noAuthority: nil
                case .otherAuthority, .otherName: file.path
                case .unreadableAuthority: file.path + ".missing"
                }
        }
        let id = await cloud.create()
        #expect(await cloud.importImage(id, server.download(scheme: "https", host: "localhost")).status == 202)
        await cloud.slice.jobs.pass()
        // At once: trying again would change nothing.
        #expect(await cloud.status(id) == "queued")
        let message = await Self.message(cloud, id)
        #expect(message.contains(doubt.reason), "\(message)")
        #expect(!message.contains(file.path))
    }

    @Test("slow downloads of one project keep nobody waiting but itself")
    func fairness() async throws {
        let server = try await ImageWebServer()
        let cloud = try await ImageDataCloud { server.allow(&$0) }
        var slow: [String] = []
        for _ in 0..<(2 * ImportLane.places) {
            let id = await cloud.create()
            #expect(await cloud.importImage(id, server.download("/slow")).status == 202)
            slow.append(id)
        }
        func tasks(_ status: String) async -> Int {
            await cloud.harness.get("/image/v2/tasks?limit=100&status=\(status)").json["tasks"]?.arrayValue?.count ?? 0
        }
        #expect(await tasks("processing") == ImportLane.share)
        #expect(await tasks("pending") == 2 * ImportLane.places - ImportLane.share)
        #expect(await Self.message(cloud, slow[9]).hasPrefix("Waiting for its turn"))
        let stuck = Task { await cloud.slice.jobs.pass() }

        let theirs = await cloud.create(as: .stranger)
        #expect(await cloud.importImage(theirs, server.download(), as: .stranger).status == 202)
        let staged = await cloud.create()
        #expect(await cloud.put(staged, "stage", [1, 2, 3]).status == 204)
        #expect(await cloud.importImage(staged, ImageImportTests.direct).status == 202)
        // The jobs that hang may not be under way yet: then this pass would wait for them, and another one is needed.
        let passes = (0..<2).map { _ in Task { await cloud.slice.jobs.pass() } }
        for _ in 0..<500 {
            if await cloud.image(theirs, as: .stranger)["status"] == "active", await cloud.status(staged) == "active" {
                break
            }
            try await Task.sleep(for: .milliseconds(20))
        }
        #expect(await cloud.image(theirs, as: .stranger)["status"] == "active")
        #expect(await cloud.status(staged) == "active")
        #expect(await tasks("processing") == ImportLane.share)
        for task in [stuck] + passes { task.cancel() }
    }

    @Test("imports that wait get their turn when others end, and end when their time is over")
    func turns() async throws {
        let server = try await ImageWebServer()
        let cloud = try await ImageDataCloud { server.allow(&$0) }
        var ids: [String] = []
        for _ in 0..<9 {
            ids.append(await cloud.create())
            #expect(await cloud.importImage(ids.last ?? "", server.download()).status == 202)
        }
        // Deleted while it waits.
        #expect(await cloud.harness.delete("/image/v2/images/\(ids[7])", as: .member).status == 204)
        let ended = await cloud.harness.get("/image/v2/tasks?status=failure").json["tasks"]?.arrayValue ?? []
        try #require(ended.count == 1)
        let task = await cloud.harness.get("/image/v2/tasks/\(ended[0]["id"]?.stringValue ?? "")").json
        #expect(task["message"] == "the image was deleted")
        await cloud.finishImports()
        for (place, id) in ids.enumerated() { #expect(await cloud.status(id) == (place == 7 ? "none" : "active")) }

        var late: [String] = []
        for _ in 0..<6 {
            late.append(await cloud.create())
            #expect(await cloud.importImage(late.last ?? "", server.download("/slow")).status == 202)
        }
        cloud.harness.clock.advance(by: .seconds(49 * 3_600))
        try await cloud.slice.service.expire()
        #expect(await cloud.status(late[5]) == "queued")
        #expect(await cloud.status(late[0]) == "importing")
        #expect(await Self.message(cloud, late[5]).hasPrefix("It waited for its turn"))
        await cloud.finishImports()
        for id in late { #expect(await cloud.status(id) == "queued") }
    }
}
