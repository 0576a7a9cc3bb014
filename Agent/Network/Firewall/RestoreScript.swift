/// Writes what a `restore --noflush` must be told to get from what is there to what shall be. Pure.
public enum RestoreScript {
    /// - Parameters:
    ///   - saved: what is there.
    ///   - trusted: the tables as we wrote them last in this process, for filters whose chains carry no fingerprint.
    /// - Returns: `nil` when nothing is to be changed. One table is changed at once or not at all.
    public static func make(
        family: FilterFamily, desired: [RuleTable], saved: SavedRules, trusted: [RuleTable] = []
    ) -> String? {
        var lines: [String] = []
        for table in desired {
            let known = trusted.first { $0.name == table.name }
            lines += script(family, table, saved.tables[table.name] ?? SavedRules.Table(), known)
        }
        return lines.isEmpty ? nil : lines.joined(separator: "\n") + "\n"
    }

    private static func script(
        _ family: FilterFamily, _ table: RuleTable, _ saved: SavedRules.Table, _ trusted: RuleTable?
    ) -> [String] {
        let stale = saved.chains.keys.filter { table.chains[$0] == nil }.sorted()
        let changed = table.chains.keys.sorted().filter { name in
            guard let rules = table.chains[name], let chain = saved.chains[name] else { return true }
            let stamped = RuleTable.stamped(rules, family)
            guard chain.ruleCount == stamped.count else { return true }
            return family.hasComments
                ? chain.fingerprint != RuleTable.fingerprint(rules) : trusted?.chains[name] != rules
        }
        let hooks = hookChanges(table.hooks, saved.hooks)
        guard !stale.isEmpty || !changed.isEmpty || !hooks.isEmpty else { return [] }
        var lines = ["*\(table.name)"]
        lines += (stale + changed).map(family.declaration)
        for name in changed {
            lines += RuleTable.stamped(table.chains[name] ?? [], family).map { "-A \(name) \($0)" }
        }
        lines += hooks
        lines += stale.map { "-X \($0)" }
        lines.append("COMMIT")
        return lines
    }

    /// A jump is put first in its chain, before rules of others that might accept or drop; once there it stays where it
    /// is, since another program may want to be first too.
    private static func hookChanges(_ desired: [RuleTable.Hook], _ saved: [RuleTable.Hook]) -> [String] {
        var lines: [String] = []
        var kept: Set<RuleTable.Hook> = []
        for hook in saved where !desired.contains(hook) || !kept.insert(hook).inserted {
            lines.append("-D \(hook.chain) -j \(hook.target)")
        }
        for hook in desired where !kept.contains(hook) {
            lines.append("-I \(hook.chain) 1 -j \(hook.target)")
        }
        return lines
    }
}
