import AgentObject
import ProtocolLink
import ProtocolModel
import Synchronization

/// The session at hand, for what is asked of the coordinator beside the plan; none while it is away.
package final class CoordinatorLine: Sendable {
    private let held = Mutex<LinkConnection?>(nil)

    func use(_ connection: LinkConnection?) { held.withLock { $0 = connection } }

    /// - Throws: ``LinkError`` while there is no session.
    func connection() throws -> LinkConnection {
        guard let connection = held.withLock({ $0 }) else {
            throw LinkError(.unreachable, "there is no session with the coordinator")
        }
        return connection
    }
}

/// Asks the coordinator who a token speaks for.
struct LinkTokenJudge: TokenJudge {
    let line: CoordinatorLine

    func judge(_ token: String) async throws -> TokenVerdict? {
        do { return try await line.connection().verdict(on: token) } catch let refusal as LinkRefusal
            where refusal.code == .notFound
        { return nil }
    }
}

/// Asks the coordinator what an access key signs with.
struct LinkSigningKeyJudge: SigningKeyJudge {
    let line: CoordinatorLine

    func key(_ request: SigningKeyRequest) async throws -> SigningKey? {
        do { return try await line.connection().signingKey(request) } catch let refusal as LinkRefusal
            where refusal.code == .notFound
        { return nil }
    }
}
