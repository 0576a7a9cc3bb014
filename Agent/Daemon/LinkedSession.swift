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

    func upload(
        _ file: any SnapshotFile, as image: ImageID, of operation: OperationID
    ) async throws(UploadFailure) {
        let upload = ImageUpload(operation: operation, image: image, sizeBytes: file.sizeBytes)
        do {
            try await connection.upload(upload) { writer in
                var offset: Int64 = 0
                while offset < file.sizeBytes {
                    let bytes = try await file.read(at: offset, count: Self.chunkBytes)
                    // Shorter than it was: its end would never come.
                    guard !bytes.isEmpty else { throw LinkError(.closed, "the snapshot ends at byte \(offset)") }
                    try await writer.write(bytes)
                    offset += Int64(bytes.count)
                }
            }
        } catch let refusal as LinkRefusal {
            switch refusal.code {
            case .busy, .unavailable, .internalError: throw .interrupted(refusal.message)
            default:
                throw .refused(StatusError(code: .badImage, message: refusal.message, detail: "image \(image)"))
            }
        } catch let error as StatusError {
            throw .refused(error)
        } catch {
            throw .interrupted("\(error)")
        }
    }

    func openConsole(_ session: ConsoleID) async throws -> any ByteChannel {
        LinkedConsole(stream: try await connection.openConsole(session))
    }

    private static let chunkBytes = 262_144
}

/// The coordinator's end of a console.
private struct LinkedConsole: ByteChannel {
    let stream: LinkConsole

    func read() async throws -> [UInt8]? { try await stream.read() }
    func write(_ bytes: [UInt8]) async throws { try await stream.write(bytes) }
    func close() { stream.finish() }
}
