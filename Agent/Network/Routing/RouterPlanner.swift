import ProtocolModel

/// Decides what a router lacks. Pure: the same input always gives the same actions.
public enum RouterPlanner {
    public enum Action: Hashable, Sendable {
        /// Makes the namespace and gives it its settings.
        case prepare
        case setForwarding(Bool)
        /// With the end inside.
        case removeLink(InterfaceName)
        case addLink(PortID, MACAddress)
        case restore(FilterFamily, String)
        case setOutsideMTU(InterfaceName, Int)
        case join(InterfaceName, bridge: InterfaceName)
        case setOutsideUp(InterfaceName)
        case admit(InterfaceName)
        case setInsideMTU(InterfaceName, Int)
        case removeAddress(InterfaceName, ObservedAddress)
        case addAddress(InterfaceName, ObservedAddress)
        case setInsideUp(InterfaceName)
        case addRoute(RouterRoute)
        case removeRoute(RouterRoute)
        /// Connections whose addresses are translated as the router would not any more end.
        case cutConnections
        /// `nil`: nothing is advertised any more.
        case advertise(String?)
        case announce(Announced)

        /// Whether the kernel may refuse it for what a tenant wrote.
        var isRoute: Bool {
            switch self {
            case .addRoute, .removeRoute: true
            default: false
            }
        }
    }

    /// An address that a link was told of.
    public struct Announced: Hashable, Sendable {
        public var interface: InterfaceName
        public var address: IPAddress
        public var mac: MACAddress

        public init(interface: InterfaceName, address: IPAddress, mac: MACAddress) {
            self.interface = interface
            self.address = address
            self.mac = mac
        }
    }

    /// - Returns: in order: nothing is forwarded before its rules are there, and nobody hears of an address before it
    ///   works.
    public static func plan(_ router: RouterSpec, _ seen: RouterSighting) -> [Action] {
        var actions: [Action] = []
        if !seen.isPrepared { actions.append(.prepare) }
        if seen.isForwarding, !router.isAdminUp { actions.append(.setForwarding(false)) }
        let cards = router.cards
        let wanted = Dictionary(cards.map { ($0.outside, $0) }) { first, _ in first }
        let kept = seen.outside.filter { link in
            guard let card = wanted[link.name], card.port == link.port else { return false }
            return seen.inside[card.inside]?.mac == card.mac
        }
        actions += seen.outside.filter { !kept.contains($0) }.map { .removeLink($0.name) }
        let rules = rules(router, seen)
        actions += rules
        for card in cards {
            actions += links(card, kept.first { $0.name == card.outside }, seen.inside[card.inside])
        }
        let keptInside = Set(kept.compactMap { wanted[$0.name]?.inside })
        actions += routes(router, seen, kept: keptInside)
        if !rules.isEmpty || !seen.areConnectionsChecked, seen.isPrepared { actions.append(.cutConnections) }
        if !seen.isForwarding, router.isAdminUp { actions.append(.setForwarding(true)) }
        let advertisements = RouterAdvertisements.configuration(router, directory: seen.directory, user: seen.user)
        if advertisements != seen.advertiser?.configuration
            || advertisements != nil && seen.advertiser?.isRunning == false
        {
            actions.append(.advertise(advertisements))
        }
        return actions + announcements(cards, seen, kept: keptInside)
    }

    /// - Parameter kept: interfaces whose links stay; the others know nothing yet.
    private static func announcements(
        _ cards: [RouterCard], _ seen: RouterSighting, kept: Set<InterfaceName>
    ) -> [Action] {
        let wanted = Set(
            cards.flatMap { card in
                card.addresses.map { Announced(interface: card.inside, address: $0.address, mac: card.mac) }
            })
        let told = seen.announced.filter { announced in
            kept.contains(announced.interface)
                && seen.inside[announced.interface]?.addresses.contains { $0.address == announced.address } == true
        }
        return wanted.subtracting(told).sorted { ($0.interface, $0.address) < ($1.interface, $1.address) }
            .map(Action.announce)
    }

    private static func rules(_ router: RouterSpec, _ seen: RouterSighting) -> [Action] {
        let tables = RouterRules.tables(router)
        return FilterFamily.allCases.compactMap { family in
            guard let desired = tables[family] else { return nil }
            let script = RestoreScript.make(
                family: family, desired: desired, saved: seen.rules[family] ?? SavedRules())
            return script.map { .restore(family, $0) }
        }
    }

