/// What `iptables-save` and its like show of our chains.
public struct SavedRules: Hashable, Sendable {
    public struct Chain: Hashable, Sendable {
        public var ruleCount = 0
        /// From the comment of the first rule; `nil` where there is none.
        public var fingerprint: String?

        public init(ruleCount: Int = 0, fingerprint: String? = nil) {
            self.ruleCount = ruleCount
            self.fingerprint = fingerprint
        }
    }

    public struct Table: Hashable, Sendable {
        public var chains: [String: Chain] = [:]
        /// One for each jump, so a jump that is there twice is here twice.
        public var hooks: [RuleTable.Hook] = []

        public init(chains: [String: Chain] = [:], hooks: [RuleTable.Hook] = []) {
            self.chains = chains
            self.hooks = hooks
        }
    }

    public var tables: [String: Table] = [:]

    public init(tables: [String: Table] = [:]) { self.tables = tables }

    /// What the kernel shows once these tables were written.
    package init(written tables: [RuleTable], _ family: FilterFamily) {
        for table in tables {
            self.tables[table.name] = Table(
                chains: table.chains.mapValues { rules in
                    Chain(
                        ruleCount: RuleTable.stamped(rules, family).count,
                        fingerprint: family.hasComments ? RuleTable.fingerprint(rules) : nil)
                }, hooks: table.hooks)
        }
    }

    /// Reads the text of a `save` command, leaving out what is not ours.
    public init(parsing text: String) {
        var current = ""
        for line in text.split(separator: "\n") {
            if line.hasPrefix("*") {
                current = String(line.dropFirst())
            } else if line.hasPrefix(":") {
                let chain = String(line.dropFirst().prefix { $0 != " " })
                if RuleTable.isOurs(chain) {
                    tables[current, default: Table()].chains[chain, default: Chain()] = Chain()
                }
            } else if line.hasPrefix("-A ") {
                read(rule: line.dropFirst(3), table: current)
            }
        }
    }

    private mutating func read(rule: Substring, table: String) {
        let chain = String(rule.prefix { $0 != " " })
        let rest = rule.dropFirst(chain.utf8.count + 1)
        if RuleTable.isOurs(chain) {
            let isFirst = tables[table, default: Table()].chains[chain, default: Chain()].ruleCount == 0
            tables[table]?.chains[chain]?.ruleCount += 1
            if isFirst { tables[table]?.chains[chain]?.fingerprint = Self.fingerprint(in: rest) }
        } else if rest.hasPrefix("-j skerry-") {
            let target = String(rest.dropFirst(3).prefix { $0 != " " })
            tables[table, default: Table()].hooks.append(.init(chain: chain, target: target))
        }
    }

    private static func fingerprint(in rule: Substring) -> String? {
        let words = rule.split(separator: " ")
        guard words.count == 4, words[2] == "--comment" else { return nil }
        let text = words[3].filter { $0 != "\"" }
        return text.hasPrefix("skerry:") ? String(text.dropFirst(7)) : nil
    }
}
