/// Who may create, read, update and delete which properties of images, as an operator's file says it: Glance's own
/// format (its "Property protections").
///
///     [^x_billing_.*]
///     create = admin,billing
///     read = admin,billing,member
///     update = admin
///     delete = !
///
/// The first section whose regular expression is found in a property's name decides; a property that no section speaks
/// of is nobody's. `@` is everybody, `!` nobody.
public struct PropertyProtections: Sendable, Equatable {
    public enum Operation: String, Sendable, Hashable, CaseIterable {
        case create, read, update, delete
    }

    /// What stands to the right of an operation.
    public enum Format: String, Sendable {
        /// Role names, separated by commas.
        case roles
        /// The name of one rule of the policy.
        case policies
    }

    /// Everything that is wrong with a file, with the lines.
    public struct Failure: Error, Sendable, Equatable, CustomStringConvertible {
        public var problems: [String]

        public init(problems: [String]) { self.problems = problems }

        public var description: String { problems.joined(separator: "\n") }
    }

    struct Section: Sendable, Equatable {
        var pattern: String
        /// In lower case.
        var allowed: [Operation: [String]] = [:]
    }

    public let format: Format
    let sections: [Section]

    /// - Parameter text: The file.
    /// - Throws: ``Failure``, naming every wrong line.
    public init(parsing text: String, format: Format = .roles) throws(Failure) {
        self.format = format
        var reader = Reader(format: format)
        for (index, line) in text.split(separator: "\n", omittingEmptySubsequences: false).enumerated() {
            reader.read(line.trimmed[...], number: index + 1)
        }
        reader.finish()
        guard reader.problems.isEmpty else { throw Failure(problems: reader.problems) }
        sections = reader.sections
    }

    /// The policy's rules that the file names; none where it names roles.
    public var rules: Set<String> {
        guard format == .policies else { return [] }
        return Set(sections.flatMap { $0.allowed.values.joined() }).subtracting(["@", "!"])
    }

    private struct Reader {
        let format: Format
        var sections: [Section] = []
        var problems: [String] = []
        private var startedAt = 0

        init(format: Format) { self.format = format }

        mutating func read(_ line: Substring, number: Int) {
            if line.isEmpty || line.hasPrefix("#") || line.hasPrefix(";") { return }
            if line.hasPrefix("["), line.hasSuffix("]") { return begin(String(line.dropFirst().dropLast()), number) }
            guard let equals = line.firstIndex(where: { $0 == "=" || $0 == ":" }), !sections.isEmpty else {
                problems.append("line \(number): '[PATTERN]' or 'OPERATION = WHO' is expected.")
                return
            }
            let name = line[..<equals].trimmed.lowercased()
            guard let operation = Operation(rawValue: name) else {
                problems.append("line \(number): '\(name)' is not create, read, update or delete.")
                return
            }
            set(operation, line[line.index(after: equals)...].trimmed[...], number)
        }

        private mutating func begin(_ pattern: String, _ number: Int) {
            finish()
            startedAt = number
            if (try? Regex(pattern)) == nil {
                problems.append("line \(number): '\(pattern)' is not a regular expression.")
            }
            sections.append(Section(pattern: pattern))
        }

        private mutating func set(_ operation: Operation, _ text: Substring, _ number: Int) {
            let who = text.split(separator: ",").map { $0.trimmed.lowercased() }.filter { !$0.isEmpty }
            if who.contains("@"), who.contains("!") {
                problems.append("line \(number): '@' and '!' are mutually exclusive.")
            }
            if format == .policies, who.count > 1 {
                problems.append("line \(number): one policy per operation; combine rules in the policy file.")
            }
            sections[sections.count - 1].allowed[operation] = who
        }

        /// Checks the section that ends.
        mutating func finish() {
            guard let section = sections.last else { return }
            for operation in Operation.allCases where section.allowed[operation] == nil {
                problems.append("line \(startedAt): [\(section.pattern)] says nothing of '\(operation.rawValue)'.")
            }
        }
    }
}

extension StringProtocol {
    /// Without white space at its ends.
    var trimmed: String {
        var text = Substring(self)
        while text.first?.isWhitespace == true { text.removeFirst() }
        while text.last?.isWhitespace == true { text.removeLast() }
        return String(text)
    }
}
