import CoordinatorPlatform
import ProtocolModel

extension Domain {
    var rendered: [String: JSON] {
        extra.merging([
            "id": .string(key), "name": .string(name), "description": .string(description), "enabled": .bool(isEnabled),
            "tags": .array(tags.map { .string($0) }), "options": extra["options"] ?? [:]
        ]) { $1 }
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
            "password_expires_at": nil, "options": extra["options"] ?? [:]
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
    static func link(_ call: APICall, _ path: String) -> String { "\(call.baseURL)\(IdentityAPI.prefix)/v3/\(path)" }

    static func single(_ members: [String: JSON], _ path: String, _ call: APICall) -> JSON {
        var members = members
        members["links"] = ["self": .string(link(call, path))]
        return .object(members)
    }

    static func collection(_ name: String, _ items: [JSON], _ call: APICall) -> APIResponse {
        let links: JSON = ["next": nil, "previous": nil, "self": .string(call.baseURL + call.path)]
        return .json([name: .array(items), "links": links])
    }
}
