import CoordinatorPlatform
import ProtocolModel

/// What records may weigh. Every coordinator keeps all of them in memory, so that what somebody may add without limit
/// would be everybody's memory.
enum RecordBudget {
    /// Members of one record that have no meaning to the service, in bytes.
    static let extraBytes = 16 << 10
    /// All credentials that one user keeps with the service.
    static let credentialBytes = 1 << 20

    static func bytes(of extra: [String: JSON]) -> Int { extra.isEmpty ? 0 : JSON.object(extra).serialize().count }

    /// - Throws: ``APIError`` 400.
    static func requireRoom(for extra: [String: JSON]) throws {
        guard bytes(of: extra) > extraBytes else { return }
        throw APIError.badRequest(
            "Members without a meaning of their own may take \(extraBytes) bytes together: keep the rest elsewhere.")
    }

    /// - Parameters:
    ///   - credential: What is to be stored.
    ///   - others: What its user has already; an older one of the same key does not count.
    /// - Throws: ``APIError`` 403.
    static func requireRoom(for credential: StoredCredential, among others: [StoredCredential]) throws {
        let all = others.filter { $0.key != credential.key } + [credential]
        let sum = all.reduce(0) { $0 + $1.sealed.count + bytes(of: $1.extra) }
        guard sum > credentialBytes else { return }
        throw APIError.forbidden(
            "The credentials of a user may take \(credentialBytes) bytes together: delete some first.")
    }
}
