import CoordinatorImage
import CoordinatorPlatform
import ProtocolModel
import Testing

@Suite("image import")
struct ImageImportTests {
    static let direct: JSON = ["method": ["name": "glance-direct"]]

    @Test("glance-direct: staged, imported, told as a task")
    func glanceDirect() async throws {
        let cloud = try await ImageDataCloud()
        let id = await cloud.create()
        #expect(await cloud.importImage(id, Self.direct).status == 409)
        #expect(await cloud.put(id, "stage", [1, 2, 3]).status == 204)
        let staged = await cloud.image(id)
        #expect(staged["status"] == "uploading" && staged["size"] == 3)
        #expect(await cloud.harness.get("/image/v2/images/\(id)/file", as: .member).status == 204)
        let answer = await cloud.importImage(id, Self.direct)
        #expect(answer.status == 202)
        let importing = await cloud.image(id)
        #expect(importing["status"] == "importing" && importing["os_glance_importing_to_stores"] == "default")
        #expect(await cloud.importImage(id, Self.direct).status == 409)
        await cloud.finishImports()
        let image = await cloud.image(id)
        #expect(image["status"] == "active" && image["stores"] == "default" && image["size"] == 3)
        #expect(image["os_glance_importing_to_stores"] == "" && image["os_glance_failed_import"] == "")
        #expect(image["os_glance_import_task"] == nil)
        #expect(await cloud.harness.get("/image/v2/images/\(id)/file", as: .member).bytes == [1, 2, 3])
        await cloud.slice.service.sweep()
        #expect(cloud.counts() == [1, 0])

        let tasks = await cloud.harness.get("/image/v2/images/\(id)/tasks", as: .member).json["tasks"]?.arrayValue ?? []
        try #require(tasks.count == 1)
        #expect(tasks[0]["status"] == "success" && tasks[0]["type"] == "api_image_import")
        #expect(tasks[0]["input"]?["import_req"]?["method"]?["name"] == "glance-direct")
        #expect(tasks[0]["request_id"]?.stringValue == answer.header("X-Openstack-Request-Id"))
        #expect(await cloud.harness.get("/image/v2/images/\(id)/tasks", as: .stranger).status == 404)
        #expect(await cloud.importImage(id, Self.direct).status == 409)
    }

    @Test("what is in the way is said, and the image is queued again")
    func failure() async throws {
        let cloud = try await ImageDataCloud()
        let id = await cloud.create("qcow2")
        #expect(await cloud.put(id, "stage", [1, 2, 3]).status == 204)
        #expect(await cloud.importImage(id, Self.direct).status == 202)
        await cloud.finishImports()
        let image = await cloud.image(id)
        #expect(image["status"] == "queued" && image["os_glance_failed_import"] == "default" && image["size"] == .null)
        let tasks = await cloud.harness.get("/image/v2/images/\(id)/tasks", as: .member).json["tasks"]?.arrayValue ?? []
        #expect(tasks.first?["status"] == "failure")
        #expect(tasks.first?["message"]?.stringValue?.contains("does not match stream data raw") == true)
        await cloud.slice.service.sweep()
        #expect(cloud.counts() == [0, 0])
        // It can be used all the same.
        #expect(await cloud.put(id, "stage", [1]).status == 204)
    }

    @Test("an import past its deadline ends, also when nobody ran it")
    func deadline() async throws {
        let cloud = try await ImageDataCloud()
        let id = await cloud.create()
        #expect(await cloud.put(id, "stage", [1]).status == 204)
        #expect(await cloud.importImage(id, Self.direct).status == 202)
        cloud.harness.clock.advance(by: .seconds(7 * 3_600))
        await cloud.finishImports()
        #expect(await cloud.status(id) == "queued")
    }

