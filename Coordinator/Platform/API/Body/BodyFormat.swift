import ProtocolModel

/// How a value in a body must look, and what it is once read.
public struct BodyFormat<Value: Sendable>: Sendable {
    public let read: @Sendable (JSON) throws(BodyFailure) -> Value

    public init(_ read: @escaping @Sendable (JSON) throws(BodyFailure) -> Value) { self.read = read }

    /// A further step, which may refuse the value as well.
    public func map<Other: Sendable>(
        _ next: @escaping @Sendable (Value, JSON) throws(BodyFailure) -> Other
    ) -> BodyFormat<Other> {
        BodyFormat<Other> { [read] json throws(BodyFailure) in try next(try read(json), json) }
    }

    /// The same, or `null`.
    public var nullable: BodyFormat<Value?> {
        BodyFormat<Value?> { [read] json throws(BodyFailure) in
            if json.isNull { return nil }
            do throws(BodyFailure) { return try read(json) } catch {
                guard case .wrongType(let types) = error.reason, error.path.isEmpty else { throw error }
                throw BodyFailure(.wrongType(types + ["null"]), json)
            }
        }
    }
}

extension BodyFormat {
    /// The same, with `null` standing for a value.
    public func orNull(_ value: Value) -> Self { nullable.map { found, _ in found ?? value } }
}

extension BodyFormat where Value == JSON {
    public static var any: Self { Self { json in json } }
}

extension BodyFormat where Value == [String: JSON] {
    /// An object whose members nobody here knows.
    public static var members: Self {
        Self { json throws(BodyFailure) in
            guard case .object(let members) = json else { throw BodyFailure(.wrongType(["object"]), json) }
            return members
        }
    }
}

extension BodyFormat where Value == String {
    /// - Parameter length: In characters.
    public static func text(_ length: ClosedRange<Int> = 0...Int.max, _ rule: TextRule? = nil) -> Self {
        Self { json throws(BodyFailure) in
            guard case .string(let text) = json else { throw BodyFailure(.wrongType(["string"]), json) }
            let count = text.unicodeScalars.count
            if count < length.lowerBound { throw BodyFailure(.tooShort(least: length.lowerBound), json) }
            if count > length.upperBound { throw BodyFailure(.tooLong(most: length.upperBound), json) }
            if let rule, !rule.accepts(text) { throw BodyFailure(rule.reason, json) }
            return text
        }
    }

    public static func word(of words: [String]) -> Self {
        Self { json throws(BodyFailure) in
            guard case .string(let text) = json, words.contains(text) else {
                throw BodyFailure(.notOneOf(words.map { .string($0) }), json)
            }
            return text
        }
    }
}

extension BodyFormat where Value: RawRepresentable<String> & CaseIterable {
    public static func word(_: Value.Type = Value.self) -> Self {
        Self { json throws(BodyFailure) in
            guard let word = json.stringValue.flatMap(Value.init(rawValue:)) else {
                throw BodyFailure(.notOneOf(Value.allCases.map { .string($0.rawValue) }), json)
            }
            return word
        }
    }
}

extension BodyFormat where Value == Bool {
    /// `true` or `false`, nothing else.
    public static var flag: Self {
        Self { json throws(BodyFailure) in
            guard case .bool(let flag) = json else { throw BodyFailure(.wrongType(["boolean"]), json) }
            return flag
        }
    }

    /// Also words.
    /// - Parameter orNumber: Also 0 and 1.
    public static func flag(
        _ words: @escaping @Sendable (String) -> Bool?, orNumber: Bool = false
    ) -> Self {
        Self { json throws(BodyFailure) in
            switch json {
            case .bool(let flag): return flag
            case .int(0) where orNumber: return false
            case .int(1) where orNumber: return true
            case .string(let text): if let flag = words(text) { return flag }
            default: break
            }
            throw BodyFailure(.notOneOf([true, "True", "true", "1", false, "False", "false", "0"]), json)
        }
    }
}

