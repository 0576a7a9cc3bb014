import Foundation
import Testing

/// `Package.swift` against what the code imports.
@Suite("package")
struct PackageTests {
    static let tree = SourceTree()

    /// Folder of a target -> what it says it needs, of ours.
    static func edges() throws -> [String: Set<String>] {
        let text = try String(contentsOfFile: "\(tree.root)/Package.swift", encoding: .utf8)
        let next = #"\n        (?=library|program|tests|\.systemLibrary|\]|//|$)"#
        let declaration = try Regex(#"(?:library|program|tests)\(\s*"([A-Za-z/]+)"(?s:(.*?))"# + next)
        let name = try Regex(#""((?:Protocol|Agent|Coordinator|C)[A-Z]?\w+)""#)
        var edges: [String: Set<String>] = [:]
        for match in (text + "\n        ").matches(of: declaration) {
            let body = match.output[2].substring.map(String.init) ?? ""
            let names = body.matches(of: name).compactMap { $0.output[1].substring.map(String.init) }
            edges[match.output[1].substring.map(String.init) ?? "", default: []].formUnion(names)
        }
        return edges
    }

    @Test("what a target says it needs is what it imports")
    func edgesAreImports() throws {
        let edges = try Self.edges()
        #expect(edges.count > 40)
        for (folder, declared) in edges.sorted(by: { $0.key < $1.key }) {
            var imported: Set<String> = []
            for file in Self.tree.files where file.path.hasPrefix(folder + "/") { imported.formUnion(file.imports) }
            let ours = imported.filter { DependencyTests.isOurs($0) }
            let unused = declared.subtracting(imported).sorted()
            #expect(unused.isEmpty, "\(folder) imports none of \(unused)")
            let missing = ours.subtracting(declared).sorted()
            #expect(missing.isEmpty, "\(folder) does not declare \(missing)")
        }
    }
}
