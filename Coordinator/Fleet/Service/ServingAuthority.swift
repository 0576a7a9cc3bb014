import CoordinatorPlatform
import ProtocolModel

/// What agents are told that serve clients of the cloud themselves.
public protocol ServingAuthority: Sendable {
    /// - Returns: `nil` for a token that is none, none any more, or not good for what nodes of these roles serve.
    func verdict(on token: String, for roles: Set<NodeReport.Role>) throws -> TokenVerdict?
    /// - Returns: `nil` for an access key that is none, or none any more, and for nodes that serve nobody with it.
    func signingKey(_ request: SigningKeyRequest, for roles: Set<NodeReport.Role>) throws -> SigningKey?
    /// What clients call a node of these roles, for its certificate; nothing where it serves nobody.
    func names(for roles: Set<NodeReport.Role>) -> [String]
}
