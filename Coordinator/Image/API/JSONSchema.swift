import CoordinatorPlatform

/// Checks values against the part of JSON Schema (draft 4) that the Image API's own schema documents use, so that what
/// a client reads of the rules is what is enforced. Pure. Patterns are not evaluated: those that the documents have
/// (UUIDs) are checked where the value is read.
package struct JSONSchema: Sendable {
    /// What is wrong, in the words of Python's jsonschema, which clients show.
    package struct Violation: Error, Sendable, Equatable {
        /// `'x' is not of type 'boolean'`
        package var reason: String
        /// The schema's word: `type`, `enum`, ...
        package var keyword: String
        /// From the value's root to what is wrong.
        package var path: [String]

        /// As the service's error message has it.
        package var description: String {
            let place = path.map { "['\($0)']" }.joined()
            return "\(reason). Failed validating '\(keyword)' on instance\(place)"
        }
    }

    private let document: JSON
    private let definitions: [String: JSON]

    package init(_ document: JSON) {
        self.document = document
        definitions = document["definitions"]?.objectValue ?? [:]
    }

    /// - Throws: ``Violation``, the first one found.
    package func validate(_ value: JSON) throws(Violation) { try check(value, document, []) }

    private func check(_ value: JSON, _ schema: JSON, _ path: [String]) throws(Violation) {
        let schema = resolved(schema)
        for part in schema["allOf"]?.arrayValue ?? [] { try check(value, part, path) }
        try checkType(value, schema, path)
        try checkChoice(value, schema, path)
        switch value {
        case .string(let text): try checkText(text, schema, path)
        case .int(let number): try checkNumber(Double(number), value, schema, path)
        case .double(let number): try checkNumber(number, value, schema, path)
        case .array(let elements): try checkElements(elements, schema, path)
        case .object(let members): try checkMembers(members, schema, path)
        case .null, .bool, .raw: break
        }
    }

    private func resolved(_ schema: JSON) -> JSON {
        let prefix = "#/definitions/"
        guard let reference = schema["$ref"]?.stringValue, reference.hasPrefix(prefix) else { return schema }
        return definitions[String(reference.dropFirst(prefix.count))] ?? schema
    }

    private func checkType(_ value: JSON, _ schema: JSON, _ path: [String]) throws(Violation) {
        let types: [String]
        switch schema["type"] {
        case .string(let one): types = [one]
        case .array(let several): types = several.compactMap(\.stringValue)
        default: return
        }
        guard !types.contains(where: { Self.has(value, type: $0) }) else { return }
        let names = types.map { "'\($0)'" }.joined(separator: ", ")
        throw Violation(reason: "\(value.pythonQuoted) is not of type \(names)", keyword: "type", path: path)
    }

    private static func has(_ value: JSON, type: String) -> Bool {
        switch (type, value) {
        case ("null", .null), ("boolean", .bool), ("integer", .int), ("number", .int), ("number", .double),
            ("string", .string), ("array", .array), ("object", .object):
            true
        case ("integer", .double(let number)): number == number.rounded() && abs(number) < 9e15
        default: false
        }
    }

    private func checkChoice(_ value: JSON, _ schema: JSON, _ path: [String]) throws(Violation) {
        guard let choices = schema["enum"]?.arrayValue, !choices.contains(value) else { return }
        throw Violation(
            reason: "\(value.pythonQuoted) is not one of \(JSON.array(choices).pythonQuoted)", keyword: "enum",
            path: path)
    }

    private func checkText(_ text: String, _ schema: JSON, _ path: [String]) throws(Violation) {
        let length = Int64(text.unicodeScalars.count)
        if let most = schema["maxLength"]?.intValue, length > most {
            throw Violation(reason: "\(JSON.string(text).pythonQuoted) is too long", keyword: "maxLength", path: path)
        }
        if let least = schema["minLength"]?.intValue, length < least {
            throw Violation(reason: "\(JSON.string(text).pythonQuoted) is too short", keyword: "minLength", path: path)
        }
    }

    private func checkNumber(
        _ number: Double, _ value: JSON, _ schema: JSON, _ path: [String]
    ) throws(Violation) {
        if let least = schema["minimum"]?.intValue, number < Double(least) {
            throw Violation(
                reason: "\(value.pythonQuoted) is less than the minimum of \(least)", keyword: "minimum", path: path)
        }
        if let most = schema["maximum"]?.intValue, number > Double(most) {
            throw Violation(
                reason: "\(value.pythonQuoted) is greater than the maximum of \(most)", keyword: "maximum", path: path)
        }
    }

    private func checkElements(_ elements: [JSON], _ schema: JSON, _ path: [String]) throws(Violation) {
        if let least = schema["minItems"]?.intValue, elements.count < least {
            throw Violation(
                reason: "\(JSON.array(elements).pythonQuoted) is too short", keyword: "minItems", path: path)
        }
        if schema["uniqueItems"] == true, Set(elements).count < elements.count {
            throw Violation(
                reason: "\(JSON.array(elements).pythonQuoted) has non-unique elements", keyword: "uniqueItems",
                path: path)
        }
        guard let items = schema["items"] else { return }
        for (index, element) in elements.enumerated() { try check(element, items, path + [String(index)]) }
    }

    private func checkMembers(_ members: [String: JSON], _ schema: JSON, _ path: [String]) throws(Violation) {
        for name in schema["required"]?.arrayValue?.compactMap(\.stringValue) ?? [] where members[name] == nil {
            throw Violation(reason: "'\(name)' is a required property", keyword: "required", path: path)
        }
        let properties = schema["properties"]?.objectValue ?? [:]
        // In order, so that of several mistakes always the same one is named.
        for (name, value) in members.sorted(by: { $0.key < $1.key }) {
            if let inner = properties[name] {
                try check(value, inner, path + [name])
            } else if schema["additionalProperties"] == false {
                throw Violation(
                    reason: "Additional properties are not allowed ('\(name)' was unexpected)",
                    keyword: "additionalProperties", path: path)
            } else if let inner = schema["additionalProperties"], inner.objectValue != nil {
                try check(value, inner, path + [name])
            }
        }
    }
}
