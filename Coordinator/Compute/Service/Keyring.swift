import CoordinatorPlatform
import ProtocolModel

/// Users' keypairs.
package struct Keyring: Sendable {
    let parts: ComputeParts

    /// - Parameter line: The public key; `nil` makes a pair.
    /// - Returns: The keypair, and the private key of a pair that was made.
    /// - Throws: ``APIError`` 400, 503.
    package static func make(
        _ name: String, line: String?, user: UserID, at now: Int64
    ) async throws -> (keypair: Keypair, privateKey: String?) {
        guard let line else {
            let pair = try await Secrets.sshKey(comment: "Generated-by-Skerry")
            return (try keypair(name, pair.publicKey, user, now), pair.privateKey)
        }
        return (try keypair(name, line, user, now), nil)
    }

    private static func keypair(_ name: String, _ line: String, _ user: UserID, _ now: Int64) throws -> Keypair {
        guard let key = SSHKey.parse(line) else {
            throw APIError.badRequest("Keypair data is invalid: failed to generate fingerprint")
        }
        return Keypair(user: user, name: name, fingerprint: key.fingerprint, publicKey: line, createdAt: now)
    }

    /// The same with a certificate for a key.
    /// - Parameter certificate: `nil` makes one.
    package static func makeCertificate(
        _ name: String, certificate: String?, user: UserID, at now: Int64
    ) async throws -> (keypair: Keypair, privateKey: String?) {
        var (pem, fingerprint) = (certificate ?? "", certificate.flatMap(CertificateKeypair.fingerprint))
        var privateKey: String?
        if certificate == nil {
            let made = try await Secrets.certificate(for: user, at: now)
            (pem, fingerprint, privateKey) = (made.certificatePEM, made.fingerprint, made.privateKey)
        }
        guard let fingerprint else {
            throw APIError.badRequest(
                "Keypair data is invalid: failed to generate X509 fingerprint. Error message: it is no certificate in PEM "
                    + "form")
        }
        var keypair = Keypair(user: user, name: name, fingerprint: fingerprint, publicKey: pem, createdAt: now)
        keypair.type = "x509"
        return (keypair, privateKey)
    }

    /// Whether there is room for one more: asked before a pair is made, which takes time.
    /// - Throws: ``APIError`` 403, 409.
    func requireRoom(for name: String, user: UserID, project: ProjectID?, in reader: any SQLReader) throws {
        guard try parts.keypairs.find(name, user: user, in: reader) == nil else { throw Self.taken(name) }
        try parts.quotas.check(
            keypairs: try parts.keypairs.count(user: user, in: reader), of: project, in: reader)
    }

    private static func taken(_ name: String) -> APIError { .conflict("Key pair '\(name)' already exists.") }

    /// - Parameter project: Whose limit counts.
    /// - Throws: ``APIError`` 403, 409.
    func add(_ keypair: Keypair, project: ProjectID?, in transaction: any SQLTransaction) throws {
        let count = try parts.keypairs.count(user: keypair.user, in: transaction)
        guard try parts.keypairs.insert(keypair, in: transaction) else {
            throw Self.taken(keypair.name)
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