    private static func links(
        _ card: RouterCard, _ outside: RouterSighting.Outside?, _ present: RouterSighting.Inside?
    ) -> [Action] {
        var actions: [Action] = []
        let inside = outside == nil ? nil : present
        if outside == nil { actions.append(.addLink(card.port, card.mac)) }
        if outside?.mtuBytes != card.mtuBytes { actions.append(.setOutsideMTU(card.outside, card.mtuBytes)) }
        if inside?.mtuBytes != card.mtuBytes { actions.append(.setInsideMTU(card.inside, card.mtuBytes)) }
        let addresses = inside?.addresses ?? []
        actions += addresses.subtracting(card.addresses).sorted().map { .removeAddress(card.inside, $0) }
        actions += card.addresses.subtracting(addresses).sorted().map { .addAddress(card.inside, $0) }
        if inside?.isUp != true { actions.append(.setInsideUp(card.inside)) }
        if outside?.bridge != card.bridge { actions.append(.join(card.outside, bridge: card.bridge)) }
        if outside?.isIsolated == true { actions.append(.admit(card.outside)) }
        if outside?.isUp != true { actions.append(.setOutsideUp(card.outside)) }
        return actions
    }

    private static func routes(_ router: RouterSpec, _ seen: RouterSighting, kept: Set<InterfaceName>) -> [Action] {
        let wanted = router.wantedRoutes
        // Routes go with their links, and while a link is down there are none.
        let present = seen.routes.filter { route in
            route.interface.map { kept.contains($0) && seen.inside[$0]?.isUp == true } ?? true
        }
        let destinations = Set(wanted.map(\.destination))
        return wanted.subtracting(present).sorted().map(Action.addRoute)
            + present.filter { !destinations.contains($0.destination) }.sorted().map(Action.removeRoute)
    }
}

/// One link of a router as it shall be.
struct RouterCard: Hashable {
    var port: PortID
    var mac: MACAddress
    var mtuBytes: Int
    var bridge: InterfaceName
    var addresses: Set<ObservedAddress>

    var outside: InterfaceName { .routerLink(port) }
    var inside: InterfaceName { .routerInterface(port) }

    init(_ interface: RouterSpec.Interface) {
        port = interface.port
        mac = interface.mac
        mtuBytes = interface.mtuBytes
        bridge = .bridge(interface.network)
        addresses = Set(
            interface.addresses.map { ObservedAddress(address: $0.address, prefixLength: $0.prefixLength) })
    }
}

extension RouterSpec {
    /// In the order of their ports, the gateway's last.
    var cards: [RouterCard] {
        var cards = interfaces.sorted { $0.port < $1.port }.map { RouterCard($0) }
        if let gateway {
            var card = RouterCard(gateway.interface)
            let own = Set(card.addresses.map(\.address))
            for address in floatingIPs.map(\.address) + portForwardings.map(\.externalAddress)
            where !own.contains(address) {
                card.addresses.insert(ObservedAddress(address: address, prefixLength: address.family.bitCount))
            }
            cards.append(card)
        }
        return cards
    }

    var wantedRoutes: Set<RouterRoute> {
        var routes: [IPPrefix: RouterRoute] = [:]
        if let gateway {
            let name = InterfaceName.routerInterface(gateway.interface.port)
            for nextHop in gateway.nextHops {
                guard let all = IPPrefix(IPAddress(family: nextHop.family, bits: 0), length: 0) else { continue }
                routes[all] = RouterRoute(
                    destination: all, nextHop: nextHop, interface: name,
                    isOnLink: !nextHop.isLinkLocal && !gateway.interface.reaches(nextHop))
            }
        }
        let links = interfaces + (gateway.map { [$0.interface] } ?? [])
        for route in self.routes {
            let link = links.first { $0.reaches(route.nextHop) }
            // Without an interface the kernel refuses it and says why.
            routes[route.destination] = RouterRoute(
                destination: route.destination, nextHop: route.nextHop,
                interface: link.map { .routerInterface($0.port) })
        }
        return Set(routes.values)
    }
}

extension RouterSpec.Interface {
    fileprivate func reaches(_ address: IPAddress) -> Bool {
        addresses.contains { IPPrefix($0.address, length: $0.prefixLength)?.contains(address) == true }
    }
}

extension RouterRoute: Comparable {
    public static func < (left: Self, right: Self) -> Bool {
        (left.destination, left.nextHop) < (right.destination, right.nextHop)
    }
}

extension Set<ObservedAddress> {
    fileprivate func sorted() -> [ObservedAddress] {
        sorted { ($0.address, $0.prefixLength) < ($1.address, $1.prefixLength) }
    }
}
