import Foundation
import NIOCore
import ProtocolModel
import ProtocolWire
import Testing

/// The bytes of every message as they were when it was introduced: agents and coordinators of different releases
/// depend on them. `SKERRY_RECORD=1` writes files for messages that have none; a file that exists is never rewritten.
@Suite("golden bytes")
struct GoldenTests {
    static let folder = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "Golden")

    static func hex(_ bytes: [UInt8]) -> String {
        let digits = bytes.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }
        return stride(from: 0, to: digits.count, by: 32)
            .map { digits[$0..<min($0 + 32, digits.count)].joined(separator: " ") + "\n" }.joined()
    }

    @Test("encodes to the recorded bytes and reads them back", arguments: Samples.messages.map(\.name))
    func golden(name: String) throws {
        let message = try #require(Samples.messages.first { $0.name == name }?.message)
        let file = Self.folder.appending(path: name + ".hex")
        let encoded = try bytes(message)
        if !FileManager.default.fileExists(atPath: file.path),
            ProcessInfo.processInfo.environment["SKERRY_RECORD"] == "1"
        {
            try Self.hex(encoded).write(to: file, atomically: true, encoding: .utf8)
        }
        let recorded = try String(contentsOf: file, encoding: .utf8)
        #expect(Self.hex(encoded) == recorded)
        let golden = recorded.split(whereSeparator: \.isWhitespace).compactMap { UInt8($0, radix: 16) }
        let frames = try decode([golden])
        try #require(frames.count == 1)
        #expect(try WireMessage.decode(frames[0]) == message)
        #expect(frames[0].wireBytes == golden.count)
    }

    @Test("there is a sample for every kind and a file for every sample, no more")
    func complete() throws {
        #expect(Set(Samples.messages.map(\.message.kind)) == Set(MessageKind.allCases))
        let files = try FileManager.default.contentsOfDirectory(atPath: Self.folder.path).sorted()
        #expect(files == Samples.messages.map { $0.name + ".hex" }.sorted())
    }
}
