import Foundation
import Testing

/// Constructs that the code does without, and SQL where it belongs.
@Suite("banned constructs")
struct ConstructTests {
    static let tree = SourceTree()

    static let banned = [
        "try!", "fatalError(", "unimplemented", "nonisolated(unsafe)", "Thread.sleep", "usleep(", "TODO", "FIXME",
        "XXX:",
        "HACK", "@testable"
    ]

    @Test("nothing banned is used", arguments: banned)
    func nothingBanned(construct: String) {
        for file in Self.tree.files where file.path != "Tests/Tidy/ConstructTests.swift" {
            for (index, line) in file.lines.enumerated() where line.contains(construct) {
                Issue.record("\(file.path):\(index + 1): \(construct)")
            }
        }
    }

    @Test("an unchecked Sendable comes with its proof")
    func uncheckedSendable() {
        for file in Self.tree.production {
            for (number, text) in file.code where text.contains("@unchecked Sendable") {
                // The sentence stands in the comment block right above the declaration.
                let above = file.lines[..<(number - 1)].reversed().prefix { $0.drop { $0 == " " }.hasPrefix("//") }
                #expect(above.contains { $0.contains("Sendable") }, "\(file.path):\(number): why is this safe?")
            }
        }
    }

    @Test("SQL stands in Store folders only")
    func sqlInStores() throws {
        let statement = try Regex(#"("|^ *)(SELECT|INSERT INTO|UPDATE|DELETE FROM|CREATE TABLE) "#)
        for file in Self.tree.production where !file.path.contains("/Store/") {
            for (number, text) in file.code where text.contains(statement) {
                Issue.record("\(file.path):\(number): SQL outside Store/")
            }
        }
    }

    @Test("SQL is what both engines take")
    func portableSQL() {
        for file in Self.tree.production
        where file.path.hasPrefix("Coordinator/") && file.path.contains("/Store/")
            && !file.path.hasPrefix("Coordinator/Platform/Store/")
        {
            for (number, text) in file.code {
                for word in ["rowid", "AUTOINCREMENT", "PRAGMA", "GLOB ", "strftime", "datetime(", "INSERT OR "] {
                    #expect(!text.contains(word), "\(file.path):\(number): \(word) is SQLite's own")
                }
            }
        }
    }
}
