import CoordinatorNetwork
import ProtocolModel
import ProtocolSettings

/// `network`: what the operator says about networks.
extension SettingsReader {
    mutating func readNetwork(_ node: Node, into network: inout NetworkSettings) {
        for (name, value) in members(node, of: "'network'") {
            let path = "network.\(name)"
            switch name {
            case "dns_domain": (value.string == "" ? "" : string(value, path)).map { network.dnsDomain = $0 }
            case "mtu":
                number(value, path, "an MTU", 68...65_535).map { network.defaultMTUBytes = Int($0) }
            case "tenant_network_types":
                list(value, path, "a list of vxlan and local") { NetworkSettings.TenantNetworkType(rawValue: $0) }
                    .map { network.tenantNetworkTypes = $0 }
            case "vni_ranges":
                list(value, path, "a list of FIRST:LAST within 1:16777215", Self.vniRange)
                    .map { network.vniRanges = OverlayRanges($0) }
            case "underlay_mtu":
                number(value, path, "an MTU", 576...65_535).map { network.underlayMTUBytes = Int($0) }
            case "underlay_ip_version":
                parsed(value, path, "4 or 6") { Int($0).flatMap { IPAddress.Family(rawValue: $0) } }
                    .map { network.underlayFamily = $0 }
            default:
                unknown(
                    name, value,
                    known: "dns_domain, mtu, tenant_network_types, vni_ranges, underlay_mtu, underlay_ip_version")
            }
        }
    }

    private static func vniRange(_ text: String) -> ClosedRange<Int>? {
        let ends = text.split(separator: ":", omittingEmptySubsequences: false).map { Int($0) }
        guard ends.count == 2, let first = ends[0], let last = ends[1], first <= last,
            OverlayRanges.all.contains(first), OverlayRanges.all.contains(last)
        else { return nil }
        return first...last
    }
}
