import Foundation
import Testing

/// Tests that documents and tables name as showing something: they must be there.
@Suite("tests that are named")
struct ReferenceTests {
    private static let tree = SourceTree()

    /// `Suite.function` for every test function there is.
    private static let tests: Set<String> = {
        var names: Set<String> = []
        for file in tree.files where file.path.hasPrefix("Tests/") {
            let text = file.lines.joined(separator: "\n")
            let suites = text.matches(of: /(?:struct|class|actor) (\w+Tests)\b/).map { String($0.1) }
            let functions = text.matches(of: /func (\w+)\(/).map { String($0.1) }
            for suite in suites { names.formUnion(functions.map { "\(suite).\($0)" }) }
        }
        return names
    }()

    @Test("the table of fields names tests that there are")
    func fields() {
        var count = 0
        for file in Self.tree.files where file.path.hasPrefix("Tests/Contract/Fields/Field") {
            for match in file.lines.joined(separator: "\n").matches(of: /\ test:(\w+\.\w+)/) {
                count += 1
                #expect(Self.tests.contains(String(match.1)), "\(file.path): there is no test \(match.1)")
            }
        }
        #expect(count > 50)
    }

    @Test("the top of the tree holds what the design lists")
    func top() throws {
        let names = try FileManager.default.contentsOfDirectory(atPath: Self.tree.root)
        let known: Set = [
            "Agent", "Coordinator", "Protocol", "Tests", "packaging", "Package.swift", "Package.resolved", "README.md",
            "LICENSE", "CHANGELOG.md", "SECURITY.md"
        ]
        let others = names.filter { !$0.hasPrefix(".") && !known.contains($0) }
        #expect(others == [])
    }

    @Test("SECURITY.md names tests that there are")
    func security() throws {
        let text = try String(contentsOfFile: "\(Self.tree.root)/SECURITY.md", encoding: .utf8)
        let names = text.matches(of: /`(\w+Tests\.\w+)`/).map { String($0.1) }
        #expect(names.count > 60)
        for name in Set(names).subtracting(Self.tests).sorted() { Issue.record("there is no test \(name)") }
    }
}
