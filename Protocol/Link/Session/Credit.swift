/// What may still be sent before the receiver grants more. Octets.
package struct SendCredit: Equatable, Sendable {
    /// More than this at once no peer of ours grants: a peer that does is broken or hostile.
    package static let limit = 1 << 30

    package private(set) var available: Int

    package init(_ initial: Int) { available = initial }

    /// Takes all of `amount` or nothing.
    package mutating func take(_ amount: Int) -> Bool {
        guard amount <= available else { return false }
        available -= amount
        return true
    }

    /// Takes as much of `amount` as there is.
    package mutating func takeUpTo(_ amount: Int) -> Int {
        let taken = min(amount, available)
        available -= taken
        return taken
    }

    package mutating func grow(by amount: UInt32) throws(LinkError) {
        guard available + Int(amount) <= Self.limit else {
            throw LinkError(.protocolViolation, "the peer granted more than \(Self.limit) octets of credit")
        }
        available += Int(amount)
    }
}

/// What the peer may still send. Grants are batched: one for each quarter of the window consumed.
package struct ReceiveCredit: Equatable, Sendable {
    package let window: Int
    private var available: Int
    private var consumed = 0

    package init(window: Int) {
        self.window = window
        available = window
    }

    /// The amount at which consumption is worth telling.
    package var grantStep: Int { window / 4 }

    package mutating func receive(_ amount: Int) throws(LinkError) {
        guard amount <= available else {
            throw LinkError(.protocolViolation, "the peer sent \(amount) octets with \(available) of credit left")
        }
        available -= amount
    }

    /// - Returns: What to grant the peer now, if anything.
    package mutating func consume(_ amount: Int) -> UInt32? {
        consumed += amount
        guard consumed >= grantStep else { return nil }
        let grant = consumed
        available += grant
        consumed = 0
        return UInt32(clamping: grant)
    }
}
