import CoordinatorPlatform
import ProtocolModel

/// What the bodies of the identity service's resources have in common.
extension IdentityService {
    static func newKey() -> String { AnyID.random().compact }

    /// The object in member `name` of the body.
    /// - Throws: ``APIError`` 400 in Keystone's words.
    static func fields(_ call: APICall, at name: String) async throws -> Fields {
        try Fields(try await call.json(), at: name, wording: .field)
    }

    /// - Parameter length: The most characters; 64 for domains and projects, else 255.
    static func name(_ fields: Fields, length: Int = 255) throws -> String {
        let name = try fields.string("name", length: 1...length)
        return try checkedName(name, fields)
    }

    static func changedName(_ fields: Fields, length: Int = 255) throws -> String? {
        try fields.optionalString("name", length: 1...length).map { try checkedName($0, fields) }
    }

    private static func checkedName(_ name: String, _ fields: Fields) throws -> String {
        guard name.contains(where: { !$0.isWhitespace }) else {
            throw fields.invalid("name", .string(name), "\(JSON.string(name).pythonQuoted) does not match '[\\\\S]+'")
        }
        return name
    }

    /// An identifier in a body: `null` and nothing at all mean the same.
    static func reference(_ fields: Fields, _ name: String) throws -> String? {
        guard let text = try fields.nullableString(name, length: 1...64).flatMap({ $0 }) else { return nil }
        let isPlain = text.utf8.allSatisfy { byte in
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"):
                true
            default: false
            }
        }
        guard isPlain else {
            throw fields.invalid(
                name, .string(text), "\(JSON.string(text).pythonQuoted) does not match '^[a-zA-Z0-9-]+$'")
        }
        return text
    }

    /// Members without a meaning of their own; on an update `null` takes one away.
    static func extra(_ fields: Fields, known: Set<String>, over old: [String: JSON] = [:]) -> [String: JSON] {
        var extra = old
        for (name, value) in fields.members where !known.contains(name) && !reserved.contains(name) {
            // Not by assigning `nil`, which is a JSON value, too.
            if value.isNull, !old.isEmpty { extra.removeValue(forKey: name) } else { extra[name] = value }
        }
        return extra
    }

    private static let reserved: Set<String> = ["id", "links", "password_expires_at"]

    /// The domain that a new record is to stand in.
    static func domain(_ fields: Fields, _ call: APICall, _ state: IdentityState) throws -> String {
        if let key = try reference(fields, "domain_id") {
            guard state.domains[key] != nil else { throw IdentityAPI.notFound("domain", key) }
            return key
        }
        if case .domain(let key)? = call.caller?.scope { return key }
        return Domain.defaultKey
    }

    /// - Throws: ``APIError`` 400 where the record is to change its domain.
    static func requireDomain(_ fields: Fields, _ domain: String?) throws(APIError) {
        if let given = fields["domain_id"], given != JSON(domain) { throw .badRequest("Cannot change Domain ID") }
    }
}

/// The options of a resource: `immutable` for roles, projects and domains.
enum ResourceOptions {
    /// - Returns: The options as they are to be stored with `old`; `null` resets one.
    static func read(_ fields: Fields, over old: JSON?) throws(APIError) -> JSON {
        var options = old?.objectValue ?? [:]
        guard let given = try fields.optionalObject("options") else { return .object(options) }
        for (name, value) in given.members {
            guard name == "immutable" else {
                throw given.invalid(
                    "options", .object(given.members),
                    "Additional properties are not allowed ('\(name)' was unexpected)")
            }
            switch value {
            case .null: options.removeValue(forKey: name)
            case .bool: options[name] = value
            default:
                throw given.invalid(
                    "options/immutable", value, "\(value.pythonQuoted) is not of type 'boolean', 'null'")
            }
        }
        return .object(options)
    }
}

extension IdentityRecord {
    /// Not to be changed or deleted before it is said to be mutable again.
    var isImmutable: Bool { extra["options"]?["immutable"] == true }

    /// - Throws: ``APIError`` 403 for an immutable one, unless the change is to make it mutable and nothing else.
    func requireMutable(_ kind: String, for fields: Fields) throws(APIError) {
        guard isImmutable else { return }
        let option = fields["options"]?["immutable"]
        guard fields.members.count == 1, option == false || option == .null else {
            throw Self.immutable("update", kind, key)
        }
    }

    func requireDeletable(_ kind: String) throws(APIError) {
        if isImmutable { throw Self.immutable("delete", kind, key) }
    }

    private static func immutable(_ verb: String, _ kind: String, _ key: String) -> APIError {
        .forbidden(
            "Unable to \(verb) immutable \(kind) resource: `\(key). Set resource option \"immutable\" to false first.")
    }
}
