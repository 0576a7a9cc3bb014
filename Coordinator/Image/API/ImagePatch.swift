import CoordinatorPlatform

/// A json-patch in the dialects of the Image API: `add`, `replace`, `remove` of one member each.
package struct ImagePatch: Sendable, Equatable {
    package enum Change: Sendable, Equatable {
        case add(String, JSON)
        case replace(String, JSON)
        case remove(String)
        /// Of `locations`, which are the service's: only how it is refused differs.
        case locations(Verb, isEmpty: Bool)
    }

    package enum Verb: String, Sendable, CaseIterable {
        case add, remove, replace
    }

    /// How operations are written.
    package enum Dialect: String, Sendable {
        /// `{"replace": "/name", "value": "new"}` (draft-pbryan-json-patch-04); `add` makes only what was not there.
        case draft4 = "application/openstack-images-v2.0-json-patch"
        /// `{"op": "replace", "path": "/name", "value": "new"}` (RFC 6902).
        case draft10 = "application/openstack-images-v2.1-json-patch"
    }

    package let dialect: Dialect
    package var changes: [Change]

    /// - Parameter contentType: With or without parameters.
    /// - Throws: ``APIError`` 415 for another media type, 400 for what is no patch, 403 for what is never changed.
    package init(contentType: String, body: JSON) throws {
        dialect = try Self.dialect(contentType)
        guard let operations = body.arrayValue else {
            throw APIError.badRequest("Request body must be a JSON array of operation objects.")
        }
        guard operations.count <= 1_000 else { throw APIError.badRequest("A patch has at most 1000 operations.") }
        changes = try operations.map { [dialect] in try Self.change($0, dialect) }
    }

    package static func dialect(_ contentType: String) throws -> Dialect {
        let name = contentType.split(separator: ";").first.map { $0.filter { $0 != " " }.lowercased() } ?? ""
        if let dialect = Dialect(rawValue: name) { return dialect }
        let allowed = "\(Dialect.draft4.rawValue), \(Dialect.draft10.rawValue)"
        throw APIError(
            status: 415, message: "Image PATCH expects Content-Type one of: \(allowed)",
            headers: [("Accept-Patch", allowed)])
    }

    private static func change(_ operation: JSON, _ dialect: Dialect) throws -> Change {
        guard let members = operation.objectValue else {
            throw APIError.badRequest("Operations must be JSON objects.")
        }
        let (verb, pointer) = try dialect == .draft10 ? newVerb(members) : oldVerb(members)
        let path = try self.path(pointer)
        let root = path[0]
        let depth = root == "locations" && verb != .replace ? 2 : 1
        guard path.count == depth else {
            throw APIError.badRequest(
                "Invalid JSON pointer for this resource: '/\(path.joined(separator: "/"))'")
        }
        let value = members["value"]
        if verb != .remove, value == nil {
            throw APIError.badRequest("Operation \"\(verb.rawValue)\" requires a member named \"value\".")
        }
        if ImageFields.readOnly.contains(root) { throw APIError.forbidden("Attribute '\(root)' is read-only.") }
        try ImageFields.refuseReserved(root)
        if verb != .remove, let value {
            try ImageFields.validate([root: depth == 2 ? [value] : value])
        }
        if root == "locations" { return .locations(verb, isEmpty: value == []) }
        return switch (verb, value) {
        case (.add, let value?): .add(root, value)
        case (.replace, let value?): .replace(root, value)
        default: .remove(root)
        }
    }

    private static let verbs = Verb.allCases.map(\.rawValue).joined(separator: ", ")

    private static func newVerb(_ members: [String: JSON]) throws -> (Verb, JSON) {
        guard let name = members["op"] else {
            throw APIError.badRequest(
                "Unable to find `op` in JSON Schema change. It must be one of the following: \(verbs).")
        }
        guard let verb = name.stringValue.flatMap(Verb.init(rawValue:)) else {
            throw APIError.badRequest(
                "Invalid operation: `\(name.pythonText)`. It must be one of the following: \(verbs).")
        }
        guard let path = members["path"] else {
            throw APIError.badRequest("Unable to find 'path' in JSON Schema change")
        }
        return (verb, path)
    }

    private static func oldVerb(_ members: [String: JSON]) throws -> (Verb, JSON) {
        let given = Verb.allCases.filter { members[$0.rawValue] != nil }
        guard given.count <= 1 else {
            throw APIError.badRequest(
                "Operation objects must contain only one member named \"add\", \"remove\", or \"replace\".")
        }
        guard let verb = given.first, let path = members[verb.rawValue] else {
            throw APIError.badRequest(
                "Operation objects must contain exactly one member named \"add\", \"remove\", or \"replace\".")
        }
        return (verb, path)
    }

    /// RFC 6901, without empty parts.
    private static func path(_ pointer: JSON) throws -> [String] {
        guard let text = pointer.stringValue else {
            throw APIError.badRequest("Pointer `\(pointer.pythonText)` is not a string.")
        }
        guard text.hasPrefix("/") else { throw APIError.badRequest("Pointer `\(text)` does not start with \"/\".") }
        let parts = text.dropFirst().split(separator: "/", omittingEmptySubsequences: false)
        guard text.utf8.count == 1 || !text.hasSuffix("/") else {
            throw APIError.badRequest("Pointer `\(text)` end with \"/\".")
        }
        guard !parts.contains(where: { $0.allSatisfy(\.isWhitespace) }) else {
            throw APIError.badRequest("Pointer `\(text)` contains adjacent \"/\".")
        }
        return try parts.map { part in
            var out = ""
            var rest = part
            while let character = rest.popFirst() {
                guard character == "~" else {
                    out.append(character)
                    continue
                }
                switch rest.popFirst() {
                case "0": out.append("~")
                case "1": out.append("/")
                default:
                    throw APIError.badRequest(
                        "Pointer `\(text)` contains \"~\" not part of a recognized escape sequence.")
                }
            }
            return out
        }
    }
}

