import NIOHTTP1

/// What of a request's fields is kept.
enum MetadataRules {
    /// Owners alone see and set these.
    static let owners: Set<String> = [
        "x-container-read", "x-container-write", "x-container-meta-temp-url-key", "x-container-meta-temp-url-key-2",
        "x-account-meta-temp-url-key", "x-account-meta-temp-url-key-2"
    ]
    /// What is kept of an object besides its metadata.
    static let objectFields: Set<String> = [
        "content-encoding", "content-disposition", "content-language", "cache-control", "expires", "x-robots-tag",
        "x-object-manifest"
    ]
    /// What the service itself keeps with a manifest; nobody sees it.
    static let sloETag = "slo-etag"
    static let sloSize = "slo-size"
    static let isSLO = "x-static-large-object"
    /// What clients of the S3 API keep with an object besides.
    static let checksum = "s3-checksum"
    static let tags = "s3-tags"
    static let hidden: Set<String> = [sloETag, sloSize, checksum, tags]

    /// The changes to an account's or container's metadata that a request asks for.
    static func changes(_ headers: HTTPHeaders, of kind: String, isOwner: Bool) throws -> MetadataChange {
        var change = MetadataChange()
        let prefix = "x-\(kind)-meta-", removal = "x-remove-\(kind)-"
        for (name, value) in headers {
            let name = name.lowercased()
            if name.hasPrefix(removal) {
                let kept = "x-\(kind)-\(name.dropFirst(removal.count))"
                if kept.hasPrefix(prefix) || owners.contains(kept) { change.fields[kept] = .some(nil) }
            } else if name.hasPrefix(prefix) {
                try check(name, value, prefix)
                change.fields[name] = .some(value.isEmpty ? nil : value)
            }
        }
        if !isOwner { for name in owners { change.fields[name] = nil } }
        return change
    }

    /// An object's own fields; an empty value is one too.
    static func object(_ headers: HTTPHeaders) throws -> Metadata {
        var metadata: Metadata = [:]
        for (name, value) in headers {
            let name = name.lowercased()
            if name.hasPrefix("x-object-meta-") {
                try check(name, value, "x-object-meta-")
                metadata[name] = value
            } else if objectFields.contains(name) {
                guard value.utf8.count <= 4096 else { throw SwiftRefusal(400, "Header value too long: \(name)") }
                if !value.isEmpty { metadata[name] = value }
            }
        }
        try checkTotal(metadata.filter { $0.key.hasPrefix("x-object-meta-") }, "x-object-meta-")
        if let manifest = metadata["x-object-manifest"] {
            metadata["x-object-manifest"] = try checkManifest(manifest)
        }
        return metadata
    }

    private static func checkManifest(_ value: String) throws -> String {
        let words = "X-Object-Manifest must be in the format container/prefix"
        guard let text = PercentText.decode(value) else { throw SwiftRefusal(400, words) }
        guard text.containerAndObject != nil, !text.contains("?"), !text.contains("&") else {
            throw SwiftRefusal(400, words)
        }
        return value
    }

    private static func check(_ name: String, _ value: String, _ prefix: String) throws {
        let key = name.dropFirst(prefix.count)
        guard !key.isEmpty else { throw SwiftRefusal(400, "Metadata name cannot be empty") }
        guard key.utf8.count <= SwiftLimits.metaName else {
            throw SwiftRefusal(400, "Metadata name too long: \(name)")
        }
        guard value.utf8.count <= SwiftLimits.metaValue else {
            throw SwiftRefusal(400, "Metadata value longer than \(SwiftLimits.metaValue): \(name)")
        }
    }

    /// - Parameter prefix: What counts towards the limits begins so.
    static func checkTotal(_ metadata: Metadata, _ prefix: String) throws {
        let own = metadata.filter { $0.key.hasPrefix(prefix) }
        guard own.count <= SwiftLimits.metaCount else {
            throw SwiftRefusal(400, "Too many metadata items; max \(SwiftLimits.metaCount)")
        }
        let size = own.reduce(0) { $0 + $1.key.utf8.count - prefix.utf8.count + $1.value.utf8.count }
        guard size <= SwiftLimits.metaOverall else {
            throw SwiftRefusal(400, "Total metadata too large; max \(SwiftLimits.metaOverall)")
        }
    }

    /// `x-object-meta-colour` as Swift writes it: `X-Object-Meta-Colour`.
    static func titled(_ name: String) -> String {
        name.split(separator: "-", omittingEmptySubsequences: false)
            .map { $0.prefix(1).uppercased() + $0.dropFirst() }.joined(separator: "-")
    }
}

extension HTTPHeaders {
    mutating func add(_ metadata: Metadata, hiding hidden: Set<String> = []) {
        for (name, value) in metadata.sorted(by: { $0.key < $1.key }) where !hidden.contains(name) {
            replaceOrAdd(name: MetadataRules.titled(name), value: value)
        }
    }
}
