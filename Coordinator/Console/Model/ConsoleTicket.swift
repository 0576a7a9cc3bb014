import ProtocolModel

/// What a token lets its bearer do once: open the console of one server, of one kind. The token itself is kept nowhere.
package struct ConsoleTicket: Sendable, Hashable {
    package var number: Int64 = 0
    /// SHA-256 of the token, as hexadecimal digits.
    package var hash: String
    package var server: ServerID
    package var kind: ConsoleKind
    /// Microseconds since 1970.
    package var expiresAt: Int64

    package init(hash: String, server: ServerID, kind: ConsoleKind, expiresAt: Int64) {
        self.hash = hash
        self.server = server
        self.kind = kind
        self.expiresAt = expiresAt
    }
}
