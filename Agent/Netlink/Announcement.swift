import CNetlink
import Glibc
import ProtocolModel

/// Tells a link at once where an address is, so that nobody sends to where it was before: ARP's announcement (RFC 5227
/// section 2.3) and the unsolicited neighbour advertisement (RFC 4861 section 7.2.6).
public enum Announcement {
    /// The whole frame. Pure.
    public static func frame(_ address: IPAddress, at mac: MACAddress) -> [UInt8] {
        switch address.family {
        case .ipv4:
            let arp: [UInt8] = [0, 1, 8, 0, 6, 4, 0, 1] + mac.octets + address.octets
            return [UInt8](repeating: 0xFF, count: 6) + mac.octets + [8, 6] + arp + [0, 0, 0, 0, 0, 0]
                + address.octets
        case .ipv6:
            let everybody = IPAddress(family: .ipv6, bits: UInt128(0xFF02) << 112 | 1)
            // From a router, in the place of what was known, with the option that carries the link-layer address.
            var advertisement: [UInt8] = [136, 0, 0, 0, 0xA0, 0, 0, 0] + address.octets + [2, 1] + mac.octets
            let length = UInt8(advertisement.count)
            let sum = checksum(address.octets + everybody.octets + [0, 0, 0, length, 0, 0, 0, 58] + advertisement)
            advertisement[2] = UInt8(sum >> 8)
            advertisement[3] = UInt8(sum & 0xFF)
            return [0x33, 0x33, 0, 0, 0, 1] + mac.octets + [0x86, 0xDD, 0x60, 0, 0, 0, 0, length, 58, 255]
                + address.octets + everybody.octets + advertisement
        }
    }

    /// RFC 1071.
    private static func checksum(_ octets: [UInt8]) -> UInt16 {
        var sum: UInt32 = 0
        for at in stride(from: 0, to: octets.count, by: 2) {
            sum += UInt32(octets[at]) << 8 | (at + 1 < octets.count ? UInt32(octets[at + 1]) : 0)
        }
        while sum >> 16 != 0 { sum = (sum & 0xFFFF) + (sum >> 16) }
        return ~UInt16(sum)
    }

    /// Sends a frame out of an interface of the calling thread's namespace.
    public static func send(_ frame: [UInt8], through device: Int32) throws(NetlinkError) {
        guard skerry_send_frame(device, frame, frame.count) == 0 else {
            throw NetlinkError(operation: "send a frame", errno: errno)
        }
    }
}
