import Synchronization

/// A rule as an operator's file says it.
public struct PolicyOverride: Sendable, Hashable {
    public var name: String
    public var text: String
    /// Counted from 1.
    public var line: Int
    /// Why the file's value is no text that could be an expression, for one refusal with every mistake in it.
    public var defect: String?

    public init(name: String, text: String, line: Int, defect: String? = nil) {
        self.name = name
        self.text = text
        self.line = line
        self.defect = defect
    }
}

/// Everything that is wrong with an operator's file, in its order.
public struct PolicyFileError: Error, Sendable, Hashable, CustomStringConvertible {
    public var problems: [String]

    public init(problems: [String]) { self.problems = problems }

    public var description: String { problems.joined(separator: "\n") }
}

/// The rules that are in force: those of all services, with what the operator's file says in their place. Requests read
/// it while it changes; each sees the old rules or the new ones, never some of both.
public final class PolicyBook: Sendable {
    /// Which file is in force, for people.
    public struct Status: Sendable, Hashable {
        /// The file whose rules are in force; `nil` for none.
        public var file: String?
        /// When they came into force, microseconds since 1970.
        public var since: Int64 = 0
        /// Why a newer file is not in force; empty when there is none.
        public var problems: [String] = []
        /// How many files have been refused since the start.
        public var refusals = 0

        public init(file: String? = nil, since: Int64 = 0, problems: [String] = [], refusals: Int = 0) {
            self.file = file
            self.since = since
            self.problems = problems
            self.refusals = refusals
        }
    }

    private struct State {
        var policy: Policy
        var overrides: [String: PolicyOverride] = [:]
        var status = Status()
    }

    /// All services' rules with ``Policy/baseRules``, as they are without a file.
    public let defaults: [String: Policy.Rule]
    /// Rules that two services define differently: none may be, since one file speaks of all of them.
    public let conflicts: [String]
    private let attributes: Set<String>
    private let state: Mutex<State>

    public init(_ policies: [Policy]) {
        var rules = Policy.baseRules
        var conflicts: [String] = []
        for policy in policies {
            for (name, rule) in policy.rules {
                if let other = rules[name], other != rule { conflicts.append(name) }
                rules[name] = rule
            }
        }
        defaults = rules
        self.conflicts = conflicts.sorted()
        attributes = policies.reduce(into: rules.values.reduce(into: []) { $0.formUnion($1.expression.names) }) {
            $0.formUnion($1.attributes)
        }
        state = Mutex(State(policy: Policy(rules: rules)))
    }

    /// The rules as they are at this moment.
    public var policy: Policy { state.withLock { $0.policy } }
    public var status: Status { state.withLock { $0.status } }
    public var overrides: [String: PolicyOverride] { state.withLock { $0.overrides } }

    /// Puts the file's rules in force, all of them or none.
    /// - Parameter now: Microseconds since 1970.
    /// - Throws: ``PolicyFileError``; the rules are then what they were.
    public func apply(_ overrides: [PolicyOverride], file: String?, now: Int64) throws(PolicyFileError) {
        let policy: Policy
        do { policy = try check(overrides) } catch {
            refuse(error)
            throw error
        }
        let named = Dictionary(overrides.map { ($0.name, $0) }) { _, last in last }
        state.withLock { state in
            state.policy = policy
            state.overrides = named
            state.status.file = file
            state.status.since = now
            state.status.problems = []
        }
    }

    /// Notes that a file could not even be read; the rules stay what they are.
    public func refuse(_ error: PolicyFileError) {
        state.withLock { state in
            state.status.problems = error.problems
            state.status.refusals += 1
        }
    }

    /// The rules with these in their place. Pure.
    public func check(_ overrides: [PolicyOverride]) throws(PolicyFileError) -> Policy {
        var rules = defaults
        var lines: [String: Int] = [:]
        var problems: [(line: Int, text: String)] = []
        for override in overrides {
            let place = "line \(override.line): '\(override.name)'"
            guard defaults[override.name] != nil else {
                problems.append((override.line, "\(place) is no rule\(nearest(override.name))."))
                continue
            }
            if let first = lines[override.name] {
                problems.append((override.line, "\(place) stands on line \(first) already."))
                continue
            }
            lines[override.name] = override.line
            if let defect = override.defect {
                problems.append((override.line, "\(place) \(defect)."))
                continue
            }
            do {
                let expression = try PolicyParser.parse(override.text)
                for name in expression.names.subtracting(attributes).sorted() {
                    problems.append((override.line, "\(place): nothing is known of a resource by '%(\(name))s'."))
                }
                rules[override.name] = Policy.Rule(expression)
            } catch {
                problems.append((override.line, "\(place), \(error)."))
            }
        }
        for problem in PolicyCompiler.compile(rules.mapValues(\.expression)).problems {
            // A ring may close in a default; what closed it stands in the file.
            let line = ([problem.rule] + problem.ring).compactMap { lines[$0] }.first ?? 0
            problems.append((line, "line \(line): '\(problem.rule)': \(problem.reason)."))
        }
        guard problems.isEmpty else {
            throw PolicyFileError(problems: problems.sorted { $0.line < $1.line }.map(\.text))
        }
        return Policy(rules: rules)
    }

    /// A hint for slips of the finger: the rule that differs least, where one is near.
    private func nearest(_ name: String) -> String {
        let near = defaults.keys.map { ($0, EditDistance.between($0, name, limit: 4)) }
            .filter { $0.1 < 4 }.min { ($0.1, $0.0) < ($1.1, $1.0) }
        return near.map { "; did you mean '\($0.0)'" } ?? ": 'skerry policy list' shows the rules there are"
    }
}

extension PolicyExpression {
    /// What it asks of a resource beyond owner, domain and user.
    var names: Set<String> {
        switch self {
        case .compare(_, .target(.named(let name))): [name]
        case .compare, .always, .never, .role, .rule: []
        case .not(let inner): inner.names
        case .all(let parts), .any(let parts): parts.reduce(into: []) { $0.formUnion($1.names) }
        }
    }
}

/// How many letters two words differ in (Levenshtein).
enum EditDistance {
    /// - Returns: The distance, or `limit` when it is at least that.
    static func between(_ left: String, _ right: String, limit: Int) -> Int {
        let left = Array(left.utf8), right = Array(right.utf8)
        guard abs(left.count - right.count) < limit, left.count <= 200, right.count <= 200 else { return limit }
        var row = Array(0...right.count)
        for (index, byte) in left.enumerated() {
            var diagonal = row[0]
            row[0] = index + 1
            for column in right.indices {
                let substituted = diagonal + (right[column] == byte ? 0 : 1)
                diagonal = row[column + 1]
                row[column + 1] = min(substituted, row[column] + 1, diagonal + 1)
            }
        }
        return min(row[right.count], limit)
    }
}