    @Test("an import's time begins with its turn, and one that never had its turn keeps what was staged")
    func waiting() async throws {
        let cloud = try await ImageDataCloud()
        func begin() async -> [String] {
            var ids: [String] = []
            for _ in 0..<(ImportLane.share + 2) {
                ids.append(await cloud.create())
                #expect(await cloud.put(ids.last ?? "", "stage", [1, 2, 3]).status == 204)
                #expect(await cloud.importImage(ids.last ?? "", Self.direct).status == 202)
            }
            return ids
        }
        let ids = await begin()
        cloud.harness.clock.advance(by: .seconds(7 * 3_600))
        try await cloud.slice.service.expire()
        await cloud.finishImports()
        for (place, id) in ids.enumerated() {
            #expect(await cloud.status(id) == (place < ImportLane.share ? "queued" : "active"))
        }

        let late = await begin()
        cloud.harness.clock.advance(by: .seconds(49 * 3_600))
        try await cloud.slice.service.expire()
        cloud.harness.clock.advance(by: .seconds(3_600))
        try await cloud.slice.service.expire()
        #expect(await cloud.status(late[0]) == "importing")
        let id = late[ImportLane.share]
        let image = await cloud.image(id)
        #expect(image["status"] == "uploading" && image["os_glance_failed_import"] == "default" && image["size"] == 3)
        let tasks = await cloud.harness.get("/image/v2/images/\(id)/tasks", as: .member).json["tasks"]?.arrayValue
        #expect(tasks?.first?["status"] == "failure")
        #expect(tasks?.first?["message"]?.stringValue?.hasPrefix("It waited for its turn") == true)
        await cloud.finishImports()
        #expect(await cloud.importImage(id, Self.direct).status == 202)
        await cloud.finishImports()
        #expect(await cloud.harness.get("/image/v2/images/\(id)/file", as: .member).bytes == [1, 2, 3])
    }

    @Test("an image deleted on the way leaves a failed task and nothing else")
    func deleted() async throws {
        let cloud = try await ImageDataCloud()
        let id = await cloud.create()
        #expect(await cloud.put(id, "stage", [1]).status == 204)
        #expect(await cloud.importImage(id, Self.direct).status == 202)
        #expect(await cloud.harness.delete("/image/v2/images/\(id)", as: .member).status == 204)
        await cloud.finishImports()
        await cloud.slice.service.sweep()
        #expect(cloud.counts() == [0, 0])
        let tasks = await cloud.harness.get("/image/v2/tasks?status=failure").json["tasks"]?.arrayValue ?? []
        #expect(tasks.count == 1)
    }

    @Test("copy-image is the administrator's, and finds the image in its one store")
    func copy() async throws {
        let cloud = try await ImageDataCloud()
        let id = await cloud.create()
        let body: JSON = ["method": ["name": "copy-image"], "all_stores": true, "all_stores_must_succeed": false]
        #expect(await cloud.importImage(id, body, as: .admin).status == 409)
        #expect(await cloud.put(id, [1]).status == 204)
        #expect(await cloud.importImage(id, body).status == 403)
        #expect(await cloud.importImage(id, body, as: .admin).status == 202)
        #expect(await cloud.image(id)["os_glance_importing_to_stores"] == "")
        let one = await cloud.importImage(
            id, ["method": ["name": "copy-image"], "stores": ["default"]], as: .admin)
        #expect(one.status == 400)
        #expect(one.json["message"] == "Image is already present at store 'default'")
    }

