import Foundation
import Testing

/// The formatter's own lint, with the rules in `.swift-format`.
@Suite("formatting")
struct FormatTests {
    @Test("the formatter has nothing to say")
    func lint() throws {
        let tree = SourceTree()
        let lint = Process()
        lint.executableURL = URL(fileURLWithPath: "/usr/bin/env")
        lint.arguments = ["swift", "format", "lint", "--strict", "Package.swift"] + tree.files.map(\.path)
        lint.currentDirectoryURL = URL(fileURLWithPath: tree.root)
        let output = Pipe()
        lint.standardError = output
        try lint.run()
        let findings = output.fileHandleForReading.readDataToEndOfFile()
        lint.waitUntilExit()
        #expect(lint.terminationStatus == 0, "\(String(decoding: findings.prefix(4_000), as: UTF8.self))")
    }
}
