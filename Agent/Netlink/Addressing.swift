import CNetlink
import Glibc
import ProtocolModel

/// An address on an interface.
public struct InterfaceAddress: Hashable, Sendable {
    public var address: IPAddress
    public var prefixLength: Int

    public init(address: IPAddress, prefixLength: Int) {
        self.address = address
        self.prefixLength = prefixLength
    }
}

/// A route of the main table that goes straight out of an interface.
public struct OnLinkRoute: Hashable, Sendable {
    public var destination: IPPrefix

    public init(destination: IPPrefix) { self.destination = destination }
}

extension NetlinkSocket {
    /// The addresses of the namespace by interface index.
    public func addresses() throws(NetlinkError) -> [Int32: Set<InterfaceAddress>] {
        var found: [Int32: Set<InterfaceAddress>] = [:]
        try dump(
            kind: Int(RTM_GETADDR), family: UInt8(AF_UNSPEC), expecting: Int(RTM_NEWADDR), operation: "list addresses"
        ) { message in
            let header = nlmsg_hdr(message)
            guard let data = nlmsg_data(header) else { return }
            let info = data.load(as: ifaddrmsg.self)
            let attributes = Attributes(
                nlmsg_attrdata(header, Int32(MemoryLayout<ifaddrmsg>.size)),
                nlmsg_attrlen(header, Int32(MemoryLayout<ifaddrmsg>.size)))
            let octets = attributes.octets(IFA_LOCAL) ?? attributes.octets(IFA_ADDRESS)
            guard let octets, let address = IPAddress(octets: octets) else { return }
            found[Int32(bitPattern: info.ifa_index), default: []].insert(
                InterfaceAddress(address: address, prefixLength: Int(info.ifa_prefixlen)))
        }
        return found
    }

    /// Adds an address that is usable at once: duplicate address detection is for addresses that somebody else on the
    /// link could hold.
    public func addAddress(_ address: InterfaceAddress, to index: Int32) throws(NetlinkError) {
        let flags = Int32(NLM_F_REQUEST | NLM_F_CREATE | NLM_F_REPLACE)
        try changeAddress(address, index, kind: Int(RTM_NEWADDR), flags: flags, verb: "add")
    }

    public func removeAddress(_ address: InterfaceAddress, from index: Int32) throws(NetlinkError) {
        try changeAddress(address, index, kind: Int(RTM_DELADDR), flags: Int32(NLM_F_REQUEST), verb: "remove")
    }

    private func changeAddress(
        _ address: InterfaceAddress, _ index: Int32, kind: Int, flags: Int32, verb: String
    ) throws(NetlinkError) {
        let operation = "\(verb) address \(address.address)/\(address.prefixLength)"
        let message = try NetlinkMessage(kind: kind, flags: flags, operation: operation)
        var header = ifaddrmsg()
        header.ifa_family = UInt8(address.address.family == .ipv4 ? AF_INET : AF_INET6)
        header.ifa_prefixlen = UInt8(address.prefixLength)
        header.ifa_flags = UInt8(IFA_F_NODAD)
        header.ifa_index = UInt32(bitPattern: index)
        message.append(header)
        message.put(IFA_LOCAL, address.address.octets)
        message.put(IFA_ADDRESS, address.address.octets)
        try request(message, operation: operation)
    }

    /// Adds a route out of an interface, replacing one to the same destination.
    public func addRoute(_ route: OnLinkRoute, through index: Int32) throws(NetlinkError) {
        let operation = "add route \(route.destination)"
        let message = try NetlinkMessage(
            kind: Int(RTM_NEWROUTE), flags: Int32(NLM_F_REQUEST | NLM_F_CREATE | NLM_F_REPLACE), operation: operation)
        var header = rtmsg()
        header.rtm_family = UInt8(route.destination.family == .ipv4 ? AF_INET : AF_INET6)
        header.rtm_dst_len = UInt8(route.destination.length)
        header.rtm_table = UInt8(attribute(RT_TABLE_MAIN))
        header.rtm_protocol = UInt8(RTPROT_STATIC)
        header.rtm_scope = UInt8(attribute(RT_SCOPE_LINK))
        header.rtm_type = UInt8(RTN_UNICAST)
        message.append(header)
        message.put(attribute(RTA_DST), route.destination.network.octets)
        message.put(attribute(RTA_OIF), UInt32(bitPattern: index))
        try request(message, operation: operation)
    }
}
