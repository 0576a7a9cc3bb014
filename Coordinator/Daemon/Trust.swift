import ProtocolLink

/// The cloud's CA and the coordinator's own certificate, made on first use and renewed in time.
struct Trust: Sendable {
    let authority: CertificateAuthority
    let certificate: ServerCertificate

    /// - Parameter now: Seconds since 1970.
    static func loadOrCreate(_ files: StateFiles, configuration: Configuration, at now: Int64) throws -> Trust {
        let authority: CertificateAuthority
        if StateFiles.exists("\(files.authority)/ca.key") {
            authority = try CertificateAuthority.load(directory: files.authority)
        } else {
            authority = try CertificateAuthority.create(at: now)
            try authority.store(directory: files.authority)
        }
        if StateFiles.exists(files.apiKey) {
            let certificate = try ServerCertificate.load(certificatePath: files.apiCertificate, keyPath: files.apiKey)
            if !certificate.isRenewalDue(at: now) { return Trust(authority: authority, certificate: certificate) }
        }
        let certificate = try authority.issueServerCertificate(names: names(configuration), at: now)
        try certificate.store(certificatePath: files.apiCertificate, keyPath: files.apiKey)
        return Trust(authority: authority, certificate: certificate)
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
