import CoordinatorPlatform
import ProtocolModel

/// Users' keypairs.
package struct Keyring: Sendable {
    let parts: ComputeParts

    /// - Parameter line: The public key; `nil` makes a pair.
    /// - Returns: The keypair, and the private key of a pair that was made.
    /// - Throws: ``APIError`` 400.
    package static func make(
        _ name: String, line: String?, user: UserID, at now: Int64
    ) throws -> (keypair: Keypair, privateKey: String?) {
        let pair = line == nil ? Secrets.sshKey(comment: "Generated-by-Skerry") : nil
        let line = line ?? pair?.publicKey ?? ""
        guard let key = SSHKey.parse(line) else {
            throw APIError.badRequest("Keypair data is invalid: failed to generate fingerprint")
        }
        let keypair = Keypair(
            user: user, name: name, fingerprint: key.fingerprint, publicKey: line, createdAt: now)
        return (keypair, pair?.privateKey)
    }

    /// - Parameter project: Whose limit counts.
    /// - Throws: ``APIError`` 403, 409.
    func add(_ keypair: Keypair, project: ProjectID?, in transaction: any SQLTransaction) throws {
        let count = try parts.keypairs.count(user: keypair.user, in: transaction)
        guard try parts.keypairs.insert(keypair, in: transaction) else {
            throw APIError.conflict("Key pair '\(keypair.name)' already exists.")
        }
        try parts.quotas.check(keypairs: count, of: project, in: transaction)
    }

    /// By name.
    /// - Throws: ``UnknownMarker``
    func list(_ query: ListQuery, user: UserID, in reader: any SQLReader) throws -> [Keypair] {
        var query = query
        query.filters = []
        return try parts.keypairs.list(query, user: user, in: reader)
    }

    /// - Throws: ``APIError`` 404.
    func find(_ name: String, user: UserID, in reader: any SQLReader) throws -> Keypair {
        guard let keypair = try parts.keypairs.find(name, user: user, in: reader) else {
            throw Self.missing(name, user)
        }
        return keypair
    }

    /// - Throws: ``APIError`` 404.
    func delete(_ name: String, user: UserID, in transaction: any SQLTransaction) throws {
        guard try parts.keypairs.delete(name, user: user, in: transaction) else { throw Self.missing(name, user) }
    }

    private static func missing(_ name: String, _ user: UserID) -> APIError {
        .notFound("Keypair \(name) not found for user \(user.compact)")
    }
}
