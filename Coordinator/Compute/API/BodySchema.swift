import CoordinatorPlatform

/// What a request body may be. Checked before anything is done, in the words the compute API's clients know.
indirect enum BodySchema: Sendable {
    case any
    case null
    case boolean
    /// Lengths in characters.
    case string(TextFormat? = nil, min: Int = 0, max: Int? = nil)
    /// An integer, or its digits in a string.
    case integer(min: Int64 = 0, max: Int64 = Int64.max)
    case number(above: Double)
    case words([String])
    case object([String: BodySchema], required: [String] = [], open: Bool = false)
    /// Free keys of one format with values of one kind.
    case map(TextFormat, BodySchema)
    case array(BodySchema, max: Int? = nil)
    case nullable(BodySchema)
    case oneOf([BodySchema])

    struct Failure: Error {
        /// The names on the way to the value, outermost first.
        var path: [String] = []
        var value: JSON
        var message: String
        /// The message says it all.
        var standsAlone = false
    }

    /// - Throws: ``APIError`` 400.
    func check(_ body: JSON) throws(APIError) {
        do {
            try validate(body)
        } catch {
            guard let name = error.path.last, !error.standsAlone else { throw APIError.badRequest(error.message) }
            throw APIError.badRequest(
                "Invalid input for field/attribute \(name). Value: \(Python.text(error.value)). \(error.message)")
        }
    }

    private func validate(_ value: JSON) throws(Failure) {
        switch self {
        case .any: return
        case .null: if !value.isNull { throw wrongType(value, "null") }
        case .boolean: try validateBoolean(value)
        case .string(let format, let min, let max): try Self.validate(text: value, format, min: min, max: max)
        case .integer(let min, let max): try Self.validate(integer: value, min: min, max: max)
        case .number(let bound): try Self.validate(number: value, above: bound)
        case .words(let words):
            guard let text = value.stringValue, words.contains(text) else {
                let list = words.map { "'\($0)'" }.joined(separator: ", ")
                throw Failure(value: value, message: "\(Python.repr(value)) is not one of [\(list)]")
            }
        case .object(let properties, let required, let open):
            try Self.validate(object: value, properties, required: required, open: open)
        case .map(let format, let schema): try Self.validate(map: value, format, schema)
        case .array(let schema, let max): try Self.validate(array: value, schema, max: max)
        case .nullable(let schema): if !value.isNull { try schema.validate(value) }
        case .oneOf(let schemas): try Self.validate(value, oneOf: schemas)
        }
    }

    private func wrongType(_ value: JSON, _ type: String) -> Failure {
        Failure(value: value, message: "\(Python.repr(value)) is not of type '\(type)'")
    }

    private func validateBoolean(_ value: JSON) throws(Failure) {
        guard Python.boolean(value) == nil else { return }
        throw Failure(
            value: value, message: "\(Python.repr(value)) is not one of [True, 'True', 'true', '1', False, ...]")
    }

    private static func validate(
        text value: JSON, _ format: TextFormat?, min: Int, max: Int?
    ) throws(Failure) {
        guard let text = value.stringValue else {
            throw Failure(value: value, message: "\(Python.repr(value)) is not of type 'string'")
        }
        let length = text.unicodeScalars.count
        if length < min { throw Failure(value: value, message: "\(Python.repr(value)) is too short") }
        if let max, length > max { throw Failure(value: value, message: "\(Python.repr(value)) is too long") }
        guard let format, !format.accepts(text) else { return }
        throw Failure(
            value: value, message: format.refusal(of: value), standsAlone: format.standsAlone)
    }

    private static func validate(integer value: JSON, min: Int64, max: Int64) throws(Failure) {
        let number: Int64
        switch value {
        case .int(let given): number = given
        case .string(let text):
            guard !text.isEmpty, text.utf8.allSatisfy({ (48...57).contains($0) }) else {
                throw Failure(value: value, message: "\(Python.repr(value)) does not match '^[0-9]+$'")
            }
            number = Int64(text) ?? .max
        default: throw Failure(value: value, message: "\(Python.repr(value)) is not of type 'integer', 'string'")
        }
        if number < min {
            throw Failure(value: value, message: "\(Python.repr(value)) is less than the minimum of \(min)")
        }
        if number > max {
            throw Failure(value: value, message: "\(Python.repr(value)) is greater than the maximum of \(max)")
        }
    }

    private static func validate(number value: JSON, above bound: Double) throws(Failure) {
        guard let number = Python.number(value) else {
            throw Failure(value: value, message: "\(Python.repr(value)) is not of type 'number', 'string'")
        }
        guard number > bound else {
            throw Failure(
                value: value, message: "\(Python.repr(value)) is less than or equal to the minimum of \(bound)")
        }
    }

    private static func validate(
        object value: JSON, _ properties: [String: BodySchema], required: [String], open: Bool
    ) throws(Failure) {
        guard let members = value.objectValue else {
            throw Failure(value: value, message: "\(Python.repr(value)) is not of type 'object'")
        }
        for name in required where members[name] == nil {
            throw Failure(value: value, message: "'\(name)' is a required property")
        }
        try refuse(members.keys.filter { properties[$0] == nil && !open }, in: value)
        for (name, schema) in properties.sorted(by: { $0.key < $1.key }) {
            guard let member = members[name] else { continue }
            try schema.validate(member, below: name)
        }
    }

    private static func validate(map value: JSON, _ format: TextFormat, _ schema: BodySchema) throws(Failure) {
        guard let members = value.objectValue else {
            throw Failure(value: value, message: "\(Python.repr(value)) is not of type 'object'")
        }
        try refuse(members.keys.filter { !format.accepts($0) }, in: value)
        for (name, member) in members.sorted(by: { $0.key < $1.key }) { try schema.validate(member, below: name) }
    }

    private static func refuse(_ unexpected: [String], in value: JSON) throws(Failure) {
        guard !unexpected.isEmpty else { return }
        let names = unexpected.sorted().map { "'\($0)'" }.joined(separator: ", ")
        let verb = unexpected.count == 1 ? "was" : "were"
        throw Failure(value: value, message: "Additional properties are not allowed (\(names) \(verb) unexpected)")
    }

    private static func validate(array value: JSON, _ schema: BodySchema, max: Int?) throws(Failure) {
        guard let items = value.arrayValue else {
            throw Failure(value: value, message: "\(Python.repr(value)) is not of type 'array'")
        }
        if let max, items.count > max { throw Failure(value: value, message: "\(Python.repr(value)) is too long") }
        for (index, item) in items.enumerated() { try schema.validate(item, below: String(index)) }
    }

    private static func validate(_ value: JSON, oneOf schemas: [BodySchema]) throws(Failure) {
        for schema in schemas where (try? schema.validate(value)) != nil { return }
        throw Failure(value: value, message: "\(Python.repr(value)) is not valid under any of the given schemas")
    }

    private func validate(_ value: JSON, below name: String) throws(Failure) {
        do {
            try validate(value)
        } catch {
            var failure = error
            failure.path.insert(name, at: 0)
            throw failure
        }
    }
}

