import Foundation

/// The checkout as text: what the rules below look at.
struct SourceTree: Sendable {
    struct File: Sendable {
        /// Below the checkout: `Agent/Core/ServerPlanner.swift`.
        var path: String
        var lines: [String]
    }

    let root: String
    let files: [File]

    /// - Parameter here: A file two folders below the checkout.
    init(here: String = #filePath) {
        root =
            URL(fileURLWithPath: here).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent().path
        var found: [File] = []
        for top in ["Protocol", "Agent", "Coordinator", "Tests"] {
            let walker = FileManager.default.enumerator(atPath: "\(root)/\(top)")
            while let name = walker?.nextObject() as? String {
                guard name.hasSuffix(".swift"), !name.hasSuffix(".pb.swift"),
                    let text = try? String(contentsOfFile: "\(root)/\(top)/\(name)", encoding: .utf8)
                else { continue }
                found.append(
                    File(
                        path: "\(top)/\(name)",
                        lines: text.split(separator: "\n", omittingEmptySubsequences: false).map(String.init)))
            }
        }
        files = found.sorted { $0.path < $1.path }
    }

    var production: [File] { files.filter { !$0.path.hasPrefix("Tests/") } }
}

extension SourceTree.File {
    /// The modules this file imports.
    var imports: Set<String> {
        var modules: Set<String> = []
        for line in lines {
            var words = line.split(separator: " ").map(String.init)
            while let first = words.first,
                first.hasPrefix("@") || ["public", "package", "internal", "private"].contains(first)
            {
                words.removeFirst()
            }
            guard words.count >= 2, words[0] == "import" else { continue }
            let kinds = ["struct", "class", "enum", "func", "protocol", "let", "var", "typealias"]
            let name = kinds.contains(words[1]) && words.count > 2 ? words[2] : words[1]
            modules.insert(name.split(separator: ".").first.map(String.init) ?? name)
        }
        return modules
    }

    /// The lines without comments, for rules about code.
    var code: [(number: Int, text: String)] {
        lines.enumerated().compactMap { index, line in
            let trimmed = line.drop { $0 == " " }
            return trimmed.hasPrefix("//") ? nil : (index + 1, line)
        }
    }
}
