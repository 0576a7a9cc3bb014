import CoordinatorImage
import CoordinatorPlatform
import HTTPTypes
import ProtocolModel
import Testing

@Suite("image: metadata definitions")
struct ImageMetadefTests {
    private struct Session: Sendable {
        let cloud: ImageMetadataCloud

        init() async throws { cloud = try await ImageMetadataCloud() }

        func send(
            _ method: HTTPRequest.Method, _ path: String, _ body: JSON? = nil, as caller: TestCaller = .admin,
            headers: [String: String] = [:]
        ) async -> Answer {
            await cloud.harness.send(method, "/image/v2/metadefs/\(path)", body, as: caller, headers: headers)
        }

        func namespace(_ name: String, _ extra: [String: JSON] = [:]) async {
            var body: [String: JSON] = ["namespace": .string(name), "visibility": "public"]
            body.merge(extra) { _, new in new }
            _ = await send(.post, "namespaces", .object(body))
        }
    }

    @Test("a namespace's life")
    func namespace() async throws {
        let session = try await Session()
        let made = await session.send(
            .post, "namespaces",
            [
                "namespace": "ns", "display_name": "Namespace", "description": "d", "visibility": "public",
                "protected": true,
                "resource_type_associations": [["name": "OS::Glance::Image", "prefix": "p_"]],
                "properties": ["size": ["title": "Size", "type": "integer", "minimum": 0]],
                "objects": [
                    [
                        "name": "thing", "required": ["a"],
                        "properties": ["a": ["title": "A", "type": "string", "enum": ["x", "y"]]]
                    ]
                ],
                "tags": [["name": "t"]]
            ])
        #expect(made.status == 201)
        #expect(made.header("Location") == "https://cloud.test:8700/image/v2/metadefs/namespaces/ns")
        #expect(made.json["owner"] == .string(ImageMetadataCloud.projectID) && made.json["protected"] == true)
        let shown = await session.send(.get, "namespaces/ns", as: .stranger).json
        #expect(shown["self"] == "/v2/metadefs/namespaces/ns" && shown["schema"] == "/v2/schemas/metadefs/namespace")
        #expect(shown["properties"] == ["size": ["title": "Size", "type": "integer", "minimum": 0]])
        #expect(shown["objects"]?.arrayValue?.first?["required"] == ["a"])
        #expect(shown["objects"]?.arrayValue?.first?["self"] == "/v2/metadefs/namespaces/ns/objects/thing")
        #expect(shown["resource_type_associations"]?.arrayValue?.first?["prefix"] == "p_")
        #expect(shown["tags"] == [["name": "t"]])
        let prefixed = await session.send(.get, "namespaces/ns?resource_type=OS::Glance::Image").json
        #expect(prefixed["properties"]?["p_size"] != nil && prefixed["properties"]?["size"] == nil)
        #expect(prefixed["objects"]?.arrayValue?.first?["required"] == ["p_a"])
        #expect(prefixed["objects"]?.arrayValue?.first?["properties"]?["p_a"] != nil)
        let kept = await session.send(.delete, "namespaces/ns")
        #expect(kept.status == 403)
        #expect(kept.json["message"] == "Metadata definition namespace ns is protected and cannot be deleted.")
        for path in [
            "objects/thing", "properties/size", "tags/t", "resource_types/OS::Glance::Image", "objects", "tags"
        ] {
            #expect(await session.send(.delete, "namespaces/ns/\(path)").status == 403, "\(path)")
        }
        let changed = await session.send(
            .put, "namespaces/ns", ["namespace": "renamed", "visibility": "private", "protected": false])
        #expect(changed.status == 200)
        #expect(changed.json["visibility"] == "private" && changed.json["protected"] == false)
        #expect(changed.json["display_name"] == nil)
        #expect(await session.send(.get, "namespaces/ns").status == 404)
        #expect(await session.send(.get, "namespaces/renamed", as: .stranger).status == 404)
        #expect(await session.send(.get, "namespaces/renamed/objects/thing", as: .reader).status == 200)
        #expect(await session.send(.delete, "namespaces/renamed").status == 204)
        #expect(await session.send(.get, "namespaces/renamed").status == 404)
        let left = try await session.cloud.harness.database.read {
            try $0.count("SELECT COUNT(*) FROM metadef_items") + $0.count("SELECT COUNT(*) FROM metadef_associations")
        }
        #expect(left == 0)
    }

