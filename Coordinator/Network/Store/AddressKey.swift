import CoordinatorPlatform
import ProtocolModel

/// Addresses in a text form that sorts as they do: 8 hexadecimal digits for IPv4, 32 for IPv6.
enum AddressKey {
    static func text(_ address: IPAddress) -> String {
        let digits = String(address.bits, radix: 16)
        return String(repeating: "0", count: address.family.bitCount / 4 - digits.utf8.count) + digits
    }

    /// - Throws: ``StoreError/corrupt(_:)``.
    static func address(_ text: String) throws -> IPAddress {
        let family: IPAddress.Family = text.utf8.count == 8 ? .ipv4 : .ipv6
        guard text.utf8.count == 8 || text.utf8.count == 32, let bits = UInt128(text, radix: 16) else {
            throw StoreError.corrupt("'\(text)' is not an address key")
        }
        return IPAddress(family: family, bits: bits)
    }
}

/// The lists of a subnet and a port in one column each.
enum ListColumn {
    static func text(_ addresses: [IPAddress]) -> String { addresses.map(\.description).joined(separator: " ") }

    static func addresses(_ text: String) -> [IPAddress] { text.split(separator: " ").compactMap { IPAddress($0) } }

    static func text(_ routes: [HostRoute]) -> String {
        routes.map { "\($0.destination)>\($0.nextHop)" }.joined(separator: " ")
    }

    static func routes(_ text: String) -> [HostRoute] {
        text.split(separator: " ").compactMap { item in
            let parts = item.split(separator: ">")
            guard parts.count == 2, let destination = IPPrefix(parts[0]), let hop = IPAddress(parts[1]) else {
                return nil
            }
            return HostRoute(destination: destination, nextHop: hop)
        }
    }

    static func text(_ pairs: [PortRecord.Pair]) -> String {
        pairs.map { "\($0.address)>\($0.mac?.description ?? "")" }.joined(separator: " ")
    }

    static func pairs(_ text: String) -> [PortRecord.Pair] {
        text.split(separator: " ").map { item in
            let parts = item.split(separator: ">", omittingEmptySubsequences: false)
            return PortRecord.Pair(address: String(parts[0]), mac: parts.count > 1 ? MACAddress(parts[1]) : nil)
        }
    }
}

/// `IN (?, ?, ...)` for a list of any length. Few distinct lengths, so that few statements are prepared.
struct InList {
    let placeholders: String
    let arguments: [any SQLArgument]

    init(_ values: [any SQLArgument]) {
        var size = 1
        while size < values.count { size *= 4 }
        // The last value fills the list up: a repetition changes nothing, and no value matches nothing.
        let filler: any SQLArgument = values.last ?? SQLValue.null
        arguments = values + Array(repeating: filler, count: size - values.count)
        placeholders = "(" + Array(repeating: "?", count: size).joined(separator: ", ") + ")"
    }

    /// Lists beyond this length are to be cut: SQLite takes 32,766 arguments, PostgreSQL 65,535.
    static let limit = 4096
}

extension Array {
    func chunks(of size: Int) -> [ArraySlice<Element>] {
        stride(from: 0, to: count, by: size).map { self[$0..<Swift.min($0 + size, count)] }
    }
}