extension ImagePatch {
    /// - Throws: ``APIError``; then the image must not be written back.
    package func apply(to image: inout Image, as guards: PropertyGuard = PropertyGuard()) throws {
        for change in changes {
            switch change {
            case .add(let name, let value):
                let isThere = ImageFields.base.contains(name) || guards.value(name, of: image) != nil
                if isThere, dialect == .draft4 { throw APIError.conflict("Property \(name) already present.") }
                try set(name, value, on: &image, guards)
            case .replace(let name, let value):
                if !ImageFields.base.contains(name), guards.value(name, of: image) == nil {
                    throw APIError.conflict("Property \(name) does not exist.")
                }
                try set(name, value, on: &image, guards)
            case .remove(let name): try remove(name, from: &image, guards)
            case .locations(let verb, let isEmpty): throw Self.refuseLocations(verb, isEmpty: isEmpty)
            }
        }
    }

    private func set(_ name: String, _ value: JSON, on image: inout Image, _ guards: PropertyGuard) throws {
        if !ImageFields.base.contains(name) {
            try guards.require(guards.value(name, of: image) == nil ? .create : .update, name)
        }
        try ImageFields.set(name, value, on: &image)
    }

    private func remove(_ name: String, from image: inout Image, _ guards: PropertyGuard) throws {
        if ImageFields.base.contains(name) { throw APIError.forbidden("Property \(name) may not be removed.") }
        guard guards.value(name, of: image) != nil else {
            throw APIError.conflict("Property \(name) does not exist.")
        }
        try guards.require(.delete, name)
        image.properties[name] = nil
    }

    private static func refuseLocations(_ verb: Verb, isEmpty: Bool) -> APIError {
        switch verb {
        case .replace where isEmpty: .forbidden("Cannot set locations to empty list.")
        case .replace: .forbidden("It's not allowed to update locations if locations are invisible.")
        case .add, .remove: .forbidden("It's not allowed to \(verb.rawValue) locations if locations are invisible.")
        }
    }
}

extension ImagePatch {
    /// What the first change needs; `nil` where there is none.
    package var rule: String? {
        switch changes.first {
        case .none: nil
        case .locations(.remove, _): "delete_image_location"
        case .locations: "set_image_location"
        default: "modify_image"
        }
    }
}
