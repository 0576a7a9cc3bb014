import CoordinatorPlatform
import ProtocolModel

/// An address in a text form that sorts as the addresses do: 8 hexadecimal digits for IPv4, 32 for IPv6.
struct AddressKey: SQLCodable, Hashable {
    var address: IPAddress

    init(_ address: IPAddress) { self.address = address }

    var text: String {
        let digits = String(address.bits, radix: 16)
        return String(repeating: "0", count: address.family.bitCount / 4 - digits.utf8.count) + digits
    }

    var sqlValue: SQLValue { .text(text) }

    static func read(_ row: any SQLRow, _ column: Int) throws -> Self {
        try row.parsed(column, as: "an address key") { text in
            guard [8, 32].contains(text.utf8.count), let bits = UInt128(text, radix: 16) else { return nil }
            return Self(IPAddress(family: text.utf8.count == 8 ? .ipv4 : .ipv6, bits: bits))
        }
    }
}

/// What can stand in a list that is one column: text without blanks.
protocol ListItem: Sendable {
    init?(listItem: Substring)
    var listItem: String { get }
}

/// The items in one column, parted by blanks.
private struct ListColumn<Item: ListItem>: SQLCodable {
    var items: [Item]

    var sqlValue: SQLValue { .text(items.map(\.listItem).joined(separator: " ")) }

    static func read(_ row: any SQLRow, _ column: Int) throws -> Self {
        Self(
            items: try row.text(column).split(separator: " ").map { text in
                guard let item = Item(listItem: text) else {
                    throw StoreError.corrupt("'\(text.prefix(80))' is not a \(Item.self)")
                }
                return item
            })
    }
}

extension ColumnVisitor {
    mutating func list<Item: ListItem>(_ name: String, _ items: inout [Item]) throws {
        var column = ListColumn(items: isReading ? [] : items)
        try self(name, &column)
        if isReading { items = column.items }
    }

    mutating func key(_ name: String, _ address: inout IPAddress, _ role: ColumnRole = .fixed) throws {
        var key = AddressKey(address)
        try self(name, &key, role)
        address = key.address
    }
}

extension SQLRow {
    /// A list that is read alone.
    func list<Item: ListItem>(_ column: Int) throws -> [Item] { try ListColumn<Item>.read(self, column).items }
}

extension IPAddress: ListItem {
    init?(listItem: Substring) { self.init(listItem) }
    var listItem: String { description }
}

extension HostRoute: ListItem {
    init?(listItem: Substring) {
        let parts = listItem.split(separator: ">")
        guard parts.count == 2, let destination = IPPrefix(parts[0]), let hop = IPAddress(parts[1]) else { return nil }
        self.init(destination: destination, nextHop: hop)
    }
    var listItem: String { "\(destination)>\(nextHop)" }
}

extension PortSpec.DHCPOption: ListItem {
    /// `4>bootfile-name>70786c696e75782e30`: a value may have blanks.
    init?(listItem: Substring) {
        let parts = listItem.split(separator: ">", omittingEmptySubsequences: false)
        guard parts.count == 3, let version = Int(parts[0]), let family = IPAddress.Family(rawValue: version),
            parts[2].utf8.count % 2 == 0
        else { return nil }
        let digits = Array(parts[2].utf8)
        var octets: [UInt8] = []
        for index in stride(from: 0, to: digits.count, by: 2) {
            guard let octet = UInt8(String(decoding: digits[index...index + 1], as: UTF8.self), radix: 16) else {
                return nil
            }
            octets.append(octet)
        }
        self.init(family: family, name: String(parts[1]), value: String(decoding: octets, as: UTF8.self))
    }

    var listItem: String {
        let digits = value.utf8.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
        return "\(family.rawValue)>\(name)>\(digits)"
    }
}

extension AddressPair: ListItem {
    init?(listItem: Substring) {
        let parts = listItem.split(separator: ">", omittingEmptySubsequences: false)
        self.init(address: String(parts[0]), mac: parts.count > 1 ? MACAddress(parts[1]) : nil)
    }
    var listItem: String { "\(address)>\(mac?.description ?? "")" }
}
