import ProtocolModel

/// The rules inside a router's namespace: what outside addresses stand for, and who leaves with which. Pure.
///
/// | table | chain | does |
/// |---|---|---|
/// | mangle | `skerry-mark` | marks what comes in from outside |
/// | nat | `skerry-dnat` | floating IPs and forwarded ports, also for the router's own connections |
/// | nat | `skerry-snat` | the floating IP of whoever has one, the router's own address for the others |
/// | filter | `skerry-fwd` | nothing leaves that could not be translated |
/// | mangle, filter | `skerry-mark`, `skerry-scope` | address scopes are kept apart, see ``RouterScopes`` |
/// | filter (IPv6) | `skerry-in` | DHCPv6 is not answered here, but in the network's service namespace |
package enum RouterRules {
    /// In the lower half of the mark, for packets from outside.
    private static let outsideMark = "0x2/0xffff"

    package static func tables(_ router: RouterSpec) -> [FilterFamily: [RuleTable]] {
        var nat = RuleTable(name: "nat")
        var mangle = RuleTable(name: "mangle")
        var filter = RuleTable(name: "filter")
        let scopes = RouterScopes(router, .ipv4)
        if let gateway = router.gateway, let own = gateway.address {
            let outside = InterfaceName.routerInterface(gateway.interface.port)
            mangle.hooks = [.init(chain: "PREROUTING", target: "skerry-mark")]
            mangle.chains["skerry-mark"] = ["-i \(outside) -j MARK --set-xmark \(outsideMark)"]
            nat.hooks = [
                .init(chain: "PREROUTING", target: "skerry-dnat"), .init(chain: "OUTPUT", target: "skerry-dnat"),
                .init(chain: "POSTROUTING", target: "skerry-snat")
            ]
            nat.chains["skerry-dnat"] = inward(router)
            nat.chains["skerry-snat"] = outward(router, gateway, outside, own, scopes)
            if gateway.isSNATEnabled {
                filter.hooks = [.init(chain: "FORWARD", target: "skerry-fwd")]
                filter.chains["skerry-fwd"] = ["-o \(outside) -m conntrack --ctstate INVALID -j DROP"]
            }
        }
        scopes?.add(router, to: &mangle, &filter)
        var mangle6 = RuleTable(name: "mangle")
        var filter6 = RuleTable(name: "filter")
        if RouterAdvertisements.isNeeded(router) {
            filter6.hooks = [.init(chain: "INPUT", target: "skerry-in")]
            filter6.chains["skerry-in"] = ["-p udp -m udp --dport 547 -j DROP"]
        }
        RouterScopes(router, .ipv6)?.add(router, to: &mangle6, &filter6)
        return [.ipv4: [mangle, nat, filter], .ipv6: [mangle6, filter6]]
    }

    private static func inward(_ router: RouterSpec) -> [String] {
        router.portForwardings.sorted { $0.id < $1.id }.compactMap(forward)
            + router.floatingIPs.sorted { $0.id < $1.id }.map {
                "-d \($0.address)/32 -j DNAT --to-destination \($0.fixedAddress)"
            }
    }

    private static func forward(_ forwarding: RouterSpec.PortForwarding) -> String? {
        let ports = forwarding.externalPorts
        let (low, high) = (ports.lowerBound, ports.upperBound)
        let first = forwarding.firstInternalPort
        var destination = "\(forwarding.internalAddress)"
        if first != low {
            // iptables translates no ports of UDP-Lite, and a rule it does not know would cost all the others.
            if forwarding.protocolNumber == 136 { return nil }
            destination += ":\(first)"
            // The offset into the range stays the same.
            if ports.count > 1 { destination += "-\(first + ports.count - 1)/\(low)" }
        }
        let match = "-m multiport --dports \(ports.count == 1 ? "\(low)" : "\(low):\(high)")"
        return "-d \(forwarding.externalAddress)/32 -p \(forwarding.protocolNumber) \(match) -j DNAT "
            + "--to-destination \(destination)"
    }

    private static func outward(
        _ router: RouterSpec, _ gateway: RouterSpec.Gateway, _ outside: InterfaceName, _ own: IPAddress,
        _ scopes: RouterScopes?
    ) -> [String] {
        // Between the router's own networks nothing is translated, unless it was sent to an outside address.
        var rules = ["! -o \(outside) -m conntrack ! --ctstate DNAT -j RETURN"]
        rules += router.floatingIPs.sorted { $0.id < $1.id }.map {
            "-s \($0.fixedAddress)/32 -j SNAT --to-source \($0.address)"
        }
        rules += scopes?.untranslated ?? []
        if gateway.isSNATEnabled { rules.append("-o \(outside) -j SNAT --to-source \(own) --random-fully") }
        // Who asked for an inside guest by its outside address gets the answer through the router, which alone can
        // translate it back.
        rules.append("-m mark ! --mark \(outsideMark) -m conntrack --ctstate DNAT -j SNAT --to-source \(own)")
        return rules
    }
}

extension RouterSpec.Gateway {
    /// The address that guests without a floating IP leave with.
    var address: IPAddress? { interface.addresses.map(\.address).first { $0.family == .ipv4 } }
}
