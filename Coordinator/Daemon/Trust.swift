import Glibc
import ProtocolLink

/// The cloud's CA and the coordinator's own certificate, made on first use and renewed in time.
package struct Trust: Sendable {
    package let authority: CertificateAuthority
    package let certificate: ServerCertificate

    /// - Parameter now: Seconds since 1970.
    package static func loadOrCreate(_ files: StateFiles, configuration: Configuration, at now: Int64) throws -> Trust {
        let authority: CertificateAuthority
        if CertificateAuthority.exists(directory: files.authority) {
            authority = try CertificateAuthority.load(directory: files.authority)
        } else {
            authority = try CertificateAuthority.create(at: now)
            try authority.store(directory: files.authority)
        }
        if let certificate = try ServerCertificate.load(path: files.apiCertificate) ?? former(files) {
            let trust = Trust(authority: authority, certificate: certificate)
            return try trust.renewed(files, configuration: configuration, at: now) ?? trust
        }
        return try issue(authority, files, configuration: configuration, at: now)
    }

    /// - Returns: A fresh certificate, on disk, once two thirds of the present one's life are over.
    func renewed(_ files: StateFiles, configuration: Configuration, at now: Int64) throws -> Trust? {
        guard certificate.isRenewalDue(at: now) else { return nil }
        return try Self.issue(authority, files, configuration: configuration, at: now)
    }

    private static func issue(
        _ authority: CertificateAuthority, _ files: StateFiles, configuration: Configuration, at now: Int64
    ) throws -> Trust {
        let certificate = try authority.issueServerCertificate(names: names(configuration), at: now)
        try certificate.store(path: files.apiCertificate)
        return Trust(authority: authority, certificate: certificate)
    }

    /// Takes over what a release before left in two files: `nil` when there is none, or a crash between the two left
    /// parts that do not belong together.
    private static func former(_ files: StateFiles) throws -> ServerCertificate? {
        let (certificatePath, keyPath) = files.formerAPICertificate
        guard StateFiles.exists(keyPath) else { return nil }
        let certificate = try? ServerCertificate.load(certificatePath: certificatePath, keyPath: keyPath)
        try certificate?.store(path: files.apiCertificate)
        for path in [keyPath, certificatePath] { unlink(path) }
        return certificate
    }

    /// Every name and address that clients and agents may call the coordinator by.
    private static func names(_ configuration: Configuration) -> [String] {
        var names = ["localhost", "127.0.0.1", "::1"] + configuration.agents.names
        names += [configuration.api.listen.host, configuration.agents.listen.host]
        if let host = host(of: configuration.publicURL) { names.append(host) }
        var seen: Set<String> = []
        return names.filter { !["0.0.0.0", "::"].contains($0) && seen.insert($0).inserted }
    }

    /// The host in `scheme://host[:port][/path]`.
    static func host(of url: String) -> String? {
        guard let range = url.firstRange(of: "://") else { return nil }
        let authority = url[range.upperBound...].prefix { $0 != "/" }
        if authority.hasPrefix("[") { return authority.dropFirst().split(separator: "]").first.map(String.init) }
        return authority.split(separator: ":").first.map(String.init)
    }
}
