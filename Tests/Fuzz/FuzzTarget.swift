import Testing

/// A reader of what strangers send. Whatever comes, it gives a value or an error: it never traps, never takes longer
/// than the input's length explains, and what it gives keeps its own promises.
struct FuzzTarget: Sendable, CustomTestStringConvertible {
    var name: String
    var corpus: [[UInt8]]
    var words: [[UInt8]] = []
    /// How often it is tried in a test run; slower readers less often.
    var runs = 4_000
    /// - Returns: What is wrong; `nil` where all is well. An error that is thrown is a refusal, and well.
    var check: @Sendable ([UInt8]) async throws -> String?

    var testDescription: String { name }

    static let all: [FuzzTarget] = wire + texts + disks + [vhdxTarget, http]
}

extension FuzzTarget {
    /// One that reads text.
    init(
        _ name: String, texts: [String], words: [String] = [], runs: Int = 4_000,
        check: @escaping @Sendable (String) async throws -> String?
    ) {
        self.init(
            name: name, corpus: texts.map { Array($0.utf8) }, words: words.map { Array($0.utf8) }, runs: runs
        ) { bytes in try await check(String(decoding: bytes, as: UTF8.self)) }
    }
}
