import CoordinatorFleet
import CoordinatorIdentity
import CoordinatorPlatform
import ProtocolModel

/// What the coordinator does for the object store, which agents serve themselves: it tells them who a token speaks for
/// and certifies their port. No object passes through it.
public struct ObjectStorageService: ServingAuthority {
    private let tokens: TokenService
    private let endpoint: ObjectEndpoint?

    /// - Parameter endpoint: `nil` for a cloud without an object store.
    public init(tokens: TokenService, endpoint: ObjectEndpoint?) {
        self.tokens = tokens
        self.endpoint = endpoint
    }

    public func verdict(on token: String, for roles: Set<NodeReport.Role>) -> TokenVerdict? {
        roles.contains(.object) ? tokens.verdict(on: token) : nil
    }

    public func names(for roles: Set<NodeReport.Role>) -> [String] {
        guard let endpoint, roles.contains(.object) else { return [] }
        return [endpoint.host] + ["localhost", "127.0.0.1", "::1"].filter { $0 != endpoint.host }
    }
}
