/// Goes through a daemon's configuration file and notes everything that is wrong with it, so that an operator sees all
/// mistakes at once. Daemons extend it with a method for each of their topics.
///
/// What a value is read as is `nil` where it is wrong; the mistake is noted with the line it stands on.
public struct SettingsReader {
    public typealias Node = YAMLNode

    private var problems: [String] = []

    private init() {}

    /// - Parameter read: Reads the file's root, a mapping; not called for a file without content.
    /// - Throws: ``SettingsError`` for what is not YAML, for unknown keys and for wrong values.
    public static func read(
        _ text: String, path: String, with read: (inout SettingsReader, Node) -> Void
    ) throws(SettingsError) {
        var reader = SettingsReader()
        do {
            if let root = try YAMLParser.parse(text) { read(&reader, root) }
        } catch {
            reader.problems.append("It is not YAML: \(error)")
        }
        guard reader.problems.isEmpty else { throw SettingsError(path: path, problems: reader.problems) }
    }

    // MARK: Structure

    /// - Parameter what: Names the node in the message: `'api'`.
    public mutating func members(_ node: Node, of what: String) -> [(String, Node)] {
        guard let mapping = node.mapping else {
            wrong(node, what, "a mapping of names to values")
            return []
        }
        return mapping.map { ($0.key.string ?? "", $0.value) }
    }

    /// - Parameter wanted: Says what the list must be: `a list of ports`.
    public mutating func list<Value>(
        _ node: Node, _ name: String, _ wanted: String, _ parse: (String) -> Value?
    ) -> [Value]? {
        let values = node.sequence?.map { $0.string.flatMap(parse) } ?? [nil]
        guard !values.contains(where: { $0 == nil }) else {
            wrong(node, name, wanted)
            return nil
        }
        return values.compactMap { $0 }
    }

    // MARK: Values

    public mutating func parsed<Value>(
        _ node: Node, _ name: String, _ wanted: String, _ parse: (String) -> Value?
    ) -> Value? {
        guard let value = node.string.flatMap(parse) else {
            wrong(node, name, wanted)
            return nil
        }
        return value
    }

    public mutating func string(_ node: Node, _ name: String) -> String? {
        parsed(node, name, "some text") { $0.isEmpty ? nil : $0 }
    }

    public mutating func path(_ node: Node, _ name: String) -> String? {
        parsed(node, name, "an absolute path") { $0.hasPrefix("/") ? $0 : nil }
    }

    public mutating func flag(_ node: Node, _ name: String) -> Bool? {
        guard let flag = node.bool else {
            wrong(node, name, "true or false")
            return nil
        }
        return flag
    }

    /// - Parameter what: What is counted: `a number of days`.
    public mutating func number(
        _ node: Node, _ name: String, _ what: String, _ range: ClosedRange<Int64>
    ) -> Int64? {
        guard let value = node.int, range.contains(value) else {
            wrong(node, name, "\(what), \(range.lowerBound) to \(range.upperBound)")
            return nil
        }
        return value
    }

    // MARK: Mistakes

    public mutating func wrong(_ node: Node, _ name: String, _ wanted: String) {
        problems.append("line \(node.line): \(name) must be \(wanted).")
    }

    public mutating func unknown(_ name: String, _ node: Node, known: String) {
        problems.append(
            "line \(node.line): '\(name)' is not known here; known are \(known). Correct or remove it.")
    }
}

/// A configuration file that cannot be used; every mistake in it at once.
public struct SettingsError: Error, CustomStringConvertible {
    public var path: String
    public var problems: [String]

    public init(path: String, problems: [String]) {
        self.path = path
        self.problems = problems
    }

    public var description: String {
        "The configuration '\(path)' cannot be used:\n" + problems.map { "  - \($0)" }.joined(separator: "\n")
    }
}