    @Test("objects")
    func objects() async throws {
        let session = try await Session()
        await session.namespace("ns")
        let made = await session.send(
            .post, "namespaces/ns/objects",
            ["name": "o", "description": "d", "properties": ["p": ["title": "P", "type": "string"]]])
        #expect(made.status == 201)
        #expect(made.json["name"] == "o" && made.json["required"] == [])
        #expect(made.json["schema"] == "/v2/schemas/metadefs/object")
        let twice = await session.send(.post, "namespaces/ns/objects", ["name": "o"])
        #expect(twice.status == 409)
        #expect(
            twice.json["message"] == "A metadata definition object with name=o already exists in namespace=ns.")
        let list = await session.send(.get, "namespaces/ns/objects", as: .reader).json
        #expect(list["objects"]?.arrayValue?.first == made.json && list["schema"] == "v2/schemas/metadefs/objects")
        let renamed = await session.send(.put, "namespaces/ns/objects/o", ["name": "o2"])
        #expect(renamed.status == 200 && renamed.json["name"] == "o2" && renamed.json["description"] == nil)
        _ = await session.send(.post, "namespaces/ns/objects", ["name": "o3"])
        #expect(await session.send(.put, "namespaces/ns/objects/o2", ["name": "o3"]).status == 409)
        let gone = await session.send(.get, "namespaces/ns/objects/o")
        #expect(gone.status == 404)
        #expect(
            gone.json["message"]
                == "The metadata definition object with name=o was not found in namespace=ns.")
        #expect(await session.send(.delete, "namespaces/ns/objects/o2").status == 204)
        #expect(await session.send(.delete, "namespaces/ns/objects").status == 204)
        #expect(await session.send(.get, "namespaces/ns/objects").json["objects"] == [])
    }

    @Test("properties, also by the name that they have on a resource")
    func properties() async throws {
        let session = try await Session()
        await session.namespace("ns")
        let type = "OS::Glance::Image"
        let body: JSON = ["name": .string(type), "title": "T", "type": "string", "enum": ["xen", "kvm"]]
        let made = await session.send(.post, "namespaces/ns/properties", body)
        #expect(made.status == 201 && made.json == body)
        #expect(await session.send(.get, "namespaces/ns/properties/\(type)", as: .stranger).json == body)
        let changed = await session.send(
            .put, "namespaces/ns/properties/\(type)", ["name": "size", "title": "U", "type": "integer"])
        #expect(changed.json == ["name": "size", "title": "U", "type": "integer"])
        let list = await session.send(.get, "namespaces/ns/properties").json
        #expect(list == ["properties": ["size": ["title": "U", "type": "integer"]]])
        let association = await session.send(
            .post, "namespaces/ns/resource_types", ["name": .string(type), "prefix": "hw_"])
        #expect(association.status == 201)
        let path = "namespaces/ns/properties"
        #expect(await session.send(.get, "\(path)/hw_size?resource_type=\(type)").json["name"] == "size")
        let plain = await session.send(.get, "\(path)/size?resource_type=\(type)")
        #expect(plain.status == 404)
        #expect(plain.json["message"]?.stringValue?.contains("prefix of 'hw_'") == true)
        #expect(await session.send(.get, "\(path)/hw_size?resource_type=other").status == 404)
        #expect(await session.send(.delete, "\(path)/size").status == 204)
        #expect(await session.send(.delete, "\(path)/size").status == 404)
    }

    @Test("tags: all at once, more, one at a time")
    func tags() async throws {
        let session = try await Session()
        await session.namespace("ns")
        func names() async -> Set<String> {
            let tags = await session.send(.get, "namespaces/ns/tags").json["tags"]?.arrayValue ?? []
            return Set(tags.compactMap { $0["name"]?.stringValue })
        }
        let path = "namespaces/ns/tags"
        let made = await session.send(.post, path, ["tags": [["name": "a"], ["name": "b"]]])
        #expect(made.status == 201 && made.json == ["tags": [["name": "a"], ["name": "b"]]])
        _ = await session.send(.post, path, ["tags": [["name": "c"]]])
        #expect(await names() == ["c"])
        _ = await session.send(.post, path, ["tags": [["name": "d"]]], headers: ["X-Openstack-Append": "True"])
        #expect(await names() == ["c", "d"])
        #expect(await session.send(.post, path, ["tags": [["name": "e"], ["name": "e"]]]).status == 409)
        #expect(await names() == ["c", "d"])
        let one = await session.send(.post, "\(path)/f")
        #expect(one.status == 201 && one.json["name"] == "f")
        #expect(one.json["created_at"] == "2026-01-01T00:00:00Z")
        #expect(await session.send(.put, "\(path)/f", ["name": "g"]).json["name"] == "g")
        #expect(await session.send(.get, "\(path)/g").status == 200)
        #expect(await session.send(.get, "\(path)/f").status == 404)
        #expect(
            await session.send(.get, "\(path)?sort_key=name&sort_dir=asc&limit=2").json
                == ["tags": [["name": "c"], ["name": "d"]]])
        #expect(
            await session.send(.get, "\(path)?sort_key=name&sort_dir=asc&marker=d").json == ["tags": [["name": "g"]]])
        #expect(await session.send(.delete, "\(path)/g").status == 204)
        #expect(await session.send(.delete, path).status == 204)
        #expect(await names().isEmpty)
    }

    @Test("resource types and associations")
    func resourceTypes() async throws {
        let session = try await Session()
        await session.namespace("ns")
        let path = "namespaces/ns/resource_types"
        let made = await session.send(
            .post, path, ["name": "OS::New::Type", "prefix": "x_", "properties_target": "image"])
        #expect(made.status == 201)
        #expect(made.json["name"] == "OS::New::Type" && made.json["properties_target"] == "image")
        #expect(await session.send(.post, path, ["name": "OS::New::Type"]).status == 409)
        let types = await session.send(.get, "resource_types", as: .stranger).json["resource_types"]?.arrayValue
        #expect(types?.first?["name"] == "OS::New::Type")
        let list = await session.send(.get, path, as: .reader).json["resource_type_associations"]?.arrayValue
        #expect(list == [made.json])
        #expect(await session.send(.delete, "\(path)/OS::New::Type").status == 204)
        let gone = await session.send(.delete, "\(path)/OS::New::Type")
        #expect(gone.status == 404)
        #expect(gone.json["message"] == "Failed to find resource type OS::New::Type to delete")
    }

    @Test("lists of namespaces: filters, order, pages, visibility")
    func lists() async throws {
        let session = try await Session()
        for name in ["c", "a", "d", "b"] {
            await session.namespace(
                name,
                [
                    "visibility": name == "d" ? "private" : "public",
                    "resource_type_associations": name < "c" ? [["name": "OS::Glance::Image"]] : []
                ])
        }
        func names(_ query: String, as caller: TestCaller = .member) async -> [String] {
            let body = await session.send(.get, "namespaces\(query)", as: caller).json
            return (body["namespaces"]?.arrayValue ?? []).compactMap { $0["namespace"]?.stringValue }
        }
        #expect(await names("") == ["b", "d", "a", "c"])
        #expect(await names("", as: .stranger) == ["b", "a", "c"])
        #expect(await names("?sort_key=namespace&sort_dir=asc") == ["a", "b", "c", "d"])
        #expect(await names("?visibility=private") == ["d"])
        #expect(await names("?visibility=private", as: .stranger) == [])
        #expect(await names("?resource_types=OS::Glance::Image,OS::Other") == ["b", "a"])
        var all: [String] = []
        var path: String? = "?sort_key=namespace&limit=3"
        while let query = path, all.count < 10 {
            let body = await session.send(.get, "namespaces\(query)").json
            #expect(body["first"] == "/v2/metadefs/namespaces?sort_key=namespace&limit=3")
            all += (body["namespaces"]?.arrayValue ?? []).compactMap { $0["namespace"]?.stringValue }
            path = body["next"]?.stringValue.map { "?" + $0.split(separator: "?")[1] }
        }
        #expect(all == ["d", "c", "b", "a"])
        for query in ["?limit=x", "?limit=-1", "?sort_key=x", "?sort_dir=up", "?visibility=shared"] {
            #expect(await session.send(.get, "namespaces\(query)").status == 400, "\(query)")
        }
        #expect(await session.send(.get, "namespaces?marker=none").status == 404)
    }

    static let badNamespaces: [(String, Int, String)] = [
        ("{}", 400, "'namespace' is a required property"), (#"{"namespace": ""}"#, 400, "1 to 80 characters"),
        (#"{"namespace": "n", "visibility": "shared"}"#, 400, "is not one of ['public', 'private']"),
        (#"{"namespace": "n", "protected": "yes"}"#, 400, "is not of type 'boolean'"),
        (#"{"namespace": "n", "x": 1}"#, 400, "Additional properties are not allowed ('x' was unexpected)"),
        (#"{"namespace": "n", "created_at": "x"}"#, 403, "Attribute 'created_at' is read-only."),
        (#"{"namespace": "n", "properties": {"p": {"type": "string"}}}"#, 400, "'title' is a required property"),
        (#"{"namespace": "n", "properties": {"p": {"title": "t", "type": "text"}}}"#, 400, "'text' is not one of"),
        (
            #"{"namespace": "n", "properties": {"p": {"title": "t", "type": "string", "maxLength": -1}}}"#, 400,
            "minimum"
        ),
        (#"{"namespace": "n", "objects": [{"description": "d"}]}"#, 400, "'name' is a required property"),
        (#"{"namespace": "n", "objects": [{"name": "o", "required": ["a", "a"]}]}"#, 400, "non-unique elements"),
        (#"{"namespace": "n", "tags": [{"name": 5}]}"#, 400, "is not of type 'string'"), ("[]", 400, "Malformed JSON")
    ]

    @Test("what is no namespace", arguments: badNamespaces)
    func refused(body: String, status: Int, message: String) async throws {
        let session = try await Session()
        let answer = await session.send(.post, "namespaces", try JSON.parse(body))
        #expect(answer.status == status)
        #expect(answer.json["message"]?.stringValue?.contains(message) == true, "\(answer.json.text)")
        #expect(await session.send(.get, "namespaces").json["namespaces"] == [])
    }

    @Test("only administrators define; everybody with a role reads what is public")
    func rights() async throws {
        let session = try await Session()
        await session.namespace("ns")
        #expect(await session.send(.post, "namespaces", ["namespace": "n"], as: .manager).status == 403)
        #expect(await session.send(.put, "namespaces/ns", ["namespace": "n"], as: .member).status == 403)
        #expect(await session.send(.delete, "namespaces/ns", as: .stranger).status == 403)
        #expect(await session.send(.post, "namespaces/ns/objects", ["name": "o"], as: .member).status == 403)
        #expect(await session.send(.post, "namespaces/ns/tags/t", as: .member).status == 403)
        await session.namespace("hidden", ["visibility": "private"])
        let foreign = await session.send(.delete, "namespaces/hidden", as: .stranger)
        #expect(foreign.status == 404)
        #expect(foreign.json["message"] == "Metadata definition namespace=hidden was not found.")
        #expect(await session.send(.get, "namespaces/hidden/objects", as: .stranger).status == 404)
    }

    @Test("the usual namespaces are there once, and what the operator deletes stays deleted")
    func defaults() async throws {
        let session = try await Session()
        try await session.cloud.slice.service.loadMetadefs()
        let list = await session.send(.get, "namespaces?limit=100", as: .reader).json["namespaces"]?.arrayValue ?? []
        #expect(list.count >= 14)
        let watchdog = await session.send(.get, "namespaces/OS::Compute::Watchdog", as: .reader).json
        #expect(
            watchdog["properties"]?["watchdog_action"]?["enum"] == ["disabled", "reset", "poweroff", "pause", "none"])
        #expect(watchdog["visibility"] == "public" && watchdog["protected"] == true)
        let types = await session.send(.get, "resource_types", as: .reader).json["resource_types"]?.arrayValue ?? []
        #expect(types.contains { $0["name"] == "OS::Glance::Image" })
        let quota = await session.send(.get, "namespaces/OS::Compute::Quota/objects", as: .reader).json
        #expect(quota["objects"]?.arrayValue?.count == 3)
        // Each is one that could be made through the API.
        for namespace in list {
            let name = namespace["namespace"]?.stringValue ?? ""
            var body = await session.send(.get, "namespaces/\(name)").json.objectValue ?? [:]
            for member in ["self", "schema", "created_at", "updated_at"] { body[member] = nil }
            body["namespace"] = .string("copy of \(name)")
            for list in ["objects", "resource_type_associations"] {
                body[list] = body[list]?.arrayValue.map { items in
                    .array(
                        items.map { item in
                            .object(
                                (item.objectValue ?? [:]).filter { key, _ in
                                    !["self", "schema", "created_at", "updated_at"].contains(key)
                                })
                        })
                }
            }
            #expect(await session.send(.post, "namespaces", .object(body)).status == 201, "\(name)")
        }
        let unprotected: JSON = ["namespace": "OS::Compute::TPM", "visibility": "public", "protected": false]
        #expect(await session.send(.put, "namespaces/OS::Compute::TPM", unprotected).status == 200)
        #expect(await session.send(.delete, "namespaces/OS::Compute::TPM").status == 204)
        try await session.cloud.slice.service.loadMetadefs()
        #expect(await session.send(.get, "namespaces/OS::Compute::TPM").status == 404)
    }
}
