import AgentNetlink
import Glibc
import ProtocolModel

/// Carries out what ``RouterPlanner`` decided on links, addresses and routes.
struct RouterApplier {
    let router: RouterID
    /// The host's.
    let socket: NetlinkSocket
    /// The router's.
    let namespace: String

    func apply(_ action: RouterPlanner.Action) throws(NetlinkError) {
        switch action {
        case .removeLink(let name):
            if let index = try socket.index(of: name) { try socket.deleteLink(index, named: name) }
        case .addLink(let port, let mac): try addLink(port, mac)
        case .setOutsideMTU(let name, let bytes): try outside(name, .init(mtuBytes: bytes))
        case .setOutsideUp(let name): try outside(name, .init(isUp: true))
        case .join(let name, let bridge):
            guard let index = try socket.index(of: bridge) else {
                throw NetlinkError(operation: "find bridge \(bridge)", errno: ENODEV)
            }
            try outside(name, .init(master: index))
        case .admit(let name):
            try socket.setIsolated(try index(of: name, socket), named: name, false)
        case .setForwarding, .setInsideMTU, .setInsideUp, .removeAddress, .addAddress, .addRoute, .removeRoute,
            .announce:
            try NamespaceThread.once(in: namespace) { () throws(NetlinkError) in
                try Self.applyInside(action, try NetlinkSocket())
            }
        case .prepare, .restore, .cutConnections, .advertise: break  // Not a matter of links.
        }
    }

    private func outside(_ name: InterfaceName, _ change: NetlinkSocket.LinkChange) throws(NetlinkError) {
        try socket.change(try index(of: name, socket), named: name, change)
    }

    /// As with the networks' links: by the draft's name until it carries its mark.
    private func addLink(_ port: PortID, _ mac: MACAddress) throws(NetlinkError) {
        let draft = InterfaceName.draft
        for link in try socket.links() where link.name == draft && link.alias == nil {
            try socket.deleteLink(link.index, named: draft)
        }
        try socket.createVeth(
            draft, peer: .routerInterface(port), peerMAC: mac, inNamespace: namespace)
        let index = try index(of: draft, socket)
        do throws(NetlinkError) {
            try LinkApplier.silence(draft)
            try socket.change(index, named: draft, .init(alias: RouterMark(router: router, port: port).text))
            try socket.change(index, named: draft, .init(name: .routerLink(port)))
        } catch {
            try socket.deleteLink(index, named: draft)
            throw error
        }
    }

    private static func applyInside(
        _ action: RouterPlanner.Action, _ inside: NetlinkSocket
    ) throws(NetlinkError) {
        switch action {
        case .setForwarding(let isOn):
            for setting in ["ipv4/ip_forward", "ipv6/conf/all/forwarding"] where KernelSetting.read(setting) != nil {
                try KernelSetting.write(setting, isOn ? "1" : "0")
            }
        case .setInsideMTU(let name, let bytes):
            try inside.change(try index(of: name, inside), named: name, .init(mtuBytes: bytes))
        case .setInsideUp(let name): try inside.change(try index(of: name, inside), named: name, .init(isUp: true))
        case .removeAddress(let name, let address):
            try inside.removeAddress(address, from: try index(of: name, inside))
        case .addAddress(let name, let address): try inside.addAddress(address, to: try index(of: name, inside))
        case .addRoute(let route): try inside.add(try resolve(route, inside))
        case .removeRoute(let route): try inside.remove(try resolve(route, inside))
        case .announce(let announced):
            let frame = Announcement.frame(announced.address, at: announced.mac)
            try Announcement.send(frame, through: try index(of: announced.interface, inside))
        default: break
        }
    }

    private static func resolve(
        _ route: RouterRoute, _ inside: NetlinkSocket
    ) throws(NetlinkError) -> GatewayRoute {
        var device: Int32?
        if let name = route.interface { device = try index(of: name, inside) }
        return GatewayRoute(
            destination: route.destination, nextHop: route.nextHop, device: device, isOnLink: route.isOnLink)
    }

    private func index(of name: InterfaceName, _ socket: NetlinkSocket) throws(NetlinkError) -> Int32 {
        try Self.index(of: name, socket)
    }

    private static func index(of name: InterfaceName, _ socket: NetlinkSocket) throws(NetlinkError) -> Int32 {
        guard let index = try socket.index(of: name) else {
            throw NetlinkError(operation: "find link \(name)", errno: ENODEV)
        }
        return index
    }
}
