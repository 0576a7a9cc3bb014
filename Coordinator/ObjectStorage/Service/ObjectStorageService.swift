import CoordinatorFleet
import CoordinatorIdentity
import CoordinatorPlatform
import ProtocolModel

/// What the coordinator does for the object store, which agents serve themselves: it tells them who a token speaks for
/// and certifies their port. No object passes through it.
public struct ObjectStorageService: ServingAuthority {
    private let tokens: TokenService
    private let keys: SigningKeyService
    private let endpoint: ObjectEndpoint?
    private let apiHost: String?

    /// - Parameters:
    ///   - endpoint: `nil` for a cloud without an object store.
    ///   - apiHost: The host of the coordinator's own public URL, which no node is to speak for.
    public init(tokens: TokenService, keys: SigningKeyService, endpoint: ObjectEndpoint?, apiHost: String?) {
        self.tokens = tokens
        self.keys = keys
        self.endpoint = endpoint
        self.apiHost = apiHost
    }

    public func verdict(on token: String, for roles: Set<NodeReport.Role>) -> TokenVerdict? {
        roles.contains(.object) ? tokens.verdict(on: token) : nil
    }

    public func signingKey(_ request: SigningKeyRequest, for roles: Set<NodeReport.Role>) throws -> SigningKey? {
        roles.contains(.object) ? try keys.signingKey(request) : nil
    }

    /// A node never gets a certificate for the API's name, with which it could take the passwords of all. Loopback is
    /// another matter: whoever is asked there is on the same machine.
    public func names(for roles: Set<NodeReport.Role>) -> [String] {
        guard let endpoint, roles.contains(.object) else { return [] }
        let host = Self.folded(endpoint.host)
        if Self.isLoopback(host) { return [endpoint.host] + Self.loopback.filter { $0 != endpoint.host } }
        return host == apiHost.map(Self.folded) ? [] : [endpoint.host]
    }

    private static let loopback = ["localhost", "127.0.0.1", "::1"]

    private static func isLoopback(_ host: String) -> Bool {
        let octets = host.split(separator: ".", omittingEmptySubsequences: false)
        let isAddress = octets.count == 4 && octets.allSatisfy { UInt8($0) != nil }
        return loopback.contains(host) || isAddress && octets[0] == "127"
    }

    /// As names are compared: a dot at the end makes no other name.
    private static func folded(_ host: String) -> String {
        let host = host.lowercased()
        return host.hasSuffix(".") ? String(host.dropLast()) : host
    }
}
