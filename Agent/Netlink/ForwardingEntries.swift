import CNetlink
import Glibc
import ProtocolModel

/// An entry of the tables by which frames find their way: where a MAC address is, and what an address' MAC is.
public enum ForwardingEntry: Hashable, Sendable {
    /// On a VXLAN device: frames to the MAC address go to that host. ``MACAddress/unspecified`` stands for all that have
    /// no entry, broadcasts among them, and may go to several hosts.
    case tunnel(device: Int32, mac: MACAddress, host: IPAddress)
    /// On a bridge's port: the MAC address is behind it, for good.
    case port(device: Int32, mac: MACAddress)
    /// On any interface, for good.
    case neighbor(device: Int32, address: IPAddress, mac: MACAddress)

    public var device: Int32 {
        switch self {
        case .tunnel(let device, _, _), .port(let device, _), .neighbor(let device, _, _): device
        }
    }
}

extension MACAddress {
    public static let unspecified = MACAddress(bits: 0)
}

extension NetlinkSocket {
    /// The entries of the namespace that do not go by themselves; those for the host's own addresses are left out.
    public func forwardingEntries() throws(NetlinkError) -> Set<ForwardingEntry> {
        var found: Set<ForwardingEntry> = []
        for family in [UInt8(AF_BRIDGE), UInt8(AF_INET), UInt8(AF_INET6)] {
            var header = ndmsg()
            header.ndm_family = family
            try dump(
                kind: Int(RTM_GETNEIGH), header: header, expecting: Int(RTM_NEWNEIGH), operation: "list neighbours"
            ) { message in
                if let entry = ForwardingEntry(message) { found.insert(entry) }
            }
        }
        return found
    }

    /// Adds the entry, in the place of one that says otherwise.
    public func add(_ entry: ForwardingEntry) throws(NetlinkError) {
        var flags = Int32(NLM_F_REQUEST | NLM_F_CREATE)
        if case .tunnel(_, .unspecified, _) = entry {
            flags |= Int32(NLM_F_APPEND)
        } else {
            flags |= Int32(NLM_F_REPLACE)
        }
        try send(entry, kind: Int(RTM_NEWNEIGH), flags: flags, operation: "add \(entry)")
    }

    public func remove(_ entry: ForwardingEntry) throws(NetlinkError) {
        do throws(NetlinkError) {
            try send(entry, kind: Int(RTM_DELNEIGH), flags: Int32(NLM_F_REQUEST), operation: "remove \(entry)")
        } catch {
            if !error.isMissing { throw error }
        }
    }

    private func send(_ entry: ForwardingEntry, kind: Int, flags: Int32, operation: String) throws(NetlinkError) {
        let message = try NetlinkMessage(kind: kind, flags: flags, operation: operation)
        var header = ndmsg()
        header.ndm_ifindex = entry.device
        header.ndm_family = UInt8(AF_BRIDGE)
        switch entry {
        case .tunnel(_, let mac, let host):
            header.ndm_flags = UInt8(NTF_SELF)
            header.ndm_state = UInt16(NUD_PERMANENT | NUD_NOARP)
            message.append(header)
            message.put(NDA_LLADDR, mac.octets)
            message.put(NDA_DST, host.octets)
        case .port(_, let mac):
            header.ndm_flags = UInt8(NTF_MASTER)
            header.ndm_state = UInt16(NUD_NOARP)
            message.append(header)
            message.put(NDA_LLADDR, mac.octets)
        case .neighbor(_, let address, let mac):
            header.ndm_family = UInt8(address.family == .ipv4 ? AF_INET : AF_INET6)
            header.ndm_state = UInt16(NUD_PERMANENT)
            message.append(header)
            message.put(NDA_DST, address.octets)
            message.put(NDA_LLADDR, mac.octets)
        }
        try request(message, operation: operation)
    }
}

extension ForwardingEntry {
    /// Reads an `RTM_NEWNEIGH` message; `nil` for what was learned and what is the host's own.
    fileprivate init?(_ message: OpaquePointer) {
        let header = nlmsg_hdr(message)
        guard let data = nlmsg_data(header) else { return nil }
        let info = data.load(as: ndmsg.self)
        let attributes = Attributes(
            nlmsg_attrdata(header, Int32(MemoryLayout<ndmsg>.size)),
            nlmsg_attrlen(header, Int32(MemoryLayout<ndmsg>.size)))
        guard let octets = attributes.octets(NDA_LLADDR), octets.count == 6 else { return nil }
        let mac = MACAddress(bits: octets.reduce(0) { $0 << 8 | UInt64($1) })
        let address = attributes.octets(NDA_DST).flatMap { IPAddress(octets: $0) }
        if Int32(info.ndm_family) != AF_BRIDGE {
            guard let address, Int32(info.ndm_state) & NUD_PERMANENT != 0 else { return nil }
            self = .neighbor(device: info.ndm_ifindex, address: address, mac: mac)
        } else if attributes.uint32(NDA_MASTER) != nil {
            guard Int32(info.ndm_state) & NUD_NOARP != 0 else { return nil }
            self = .port(device: info.ndm_ifindex, mac: mac)
        } else {
            guard let address, Int32(info.ndm_flags) & NTF_SELF != 0 else { return nil }
            self = .tunnel(device: info.ndm_ifindex, mac: mac, host: address)
        }
    }
}
