import ProtocolModel

/// All hosts of a cloud as the scheduler looks at them: those that are alike in zone, role, health, traits and the like
/// stand together, so that a filter is asked once for all of them, and their numbers lie in arrays.
public struct HostTable: Sendable {
    /// Hosts with equal facts, by name.
    struct Group: Sendable {
        let facts: HostState.Facts
        private(set) var names: [Name] = []
        private(set) var consumers: [Int] = []
        private(set) var columns: [String: Column] = [:]

        /// Ordered by the text, then the id: names are unique but for a moment while a host is replaced.
        struct Name: Sendable, Hashable, Comparable {
            var hostname: String
            var node: NodeID

            static func < (left: Self, right: Self) -> Bool {
                left.hostname != right.hostname
                    ? left.hostname < right.hostname
                    : (left.node.high, left.node.low) < (right.node.high, right.node.low)
            }
        }

        /// One resource class. A host without it has zeros.
        struct Column: Sendable {
            var free: [Int]
            var left: [Int]
        }

        init(facts: HostState.Facts) { self.facts = facts }

        var count: Int { names.count }

        /// The place of the name, or where it belongs.
        func index(of name: Name) -> Int {
            var (low, high) = (0, names.count)
            while low < high {
                let middle = (low + high) / 2
                if names[middle] < name { low = middle + 1 } else { high = middle }
            }
            return low
        }

        mutating func insert(_ name: Name, _ stocks: [String: HostState.Stock], consumers count: Int) {
            let place = index(of: name)
            names.insert(name, at: place)
            consumers.insert(count, at: place)
            for key in columns.keys {
                columns[key]?.free.insert(0, at: place)
                columns[key]?.left.insert(0, at: place)
            }
            set(stocks, at: place)
        }

        mutating func set(_ stocks: [String: HostState.Stock], consumers count: Int, of name: Name) {
            let place = index(of: name)
            consumers[place] = count
            for key in columns.keys where stocks[key] == nil {
                columns[key]?.free[place] = 0
                columns[key]?.left[place] = 0
            }
            set(stocks, at: place)
        }

        private mutating func set(_ stocks: [String: HostState.Stock], at place: Int) {
            for (key, stock) in stocks {
                if columns[key] == nil {
                    let zeros = [Int](repeating: 0, count: names.count)
                    columns[key] = Column(free: zeros, left: zeros)
                }
                columns[key]?.free[place] = stock.free
                columns[key]?.left[place] = stock.left
            }
        }

        mutating func remove(_ name: Name) {
            let place = index(of: name)
            names.remove(at: place)
            consumers.remove(at: place)
            for key in columns.keys {
                columns[key]?.free.remove(at: place)
                columns[key]?.left.remove(at: place)
            }
        }
    }

    /// By a number of its own, so that nothing has to be hashed to find a host's.
    private(set) var groups: [Int: Group] = [:]
    private var numbers: [HostState.Facts: Int] = [:]
    private var lastNumber = 0
    private var places: [NodeID: (group: Int, name: Group.Name)] = [:]
    /// All of a name: they are unique but for a moment while a host is replaced.
    private var named: [String: Set<NodeID>] = [:]

    public init() {}

    public init(_ hosts: some Sequence<HostState>) { for host in hosts { set(host) } }

    public var count: Int { places.count }

    /// Puts the host in, or changes what is known of it.
    public mutating func set(_ host: HostState) {
        let name = Group.Name(hostname: host.hostname, node: host.node)
        if let place = places[host.node], place.name == name, groups[place.group]?.facts == host.facts {
            groups[place.group]?.set(host.stocks, consumers: host.consumers, of: name)
            return
        }
        remove(host.node)
        let number = numbers[host.facts] ?? lastNumber + 1
        lastNumber = max(lastNumber, number)
        numbers[host.facts] = number
        groups[number, default: Group(facts: host.facts)].insert(name, host.stocks, consumers: host.consumers)
        places[host.node] = (number, name)
        named[host.hostname, default: []].insert(host.node)
    }

    /// Changes what is left of a host that is in the table.
    public mutating func set(_ stocks: [String: HostState.Stock], consumers: Int, of node: NodeID) {
        guard let place = places[node] else { return }
        groups[place.group]?.set(stocks, consumers: consumers, of: place.name)
    }

    public mutating func remove(_ node: NodeID) {
        guard let place = places.removeValue(forKey: node) else { return }
        groups[place.group]?.remove(place.name)
        if let group = groups[place.group], group.count == 0 {
            groups[place.group] = nil
            numbers[group.facts] = nil
        }
        named[place.name.hostname]?.remove(node)
        if named[place.name.hostname]?.isEmpty == true { named[place.name.hostname] = nil }
    }

    /// The one that can be used, where there are two of the name.
    func node(named hostname: String) -> NodeID? {
        guard let nodes = named[hostname], nodes.count > 1 else { return named[hostname]?.first }
        return nodes.min { left, right in
            let ranks = (rank(of: left), rank(of: right))
            return ranks.0 != ranks.1 ? ranks.0 < ranks.1 : (left.high, left.low) < (right.high, right.low)
        }
    }

    func facts(ofHost hostname: String) -> HostState.Facts? { node(named: hostname).flatMap(facts) }

    private func facts(of node: NodeID) -> HostState.Facts? { places[node].flatMap { groups[$0.group]?.facts } }

    private func rank(of node: NodeID) -> Int {
        switch facts(of: node)?.health {
        case .up: 0
        case .suspect: 1
        case .down, nil: 2
        }
    }

    func zones(of role: NodeReport.Role) -> Set<String> {
        Set(groups.values.filter { $0.facts.roles.contains(role) }.map(\.facts.availabilityZone))
    }

    /// Where a host stands; `nil` when it is not in the table.
    func place(of node: NodeID) -> (group: Int, index: Int)? {
        guard let place = places[node], let group = groups[place.group] else { return nil }
        return (place.group, group.index(of: place.name))
    }
}
