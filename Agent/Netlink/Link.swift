import CNetlink
import Glibc
import ProtocolModel

/// A network interface as the kernel shows it.
public struct Link: Hashable, Sendable {
    public var index: Int32
    public var name: InterfaceName
    /// `bridge`, `vlan`, `veth`, `tun`, ...; `nil` for hardware and the loopback.
    public var kind: String?
    /// The bridge this is a port of.
    public var master: Int32?
    /// For a VLAN device, the interface below; for a veth, its peer (which may be in another namespace).
    public var parent: Int32?
    public var mtuBytes: Int
    /// Administratively up; the carrier may still be missing.
    public var isUp: Bool
    /// Up, and with somebody at the other end; of a tap, the program that has it open.
    public var hasCarrier: Bool
    public var alias: String?
    public var mac: MACAddress?
    public var vlanTag: Int?
    /// As a bridge port: frames never go between two isolated ports.
    public var isIsolated: Bool
    /// As a bridge port: nothing is learned from its frames, and neighbours that the bridge knows are not asked for
    /// behind it.
    public var isOverlay: Bool
    public var vxlan: VXLANSettings?

    public init(
        index: Int32, name: InterfaceName, kind: String? = nil, master: Int32? = nil, parent: Int32? = nil,
        mtuBytes: Int = 1500, isUp: Bool = false, hasCarrier: Bool = false, alias: String? = nil,
        mac: MACAddress? = nil, vlanTag: Int? = nil,
        isIsolated: Bool = false, isOverlay: Bool = false, vxlan: VXLANSettings? = nil
    ) {
        self.index = index
        self.name = name
        self.kind = kind
        self.master = master
        self.parent = parent
        self.mtuBytes = mtuBytes
        self.isUp = isUp
        self.hasCarrier = hasCarrier
        self.alias = alias
        self.mac = mac
        self.vlanTag = vlanTag
        self.isIsolated = isIsolated
        self.isOverlay = isOverlay
        self.vxlan = vxlan
    }
}

/// What a VXLAN device cannot be without, and cannot change.
public struct VXLANSettings: Hashable, Sendable {
    /// The port that IANA gave the protocol.
    public static let port = UInt16(4789)

    public var vni: Int
    /// The host's end of all tunnels.
    public var local: IPAddress

    public init(vni: Int, local: IPAddress) {
        self.vni = vni
        self.local = local
    }

    /// `nil` for a device of another kind than ours: with another port, learning by itself, or with a group.
    init?(_ attributes: Attributes) {
        guard let vni = attributes.uint32(IFLA_VXLAN_ID),
            attributes.octets(IFLA_VXLAN_PORT) == [UInt8(Self.port >> 8), UInt8(Self.port & 0xFF)],
            attributes.uint8(IFLA_VXLAN_LEARNING) == 0,
            attributes.octets(IFLA_VXLAN_GROUP) == nil,
            attributes.octets(IFLA_VXLAN_GROUP6) == nil,
            let octets = attributes.octets(IFLA_VXLAN_LOCAL)
                ?? attributes.octets(IFLA_VXLAN_LOCAL6),
            let local = IPAddress(octets: octets)
        else { return nil }
        self.init(vni: Int(vni), local: local)
    }
}

extension NetlinkSocket {
    /// Every link of the namespace, by index.
    public func links() throws(NetlinkError) -> [Link] {
        var links: [Link] = []
        try dump(
            kind: Int(RTM_GETLINK), family: UInt8(AF_UNSPEC), expecting: Int(RTM_NEWLINK), operation: "list links"
        ) { message in
            if let link = Link(message) { links.append(link) }
        }
        return links.sorted { $0.index < $1.index }
    }

    /// The index of the link with that name, `nil` where there is none.
    public func index(of name: InterfaceName) throws(NetlinkError) -> Int32? {
        let operation = "look up link \(name)"
        let message = try NetlinkMessage(kind: Int(RTM_GETLINK), flags: Int32(NLM_F_REQUEST), operation: operation)
        message.append(ifinfomsg())
        message.put(IFLA_IFNAME, name.text)
        var found: Int32?
        do throws(NetlinkError) {
            try ask(message, operation: operation) { found = Link($0)?.index }
        } catch {
            if error.isMissing { return nil }
            throw error
        }
        return found
    }
}

extension Link {
    /// Reads an `RTM_NEWLINK` message; `nil` for one without index or name.
    fileprivate init?(_ message: OpaquePointer) {
        let header = nlmsg_hdr(message)
        guard let data = nlmsg_data(header) else { return nil }
        let info = data.load(as: ifinfomsg.self)
        let attributes = Attributes(
            nlmsg_attrdata(header, Int32(MemoryLayout<ifinfomsg>.size)),
            nlmsg_attrlen(header, Int32(MemoryLayout<ifinfomsg>.size)))
        guard let text = attributes.string(IFLA_IFNAME), let name = try? InterfaceName(text) else { return nil }
        self.init(index: info.ifi_index, name: name, isUp: info.ifi_flags & UInt32(IFF_UP) != 0)
        // IFF_LOWER_UP (Linux include/uapi/linux/if.h), which glibc's header has not.
        hasCarrier = info.ifi_flags & 1 << 16 != 0
        mtuBytes = Int(attributes.uint32(IFLA_MTU) ?? 0)
        master = attributes.uint32(IFLA_MASTER).map(Int32.init(bitPattern:))
        parent = attributes.uint32(IFLA_LINK).map(Int32.init(bitPattern:))
        alias = attributes.string(IFLA_IFALIAS)
        if let octets = attributes.octets(IFLA_ADDRESS), octets.count == 6 {
            mac = MACAddress(bits: octets.reduce(0) { $0 << 8 | UInt64($1) })
        }
        guard let linkInfo = attributes.nested(IFLA_LINKINFO) else { return }
        kind = linkInfo.string(IFLA_INFO_KIND)
        if kind == "vlan" {
            vlanTag = linkInfo.nested(IFLA_INFO_DATA)?.uint16(IFLA_VLAN_ID).map(Int.init)
        }
        if kind == "vxlan" { vxlan = linkInfo.nested(IFLA_INFO_DATA).flatMap(VXLANSettings.init) }
        if linkInfo.string(IFLA_INFO_SLAVE_KIND) == "bridge" {
            let port = linkInfo.nested(IFLA_INFO_SLAVE_DATA)
            isIsolated = port?.uint8(IFLA_BRPORT_ISOLATED) == 1
            isOverlay = port?.uint8(IFLA_BRPORT_NEIGH_SUPPRESS) == 1 && port?.uint8(IFLA_BRPORT_LEARNING) == 0
        }
    }
}
