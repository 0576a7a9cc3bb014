import CoordinatorPlatform

/// What is in a backup: the last file of it, which the others are compared with.
package struct BackupManifest: Equatable, Sendable {
    package struct File: Equatable, Sendable {
        package var name: String
        package var size: Int64
        package var sha256: String
    }

    static let name = "manifest.json"
    static let format: Int64 = 1
    static let sizeLimit: Int64 = 64 << 20

    package var release: String
    /// Microseconds since 1970.
    package var madeAt: Int64
    package var files: [File]
    /// Files that were there when the backup began and had gone when their turn came: of images that were deleted
    /// meanwhile.
    package var gone: [String] = []

    var json: JSON {
        [
            "format": JSON(Self.format), "release": JSON(release), "made_at": JSON(Timestamp.micros(madeAt)),
            "files": .array(files.map { ["name": JSON($0.name), "size": JSON($0.size), "sha256": JSON($0.sha256)] }),
            "gone": .array(gone.map { JSON($0) })
        ]
    }

    /// - Throws: ``StartError`` for one of another form.
    static func parse(_ bytes: [UInt8]) throws -> BackupManifest {
        guard let json = try? JSON.parse(bytes), let format = json["format"]?.intValue else { throw unreadable }
        guard format == Self.format else {
            throw StartError(
                "The backup is of form \(format), which this release cannot read: use the one that made it.")
        }
        guard let release = json["release"]?.stringValue,
            let madeAt = json["made_at"]?.stringValue.flatMap({ Timestamp.parse($0) }),
            let files = json["files"]?.arrayValue, let gone = json["gone"]?.arrayValue
        else { throw unreadable }
        return BackupManifest(
            release: release, madeAt: madeAt,
            files: try files.map { file in
                guard let name = file["name"]?.stringValue, let size = file["size"]?.intValue,
                    let digest = file["sha256"]?.stringValue
                else { throw unreadable }
                return File(name: name, size: size, sha256: digest)
            }, gone: gone.compactMap(\.stringValue))
    }

    private static let unreadable = StartError("The backup's manifest cannot be read.")
}

/// What files of a backup are called, and what they become.
package enum BackupNames {
    static let database = "skerry.db"
    static let keys = ["ca/ca.crt", "ca/ca.key", "keys/sealing.key"]
    static let configuration = "configuration/"
    private static let images = "images/"

    /// In two parts: tar's names have 100 characters.
    package static func image(_ sha512: String) -> String { "\(images)\(sha512.prefix(64))/\(sha512.dropFirst(64))" }

    /// - Returns: Where a file of a backup lies below the state directory; `nil` for what no backup has.
    package static func place(_ name: String) -> String? {
        if name == database || keys.contains(name) { return name }
        if name.hasPrefix(configuration) {
            let file = name.dropFirst(configuration.count)
            let isPlain = file.utf8.allSatisfy {
                (UInt8(ascii: "a")...UInt8(ascii: "z")).contains($0 | 0x20) || "0123456789.-_".utf8.contains($0)
            }
            return isPlain && !file.isEmpty && !file.hasPrefix(".") ? "restored-\(name)" : nil
        }
        guard name.hasPrefix(images) else { return nil }
        let parts = name.dropFirst(images.count).split(separator: "/", omittingEmptySubsequences: false)
        guard parts.count == 2, parts.allSatisfy({ $0.count == 64 }), isContent(parts.joined()) else { return nil }
        return images + parts.joined()
    }

    /// Whether a file of the image store is a whole content: named by its SHA-512.
    static func isContent(_ name: String) -> Bool {
        name.utf8.count == 128 && name.utf8.allSatisfy { "0123456789abcdef".utf8.contains($0) }
    }

    static func isImage(_ name: String) -> Bool { name.hasPrefix(images) }
}
