import CoordinatorIdentity
import CoordinatorImage
import CoordinatorPlatform
import Logging
import ProtocolModel
import Testing

@Suite("image: unified limits")
struct ImageLimitTests {
    /// Identity and images over one database, as the daemon puts them together; the caller is an administrator of the
    /// project `admin`.
    private final class LimitCloud: Sendable {
        let session: IdentitySession
        let harness: APIHarness
        let slice: ImageSlice
        private let root: String

        init() async throws {
            session = try await IdentitySession.admin()
            let cloud = session.cloud
            let database = cloud.harness.database
            try await Migrator(PlatformMigrations.all + IdentityMigrations.all + ImageSlice.migrations)
                .migrate(database, now: 0)
            root = "/tmp/skerry-image-limits-\(ImageID.random().short)"
            try TestFiles.makeFolder(root)
            var logger = Logger(label: "image limits")
            logger.logLevel = .critical
            slice = ImageSlice(
                blobs: try BlobStore(directory: root + "/images"), database: database, clock: cloud.clock,
                limits: UnifiedImageLimits(directory: cloud.identity.directory, region: "RegionOne"), logger: logger)
            harness = APIHarness(
                services: [IdentityAPI.make(cloud.identity), slice.api], database: database,
                authenticator: cloud.identity.tokens, clock: cloud.clock)
        }

        deinit { TestFiles.remove(root) }

        func service(_ type: String) -> String {
            session.cloud.identity.directory.state.services.values.first { $0.type == type }?.key ?? ""
        }

        func project(_ name: String) -> String {
            let projects = session.cloud.identity.directory.projects
            return projects.first { $0.name == name }?.id.compact ?? ""
        }

        /// - Returns: The registered limit's id.
        func register(_ resource: String, _ limit: Int, service: String = "image", region: JSON? = nil) async -> String
        {
            var members: [String: JSON] = [
                "service_id": .string(self.service(service)), "resource_name": .string(resource),
                "default_limit": JSON(limit)
            ]
            members["region_id"] = region
            let answer = await session.send(
                .post, "registered_limits", ["registered_limits": .array([.object(members)])])
            return answer.json["registered_limits"]?.arrayValue?.first?["id"]?.stringValue
                ?? "none: \(answer.json.text)"
        }

        /// - Returns: The limit's id.
        func limit(_ resource: String, _ limit: Int, project: String, region: JSON? = nil) async -> String {
            var members: [String: JSON] = [
                "service_id": .string(service("image")), "resource_name": .string(resource),
                "resource_limit": JSON(limit), "project_id": .string(self.project(project))
            ]
            members["region_id"] = region
            let answer = await session.send(.post, "limits", ["limits": .array([.object(members)])])
            return answer.json["limits"]?.arrayValue?.first?["id"]?.stringValue ?? "none: \(answer.json.text)"
        }

        func usage(_ resource: String, token: String? = nil) async -> JSON? {
            await harness.send(.get, "/image/v2/info/usage", bytes: [], token: token ?? session.token)
                .json["usage"]?[resource]
        }

        func create(token: String? = nil) async -> Answer {
            let body: JSON = ["name": "image", "disk_format": "raw", "container_format": "bare"]
            return await harness.send(
                .post, "/image/v2/images", bytes: body.serialize(), token: token ?? session.token)
        }

        func image() async -> String { await create().json["id"]?.stringValue ?? "none" }

        func put(_ id: String, _ what: String, mebibytes: Int) async -> Answer {
            await harness.send(
                .put, "/image/v2/images/\(id)/\(what)", bytes: [UInt8](repeating: 1, count: mebibytes << 20),
                token: session.token, headers: ["Content-Type": "application/octet-stream"])
        }

        func show(_ id: String) async -> JSON {
            await harness.send(.get, "/image/v2/images/\(id)", bytes: [], token: session.token).json
        }
    }

