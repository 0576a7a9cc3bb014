import CoordinatorPlatform
import ProtocolModel

/// `/images`, to 2.35, and their metadata, to 2.38: the image service's images, as the compute API had them.
struct ImageProxy: Sendable {
    let parts: ComputeParts
    let proxies: ProxyCalls

    var all: [Route] {
        let path = "/v2.1/images"
        let metadata = path + "/{id}/metadata"
        return [
            Route(.get, path) { try await list($0, isDetail: false) }.asking("get_images", "get_image"),
            Route(.get, path + "/detail") { try await list($0, isDetail: true) }.asking("get_images", "get_image"),
            Route(.get, path + "/{id}", handler: show).asking("get_image"),
            Route(.delete, path + "/{id}", action: "compute.image.delete", handler: delete)
                .asking("delete_image", "get_image"),
            Route(.get, metadata, handler: showMetadata).asking("get_image"),
            Route(.post, metadata, action: "compute.image.metadata") { try await setMetadata($0, isWhole: false) }
                .asking("get_image", "modify_image"),
            Route(.put, metadata, action: "compute.image.metadata") { try await setMetadata($0, isWhole: true) }
                .asking("get_image", "modify_image"),
            Route(.get, metadata + "/{key}", handler: showItem).asking("get_image"),
            Route(.put, metadata + "/{key}", action: "compute.image.metadata", handler: setItem)
                .asking("get_image", "modify_image"),
            Route(.delete, metadata + "/{key}", action: "compute.image.metadata", handler: deleteItem)
                .asking("get_image", "modify_image")
        ]
    }

    private static let path = "/image/v2/images"

    // MARK: How images look

    private static let states = [
        "queued": "SAVING", "saving": "SAVING", "uploading": "SAVING", "importing": "SAVING", "active": "ACTIVE",
        "deleted": "DELETED", "pending_delete": "DELETED", "killed": "ERROR"
    ]
    private static let progress = ["queued": 25, "saving": 50, "uploading": 50, "importing": 50, "active": 100]

    /// Members that are the image's own; what is beside them is its metadata.
    private static let own: Set<String> = [
        "id", "name", "status", "visibility", "protected", "tags", "min_disk", "min_ram", "size", "virtual_size",
        "created_at", "updated_at", "owner", "checksum", "os_hash_algo", "os_hash_value", "os_hidden", "disk_format",
        "container_format", "self", "file", "schema", "locations", "direct_url", "stores"
    ]

    private static func metadata(_ image: JSON) -> [String: String] {
        (image.objectValue ?? [:]).filter { !own.contains($0.key) }.compactMapValues(\.stringValue)
    }

    private static func basic(_ image: JSON, _ call: APICall) -> [String: JSON] {
        let id = image["id"]?.stringValue ?? ""
        let links = Links(call.baseURL)
        let alternate: JSON = [
            "rel": "alternate", "type": "application/vnd.openstack.image",
            "href": .string("\(call.baseURL)/image/images/\(id)")
        ]
        return [
            "id": .string(id), "name": image["name"] ?? .null,
            "links": .array((links.both("images/\(id)").arrayValue ?? []) + [alternate])
        ]
    }

    private static func detail(_ image: JSON, _ call: APICall) -> JSON {
        var out = basic(image, call)
        let status = image["status"]?.stringValue ?? ""
        let metadata = metadata(image)
        out["status"] = .string(states[status] ?? "UNKNOWN")
        out["progress"] = JSON(progress[status] ?? 0)
        out["created"] = image["created_at"] ?? .null
        out["updated"] = image["updated_at"] ?? .null
        out["minDisk"] = image["min_disk"] ?? 0
        out["minRam"] = image["min_ram"] ?? 0
        out["OS-EXT-IMG-SIZE:size"] = image["size"] ?? .null
        out["metadata"] = .object(metadata.mapValues(JSON.string))
        if let server = metadata["instance_uuid"] {
            out["server"] = ["id": .string(server), "links": Links(call.baseURL).both("servers/\(server)")]
        }
        if let config = metadata["auto_disk_config"] {
            out["OS-DCF:diskConfig"] = BooleanWords.loose(config) ?? false ? "AUTO" : "MANUAL"
        }
        return .object(out)
    }

    // MARK: Reading

    private func find(_ call: APICall, last: Int = ProxyVersion.last) async throws -> JSON {
        try call.requireVersion(!call.microversion.has(last + 1))
        do { return try await proxies.send(.get, "\(Self.path)/\(try Self.id(call))", for: call) } catch let error
            as APIError where error.status == 404
        { throw Self.missing }
    }

    private static func id(_ call: APICall) throws -> String {
        guard let id = AnyID(call.parameter("id")) else { throw missing }
        return id.text
    }

    private static let missing = APIError.notFound("Image not found.")

    @Sendable private func show(_ call: APICall) async throws -> APIResponse {
        .json(["image": Self.detail(try await find(call), call)])
    }

    /// What the image service calls the compute API's filters.
    private static let filters = [
        "name": "name", "minRam": "min_ram", "minDisk": "min_disk", "limit": "limit", "marker": "marker",
        "sort_key": "sort_key", "sort_dir": "sort_dir", "type": "image_type"
    ]