    @Test(
        "wrong requests",
        arguments: [
            ("{}", 400, "Import request requires a 'method' field."),
            (#"{"method": {}}"#, 400, "Import request requires a 'name' field."),
            (#"{"method": 7}"#, 400, "Import request requires a 'name' field."),
            (#"{"method": {"name": "teleport"}}"#, 400, "Unknown import method name 'teleport'."),
            (#"{"method": {"name": "web-download", "uri": "http://a/"}}"#, 400, "Unknown import method name"),
            (
                #"{"method": {"name": "glance-direct"}, "all_stores": "yes"}"#, 400,
                "'all_stores' must be boolean value only"
            ),
            (
                #"{"method": {"name": "glance-direct"}, "all_stores": true, "stores": ["default"]}"#, 400,
                "All_stores parameter can't be used"
            ),
            (#"{"method": {"name": "glance-direct"}, "stores": ["tape"]}"#, 409, "Unknown scheme 'tape'"),
            (#"{"method": {"name": "glance-direct"}, "stores": "default"}"#, 400, "'stores' must be a list"),
            (#"{"method": {"name": "glance-direct"}}"#, 409, "Image needs to be staged")
        ])
    func wrong(body: String, status: Int, message: String) async throws {
        let cloud = try await ImageDataCloud()
        let id = await cloud.create()
        let answer = await cloud.importImage(id, try JSON.parse(body))
        #expect(answer.status == status)
        #expect(answer.json["message"]?.stringValue?.hasPrefix(message) == true, "\(answer.json.text)")
    }

    @Test("what one can import with and to")
    func info() async throws {
        let cloud = try await ImageDataCloud { $0.webDownload.hosts = ["images.example.org"] }
        let created = await cloud.harness.post("/image/v2/images", ["name": "x"], as: .member)
        #expect(created.header("OpenStack-image-import-methods") == "glance-direct,web-download,copy-image")
        #expect(created.header("OpenStack-image-store-ids") == "default")
        let methods = await cloud.harness.get("/image/v2/info/import", as: .reader).json["import-methods"]
        #expect(methods?["value"] == ["glance-direct", "web-download", "copy-image"])
        let stores = await cloud.harness.get("/image/v2/info/stores", as: .reader).json["stores"]?.arrayValue
        #expect(stores?.first?["id"] == "default" && stores?.first?["default"] == "true")
        #expect(await cloud.harness.get("/image/v2/info/stores/detail", as: .member).status == 403)
        let detail = await cloud.harness.get("/image/v2/info/stores/detail").json["stores"]?.arrayValue
        #expect(detail?.first?["type"] == "file")
    }

    @Test("web-download refuses what is not on the list")
    func webDownload() async throws {
        let cloud = try await ImageDataCloud { $0.webDownload.hosts = ["images.example.org", "127.0.0.1"] }
        let id = await cloud.create()
        for uri in [
            "file:///etc/passwd", "http://other.example.org/x", "http://127.0.0.1/x", "https://images.example.org:22/x",
            "http://images.example.org@10.0.0.1/", "ftp://images.example.org/x"
        ] {
            let answer = await cloud.importImage(id, ["method": ["name": "web-download", "uri": JSON(uri)]])
            #expect(answer.status == 400, "\(uri)")
            #expect(answer.json["message"]?.stringValue?.hasPrefix("URI for web-download does not pass") == true)
        }
        #expect(await cloud.importImage(id, ["method": ["name": "web-download"]]).status == 400)
        #expect(await cloud.status(id) == "queued")
    }

    @Test("tasks are the administrator's: list, pages, show, and what is not possible")
    func tasks() async throws {
        let cloud = try await ImageDataCloud()
        for _ in 0..<3 {
            let id = await cloud.create()
            #expect(await cloud.put(id, "stage", [1]).status == 204)
            #expect(await cloud.importImage(id, Self.direct).status == 202)
            cloud.harness.clock.advance(by: .seconds(1))
        }
        await cloud.finishImports()
        #expect(await cloud.harness.get("/image/v2/tasks", as: .member).status == 403)
        let page = await cloud.harness.get("/image/v2/tasks?limit=2&sort_key=created_at&sort_dir=asc").json
        #expect(page["tasks"]?.arrayValue?.count == 2)
        let next = try #require(page["next"]?.stringValue)
        let last = await cloud.harness.get("/image" + next).json["tasks"]?.arrayValue ?? []
        try #require(last.count == 1)
        let id = last[0]["id"]?.stringValue ?? ""
        let task = await cloud.harness.get("/image/v2/tasks/\(id)").json
        #expect(task["status"] == "success" && task["expires_at"] != nil && task["self"] == JSON("/v2/tasks/\(id)"))
        #expect(await cloud.harness.get("/image/v2/tasks/nonsense").status == 404)
        #expect(await cloud.harness.delete("/image/v2/tasks/\(id)").status == 405)
        let made = await cloud.harness.post(
            "/image/v2/tasks", ["type": "import", "input": ["import_from": "http://dummy"]])
        #expect(made.status == 400)
        for query in ["status=odd", "type=odd", "sort_dir=up", "sort_key=odd", "limit=-1", "limit=x", "marker=x"] {
            #expect(await cloud.harness.get("/image/v2/tasks?\(query)").status == 400, "\(query)")
        }
    }
}
