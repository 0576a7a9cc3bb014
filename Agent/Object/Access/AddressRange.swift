import ProtocolModel

/// An address, or a network of them: `192.0.2.7`, `192.0.2.0/24`.
struct AddressRange: Hashable, Sendable {
    private let network: [UInt8]
    private let length: Int

    init?(_ text: String) {
        let parts = text.split(separator: "/", maxSplits: 1)
        guard let first = parts.first, let address = IPAddress(first) else { return nil }
        network = address.octets
        let bits = network.count * 8
        guard parts.count == 2 else {
            length = bits
            return
        }
        guard let length = Int(parts[1]), (0...bits).contains(length) else { return nil }
        self.length = length
    }

    func contains(_ text: String) -> Bool {
        guard let octets = IPAddress(text)?.octets, octets.count == network.count else { return false }
        return (0..<length).allSatisfy { bit in
            (octets[bit / 8] ^ network[bit / 8]) & (0x80 >> UInt8(bit % 8)) == 0
        }
    }
}