    private func query(_ call: APICall) throws -> String {
        var out: [(name: String, value: String)] = []
        for (name, value) in call.query {
            if let known = Self.filters[name] {
                out.append((known, value))
            } else if name == "status" {
                let states = Self.states.filter { $0.value == value.uppercased() }.keys.sorted()
                out.append(("status", "in:" + (states.isEmpty ? ["none"] : states).joined(separator: ",")))
            } else if name == "changes-since" {
                out.append(("updated_at", "gte:" + value))
            } else if name == "server" {
                out.append(("instance_uuid", value.split(separator: "/").last.map(String.init) ?? value))
            } else if name.hasPrefix("property-") {
                out.append((String(name.dropFirst("property-".count)), value))
            }
        }
        return PercentCoding.text(out)
    }

    private func list(_ call: APICall, isDetail: Bool) async throws -> APIResponse {
        try call.requireVersion(!call.microversion.has(ProxyVersion.last + 1))
        let found = try await proxies.send(.get, Self.path + (try query(call)), for: call)
        let images = found["images"]?.arrayValue ?? []
        var out: [String: JSON] = [
            "images": .array(
                images.map { isDetail ? Self.detail($0, call) : .object(Self.basic($0, call)) })
        ]
        if let limit = call.query("limit").flatMap({ Int($0) }), limit > 0, images.count == limit,
            let last = images.last?["id"]?.stringValue
        {
            let query = call.query.filter { $0.name != "marker" } + [(name: "marker", value: last)]
            let href = call.baseURL + call.path + PercentCoding.text(query)
            out["images_links"] = [["rel": "next", "href": .string(href)]]
        }
        return .json(.object(out))
    }

    @Sendable private func delete(_ call: APICall) async throws -> APIResponse {
        try call.requireVersion(!call.microversion.has(ProxyVersion.last + 1))
        do { _ = try await proxies.send(.delete, "\(Self.path)/\(try Self.id(call))", for: call) } catch let error
            as APIError where error.status == 404
        { throw Self.missing }
        return .empty(204)
    }

    // MARK: Metadata

    @Sendable private func showMetadata(_ call: APICall) async throws -> APIResponse {
        let image = try await find(call, last: ProxyVersion.lastImageMetadata)
        return .json(["metadata": .object(Self.metadata(image).mapValues(JSON.string))])
    }

    private static let bodyOfMetadata = BodySchema<[String: String]>(
        blank: [:], [.required("metadata", \.self, CreateServerForm.metadata)])
    private static let bodyOfItem = BodySchema<[String: String]>(
        blank: [:], [.required("meta", \.self, CreateServerForm.metadata)])

    private func setMetadata(_ call: APICall, isWhole: Bool) async throws -> APIResponse {
        let wanted = try Self.bodyOfMetadata.read(try await call.json(), wording: Nova.body)
        let old = Self.metadata(try await find(call, last: ProxyVersion.lastImageMetadata))
        let new = isWhole ? wanted : old.merging(wanted) { $1 }
        try await change(old, to: new, call)
        return .json(["metadata": .object(new.mapValues(JSON.string))])
    }

    @Sendable private func showItem(_ call: APICall) async throws -> APIResponse {
        let key = call.parameter("key")
        guard let value = Self.metadata(try await find(call, last: ProxyVersion.lastImageMetadata))[key] else {
            throw APIError.notFound("Metadata item was not found")
        }
        return .json(["meta": [key: .string(value)]])
    }

    @Sendable private func setItem(_ call: APICall) async throws -> APIResponse {
        let key = call.parameter("key")
        let wanted = try Self.bodyOfItem.read(try await call.json(), wording: Nova.body)
        guard wanted.count == 1, let value = wanted[key] else {
            throw APIError.badRequest(
                wanted[key] == nil
                    ? "Request body and URI mismatch" : "Request body contains too many items")
        }
        var metadata = Self.metadata(try await find(call, last: ProxyVersion.lastImageMetadata))
        let old = metadata
        metadata[key] = value
        try await change(old, to: metadata, call)
        return .json(["meta": [key: .string(value)]])
    }

    @Sendable private func deleteItem(_ call: APICall) async throws -> APIResponse {
        let key = call.parameter("key")
        var metadata = Self.metadata(try await find(call, last: ProxyVersion.lastImageMetadata))
        let old = metadata
        guard metadata.removeValue(forKey: key) != nil else {
            throw APIError.notFound("Invalid metadata key: \(key)")
        }
        try await change(old, to: metadata, call)
        return .empty(204)
    }

    private func change(_ old: [String: String], to new: [String: String], _ call: APICall) async throws {
        let parts = parts
        if let project = call.caller?.project {
            try await call.database.read { try parts.quotas.check(metadata: new.count, of: project, in: $0) }
        }
        func path(_ key: String) -> JSON {
            .string("/" + key.replacing("~", with: "~0").replacing("/", with: "~1"))
        }
        let gone = old.keys.filter { new[$0] == nil }.sorted().map { ["op": "remove", "path": path($0)] as JSON }
        let set = new.filter { old[$0.key] != $0.value }.sorted { $0.key < $1.key }.map { key, value in
            ["op": old[key] == nil ? "add" : "replace", "path": path(key), "value": .string(value)] as JSON
        }
        _ = try await proxies.send(.patch, "\(Self.path)/\(try Self.id(call))", .array(gone + set), for: call)
    }
}
