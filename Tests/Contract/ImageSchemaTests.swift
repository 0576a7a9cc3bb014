import CoordinatorImage
import CoordinatorPlatform
import ProtocolModel
import Testing

@Suite("image: versions, schemas, usage, protected properties")
struct ImageSchemaTests {
    @Test("the versions document, with and without a token")
    func versions() async throws {
        let cloud = try await ImageMetadataCloud()
        for (path, status) in [("/image/", 300), ("/image", 300), ("/image/versions", 200)] {
            let answer = await cloud.harness.get(path, as: nil)
            #expect(answer.status == status)
            let versions = answer.json["versions"]?.arrayValue ?? []
            #expect(versions.first?["id"] == "v2.15" && versions.first?["status"] == "CURRENT")
            #expect(versions.last?["id"] == "v2.0" && versions.last?["status"] == "SUPPORTED")
            #expect(versions.count { $0["status"] == "CURRENT" } == 1)
            // There is no image cache to manage.
            #expect(!versions.contains { $0["id"] == "v2.14" })
            #expect(versions.first?["links"] == [["rel": "self", "href": "https://cloud.test:8700/image/v2/"]])
        }
    }

    static let schemas: [(path: String, name: String)] = [
        ("image", "image"), ("images", "images"), ("member", "member"), ("members", "members"), ("task", "task"),
        ("tasks", "tasks"), ("metadefs/namespace", "namespace"), ("metadefs/namespaces", "namespaces"),
        ("metadefs/object", "object"), ("metadefs/objects", "objects"), ("metadefs/property", "property"),
        ("metadefs/properties", "properties"), ("metadefs/tag", "tag"), ("metadefs/tags", "tags"),
        ("metadefs/resource_type", "resource_type_association"),
        ("metadefs/resource_types", "resource_type_associations")
    ]

    @Test("each schema document says what it is", arguments: schemas)
    func schema(path: String, name: String) async throws {
        let cloud = try await ImageMetadataCloud()
        let answer = await cloud.harness.get("/image/v2/schemas/\(path)", as: .reader)
        #expect(answer.status == 200)
        #expect(answer.json["name"] == .string(name))
        #expect(answer.json["properties"]?.objectValue?.isEmpty == false)
        // What a document refers to is in it.
        let text = answer.json.text
        for part in text.split(separator: "#/definitions/").dropFirst() {
            let definition = String(part.prefix { $0 != "\"" })
            #expect(answer.json["definitions"]?[definition] != nil, "\(definition)")
        }
        #expect(await cloud.harness.get("/image/v2/schemas/\(path)", as: nil).status == 401)
    }

    @Test("images are as their schema says")
    func shape() async throws {
        let cloud = try await ImageMetadataCloud {
            $0.showsLocations = true
            $0.showsDirectURL = true
        }
        let id = await cloud.image(["color": "red"])
        _ = await cloud.upload(id)
        let schema = JSONSchema(await cloud.harness.get("/image/v2/schemas/images").json)
        try schema.validate(await cloud.harness.get("/image/v2/images", as: .member).json)
        _ = await cloud.harness.post("/image/v2/images/\(id)/members", ["member": "x"], as: .member)
        let members = JSONSchema(await cloud.harness.get("/image/v2/schemas/members").json)
        try members.validate(await cloud.harness.get("/image/v2/images/\(id)/members", as: .member).json)
        try await cloud.slice.service.loadMetadefs()
        let namespaces = JSONSchema(await cloud.harness.get("/image/v2/schemas/metadefs/namespaces").json)
        try namespaces.validate(await cloud.harness.get("/image/v2/metadefs/namespaces?limit=100").json)
    }

    @Test("usage and limits")
    func usage() async throws {
        let cloud = try await ImageMetadataCloud()
        let empty = await cloud.harness.get("/image/v2/info/usage", as: .reader).json["usage"]
        for name in ["image_size_total", "image_count_total", "image_count_uploading", "image_stage_total"] {
            #expect(empty?[name] == ["usage": 0, "limit": -1])
        }
        cloud.limits.set("image_count_total", 2)
        let first = await cloud.image()
        _ = await cloud.upload(first, [UInt8](repeating: 1, count: 3 << 20))
        _ = await cloud.image()
        let full = await cloud.harness.get("/image/v2/info/usage", as: .member).json["usage"]
        #expect(full?["image_count_total"] == ["usage": 2, "limit": 2])
        #expect(full?["image_size_total"] == ["usage": 3, "limit": -1])
        let refused = await cloud.harness.post("/image/v2/images", ["name": "third"], as: .member)
        #expect(refused.status == 413)
        #expect(
            refused.json["message"]?.stringValue?.contains(
                "Resource image_count_total is over limit of 2 due to current usage 2 and delta 1") == true)
        // The limit is that of the owner.
        #expect(await cloud.harness.post("/image/v2/images", [:], as: .stranger).status == 201)
        #expect(await cloud.harness.delete("/image/v2/images/\(first)", as: .member).status == 204)
        #expect(await cloud.harness.post("/image/v2/images", [:], as: .member).status == 201)
    }

    private static let protections = """
        # Who may do what
        [^x_billing_]
        create = admin,billing
        read = member, admin
        update = admin
        delete = !
        [x_nobody]
        create = @
        read = !
        update = !
        delete = !
        [.*]
        create = @
        read = @
        update = @
        delete = @
        """

    @Test("protected properties")
    func protections() async throws {
        let cloud = try await ImageMetadataCloud {
            $0.propertyProtections = try PropertyProtections(parsing: Self.protections)
        }
        let refused = await cloud.harness.post("/image/v2/images", ["x_billing_code": "7"], as: .member)
        #expect(refused.status == 403)
        #expect(refused.json["message"] == "Attribute 'x_billing_code' is reserved.")
        let id = await cloud.image(["free": "1", "x_nobody": "secret"])
        #expect(await cloud.show(id).json["x_nobody"] == nil)
        let add: JSON = [["op": "add", "path": "/x_billing_code", "value": "7"]]
        #expect(await cloud.patch(id, add).status == 403)
        #expect(await cloud.patch(id, add, as: .admin).json["x_billing_code"] == "7")
        #expect(await cloud.show(id).json["x_billing_code"] == "7")
        #expect(await cloud.show(id, as: .reader).json["x_billing_code"] == nil)
        let listed = await cloud.harness.get("/image/v2/images", as: .reader).json["images"]?.arrayValue?.first
        #expect(listed?["x_billing_code"] == nil && listed?["free"] == "1")
        let replace: JSON = [["op": "replace", "path": "/x_billing_code", "value": "8"]]
        #expect(await cloud.patch(id, replace).status == 403)
        #expect(await cloud.patch(id, replace, as: .admin).status == 200)
        #expect(await cloud.patch(id, [["op": "remove", "path": "/x_billing_code"]], as: .admin).status == 403)
        let hidden = await cloud.patch(id, [["op": "replace", "path": "/x_nobody", "value": "y"]])
        #expect(hidden.status == 409)
        #expect(await cloud.patch(id, [["op": "remove", "path": "/free"]]).status == 200)
    }

    @Test("each default rule can be read, and each route says which it asks")
    func policy() async throws {
        let cloud = try await ImageMetadataCloud()
        #expect(cloud.slice.api.policy.problems.isEmpty)
        let named = cloud.slice.api.routes.flatMap { route -> [String] in
            if case .rules(let names) = route.guarding { names } else { [] }
        }
        let unknown = Set(named).subtracting(cloud.slice.api.policy.rules.keys)
        #expect(unknown.isEmpty)
    }
}
