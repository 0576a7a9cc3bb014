import CNetlink
import Glibc
import ProtocolModel

/// A route of the main table through another router.
public struct GatewayRoute: Hashable, Sendable {
    public var destination: IPPrefix
    public var nextHop: IPAddress
    /// The index of the interface that leads there; `nil` leaves it to the kernel to find.
    public var device: Int32?
    /// The next hop is on the link although no address of the interface says so.
    public var isOnLink: Bool

    public init(destination: IPPrefix, nextHop: IPAddress, device: Int32?, isOnLink: Bool = false) {
        self.destination = destination
        self.nextHop = nextHop
        self.device = device
        self.isOnLink = isOnLink
    }
}

extension NetlinkSocket {
    /// The namespace's routes that somebody set for good: those of the kernel and of routing protocols are left out.
    public func gatewayRoutes() throws(NetlinkError) -> Set<GatewayRoute> {
        var found: Set<GatewayRoute> = []
        for family in [UInt8(AF_INET), UInt8(AF_INET6)] {
            var header = rtmsg()
            header.rtm_family = family
            try dump(
                kind: Int(RTM_GETROUTE), header: header, expecting: Int(RTM_NEWROUTE), operation: "list routes"
            ) { message in
                if let route = GatewayRoute(message) { found.insert(route) }
            }
        }
        return found
    }

    /// Adds a route, replacing one to the same destination.
    public func add(_ route: GatewayRoute) throws(NetlinkError) {
        try send(
            route, kind: Int(RTM_NEWROUTE), flags: Int32(NLM_F_REQUEST | NLM_F_CREATE | NLM_F_REPLACE), verb: "add")
    }

    public func remove(_ route: GatewayRoute) throws(NetlinkError) {
        do throws(NetlinkError) {
            try send(route, kind: Int(RTM_DELROUTE), flags: Int32(NLM_F_REQUEST), verb: "remove")
        } catch {
            if !error.isMissing { throw error }
        }
    }

    private func send(_ route: GatewayRoute, kind: Int, flags: Int32, verb: String) throws(NetlinkError) {
        let operation = "\(verb) route \(route.destination) via \(route.nextHop)"
        let message = try NetlinkMessage(kind: kind, flags: flags, operation: operation)
        var header = rtmsg()
        header.rtm_family = UInt8(route.destination.family == .ipv4 ? AF_INET : AF_INET6)
        header.rtm_dst_len = UInt8(route.destination.length)
        header.rtm_table = UInt8(attribute(RT_TABLE_MAIN))
        header.rtm_protocol = UInt8(RTPROT_STATIC)
        header.rtm_scope = UInt8(attribute(RT_SCOPE_UNIVERSE))
        header.rtm_type = UInt8(RTN_UNICAST)
        if route.isOnLink { header.rtm_flags = UInt32(RTNH_F_ONLINK) }
        message.append(header)
        if route.destination.length > 0 { message.put(attribute(RTA_DST), route.destination.network.octets) }
        message.put(attribute(RTA_GATEWAY), route.nextHop.octets)
        if let device = route.device { message.put(attribute(RTA_OIF), UInt32(bitPattern: device)) }
        try request(message, operation: operation)
    }
}

extension GatewayRoute {
    fileprivate init?(_ message: OpaquePointer) {
        let header = nlmsg_hdr(message)
        guard let data = nlmsg_data(header) else { return nil }
        let info = data.load(as: rtmsg.self)
        let attributes = Attributes(
            nlmsg_attrdata(header, Int32(MemoryLayout<rtmsg>.size)),
            nlmsg_attrlen(header, Int32(MemoryLayout<rtmsg>.size)))
        guard info.rtm_protocol == UInt8(RTPROT_STATIC), Int(info.rtm_type) == Int(RTN_UNICAST),
            attributes.uint32(attribute(RTA_TABLE)) == UInt32(attribute(RT_TABLE_MAIN)),
            let nextHop = attributes.octets(attribute(RTA_GATEWAY)).flatMap({ IPAddress(octets: $0) })
        else { return nil }
        let start =
            attributes.octets(attribute(RTA_DST)).flatMap { IPAddress(octets: $0) }
            ?? IPAddress(family: Int32(info.rtm_family) == AF_INET ? .ipv4 : .ipv6, bits: 0)
        guard let destination = IPPrefix(start, length: Int(info.rtm_dst_len)) else { return nil }
        self.init(
            destination: destination, nextHop: nextHop,
            device: attributes.uint32(attribute(RTA_OIF)).map(Int32.init(bitPattern:)),
            isOnLink: info.rtm_flags & UInt32(RTNH_F_ONLINK) != 0)
    }
}
