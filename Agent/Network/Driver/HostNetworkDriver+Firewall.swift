import AgentCore
import AgentNetlink
import ProtocolModel

/// What the driver remembers of the rules, so that a pass that changes none runs no program.
struct FirewallMemory {
    /// The rules as they were last written; `nil` when they must be read from the kernel first.
    var written: FirewallPlan?
    /// When the kernel's rules are to be compared with `written` again.
    var verifyAt: Duration = .zero
}

extension HostNetworkDriver {
    /// - Returns: why the rules are not as wanted.
    func applyFirewall(_ desired: NetworkState) async -> StatusError? {
        let plan = FirewallPlanner.plan(desired)
        let isVerified = firewall.written != nil && now() < firewall.verifyAt
        if isVerified, firewall.written == plan { return nil }
        let previous = firewall.written
        firewall.written = nil
        do {
            if !plan.isEmpty { try await enableBridgeFilter() }
            let current =
                if isVerified, let previous { previous.asObserved } else { try await observeFirewall(plan) }
            try await change(from: current, to: plan, trusting: previous?.tables[.frames] ?? [])
            firewall.written = plan
            if !isVerified { firewall.verifyAt = now() + configuration.verifyRulesEvery }
            return nil
        } catch {
            logger.warning("packet filter not changed", metadata: ["error": "\(error)"])
            return (error as? StatusError) ?? .host("set up its packet filter", "\(error)")
        }
    }

    struct ObservedFirewall: Sendable {
        var rules: [FilterFamily: SavedRules] = [:]
        var sets: [String: Set<String>] = [:]
    }

    // The programs run one after the other, readings included. All of them are clients of nf_tables, whose rule set has one
    // generation for all families: a program that finds it changed under its transaction begins again, and iptables-nft's
    // second attempt can leave parts of the first one out.

    private func observeFirewall(_ plan: FirewallPlan) async throws -> ObservedFirewall {
        // With nothing wanted, a program that is not even installed cannot have left anything either.
        let isNeeded = !plan.isEmpty
        var observed = ObservedFirewall()
        for family in FilterFamily.allCases {
            observed.rules[family] = SavedRules(parsing: try await read(family.saveCommand, [], isNeeded: isNeeded))
        }
        observed.sets = AddressSet.parse(saved: try await read("ipset", ["save"], isNeeded: isNeeded))
        return observed
    }

    private func read(_ program: String, _ arguments: [String], isNeeded: Bool) async throws -> String {
        do {
            return try await Command(namespace: configuration.hostNamespace).run(program, arguments)
        } catch {
            if isNeeded { throw error }
            return ""
        }
    }

    private func change(
        from current: ObservedFirewall, to plan: FirewallPlan, trusting frames: [RuleTable]
    ) async throws {
        let command = Command(namespace: configuration.hostNamespace)
        if let text = AddressSet.additions(desired: plan.sets, saved: current.sets) {
            try await command.run("ipset", ["restore"], input: text)
        }
        for family in FilterFamily.allCases {
            let script = RestoreScript.make(
                family: family, desired: plan.tables[family] ?? [], saved: current.rules[family] ?? SavedRules(),
                trusted: family == .frames ? frames : [])
            guard let script else { continue }
            logger.info(
                "packet filter changed",
                metadata: ["filter": "\(family)", "lines": "\(script.split(separator: "\n").count)"])
            try await command.run(family.restoreCommand, family.restoreArguments, input: script)
        }
        if let text = AddressSet.removals(desired: plan.sets, saved: current.sets) {
            try await command.run("ipset", ["restore"], input: text)
        }
    }

    /// Has bridged frames seen by iptables, in this namespace.
    private func enableBridgeFilter() async throws {
        let settings = ["bridge/bridge-nf-call-iptables", "bridge/bridge-nf-call-ip6tables"]
        if KernelSetting.read(settings[0]) == nil {
            _ = try? await Command().run("modprobe", ["br_netfilter"])
        }
        guard KernelSetting.read(settings[0]) != nil else {
            throw StatusError(
                code: .unsupported,
                message:
                    "The host's kernel cannot filter bridged traffic, which security groups need: use another host.",
                detail: "no net.bridge.bridge-nf-call-iptables: load the kernel module br_netfilter")
        }
        for setting in settings { try KernelSetting.write(setting, "1") }
    }
}

extension FirewallPlan {
    var isEmpty: Bool { sets.isEmpty && tables.values.allSatisfy { $0.allSatisfy(\.chains.isEmpty) } }

    /// What the kernel shows after this plan was carried out.
    var asObserved: HostNetworkDriver.ObservedFirewall {
        var observed = HostNetworkDriver.ObservedFirewall()
        for (family, tables) in tables {
            observed.rules[family] = SavedRules(written: tables, family)
        }
        for set in sets { observed.sets[set.name] = Set(set.members.map(\.description)) }
        return observed
    }
}
