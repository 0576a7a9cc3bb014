/// Puts into every rule what it calls, so that nothing is looked up when it is asked. Pure.
enum PolicyCompiler {
    struct Problem: Sendable, Hashable {
        var rule: String
        var reason: String
        /// The rules of a ring.
        var ring: [String] = []
    }

    /// Checks that a rule may come to with all it calls: rules that call each other twice over would grow without end.
    static let costLimit = 10_000

    /// - Returns: A tree without references for each rule that is sound. What calls a rule that is not, is not either;
    ///   only the cause is told.
    static func compile(_ rules: [String: PolicyExpression])
        -> (trees: [String: PolicyExpression], problems: [Problem])
    {
        var run = Run(rules: rules)
        for name in rules.keys.sorted() { _ = run.tree(of: name) }
        return (run.done, run.problems)
    }

    private struct Run {
        let rules: [String: PolicyExpression]
        var done: [String: PolicyExpression] = [:]
        var costs: [String: Int] = [:]
        var problems: [Problem] = []
        private var unsound: Set<String> = []
        /// The rules that are being resolved, the outermost first.
        private var path: [String] = []

        init(rules: [String: PolicyExpression]) { self.rules = rules }

        mutating func tree(of name: String) -> PolicyExpression? {
            if let tree = done[name] { return tree }
            guard !unsound.contains(name), let rule = rules[name] else { return nil }
            path.append(name)
            defer { path.removeLast() }
            var cost = 0
            guard let tree = resolve(rule, cost: &cost) else {
                unsound.insert(name)
                return nil
            }
            guard cost <= PolicyCompiler.costLimit else {
                refuse("it comes to more than \(PolicyCompiler.costLimit) checks with all the rules it calls")
                unsound.insert(name)
                return nil
            }
            done[name] = tree
            costs[name] = cost
            return tree
        }

        private mutating func resolve(_ expression: PolicyExpression, cost: inout Int) -> PolicyExpression? {
            switch expression {
            case .rule(let name): return called(name, cost: &cost)
            case .not(let inner): return resolve(inner, cost: &cost).map { .not($0) }
            case .all(let parts): return resolve(parts, cost: &cost).map { .all($0) }
            case .any(let parts): return resolve(parts, cost: &cost).map { .any($0) }
            case .always, .never, .role, .compare:
                cost += 1
                return expression
            }
        }

        private mutating func resolve(_ parts: [PolicyExpression], cost: inout Int) -> [PolicyExpression]? {
            var resolved: [PolicyExpression] = []
            for part in parts {
                guard let tree = resolve(part, cost: &cost) else { return nil }
                resolved.append(tree)
            }
            return resolved
        }

        private mutating func called(_ name: String, cost: inout Int) -> PolicyExpression? {
            guard rules[name] != nil else {
                refuse("it calls rule:\(name), which there is not")
                return nil
            }
            if let start = path.firstIndex(of: name) {
                refuse("it calls itself: \((path[start...] + [name]).joined(separator: " -> "))", Array(path[start...]))
                return nil
            }
            guard let tree = tree(of: name) else { return nil }
            cost += costs[name] ?? 0
            return tree
        }

        private mutating func refuse(_ reason: String, _ ring: [String] = []) {
            guard let rule = path.last else { return }
            problems.append(Problem(rule: rule, reason: reason, ring: ring))
        }
    }
}
