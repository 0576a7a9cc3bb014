import ProtocolModel

/// Decides which links to delete, make and change. Pure: the same input always gives the same plan.
public enum LinkPlanner {
    public enum Action: Hashable, Sendable {
        case delete
        /// Leaves the bridge it is in.
        case release
        case create(DesiredLink.Kind, OwnershipMark)
        case setMTU(bytes: Int)
        case join(InterfaceName)
        case setIsolated(Bool)
        /// Learns nothing, asks for no neighbour that is known.
        case setOverlay
        case setUp(Bool)
    }

    /// One action on one link. When it fails, the later ones of the same owner are left out.
    public struct Step: Hashable, Sendable {
        public var name: InterfaceName
        public var action: Action
        public var owner: ResourceKey?

        public init(_ name: InterfaceName, _ action: Action, owner: ResourceKey?) {
            self.name = name
            self.action = action
            self.owner = owner
        }

        var makesTap: Bool {
            if case .create(.tap, _) = action { true } else { false }
        }
    }

    public struct Plan: Hashable, Sendable {
        /// Done before the firewall changes, so that no tap is ever in a bridge without its rules.
        public var removals: [Step] = []
        public var changes: [Step] = []
        public var failures: [ResourceKey: StatusError] = [:]
        /// Names that belong to somebody else.
        public var foreign: Set<InterfaceName> = []

        public init() {}
    }

    /// - Parameters:
    ///   - desired: in order of making: a bridge before its ports, a device below before the one above.
    ///   - uplinks: the configured physical interfaces, which only we put into our bridges.
    ///   - severed: service links whose other end is gone, to be made again.
    ///   - keeping: resources that are wanted but cannot be had at the moment: what is there of them stays as it is.
    public static func plan(
        desired: [DesiredLink], actual: [ObservedLink], uplinks: Set<InterfaceName> = [],
        severed: Set<InterfaceName> = [],
        keeping: Set<ResourceKey> = []
    ) -> Plan {
        var plan = Plan()
        let byName = Dictionary(actual.map { ($0.name, $0) }) { first, _ in first }
        let byIndex = Dictionary(actual.map { ($0.index, $0) }) { first, _ in first }
        // A physical interface may be wanted twice: in a bridge, and below a VLAN device.
        let wanted = Dictionary(desired.map { ($0.name, $0) }) { $0.master != nil ? $0 : $1 }
        for link in actual.sorted(by: removalOrder) {
            guard let mark = OwnershipMark(alias: link.alias) else {
                if uplinks.contains(link.name), let step = release(link, wanted: wanted, byIndex: byIndex) {
                    plan.removals.append(step)
                }
                continue
            }
            if keeping.contains(mark.owner) { continue }
            if wanted[link.name] == nil, link.kind == "tun", link.hasCarrier {
                // A guest that no plan names has it open, and would never get it back: it stays, cut off.
                if link.master != nil { plan.removals.append(Step(link.name, .release, owner: mark.owner)) }
                continue
            }
            guard let keep = wanted[link.name], keep.mark == mark, !severed.contains(link.name),
                isSame(link, keep, byIndex)
            else {
                plan.removals.append(Step(link.name, .delete, owner: mark.owner))
                continue
            }
        }
        let removed = Set(plan.removals.lazy.filter { $0.action == .delete }.map(\.name))
        var taken: [InterfaceName: OwnershipMark] = [:]
        for link in desired {
            if plan.failures[link.owner] != nil { continue }
            if let master = link.master, plan.foreign.contains(master) {
                plan.failures[link.owner] = .nameTaken(master)
                continue
            }
            if let mark = link.mark {
                // Two resources whose identifiers begin alike would share a name.
                guard taken.updateValue(mark, forKey: link.name) == nil else {
                    plan.failures[link.owner] = .nameTaken(link.name)
                    continue
                }
            }
            let present = removed.contains(link.name) ? nil : byName[link.name]
            if present == nil, link.kind == .physical {
                plan.failures[link.owner] = .missingInterface(link.name)
            } else if let present, let mark = link.mark, OwnershipMark(alias: present.alias) != mark {
                plan.failures[link.owner] = .nameTaken(link.name)
                plan.foreign.insert(link.name)
            } else {
                plan.changes += steps(for: link, present: present, removed: removed, byIndex: byIndex)
            }
        }
        return plan
    }

    /// Ports go before their bridges, and what stands on a device before the device.
    private static func removalOrder(_ left: ObservedLink, _ right: ObservedLink) -> Bool {
        func rank(_ link: ObservedLink) -> Int {
            switch link.kind {
            case "bridge": 1
            case "vlan", "vxlan": 2
            default: 0
            }
        }
        return (rank(left), left.name) < (rank(right), right.name)
    }

    /// An uplink leaves a bridge that stays but no longer wants it; with a bridge that goes it leaves by itself.
    private static func release(
        _ link: ObservedLink, wanted: [InterfaceName: DesiredLink], byIndex: [Int32: ObservedLink]
    ) -> Step? {
        guard let master = link.master.flatMap({ byIndex[$0] }), wanted[master.name] != nil,
            case .bridge(let network)? = OwnershipMark(alias: master.alias), wanted[link.name]?.master == nil
        else { return nil }
        return Step(link.name, .release, owner: .network(network))
    }

    /// Whether the link is of the wanted kind, so that changing it is enough.
    private static func isSame(_ link: ObservedLink, _ desired: DesiredLink, _ byIndex: [Int32: ObservedLink]) -> Bool {
        switch desired.kind {
        case .bridge: link.kind == "bridge"
        case .vxlan(let settings): link.vxlan == settings
        case .tap: link.kind == "tun"
        case .service: link.kind == "veth"
        case .queue: link.kind == "ifb"
        case .vlan(let parent, let tag):
            link.kind == "vlan" && link.vlanTag == tag && link.parent.flatMap { byIndex[$0] }?.name == parent
        case .physical: true
        }
    }

    private static func steps(
        for desired: DesiredLink, present: ObservedLink?, removed: Set<InterfaceName>, byIndex: [Int32: ObservedLink]
    ) -> [Step] {
        var actions: [Action] = []
        if present == nil, let mark = desired.mark { actions.append(.create(desired.kind, mark)) }
        // A bridge without an MTU of its own takes its ports' smallest, so a fresh one is always told.
        if let mtuBytes = desired.mtuBytes, present?.mtuBytes != mtuBytes { actions.append(.setMTU(bytes: mtuBytes)) }
        if let master = desired.master {
            let current = present?.master.flatMap { byIndex[$0] }?.name
            let isJoined = current == master && !removed.contains(master)
            if !isJoined { actions.append(.join(master)) }
            if desired.isIsolated != (isJoined && present?.isIsolated == true) {
                actions.append(.setIsolated(desired.isIsolated))
            }
            if desired.kind.isOverlay, !isJoined || present?.isOverlay != true { actions.append(.setOverlay) }
        }
        if present?.isUp ?? false != desired.isUp { actions.append(.setUp(desired.isUp)) }
        return actions.map { Step(desired.name, $0, owner: desired.owner) }
    }
}

extension DesiredLink.Kind {
    fileprivate var isOverlay: Bool {
        if case .vxlan = self { true } else { false }
    }
}
