/// Reads a request's body member by member, refusing what is wrong in the words of the services' JSON schemas.
///
///     let user = try Fields(body, at: "user")
///     let name = try user.string("name", length: 1...255)
///     let enabled = try user.optionalBool("enabled") ?? true
public struct Fields: Sendable {
    /// How a service begins a refusal.
    public enum Wording: Sendable {
        /// `Invalid input for field/attribute name. Value: x. ...`
        case attribute
        /// `Invalid input for field 'name': ...`
        case field
    }

    public let members: [String: JSON]
    /// The names from the body's root to here, for messages.
    public let path: [String]
    public let wording: Wording

    public init(_ members: [String: JSON], path: [String] = [], wording: Wording = .attribute) {
        self.members = members
        self.path = path
        self.wording = wording
    }

    /// The object in member `key` of a body that holds nothing else of interest.
    /// - Throws: ``APIError`` 400.
    public init(_ body: JSON, at key: String, wording: Wording = .attribute) throws(APIError) {
        guard case .object(let root) = body else { throw .badRequest("\(body.pythonQuoted) is not of type 'object'") }
        self = try Fields(root, wording: wording).object(key)
    }

    public func has(_ name: String) -> Bool { members[name] != nil }
    /// The member, also `null`.
    public subscript(name: String) -> JSON? { members[name] }

    /// A string that must be there.
    public func string(_ name: String, length: ClosedRange<Int> = 0...Int.max) throws(APIError) -> String {
        guard let value = try optionalString(name, length: length) else { throw missing(name) }
        return value
    }

    /// A string that may be missing, but not `null`.
    public func optionalString(_ name: String, length: ClosedRange<Int> = 0...Int.max) throws(APIError) -> String? {
        guard let value = members[name] else { return nil }
        guard case .string(let text) = value else { throw wrongType(name, value, "string") }
        try check(text, name, length)
        return text
    }

    /// A string that may be missing (`nil`) or `null` (`.some(nil)`).
    public func nullableString(_ name: String, length: ClosedRange<Int> = 0...Int.max) throws(APIError) -> String?? {
        guard let value = members[name] else { return nil }
        if value.isNull { return .some(nil) }
        guard case .string(let text) = value else {
            throw invalid(name, value, "\(value.pythonQuoted) is not of type 'string', 'null'")
        }
        try check(text, name, length)
        return .some(text)
    }

    private func check(_ text: String, _ name: String, _ length: ClosedRange<Int>) throws(APIError) {
        let count = text.unicodeScalars.count
        if count < length.lowerBound {
            throw invalid(name, .string(text), "\(JSON.string(text).pythonQuoted) is too short")
        }
        if count > length.upperBound {
            throw invalid(name, .string(text), "\(JSON.string(text).pythonQuoted) is too long")
        }
    }

    /// An integer; text of digits counts where the service's schema takes it.
    public func optionalInt(
        _ name: String, in range: ClosedRange<Int64> = Int64.min...Int64.max, orText: Bool = false
    ) throws(APIError) -> Int64? {
        guard let value = members[name] else { return nil }
        let number: Int64
        switch value {
        case .int(let given): number = given
        case .double(let given) where given == given.rounded() && abs(given) < 9e15: number = Int64(given)
        case .string(let text) where orText && Int64(text) != nil: number = Int64(text) ?? 0
        default: throw wrongType(name, value, "integer")
        }
        if number < range.lowerBound {
            throw invalid(name, value, "\(value.pythonQuoted) is less than the minimum of \(range.lowerBound)")
        }
        if number > range.upperBound {
            throw invalid(name, value, "\(value.pythonQuoted) is greater than the maximum of \(range.upperBound)")
        }
        return number
    }

    public func int(
        _ name: String, in range: ClosedRange<Int64> = Int64.min...Int64.max, orText: Bool = false
    ) throws(APIError) -> Int64 {
        guard let value = try optionalInt(name, in: range, orText: orText) else { throw missing(name) }
        return value
    }

    /// `true` or `false`, nothing else.
    public func optionalBool(_ name: String) throws(APIError) -> Bool? {
        guard let value = members[name] else { return nil }
        guard case .bool(let flag) = value else { throw wrongType(name, value, "boolean") }
        return flag
    }

    /// The compute service's booleans: also the words of oslo.utils' `bool_from_string`.
    public func optionalLooseBool(_ name: String) throws(APIError) -> Bool? {
        guard let value = members[name] else { return nil }
        if case .bool(let flag) = value { return flag }
        if case .string(let text) = value {
            let word = text.lowercased()
            if ["1", "t", "true", "on", "y", "yes"].contains(word) { return true }
            if ["0", "f", "false", "off", "n", "no"].contains(word) { return false }
        }
        throw invalid(
            name, value,
            """
            \(value.pythonQuoted) is not one of [True, 'True', 'TRUE', 'true', '1', 'ON', 'On', 'on', 'YES', 'Yes', 'yes', \
            'y', 't', False, 'False', 'FALSE', 'false', '0', 'OFF', 'Off', 'off', 'NO', 'No', 'no', 'n', 'f']
            """
        )
    }

    public func optionalObject(_ name: String) throws(APIError) -> Fields? {
        guard let value = members[name] else { return nil }
        guard case .object(let inner) = value else { throw wrongType(name, value, "object") }
        return Fields(inner, path: path + [name], wording: wording)
    }

    public func object(_ name: String) throws(APIError) -> Fields {
        guard let value = try optionalObject(name) else { throw missing(name) }
        return value
    }

    public func optionalArray(_ name: String) throws(APIError) -> [JSON]? {
        guard let value = members[name] else { return nil }
        guard case .array(let elements) = value else { throw wrongType(name, value, "array") }
        return elements
    }

    /// One of some words.
    public func optionalChoice(_ name: String, of words: [String]) throws(APIError) -> String? {
        guard let value = members[name] else { return nil }
        guard case .string(let text) = value, words.contains(text) else {
            let list = words.map { "'\($0)'" }.joined(separator: ", ")
            throw invalid(name, value, "\(value.pythonQuoted) is not one of [\(list)]")
        }
        return text
    }

    /// - Throws: ``APIError`` 400 when there is a member beside these.
    public func allow(only names: Set<String>) throws(APIError) {
        let extra = members.keys.filter { !names.contains($0) }.sorted()
        guard !extra.isEmpty else { return }
        let list = extra.map { "'\($0)'" }.joined(separator: ", ")
        let message = "Additional properties are not allowed (\(list) \(extra.count == 1 ? "was" : "were") unexpected)"
        guard let name = path.last else { throw .badRequest(message) }
        throw invalid(name, .object(members), message)
    }

    // MARK: - Refusals

    public func missing(_ name: String) -> APIError {
        guard let last = path.last else { return .badRequest("'\(name)' is a required property") }
        return invalid(last, .object(members), "'\(name)' is a required property")
    }

    public func wrongType(_ name: String, _ value: JSON, _ type: String) -> APIError {
        invalid(name, value, "\(value.pythonQuoted) is not of type '\(type)'")
    }

    public func invalid(_ name: String, _ value: JSON, _ reason: String) -> APIError {
        switch wording {
        case .attribute:
            .badRequest("Invalid input for field/attribute \(name). Value: \(value.pythonText). \(reason)")
        case .field: .badRequest("Invalid input for field '\(name)': \(reason)")
        }
    }
}
