import AgentCore

/// The folders and files of an image, in the order their records lie.
struct ISOTree {
    struct Folder {
        var name: String
        /// The index of the folder this one is in; the root is in itself.
        var parent: Int
        var folders: [Int] = []
        /// Full paths, sorted.
        var files: [String] = []
    }

    /// Breadth first, as path tables want them: the root, then its folders by name, then theirs.
    private(set) var folders: [Folder] = []
    private var contents: [String: [UInt8]] = [:]

    init?(_ content: ConfigDriveContent) {
        var children: [String: Set<String>] = ["": []]
        var filesOf: [String: [String]] = [:]
        for file in content.files {
            let parts = file.path.split(separator: "/").map(String.init)
            guard let name = parts.last, parts.allSatisfy({ $0.utf8.count <= ISOImage.longestName }) else { return nil }
            let path = parts.joined(separator: "/")
            guard contents.updateValue(file.bytes, forKey: path) == nil, !name.isEmpty else { return nil }
            var folder = ""
            for part in parts.dropLast() {
                let inner = folder.isEmpty ? part : folder + "/" + part
                children[folder, default: []].insert(inner)
                children[inner, default: []] = children[inner] ?? []
                folder = inner
            }
            filesOf[folder, default: []].append(path)
        }
        guard contents.keys.allSatisfy({ children[$0] == nil }) else { return nil }

        var queue: [(path: String, parent: Int)] = [("", 0)]
        var index = 0
        while index < queue.count {
            let (path, parent) = queue[index]
            folders.append(
                Folder(name: Self.lastName(path), parent: parent, files: (filesOf[path] ?? []).sorted()))
            if index > 0 { folders[parent].folders.append(index) }
            for inner in (children[path] ?? []).sorted() { queue.append((inner, index)) }
            index += 1
        }
    }

    func file(at path: String) -> [UInt8] { contents[path] ?? [] }

    /// Gives each file its sectors.
    func placeFiles(at next: inout Int) -> [String: ISOExtent] {
        var extents: [String: ISOExtent] = [:]
        for path in contents.keys.sorted() {
            let bytes = file(at: path).count
            extents[path] = ISOExtent(sector: bytes == 0 ? 0 : next, bytes: bytes)
            next += ISOExtent.sectors(bytes)
        }
        return extents
    }

    static func lastName(_ path: String) -> String { path.split(separator: "/").last.map(String.init) ?? "" }
}
