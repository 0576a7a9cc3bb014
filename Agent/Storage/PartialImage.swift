import AgentCore
import Crypto
import Glibc
import ProtocolModel
import Synchronization

/// An image on its way into the cache: a file under a name that nothing uses, and the hash of what is in it. All calls
/// block; they come one after the other.
final class PartialImage: Sendable {
    private struct State: ~Copyable {
        var file: OpenFile
        var hash: SHA512
        var offset: Int64
    }

    private static let chunkBytes = 1 << 20

    private let image: ImageSpec
    private let folder: String
    private let name: String
    /// Some of it is an earlier attempt's, of which a power cut may have left anything.
    private let isResumed: Bool
    private let state: Mutex<State>

    /// Opens what an earlier attempt left, or begins anew.
    init(_ image: ImageSpec, name: String, folder: String) throws(StatusError) {
        self.image = image
        self.folder = folder
        self.name = name
        let file = try OpenFile(folder + "/" + name, O_RDWR | O_CREAT)
        var hash = SHA512()
        var offset: Int64 = 0
        // More than the image can have is not a part of it.
        if try file.size() > image.sizeBytes { try file.setSize(0) }
        while true {
            let chunk = try file.read(at: offset, count: Self.chunkBytes)
            if chunk.isEmpty { break }
            hash.update(data: chunk)
            offset += Int64(chunk.count)
        }
        isResumed = offset > 0
        state = Mutex(State(file: file, hash: hash, offset: offset))
    }

    /// Where the next byte belongs.
    var offset: Int64 { state.withLock { $0.offset } }

    func append(_ chunk: [UInt8]) throws(StatusError) {
        try locked { state throws(StatusError) in
            guard state.offset + Int64(chunk.count) <= self.image.sizeBytes else {
                throw Self.failure(self.image, "it is longer than the \(self.image.sizeBytes) bytes announced")
            }
            try state.file.write(chunk, at: state.offset)
            state.hash.update(data: chunk)
            state.offset += Int64(chunk.count)
        }
    }

    /// Checks all that was promised of the image, and only then gives it its name in the cache.
    /// - Throws: ``StatusError/Code/badImage`` for content that is wrong, which is removed then, so that the next attempt
    ///   begins anew.
    func finish(as final: String) throws(StatusError) {
        do throws(StatusError) {
            try locked { state throws(StatusError) in
                guard state.offset == self.image.sizeBytes else {
                    // Not wrong, only cut short: what is there stays for the next attempt.
                    throw StatusError(
                        code: .timedOut, message: "The image's transfer to the host was cut short; it will be resumed.",
                        detail: "image \(self.image.id): \(state.offset) of \(self.image.sizeBytes) bytes")
                }
                let digest = state.hash.finalize().map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
                guard digest == self.image.sha512 else {
                    if self.isResumed {
                        try Folder.removeFile(self.folder + "/" + self.name)
                        throw StatusError(
                            code: .timedOut,
                            message: "What the host had of the image was damaged; it will be fetched anew.",
                            detail: "image \(self.image.id): the SHA-512 is wrong after a resumed transfer")
                    }
                    throw Self.failure(self.image, "its SHA-512 is not the one the image service has; upload it again")
                }
                try Self.inspect(state.file, of: self.image)
                // QEMU runs as a user of its own, and many guests share the file: it is for all to read.
                try state.file.setMode(0o444)
                try state.file.sync()
            }
            try Folder.rename(name, to: final, in: folder)
        } catch {
            if error.code == .badImage { try? Folder.removeFile(folder + "/" + name) }
            throw error
        }
    }

    private static func inspect(_ file: borrowing OpenFile, of image: ImageSpec) throws(StatusError) {
        guard image.format == .qcow2 else { return }
        let head = try file.read(at: 0, count: 65_536)
        do throws(Qcow2Header.Refusal) {
            _ = try Qcow2Header(head: head)
        } catch {
            throw failure(image, error.reason)
        }
    }

    private static func failure(_ image: ImageSpec, _ reason: String) -> StatusError {
        StatusError(
            code: .badImage, message: "Image \(image.id) cannot be used: \(reason).",
            detail: "sha512 \(image.sha512.prefix(16))..., \(image.sizeBytes) bytes, \(image.format.rawValue)")
    }

    private func locked(_ body: (inout State) throws(StatusError) -> Void) throws(StatusError) {
        let result: Result<Void, StatusError> = state.withLock { state in
            do throws(StatusError) {
                try body(&state)
                return .success(())
            } catch {
                return .failure(error)
            }
        }
        try result.get()
    }
}
