import AgentCore
import AgentStorage
import Crypto
import FoundationEssentials
import ProtocolModel
import Subprocess
import Testing
import TestsSupportRandomness

/// A folder of its own with a storage in it.
final class StorageFixture: Sendable {
    let folder: String
    let storage: FileServerStorage

    init(imageCacheLimitBytes: Int64 = 1 << 30) throws {
        folder = "/tmp/skerry-storage-test-\(ServerID.fresh())"
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        storage = FileServerStorage(
            .init(folder: folder + "/state", imageCacheLimitBytes: imageCacheLimitBytes, imageIdleSeconds: 0),
            clock: FixedClock())
    }

    deinit { try? FileManager.default.removeItem(atPath: folder) }

    struct FixedClock: WallClock {
        func now() -> Int64 { 1_800_000_000_000_000 }
    }

    static func server(_ image: ImageSpec, _ change: (inout ServerSpec) -> Void = { _ in }) -> ServerSpec {
        var spec = ServerSpec(
            id: .fresh(), project: .fresh(), user: .fresh(), name: "s", hostname: "s", number: 1, flavorName: "f",
            vcpus: 1, memoryMiB: 64, rootGiB: 1, image: image)
        change(&spec)
        return spec
    }

    static func image(_ bytes: [UInt8], _ format: ImageSpec.DiskFormat) -> ImageSpec {
        let digest = SHA512.hash(data: bytes).map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
        return ImageSpec(id: .fresh(), sha512: digest, sizeBytes: Int64(bytes.count), format: format)
    }

    /// Runs a program and gives what it printed.
    static func run(_ program: String, _ arguments: String...) async throws -> (succeeded: Bool, output: String) {
        let result = try await Subprocess.run(
            .name(program), arguments: Arguments(arguments), output: .string(limit: 1 << 20),
            error: .string(limit: 1 << 20))
        return (result.terminationStatus.isSuccess, result.standardOutput + result.standardError)
    }

    func path(_ name: String) -> String { folder + "/" + name }

    func bytes(_ path: String) throws -> [UInt8] { Array(try Data(contentsOf: URL(filePath: path))) }

    func write(_ bytes: [UInt8], _ name: String) throws { try Data(bytes).write(to: URL(filePath: path(name))) }
}

/// Gives an image's bytes, or breaks off in the middle.
struct TestSource: ImageSource {
    struct Broken: Error {}

    var bytes: [UInt8]
    var breakAfter: Int?
    var chunk = 1000

    func read(_ image: ImageSpec, from offset: Int64) async throws -> AsyncThrowingStream<[UInt8], any Error> {
        let end = breakAfter.map { min($0, bytes.count) } ?? bytes.count
        return AsyncThrowingStream { continuation in
            for start in stride(from: Int(offset), to: end, by: chunk) {
                continuation.yield(Array(bytes[start..<min(start + chunk, end)]))
            }
            continuation.finish(throwing: breakAfter == nil ? nil : Broken())
        }
    }
}
