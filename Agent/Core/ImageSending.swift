import ProtocolModel

/// Sends what an operation made to the coordinator, as the data of an image.
struct ImageSending: Sendable {
    let core: EngineCore

    private static let retryDelay = Duration.seconds(2)

    func isExpired(_ operation: Operation) -> Bool { core.wallClock.now() >= operation.deadline }

    func timeLeft(_ operation: Operation) -> Duration {
        .microseconds(max(0, operation.deadline - core.wallClock.now()))
    }

    /// Begins anew when the link breaks, as long as there is time.
    func send(_ file: any SnapshotFile, as image: ImageID, _ operation: Operation) async throws(StatusError) {
        var reason = "no session"
        while !isExpired(operation) {
            if let session = core.session.current {
                do throws(UploadFailure) {
                    return try await session.upload(file, as: image, of: operation.id)
                } catch {
                    switch error {
                    case .refused(let error): throw error
                    case .interrupted(let why): reason = why
                    }
                }
            }
            guard (try? await core.clock.sleep(for: Self.retryDelay)) != nil else { break }
        }
        throw StatusError(
            code: .timedOut, message: "The data of the image could not be sent in time: try again.", detail: reason)
    }
}
