import AgentNetlink
import ProtocolModel

extension StatusError {
    static func nameTaken(_ name: InterfaceName) -> Self {
        Self(
            code: .conflict,
            message:
                "The host has an interface of another owner where this one belongs: ask the operator to rename it.",
            detail: "interface \(name) exists and does not carry the agent's mark: rename or delete it")
    }

    static func missingInterface(_ name: InterfaceName) -> Self {
        Self(
            code: .unsupported,
            message: "The interface of the physical network is missing on this host: ask the operator to restore it.",
            detail: "interface \(name), named in the agent's configuration, does not exist")
    }

    static func unmapped(_ physicalNetwork: String) -> Self {
        Self(
            code: .unsupported,
            message:
                "This host is not connected to physical network '\(physicalNetwork)': use another network or host.",
            detail: "no interface for '\(physicalNetwork)' among physical_networks in the agent's configuration")
    }

    static func attachmentTaken(_ attachment: NetworkSpec.Attachment, by other: NetworkID) -> Self {
        let place =
            switch attachment {
            case .local: "local"
            case .flat(let physicalNetwork): "untagged on physical network '\(physicalNetwork)'"
            case .vxlan(let vni): "VXLAN network identifier \(vni)"
            case .vlan(let physicalNetwork, let tag): "VLAN \(tag) on physical network '\(physicalNetwork)'"
            }
        return Self(
            code: .conflict,
            message:
                "Another network is \(place) on this host already: give this one its own VLAN or physical network.",
            detail: "\(place) belongs to network \(other)")
    }

    static func foreignMaster(_ name: InterfaceName, _ master: String) -> Self {
        Self(
            code: .conflict,
            message: "The interface of the physical network is in use for something else: ask the operator to free it.",
            detail: "interface \(name) belongs to \(master): take it out of there or map another interface")
    }

    static func addressedUplink(_ name: InterfaceName, _ address: IPAddress) -> Self {
        Self(
            code: .conflict,
            message:
                "The interface of the physical network carries the host's own address: ask the operator for another.",
            detail: "bridging interface \(name) would cut off its address \(address): move the address or map another "
                + "interface")
    }

    static var noTunnel: Self {
        Self(
            code: .unsupported,
            message: "This host cannot reach the network's ports on other hosts: ask the operator to give it a tunnel "
                + "address.",
            detail:
                "network.tunnel_address of the agent's configuration names no address of this host, or is not there "
                + "and the route to the coordinator gives none: set it to an address that other hosts reach, or to the "
                + "name of its interface")
    }

    static func tunnelFamily(_ own: IPAddress, _ other: IPAddress) -> Self {
        Self(
            code: .unsupported,
            message: "The hosts of this network have tunnel addresses of different families: ask the operator to give "
                + "all of them IPv4 or all of them IPv6 addresses.",
            detail: "the tunnel address is \(own) here and \(other) elsewhere: set network.tunnel_address")
    }

    static func uplinkMTU(_ name: InterfaceName, _ mtuBytes: Int, wanted: Int) -> Self {
        Self(
            code: .unsupported,
            message: "The network's MTU of \(wanted) does not fit this host's physical network, which carries "
                + "\(mtuBytes): lower the network's MTU.",
            detail: "interface \(name) has MTU \(mtuBytes), the network wants \(wanted)")
    }

    /// A call of the host's that failed.
    static func host(_ what: String, _ detail: String) -> Self {
        Self(
            code: .hostFailure,
            message: "The host could not \(what); it will be tried again: if this lasts, tell the operator.",
            detail: detail)
    }

    init(_ error: NetlinkError, while what: String) {
        self = .host(what, error.description)
        if error.isUnsupported {
            self = Self(
                code: .unsupported, message: "The host's kernel cannot \(what): use another host.",
                detail: error.description)
        }
    }

    /// What a port says when its network is not there.
    func forPort(of network: NetworkID) -> Self {
        Self(
            code: code, message: "The port's network is not ready on this host. \(message)",
            detail: "network \(network): \(detail)")
    }
}
