import CoordinatorPlatform
import NIOCore
import ProtocolModel

/// Data that an agent made for an image: the snapshot of a server. Whoever asked for it made the image, with its formats,
/// and is told by the operation how it ended.
extension ImageService {
    public func receive(
        image: ImageID, sizeBytes: Int64, from bytes: AsyncThrowingStream<[UInt8], any Error>
    ) async throws {
        let known = try await database.read { [store] in try store.image(image, in: $0) }
        if let known, known.status == .active, known.sizeBytes == sizeBytes {
            // The answer to an earlier attempt was lost; the data is here.
            try await AgentBytes(stream: bytes, sizeBytes: sizeBytes).forEachChunk { _ in }
            return
        }
        let now = clock.now()
        let part = try await database.write { try self.beginIntake(image, at: now, in: $0) }
        let progress = try await receive(
            AgentBytes(stream: bytes, sizeBytes: sizeBytes), into: part, isEnd: true, announced: sizeBytes, at: now)
        guard progress == .whole else { throw APIError.conflict("Image \(image) has not got all of its data.") }
    }

    /// As ``beginUpload(_:_:from:as:at:in:)``, from the beginning, for somebody who need not be asked what he may.
    private func beginIntake(_ id: ImageID, at now: Int64, in transaction: any SQLTransaction) throws -> ImagePart {
        guard let image = try store.image(id, in: transaction) else {
            throw APIError.notFound("No image found with ID \(id)")
        }
        let kept = try parts.part(of: id, .upload, in: transaction)
        try quota.require(.size, project: image.owner, adding: 0, besides: kept?.sizeBytes ?? 0, in: transaction)
        guard image.diskFormat != nil, image.containerFormat != nil,
            try store.move(id, from: .queued, to: .saving, at: now, in: transaction)
        else { throw APIError.conflict("Image \(id) does not wait for data: its status is \(image.status.rawValue).") }
        let part = ImagePart(
            image: id, kind: .upload, file: ImagePart.newFile(.random()), sizeBytes: 0, isComplete: false,
            updatedAt: now)
        try parts.put(part, in: transaction)
        if let kept { transaction.afterCommit { [blobs] in Task { await blobs.remove(part: kept.file) } } }
        return part
    }
}

/// What comes over an agent's link, as the intake takes it.
private struct AgentBytes: ChunkSource {
    let stream: AsyncThrowingStream<[UInt8], any Error>
    let sizeBytes: Int64

    /// The agent sends so many octets and then waits to hear that they are there: the stream has no end of its own.
    func forEachChunk(_ body: (ByteBuffer) async throws -> Void) async throws {
        var left = sizeBytes
        guard left > 0 else { return }
        for try await chunk in stream {
            try await body(ByteBuffer(bytes: chunk))
            left -= Int64(chunk.count)
            if left <= 0 { return }
        }
    }
}
