import CoordinatorPlatform
import ProtocolModel

extension Domain {
    var rendered: [String: JSON] {
        extra.merging([
            "id": .string(key), "name": .string(name), "description": .string(description), "enabled": .bool(isEnabled),
            "tags": .array(tags.map { .string($0) }), "options": extra["options"] ?? [:]
        ]) { $1 }
    }

    /// The project that acts as this domain.
    var renderedAsProject: [String: JSON] {
        rendered.merging(["domain_id": nil, "parent_id": nil, "is_domain": true]) { $1 }
    }
}

extension Project {
    var rendered: [String: JSON] {
        extra.merging([
            "id": .string(key), "name": .string(name), "domain_id": .string(domain),
            "parent_id": .string(parent?.compact ?? domain), "description": .string(description),
            "enabled": .bool(isEnabled), "is_domain": false, "tags": .array(tags.map { .string($0) }),
            "options": extra["options"] ?? [:]
        ]) { $1 }
    }
}

extension User {
    var rendered: [String: JSON] {
        var members = extra.merging([
            "id": .string(key), "name": .string(name), "domain_id": .string(domain), "enabled": .bool(isEnabled),
            "password_expires_at": JSON(passwordState.expiresAt.map(Timestamp.microsWithoutZone)),
            "options": extra["options"] ?? [:]
        ]) { $1 }
        if let description { members["description"] = .string(description) }
        if let defaultProject { members["default_project_id"] = .string(defaultProject) }
        return members
    }
}

extension Group {
    var rendered: [String: JSON] {
        extra.merging([
            "id": .string(key), "name": .string(name), "domain_id": .string(domain), "description": .string(description)
        ]) { $1 }
    }
}

extension Role {
    var rendered: [String: JSON] {
        extra.merging([
            "id": .string(key), "name": .string(name), "domain_id": JSON(domain), "description": JSON(description),
            "options": extra["options"] ?? [:]
        ]) { $1 }
    }
}

extension Region {
    var rendered: [String: JSON] {
        extra.merging([
            "id": .string(key), "description": .string(description), "parent_region_id": JSON(parent)
        ]) { $1 }
    }
}

extension CatalogService {
    var rendered: [String: JSON] {
        var members = extra.merging([
            "id": .string(key), "type": .string(type), "name": .string(name), "enabled": .bool(isEnabled)
        ]) { $1 }
        if let description { members["description"] = .string(description) }
        return members
    }
}

extension Endpoint {
    var rendered: [String: JSON] {
        extra.merging([
            "id": .string(key), "service_id": .string(service), "interface": .string(interface),
            "region": JSON(region), "region_id": JSON(region), "url": .string(url), "enabled": .bool(isEnabled)
        ]) { $1 }
    }
}

/// Collections and links, the same for every kind.
enum Rendering {
    /// One thing of a list, rendered only when it is on the page.
    struct Item {
        var key: String
        /// Lists that are shown whole are in the order of names.
        var name: String
        var render: () -> JSON
    }

    static func link(_ call: APICall, _ path: String) -> String { "\(call.baseURL)\(IdentityAPI.prefix)/v3/\(path)" }

    static func single(_ members: [String: JSON], _ path: String, _ call: APICall) -> JSON {
        var members = members
        members["links"] = ["self": .string(link(call, path))]
        return .object(members)
    }

    /// A whole collection.
    static func collection(_ name: String, _ items: [JSON], _ call: APICall) -> APIResponse {
        .json([name: .array(items), "links": links(call, next: nil)])
    }

    /// Projects as they were rendered, whole.
    static func projects(_ projects: [[String: JSON]], _ call: APICall) -> APIResponse {
        collection("projects", projects.map { single($0, "projects/\($0["id"]?.stringValue ?? "")", call) }, call)
    }

    /// A collection, or the page of it that the query asks for.
    static func page(_ name: String, _ items: [Item], _ call: APICall) throws(APIError) -> APIResponse {
        let page = try ListPage(call)
        guard !page.isWhole else {
            return collection(name, items.sorted { ($0.name, $0.key) < ($1.name, $1.key) }.map { $0.render() }, call)
        }
        let (shown, isCut) = try page.cut(items.map { (key: $0.key, item: $0) })
        var body: [String: JSON] = [name: .array(shown.map { $0.item.render() })]
        body["links"] = links(call, next: isCut ? shown.last?.key : nil)
        if isCut { body["truncated"] = true }
        return .json(.object(body))
    }

    private static func links(_ call: APICall, next marker: String?) -> JSON {
        let own = call.baseURL + call.path
        var next: JSON = nil
        if let marker {
            let pairs = call.query.filter { $0.name != "marker" } + [(name: "marker", value: marker)]
            next = .string(own + query(pairs))
        }
        return ["next": next, "previous": nil, "self": .string(own + query(call.query))]
    }

    private static func query(_ pairs: [(name: String, value: String)]) -> String {
        guard !pairs.isEmpty else { return "" }
        return "?"
            + pairs.map { name, value in
                let name = PercentCoding.encode(name)
                return value.isEmpty ? name : "\(name)=\(PercentCoding.encode(value))"
            }.joined(separator: "&")
    }
}

extension EndpointGroup {
    var rendered: [String: JSON] {
        [
            "id": .string(key), "name": .string(name), "description": JSON(description), "filters": .object(filters)
        ]
    }
}

extension PolicyBlob {
    var rendered: [String: JSON] {
        extra.merging(["id": .string(key), "blob": blob, "type": .string(type)]) { $1 }
    }
}

extension RegisteredLimit {
    var rendered: [String: JSON] {
        [
            "id": .string(key), "service_id": .string(service), "region_id": JSON(region),
            "resource_name": .string(resource), "default_limit": .int(defaultLimit), "description": JSON(description)
        ]
    }
}

extension ResourceLimit {
    /// - Parameter registered: The limit that it overrides.
    func rendered(_ registered: RegisteredLimit?) -> [String: JSON] {
        var project: String?, domain: String?
        switch owner {
        case .project(let id): project = id.compact
        case .domain(let key): domain = key
        }
        return [
            "id": .string(key), "project_id": JSON(project), "domain_id": JSON(domain),
            "service_id": JSON(registered?.service), "region_id": JSON(registered?.region),
            "resource_name": JSON(registered?.resource), "resource_limit": .int(limit),
            "description": JSON(description)
        ]
    }
}
