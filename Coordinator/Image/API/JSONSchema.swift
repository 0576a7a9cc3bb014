import CoordinatorPlatform

/// Checks values against the part of JSON Schema (draft 4) that the Image API's own schema documents use, so that what
/// a client reads of the rules is what is enforced. Pure. Patterns are not evaluated: those that the documents have
/// (UUIDs) are checked where the value is read.
package struct JSONSchema: Sendable {
    private let document: JSON
    private let definitions: [String: JSON]

    package init(_ document: JSON) {
        self.document = document
        definitions = document["definitions"]?.objectValue ?? [:]
    }

    /// - Throws: ``BodyFailure``, the first one found.
    package func validate(_ value: JSON) throws(BodyFailure) { try check(value, document, []) }

    private func check(_ value: JSON, _ schema: JSON, _ path: [String]) throws(BodyFailure) {
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

    private func checkType(_ value: JSON, _ schema: JSON, _ path: [String]) throws(BodyFailure) {
        let types: [String]
        switch schema["type"] {
        case .string(let one): types = [one]
        case .array(let several): types = several.compactMap(\.stringValue)
        default: return
        }
        guard !types.contains(where: { Self.has(value, type: $0) }) else { return }
        throw BodyFailure(.wrongType(types), value, path: path)
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

    private func checkChoice(_ value: JSON, _ schema: JSON, _ path: [String]) throws(BodyFailure) {
        guard let choices = schema["enum"]?.arrayValue, !choices.contains(value) else { return }
        throw BodyFailure(.notOneOf(choices), value, path: path)
    }

    private func checkText(_ text: String, _ schema: JSON, _ path: [String]) throws(BodyFailure) {
        let length = Int64(text.unicodeScalars.count)
        if let most = schema["maxLength"]?.intValue, length > most {
            throw BodyFailure(.tooLong(most: Int(most)), .string(text), path: path)
        }
        if let least = schema["minLength"]?.intValue, length < least {
            throw BodyFailure(.tooShort(least: Int(least)), .string(text), path: path)
        }
    }

    private func checkNumber(
        _ number: Double, _ value: JSON, _ schema: JSON, _ path: [String]
    ) throws(BodyFailure) {
        if let least = schema["minimum"]?.intValue, number < Double(least) {
            throw BodyFailure(.belowMinimum("\(least)"), value, path: path)
        }
        if let most = schema["maximum"]?.intValue, number > Double(most) {
            throw BodyFailure(.aboveMaximum("\(most)"), value, path: path)
        }
    }

    private func checkElements(_ elements: [JSON], _ schema: JSON, _ path: [String]) throws(BodyFailure) {
        if let least = schema["minItems"]?.intValue, elements.count < least {
            throw BodyFailure(.tooFew(least: Int(least)), .array(elements), path: path)
        }
        if schema["uniqueItems"] == true, Set(elements).count < elements.count {
            throw BodyFailure(.notUnique, .array(elements), path: path)
        }
        guard let items = schema["items"] else { return }
        for (index, element) in elements.enumerated() { try check(element, items, path + [String(index)]) }
    }

    private func checkMembers(_ members: [String: JSON], _ schema: JSON, _ path: [String]) throws(BodyFailure) {
        for name in schema["required"]?.arrayValue?.compactMap(\.stringValue) ?? [] where members[name] == nil {
            throw BodyFailure(.missing(name), .object(members), path: path)
        }
        let properties = schema["properties"]?.objectValue ?? [:]
        let trace = BodyTrace.current
        BodyTrace.note(Set(properties.keys))
        // In order, so that of several mistakes always the same one is named.
        for (name, value) in members.sorted(by: { $0.key < $1.key }) {
            trace?.enter(properties[name] == nil ? "*" : name)
            defer { trace?.leave() }
            if let inner = properties[name] {
                try check(value, inner, path + [name])
            } else if schema["additionalProperties"] == false {
                throw BodyFailure(.unexpected([name]), .object(members), path: path)
            } else if let inner = schema["additionalProperties"], inner.objectValue != nil {
                try check(value, inner, path + [name])
            }
        }
    }
}
