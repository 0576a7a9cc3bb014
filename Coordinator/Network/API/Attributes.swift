import CoordinatorPlatform
import ProtocolModel

/// Which attributes of a resource a request may carry.
struct AttributeSchema: Sendable {
    /// `network`.
    var resource: String
    /// `networks`.
    var collection: String
    var post: Set<String>
    var put: Set<String>
    /// What answers carry beside those.
    var readOnly: Set<String>
    /// Must be there on creation.
    var required: [String] = []
}

/// The attributes of one resource in a request body, checked in Neutron's words.
struct Attributes: Sendable {
    let values: [String: JSON]

    /// Reads `{"network": {...}}`.
    static func one(_ body: JSON, _ schema: AttributeSchema, creating: Bool) throws -> Attributes {
        guard let item = body[schema.resource] else {
            throw APIError.http("Unable to find '\(schema.resource)' in request body")
        }
        return try Attributes(item, schema, creating: creating)
    }

    /// Reads `{"network": {...}}` or `{"networks": [{...}, ...]}`.
    static func oneOrMany(_ body: JSON, _ schema: AttributeSchema) throws -> (items: [Attributes], isBulk: Bool) {
        guard let many = body[schema.collection] else { return ([try one(body, schema, creating: true)], false) }
        guard let items = many.arrayValue, !items.isEmpty else { throw APIError.http("Resources required") }
        return (
            try items.map { item in
                try Attributes(item[schema.resource] ?? item, schema, creating: true)
            }, true
        )
    }

    private init(_ item: JSON, _ schema: AttributeSchema, creating: Bool) throws {
        guard let members = item.objectValue else {
            throw APIError.http("Invalid body for '\(schema.resource)': it must be an object")
        }
        let known = schema.post.union(schema.put).union(schema.readOnly)
        let unknown = members.keys.filter { !known.contains($0) }.sorted()
        if !unknown.isEmpty { throw APIError.http("Unrecognized attribute(s) '\(unknown.joined(separator: ", "))'") }
        for name in members.keys.sorted() {
            if creating, !schema.post.contains(name) { throw APIError.http("Attribute '\(name)' not allowed in POST") }
            if !creating, !schema.put.contains(name) {
                throw APIError.http("Cannot update read-only attribute \(name)")
            }
        }
        if creating {
            for name in schema.required where members[name] == nil {
                throw APIError.http("Failed to parse request. Required attribute '\(name)' not specified")
            }
        }
        values = members
    }

    func has(_ name: String) -> Bool { values[name] != nil }

    /// Present, and not `null`.
    func given(_ name: String) -> JSON? {
        guard let value = values[name], !value.isNull else { return nil }
        return value
    }

    static func invalid(_ name: String, _ reason: String) -> APIError {
        .http("Invalid input for \(name). Reason: \(reason).")
    }

    /// - Parameter limit: In characters.
    func text(_ name: String, limit: Int = 255) throws -> String? {
        guard let value = values[name] else { return nil }
        guard let text = value.stringValue else {
            throw Self.invalid(name, "'\(value.isNull ? "None" : value.text)' is not a valid string")
        }
        if text.unicodeScalars.count > limit {
            throw Self.invalid(name, "'\(text)' exceeds maximum length of \(limit)")
        }
        if text.unicodeScalars.contains(where: { $0.value < 32 || $0.value == 127 }) {
            throw Self.invalid(name, "'\(text)' is not a valid string")
        }
        return text
    }

    func flag(_ name: String) throws -> Bool? {
        guard let value = values[name] else { return nil }
        switch value {
        case .bool(let flag): return flag
        case .int(0): return false
        case .int(1): return true
        case .string(let text):
            if let flag = ListTable.flag(text) { return flag }
            throw APIError.invalidInput("'\(text)' cannot be converted to boolean")
        default: throw APIError.invalidInput("'\(value.isNull ? "None" : value.text)' cannot be converted to boolean")
        }
    }

    /// Also from a string of digits.
    func number(_ name: String) throws -> Int? {
        guard let value = given(name) else { return nil }
        if let number = value.intValue { return Int(number) }
        if let text = value.stringValue, let number = Int(text) { return number }
        throw APIError.invalidInput("'\(value.stringValue ?? value.text)' is not an integer")
    }

    func id<Resource>(_ name: String) throws -> Identifier<Resource>? {
        guard let value = given(name) else { return nil }
        guard let text = value.stringValue, let id = Identifier<Resource>(text) else {
            throw Self.invalid(name, "'\(value.stringValue ?? value.text)' is not a valid UUID")
        }
        return id
    }

    func address(_ name: String) throws -> IPAddress? {
        guard let value = given(name) else { return nil }
        return try Self.address(value, name)
    }

    static func address(_ value: JSON, _ name: String) throws -> IPAddress {
        guard let text = value.stringValue, let address = IPAddress(text) else {
            throw invalid(name, "'\(value.stringValue ?? value.text)' is not a valid IP address")
        }
        return address
    }

    func mac(_ name: String) throws -> MACAddress? {
        guard let value = given(name) else { return nil }
        guard let text = value.stringValue, let mac = MACAddress(text), !mac.isMulticast, mac.bits != 0 else {
            throw Self.invalid(name, "'\(value.stringValue ?? value.text)' is not a valid MAC address")
        }
        return mac
    }

    func list(_ name: String) throws -> [JSON]? {
        guard let value = values[name] else { return nil }
        if value.isNull { return [] }
        guard let items = value.arrayValue else { throw Self.invalid(name, "'\(value.text)' is not a list") }
        guard Set(items).count == items.count else {
            throw Self.invalid(name, "Duplicate items in the list: '\(value.text)'")
        }
        return items
    }

    /// The project that a new resource is for: the caller's own unless an administrator names another.
    func project(of call: APICall) throws -> ProjectID {
        let caller = try call.requireCaller()
        let named = try ["project_id", "tenant_id"].compactMap { name -> String? in try text(name) }
        guard let first = named.first else {
            guard let own = caller.project else {
                throw APIError.http("Running without a project in scope requires that project_id is specified")
            }
            return own
        }
        guard named.allSatisfy({ $0 == first }) else {
            throw APIError.http("'project_id' and 'tenant_id' do not match")
        }
        guard let project = ProjectID(first) else {
            throw Self.invalid("project_id", "'\(first)' is not a valid project id")
        }
        guard caller.isAdmin || caller.project == project else {
            throw APIError.http(
                "Specifying 'project_id' other than the authenticated project in request is not allowed for the current "
                    + "user.")
        }
        return project
    }
}
