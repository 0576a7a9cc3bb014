import ProtocolLink
import ProtocolModel
import Testing

@Suite("consoles over loopback", .timeLimit(.minutes(1)))
struct ConsoleStreamTests {
    @Test("octets go both ways at once, more of them than any window holds")
    func bothWays() async throws {
        let loopback = try await Loopback()
        let connection = try await loopback.connect()
        let console = try await connection.openConsole(.fresh())
        let whole = (0..<3_000_000).map { UInt8(truncatingIfNeeded: $0 % 251 + 1) }
        let echo = try await withThrowingTaskGroup(of: [UInt8].self) { group in
            group.addTask {
                for start in stride(from: 0, to: whole.count, by: 100_000) {
                    try await console.write(Array(whole[start..<start + 100_000]))
                }
                try await console.write([0])
                return []
            }
            group.addTask {
                var heard: [UInt8] = []
                while let bytes = try await console.read() { heard += bytes }
                return heard
            }
            return try await group.reduce(into: []) { $0 += $1 }
        }
        // The end comes after all that was said.
        #expect(echo == whole + [0])
        await #expect(throws: LinkError.self) { try await console.write([1]) }
        connection.close(.finished)
        await loopback.server.stop()
    }

    @Test(
        "one that nobody waits for is refused, one that is finished here ends, and one of a session that broke says so")
    func ends() async throws {
        let loopback = try await Loopback()
        let connection = try await loopback.connect()
        let refused = try await connection.openConsole(FakeService.unknownConsole)
        let refusal = await #expect(throws: LinkRefusal.self) { while try await refused.read() != nil {} }
        #expect(refusal?.code == .notFound)

        let finished = try await connection.openConsole(.fresh())
        try await finished.write([1, 2, 3])
        #expect(try await finished.read() == [1, 2, 3])
        finished.finish()
        #expect(try await finished.read() == nil)

        let broken = try await connection.openConsole(.fresh())
        try await broken.write([4])
        #expect(try await broken.read() == [4])
        await loopback.server.stop()
        await #expect(throws: (any Error).self) { while try await broken.read() != nil {} }
    }
}