extension BodyFormat where Value == Int {
    /// - Parameter orText: Also its digits as text.
    public static func integer(_ range: ClosedRange<Int> = Int.min...Int.max, orText: Bool = false) -> Self {
        Self { json throws(BodyFailure) in
            let number: Int
            switch json {
            case .int(let given): number = Int(given)
            case .double(let given) where given == given.rounded() && abs(given) < 9e15: number = Int(given)
            case .string(let text) where orText:
                let digits = text.hasPrefix("-") ? text.dropFirst() : text[...]
                guard !digits.isEmpty, digits.utf8.allSatisfy({ (48...57).contains($0) }) else {
                    throw BodyFailure(.pattern(range.lowerBound < 0 ? "^-?[0-9]+$" : "^[0-9]+$"), json)
                }
                number = Int(text) ?? (text.hasPrefix("-") ? .min : .max)
            default: throw BodyFailure(.wrongType(orText ? ["integer", "string"] : ["integer"]), json)
            }
            if number < range.lowerBound { throw BodyFailure(.belowMinimum("\(range.lowerBound)"), json) }
            if number > range.upperBound { throw BodyFailure(.aboveMaximum("\(range.upperBound)"), json) }
            return number
        }
    }
}

extension BodyFormat where Value == Double {
    public static func number(above bound: Double, orText: Bool = false) -> Self {
        Self { json throws(BodyFailure) in
            let number: Double
            switch json {
            case .int(let given): number = Double(given)
            case .double(let given): number = given
            case .string(let text) where orText && Double(text) != nil: number = Double(text) ?? 0
            default: throw BodyFailure(.wrongType(orText ? ["number", "string"] : ["number"]), json)
            }
            guard number > bound else { throw BodyFailure(.notAbove("\(bound)"), json) }
            return number
        }
    }
}

extension BodyFormat {
    /// Text that means something.
    /// - Parameter what: `uuid`, `ipv4`: for the refusal.
    public static func parsed(_ what: String, _ parse: @escaping @Sendable (String) -> Value?) -> Self {
        Self { json throws(BodyFailure) in
            guard let value = json.stringValue.flatMap(parse) else { throw BodyFailure(.format(what), json) }
            return value
        }
    }

    public static func identifier<Resource>() -> Self where Value == Identifier<Resource> {
        parsed("uuid") { Identifier<Resource>($0) }
    }

    /// - Parameter most: Items; a list without a bound can be made as long as a body.
    public static func list<Item>(of item: BodyFormat<Item>, most: Int, isUnique: Bool = false) -> Self
    where Value == [Item] {
        Self { json throws(BodyFailure) in
            guard case .array(let elements) = json else { throw BodyFailure(.wrongType(["array"]), json) }
            if elements.count > most { throw BodyFailure(.tooMany(most: most), json) }
            if isUnique, Set(elements).count < elements.count { throw BodyFailure(.notUnique, json) }
            var items: [Item] = []
            for (index, element) in elements.enumerated() {
                do throws(BodyFailure) { items.append(try item.read(element)) } catch {
                    throw error.below(String(index))
                }
            }
            return items
        }
    }

    /// Free names of one form with values of one kind.
    public static func map<Item>(keys: TextRule, values: BodyFormat<Item>, most: Int) -> Self
    where Value == [String: Item] {
        Self { json throws(BodyFailure) in
            guard case .object(let members) = json else { throw BodyFailure(.wrongType(["object"]), json) }
            if members.count > most { throw BodyFailure(.tooMany(most: most), json) }
            let unexpected = members.keys.filter { !keys.accepts($0) }.sorted()
            guard unexpected.isEmpty else { throw BodyFailure(.unexpected(unexpected), json) }
            var map: [String: Item] = [:]
            for (name, member) in members.sorted(by: { $0.key < $1.key }) {
                do throws(BodyFailure) { map[name] = try values.read(member) } catch { throw error.below(name) }
            }
            return map
        }
    }

    /// The first format that fits.
    public static func either(_ formats: [BodyFormat]) -> Self {
        Self { json throws(BodyFailure) in
            for format in formats { if let value = try? format.read(json) { return value } }
            throw BodyFailure(.noneFits, json)
        }
    }
}
