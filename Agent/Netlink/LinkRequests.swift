import CNetlink
import Glibc
import ProtocolModel

extension NetlinkSocket {
    /// A bridge that does not speak STP and forwards at once.
    public func createBridge(_ name: InterfaceName) throws(NetlinkError) {
        try createLink(name, kind: "bridge") { message in
            message.nest(IFLA_INFO_DATA) {
                message.put(IFLA_BR_STP_STATE, UInt32(0))
                message.put(IFLA_BR_FORWARD_DELAY, UInt32(0))
            }
        }
    }

    /// An 802.1Q device.
    /// - Parameter tag: 1 to 4094.
    public func createVLAN(_ name: InterfaceName, parent: Int32, tag: Int) throws(NetlinkError) {
        try createLink(name, kind: "vlan", parent: parent) { message in
            message.nest(IFLA_INFO_DATA) { message.put(IFLA_VLAN_ID, UInt16(tag)) }
        }
    }

    /// A device that frames pass through on their way elsewhere: they wait in its queue.
    public func createQueue(_ name: InterfaceName) throws(NetlinkError) {
        try createLink(name, kind: "ifb") { _ in }
    }

    /// A VXLAN device that sends frames only where its forwarding table says, and learns nothing.
    public func createVXLAN(_ name: InterfaceName, _ settings: VXLANSettings) throws(NetlinkError) {
        try createLink(name, kind: "vxlan") { message in
            message.nest(IFLA_INFO_DATA) {
                message.put(IFLA_VXLAN_ID, UInt32(settings.vni))
                message.put(IFLA_VXLAN_PORT, VXLANSettings.port.bigEndian)
                message.put(IFLA_VXLAN_LEARNING, UInt8(0))
                let kind = settings.local.family == .ipv4 ? IFLA_VXLAN_LOCAL : IFLA_VXLAN_LOCAL6
                message.put(kind, settings.local.octets)
            }
        }
    }

    /// A pair of links of which `peer` comes up in another namespace, both down.
    /// - Parameter namespace: a file such as `/run/netns/NAME`.
    public func createVeth(
        _ name: InterfaceName, peer: InterfaceName, peerMAC: MACAddress, inNamespace namespace: String
    ) throws(NetlinkError) {
        let descriptor = open(namespace, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { throw NetlinkError(operation: "open namespace \(namespace)", errno: errno) }
        defer { close(descriptor) }
        try createLink(name, kind: "veth") { message in
            message.nest(IFLA_INFO_DATA) {
                message.nest(VETH_INFO_PEER) {
                    message.append(ifinfomsg())
                    message.put(IFLA_IFNAME, peer.text)
                    message.put(IFLA_ADDRESS, peerMAC.octets)
                    message.put(IFLA_NET_NS_FD, UInt32(bitPattern: descriptor))
                }
            }
        }
    }

    public func deleteLink(_ index: Int32, named name: InterfaceName) throws(NetlinkError) {
        let operation = "delete link \(name)"
        let message = try NetlinkMessage(kind: Int(RTM_DELLINK), flags: Int32(NLM_F_REQUEST), operation: operation)
        message.append(header(index))
        try request(message, operation: operation)
    }

    /// What to change of a link; `nil` leaves it as it is.
    public struct LinkChange: Hashable, Sendable {
        public var name: InterfaceName?
        public var isUp: Bool?
        public var mtuBytes: Int?
        /// The index of the bridge to join; 0 leaves the one it is in.
        public var master: Int32?
        public var alias: String?
        public var mac: MACAddress?

        public init(
            name: InterfaceName? = nil, isUp: Bool? = nil, mtuBytes: Int? = nil, master: Int32? = nil,
            alias: String? = nil, mac: MACAddress? = nil
        ) {
            self.name = name
            self.isUp = isUp
            self.mtuBytes = mtuBytes
            self.master = master
            self.alias = alias
            self.mac = mac
        }
    }

    public func change(_ index: Int32, named name: InterfaceName, _ change: LinkChange) throws(NetlinkError) {
        let operation = "change link \(name)"
        let message = try NetlinkMessage(kind: Int(RTM_NEWLINK), flags: Int32(NLM_F_REQUEST), operation: operation)
        var header = header(index)
        if let isUp = change.isUp {
            header.ifi_change = UInt32(IFF_UP)
            header.ifi_flags = isUp ? UInt32(IFF_UP) : 0
        }
        message.append(header)
        if let name = change.name { message.put(IFLA_IFNAME, name.text) }
        if let mtuBytes = change.mtuBytes { message.put(IFLA_MTU, UInt32(mtuBytes)) }
        if let master = change.master { message.put(IFLA_MASTER, UInt32(bitPattern: master)) }
        if let alias = change.alias { message.put(IFLA_IFALIAS, [UInt8](alias.utf8)) }
        if let mac = change.mac { message.put(IFLA_ADDRESS, mac.octets) }
        try request(message, operation: operation)
    }

    /// Sets whether frames may go between this bridge port and other isolated ones.
    public func setIsolated(_ index: Int32, named name: InterfaceName, _ isIsolated: Bool) throws(NetlinkError) {
        try changePort(index, "set isolation of bridge port \(name)") { message in
            message.put(IFLA_BRPORT_ISOLATED, UInt8(isIsolated ? 1 : 0))
        }
    }

    /// Has the bridge learn nothing from the port's frames, and answer for neighbours that it knows instead of asking
    /// for them behind the port.
    public func setOverlay(_ index: Int32, named name: InterfaceName) throws(NetlinkError) {
        try changePort(index, "set up overlay port \(name)") { message in
            message.put(IFLA_BRPORT_LEARNING, UInt8(0))
            message.put(IFLA_BRPORT_NEIGH_SUPPRESS, UInt8(1))
        }
    }

    private func changePort(
        _ index: Int32, _ operation: String, _ body: (NetlinkMessage) -> Void
    ) throws(NetlinkError) {
        let message = try NetlinkMessage(kind: Int(RTM_SETLINK), flags: Int32(NLM_F_REQUEST), operation: operation)
        var header = header(index)
        header.ifi_family = UInt8(PF_BRIDGE)
        message.append(header)
        message.nest(IFLA_PROTINFO | Int(NLA_F_NESTED)) { body(message) }
        try request(message, operation: operation)
    }

    private func createLink(
        _ name: InterfaceName, kind: String, parent: Int32? = nil, data: (NetlinkMessage) -> Void
    ) throws(NetlinkError) {
        let operation = "create \(kind) \(name)"
        let message = try NetlinkMessage(
            kind: Int(RTM_NEWLINK), flags: Int32(NLM_F_REQUEST | NLM_F_CREATE | NLM_F_EXCL), operation: operation)
        message.append(header(0))
        message.put(IFLA_IFNAME, name.text)
        if let parent { message.put(IFLA_LINK, UInt32(bitPattern: parent)) }
        message.nest(IFLA_LINKINFO) {
            message.put(IFLA_INFO_KIND, kind)
            data(message)
        }
        try request(message, operation: operation)
    }

    private func header(_ index: Int32) -> ifinfomsg {
        var header = ifinfomsg()
        header.ifi_family = UInt8(AF_UNSPEC)
        header.ifi_index = index
        return header
    }
}
