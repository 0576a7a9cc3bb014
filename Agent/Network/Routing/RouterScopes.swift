import ProtocolModel

/// Keeps address scopes apart inside a router: between two of them nothing is routed, and between a network and the
/// outside in the same scope nothing is translated. Pure.
///
/// What comes in is marked with its interface's scope, and leaves only by interfaces of the same one. Connections that
/// were let begin go on, and outside addresses that stand for inside ones lead from any scope to any other. A router
/// without scopes has none of these rules.
struct RouterScopes: Hashable {
    /// In the upper half of the mark.
    private static let mask: UInt32 = 0xFFFF_0000

    private let family: IPAddress.Family
    private let numbers: [InterfaceName: UInt32]
    private let outside: InterfaceName?

    /// - Returns: `nil` where no interface is in a scope.
    init?(_ router: RouterSpec, _ family: IPAddress.Family) {
        self.family = family
        outside = router.gateway.map { .routerInterface($0.interface.port) }
        let links = (router.interfaces + (router.gateway.map { [$0.interface] } ?? [])).filter { link in
            link.addresses.contains { $0.address.family == family }
        }
        func scope(_ link: RouterSpec.Interface) -> AddressScopeID? {
            link.addresses.first { $0.address.family == family && $0.scope != nil }?.scope
        }
        let scopes = Set(links.compactMap(scope)).sorted()
        guard !scopes.isEmpty else { return nil }
        // Whatever is in no scope is together in one of its own, with the number 1.
        let known = Dictionary(zip(scopes, UInt32(2)...)) { first, _ in first }
        numbers = Dictionary(
            links.map { link in (.routerInterface(link.port), scope(link).flatMap { known[$0] } ?? 1) }
        ) { first, _ in first }
    }

    func add(_ router: RouterSpec, to mangle: inout RuleTable, _ filter: inout RuleTable) {
        if mangle.hooks.isEmpty { mangle.hooks = [.init(chain: "PREROUTING", target: "skerry-mark")] }
        mangle.chains["skerry-mark", default: []] += marking
        filter.hooks.append(.init(chain: "FORWARD", target: "skerry-scope"))
        filter.chains["skerry-scope"] = blocking(router)
    }

    private static func mark(_ number: UInt32) -> String {
        "0x\(String(number << 16, radix: 16))/0x\(String(mask, radix: 16))"
    }

    private var sorted: [(name: InterfaceName, number: UInt32)] {
        numbers.sorted { $0.key < $1.key }.map { ($0.key, $0.value) }
    }

    var marking: [String] { sorted.map { "-i \($0.name) -j MARK --set-xmark \(Self.mark($0.number))" } }

    /// Who asked for what stands outside in the same scope keeps its own address.
    var untranslated: [String] {
        guard let outside, let number = numbers[outside], number > 1 else { return [] }
        return ["-o \(outside) -m mark --mark \(Self.mark(number)) -j RETURN"]
    }

    func blocking(_ router: RouterSpec) -> [String] {
        var rules = ["-m conntrack --ctstate RELATED,ESTABLISHED -j RETURN"]
        if family == .ipv4, let outside {
            rules.append("-m conntrack --ctstate DNAT -j RETURN")
            rules += router.floatingIPs.sorted { $0.id < $1.id }.map {
                "-s \($0.fixedAddress)/32 -o \(outside) -j RETURN"
            }
        }
        // Whoever leaves with the router's own address is in the outside's scope from then on.
        let isTranslated = family == .ipv4 && router.gateway?.isSNATEnabled == true
        return rules
            + sorted.filter { !isTranslated || $0.name != outside }.map {
                "-o \($0.name) -m mark ! --mark \(Self.mark($0.number)) -j DROP"
            }
    }
}
