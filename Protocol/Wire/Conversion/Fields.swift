import ProtocolModel

// Checked readings of single fields. Each names the field in its error, since the peer's log is far away.

extension Identifier {
    /// The 16 octets of the UUID.
    var octets: [UInt8] {
        var out = [UInt8]()
        out.reserveCapacity(16)
        for word in [high, low] {
            for shift in stride(from: UInt64(56), through: 0, by: -8) {
                out.append(UInt8(truncatingIfNeeded: word >> shift))
            }
        }
        return out
    }

    init(octets: some Collection<UInt8>, field: String) throws(WireError) {
        guard octets.count == 16 else { throw .invalid("\(field): an id has 16 octets, not \(octets.count)") }
        var words: [UInt64] = [0, 0]
        for (index, octet) in octets.enumerated() { words[index / 8] = words[index / 8] << 8 | UInt64(octet) }
        self.init(high: words[0], low: words[1])
    }
}

extension IPAddress {
    init(wire octets: some Collection<UInt8>, field: String) throws(WireError) {
        guard let address = IPAddress(octets: octets) else {
            throw .invalid("\(field): an address has 4 or 16 octets, not \(octets.count)")
        }
        self = address
    }
}

extension MACAddress {
    init(wire bits: UInt64, field: String) throws(WireError) {
        guard bits >> 48 == 0 else { throw .invalid("\(field): a MAC address has 48 bits") }
        self.init(bits: bits)
    }
}

extension IPPrefix {
    init(_ message: PBIPPrefix, field: String) throws(WireError) {
        let address = try IPAddress(wire: message.address, field: field)
        guard let prefix = IPPrefix(address, length: Int(message.length)), prefix.network == address else {
            throw .invalid("\(field): \(address)/\(message.length) is no prefix")
        }
        self = prefix
    }

    var wire: PBIPPrefix {
        .with {
            $0.address = .init(network.octets)
            $0.length = UInt32(length)
        }
    }
}

/// The number of the first field in a message's unknown fields, `nil` where there are none.
func fieldNumber(_ bytes: [UInt8]) -> Int? {
    var tag: UInt64 = 0
    for (index, byte) in bytes.prefix(5).enumerated() {
        tag |= UInt64(byte & 0x7F) << (7 * index)
        if byte < 0x80 { return Int(tag >> 3) }
    }
    return nil
}

/// A number that must lie in a range.
func checked<Wire: BinaryInteger>(_ value: Wire, _ range: ClosedRange<Int>, field: String) throws(WireError) -> Int {
    guard let number = Int(exactly: value), range.contains(number) else {
        throw .invalid("\(field): \(value) is not in \(range)")
    }
    return number
}

/// A count or size: zero or more.
func natural(_ value: Int64, field: String) throws(WireError) -> Int {
    try checked(value, 0...Int.max, field: field)
}

/// A number that the wire has as 32 bits and the model as `Int`; the model's own bounds are far within.
func clamped<Wire: FixedWidthInteger>(_ value: Int, as _: Wire.Type = Wire.self) -> Wire { Wire(clamping: value) }

extension Sequence {
    /// `map` with a typed error.
    func converted<Result>(_ transform: (Element) throws(WireError) -> Result) throws(WireError) -> [Result] {
        var out: [Result] = []
        out.reserveCapacity(underestimatedCount)
        for element in self { out.append(try transform(element)) }
        return out
    }
}
