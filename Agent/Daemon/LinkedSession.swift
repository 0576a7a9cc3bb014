import AgentCore
import ProtocolLink
import ProtocolModel

/// The engine's view of an open session. What cannot be sent is dropped: the next session begins with everything.
struct LinkedSession: CoordinatorSession {
    let connection: LinkConnection

    var coordinatorVersion: String { connection.welcome.coordinatorVersion }

    func send(_ statuses: [ResourceStatus]) async { try? await connection.send(.statuses(statuses)) }
    func send(_ result: OperationResult) async { try? await connection.send(.result(result)) }
    func send(_ report: NodeReport) async { try? await connection.send(.report(report)) }
    func send(_ health: NodeHealth) async { try? await connection.send(.health(health)) }

    func read(_ image: ImageSpec, from offset: Int64) async throws -> AsyncThrowingStream<[UInt8], any Error> {
        try await connection.fetchImage(image.id, sha512: image.sha512, from: offset).throwingStream
    }
}
