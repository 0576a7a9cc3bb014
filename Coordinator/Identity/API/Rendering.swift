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