    @Test("a registered limit holds for every project, and a project's own goes before it")
    func count() async throws {
        let cloud = try await LimitCloud()
        #expect(await cloud.usage("image_count_total") == ["usage": 0, "limit": -1])
        let registered = await cloud.register("image_count_total", 1)
        // Of another service, or another resource, it is not ours.
        _ = await cloud.register("image_count_uploading", 0, service: "compute")
        #expect(await cloud.usage("image_count_uploading") == ["usage": 0, "limit": -1])
        #expect(await cloud.create().status == 201)
        #expect(await cloud.usage("image_count_total") == ["usage": 1, "limit": 1])
        let refused = await cloud.create()
        #expect(refused.status == 413)
        #expect(
            refused.json["message"]?.stringValue?.contains(
                "Resource image_count_total is over limit of 1 due to current usage 1 and delta 1") == true)

        let own = await cloud.limit("image_count_total", 2, project: "admin")
        #expect(await cloud.usage("image_count_total") == ["usage": 1, "limit": 2])
        #expect(await cloud.create().status == 201)
        #expect(await cloud.create().status == 413)
        let demo = await cloud.session.cloud.demoToken()
        #expect(await cloud.usage("image_count_total", token: demo) == ["usage": 0, "limit": 1])

        // Changes and removals hold at once.
        let changed = await cloud.session.send(.patch, "limits/\(own)", ["limit": ["resource_limit": -1]])
        #expect(changed.status == 200, "\(changed.json.text)")
        #expect(await cloud.usage("image_count_total") == ["usage": 2, "limit": -1])
        #expect(await cloud.create().status == 201)
        #expect(await cloud.session.send(.delete, "limits/\(own)").status == 204)
        #expect(await cloud.usage("image_count_total") == ["usage": 3, "limit": 1])
        #expect(await cloud.session.send(.delete, "registered_limits/\(registered)").status == 204)
        #expect(await cloud.usage("image_count_total") == ["usage": 3, "limit": -1])
    }

    @Test("what is registered for the cloud's region goes before what is registered for all, and others' do not count")
    func regions() async throws {
        let cloud = try await LimitCloud()
        _ = await cloud.session.make("region", ["id": "Elsewhere"])
        _ = await cloud.register("image_count_total", 1, region: "Elsewhere")
        #expect(await cloud.usage("image_count_total") == ["usage": 0, "limit": -1])
        _ = await cloud.register("image_count_total", 5)
        _ = await cloud.limit("image_count_total", 6, project: "admin")
        #expect(await cloud.usage("image_count_total") == ["usage": 0, "limit": 6])
        _ = await cloud.register("image_count_total", 7, region: "RegionOne")
        #expect(await cloud.usage("image_count_total") == ["usage": 0, "limit": 7])
        _ = await cloud.limit("image_count_total", 8, project: "admin", region: "RegionOne")
        #expect(await cloud.usage("image_count_total") == ["usage": 0, "limit": 8])
    }

    @Test("an upload past a limit is refused and changes nothing", arguments: [("file", "size"), ("stage", "stage")])
    func upload(what: String, resource: String) async throws {
        let cloud = try await LimitCloud()
        let (full, next) = (await cloud.image(), await cloud.image())
        #expect(await cloud.put(full, what, mebibytes: 2).status == 204)
        _ = await cloud.register("image_\(resource)_total", 9)
        #expect(await cloud.usage("image_\(resource)_total") == ["usage": 2, "limit": 9])
        _ = await cloud.limit("image_\(resource)_total", 1, project: "admin")
        let before = await cloud.show(next)
        #expect(before["status"] == "queued")
        #expect(await cloud.put(next, what, mebibytes: 1).status == 413)
        #expect(await cloud.show(next) == before)
        #expect(await cloud.usage("image_\(resource)_total") == ["usage": 2, "limit": 1])
        #expect(await cloud.usage("image_count_uploading")?["usage"] == JSON(what == "stage" ? 1 : 0))
    }

    @Test("no more images at once are uploaded than the limit says")
    func uploading() async throws {
        let cloud = try await LimitCloud()
        _ = await cloud.register("image_count_uploading", 1)
        let (staged, next) = (await cloud.image(), await cloud.image())
        #expect(await cloud.put(staged, "stage", mebibytes: 1).status == 204)
        #expect(await cloud.usage("image_count_uploading") == ["usage": 1, "limit": 1])
        #expect(await cloud.put(next, "file", mebibytes: 1).status == 413)
        #expect(await cloud.show(next)["status"] == "queued")
        _ = await cloud.limit("image_count_uploading", 2, project: "admin")
        #expect(await cloud.put(next, "file", mebibytes: 1).status == 204)
    }
}