/// The compute API shows values in its errors as Python writes them.
enum Python {
    static func repr(_ value: JSON) -> String {
        switch value {
        case .null: "None"
        case .bool(let flag): flag ? "True" : "False"
        case .int(let number): String(number)
        case .double(let number): String(number)
        case .string(let text): "'\(text)'"
        case .array(let items): "[" + items.map(repr).joined(separator: ", ") + "]"
        case .object(let members):
            "{" + members.sorted { $0.key < $1.key }.map { "'\($0.key)': \(repr($0.value))" }.joined(separator: ", ")
                + "}"
        case .raw(let bytes): String(decoding: bytes, as: UTF8.self)
        }
    }

    static func text(_ value: JSON) -> String { value.stringValue ?? repr(value) }

    /// The words that stand for true and false.
    static func boolean(_ value: JSON) -> Bool? {
        switch value {
        case .bool(let flag): flag
        case .string(let text): boolean(text)
        default: nil
        }
    }

    static func boolean(_ text: String) -> Bool? {
        switch text.lowercased() {
        case "true", "1", "on", "yes", "t", "y": true
        case "false", "0", "off", "no", "f", "n": false
        default: nil
        }
    }

    static func number(_ value: JSON) -> Double? {
        switch value {
        case .int(let number): Double(number)
        case .double(let number): number
        case .string(let text): Double(text)
        default: nil
        }
    }

    static func integer(_ value: JSON?) -> Int? {
        switch value {
        case .int(let number): Int(number)
        case .string(let text): Int(text)
        default: nil
        }
    }
}
