import CoordinatorPlatform

/// A json-patch (RFC 6902) in the dialect of the Image API: `add`, `replace`, `remove` of one member each.
package struct ImagePatch: Sendable, Equatable {
    package enum Change: Sendable, Equatable {
        case set(String, JSON, mustExist: Bool)
        case remove(String)
    }

    package var changes: [Change]

    static let mediaTypes = [
        "application/openstack-images-v2.1-json-patch", "application/openstack-images-v2.0-json-patch"
    ]

    /// - Throws: ``APIError`` 415 for another media type, 400 for what is no patch.
    package init(contentType: String, body: JSON) throws {
        guard Self.mediaTypes.contains(contentType) else {
            throw APIError(
                status: 415,
                message: "Unsupported Content-Type; supported are \(Self.mediaTypes.joined(separator: ", ")).")
        }
        guard let operations = body.arrayValue else {
            throw APIError.badRequest("Request body must be a JSON array of operation objects.")
        }
        guard operations.count <= 1_000 else { throw APIError.badRequest("A patch has at most 1000 operations.") }
        changes = try operations.map(Self.change)
    }

    private static func change(_ operation: JSON) throws -> Change {
        guard let members = operation.objectValue else {
            throw APIError.badRequest("Operations must be JSON objects.")
        }
        let (verb, path) = try verbAndPath(members)
        let name = try member(of: path)
        switch verb {
        case "remove": return .remove(name)
        case "add", "replace":
            guard let value = members["value"] else {
                throw APIError.badRequest("Operation \"\(verb)\" requires a member named \"value\".")
            }
            return .set(name, value, mustExist: verb == "replace")
        default:
            throw APIError.badRequest(
                "Operations must contain exactly one of the following: add, remove, replace.")
        }
    }

    /// The older media type names the verb by the member that holds the path: `{"replace": "/name", "value": ...}`.
    private static func verbAndPath(_ members: [String: JSON]) throws -> (String, String) {
        if let verb = members["op"]?.stringValue {
            guard let path = members["path"]?.stringValue else {
                throw APIError.badRequest("Unable to find '\(verb)' in JSON Schema change")
            }
            return (verb, path)
        }
        for verb in ["add", "replace", "remove"] {
            if let path = members[verb]?.stringValue { return (verb, path) }
        }
        throw APIError.badRequest("Operations must contain exactly one of the following: add, remove, replace.")
    }

    private static func member(of path: String) throws -> String {
        guard path.hasPrefix("/") else {
            throw APIError.badRequest("Pointer `\(path)` does not start with \"/\".")
        }
        let rest = path.dropFirst()
        guard !rest.hasSuffix("/"), !rest.contains("//") else {
            throw APIError.badRequest("Pointer `\(path)` contains adjacent \"/\" or ends with one.")
        }
        guard !rest.contains("/") else {
            throw APIError.badRequest("Invalid JSON pointer for this resource: '\(path)'")
        }
        // RFC 6901: ~1 before ~0, or "~01" would come out as "/".
        return String(rest.replacing("~1", with: "/").replacing("~0", with: "~"))
    }

    /// - Throws: ``APIError``; then the image must not be written back.
    package func apply(to image: inout Image) throws {
        for change in changes {
            switch change {
            case .set(let name, let value, let mustExist):
                let isKnown =
                    ImageFields.base.contains(name) || ImageFields.readOnly.contains(name)
                    || ImageFields.reserved.contains(name)
                if mustExist, !isKnown, image.properties[name] == nil {
                    throw APIError.conflict("Property \(name) does not exist.")
                }
                try ImageFields.set(name, value, on: &image)
            case .remove(let name):
                if ImageFields.readOnly.contains(name) {
                    throw APIError.forbidden("Attribute '\(name)' is read-only.")
                }
                if ImageFields.base.contains(name) || ImageFields.reserved.contains(name) {
                    throw APIError.forbidden("Property \(name) may not be removed.")
                }
                guard image.properties.removeValue(forKey: name) != nil else {
                    throw APIError.conflict("Property \(name) does not exist.")
                }
            }
        }
    }
}
