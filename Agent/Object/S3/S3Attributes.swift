import NIOHTTP1

/// What S3's header fields say of an object, as the store keeps it for both APIs.
extension S3Call {
    /// Octets of names and values together.
    private static let metadataLimit = 2048
    static let metaPrefix = "x-amz-meta-"
    private static let fields = [
        "cache-control", "content-disposition", "content-encoding", "content-language", "expires"
    ]

    func sentAttributes() throws -> ObjectAttributes {
        var metadata: Metadata = [:]
        var size = 0
        for (name, value) in request.headers {
            let name = name.lowercased()
            guard name.hasPrefix(Self.metaPrefix) else { continue }
            let bare = String(name.dropFirst(Self.metaPrefix.count))
            guard !bare.isEmpty, bare.utf8.count <= SwiftLimits.metaName else {
                throw S3Refusal.invalid("The name of a metadata field is empty or too long")
            }
            size += bare.utf8.count + value.utf8.count
            let kept = "x-object-meta-" + bare
            metadata[kept] = metadata[kept].map { "\($0),\(value)" } ?? value
        }
        guard size <= Self.metadataLimit, metadata.count <= SwiftLimits.metaCount else {
            throw S3Refusal(
                400, "MetadataTooLarge", "Your metadata headers exceed the maximum allowed metadata size",
                details: [("Size", String(size)), ("MaxSizeAllowed", String(Self.metadataLimit))])
        }
        for field in Self.fields {
            guard var value = header(field) else { continue }
            guard value.utf8.count <= 4096 else { throw S3Refusal.invalid("The header \(field) is too long") }
            if field == "content-encoding" {
                // How the body came is not how the object is coded.
                value = value.split(separator: ",").map { String($0).trimmed }.filter { $0 != "aws-chunked" }
                    .joined(separator: ",")
            }
            if !value.isEmpty { metadata[field] = value }
        }
        if let tags = header("x-amz-tagging"), !tags.isEmpty {
            metadata[MetadataRules.tags] = try S3Tags(query: tags).text
        }
        let type = header("content-type") ?? ""
        guard type.utf8.count <= 1024 else { throw S3Refusal.invalid("The content type is too long") }
        return ObjectAttributes(
            contentType: type.isEmpty ? "binary/octet-stream" : type, metadata: metadata, expires: nil, changed: now)
    }

    /// How an object is shown.
    func shown(_ view: ObjectView) -> HTTPHeaders {
        let attributes = view.record.attributes
        var headers: HTTPHeaders = [
            "ETag": Self.quoted(view.etag), "Last-Modified": HTTPDate.lastModified(attributes.changed),
            "Content-Type": view.contentType, "Accept-Ranges": "bytes"
        ]
        for (name, value) in attributes.metadata.sorted(by: { $0.key < $1.key }) {
            if name.hasPrefix("x-object-meta-") {
                headers.replaceOrAdd(name: Self.metaPrefix + name.dropFirst(14), value: value)
            } else if Self.fields.contains(name) {
                headers.replaceOrAdd(name: name, value: value)
            }
        }
        if let text = attributes.metadata[MetadataRules.tags] {
            headers.add(name: "x-amz-tagging-count", value: String(S3Tags(text: text).items.count))
        }
        if let expires = attributes.expires {
            headers.add(name: "x-amz-expiration", value: "expiry-date=\"\(HTTPDate.http(seconds: expires))\"")
        }
        for (name, shown) in Self.overrides {
            guard let value = query[name] else { continue }
            headers.replaceOrAdd(name: shown, value: value)
        }
        return headers
    }

    /// What whoever signs the request may have shown instead.
    private static let overrides = [
        ("response-content-type", "Content-Type"), ("response-content-language", "Content-Language"),
        ("response-expires", "Expires"), ("response-cache-control", "Cache-Control"),
        ("response-content-disposition", "Content-Disposition"), ("response-content-encoding", "Content-Encoding")
    ]

    static func quoted(_ etag: String) -> String { etag.hasPrefix("\"") ? etag : "\"\(etag)\"" }

    static func show(_ checksum: S3Checksum, in headers: inout HTTPHeaders) {
        headers.replaceOrAdd(name: checksum.algorithm.header, value: checksum.value)
        headers.replaceOrAdd(name: "x-amz-checksum-type", value: checksum.kind.rawValue)
    }
}

extension ObjectView {
    /// Of what is shown: a manifest's own octets are not.
    var s3Checksum: S3Checksum? { etag == record.etag ? record.attributes.s3Checksum : nil }
}

extension ObjectAttributes {
    var s3Checksum: S3Checksum? {
        get { metadata[MetadataRules.checksum].flatMap { S3Checksum(text: $0) } }
        set { metadata[MetadataRules.checksum] = newValue?.text }
    }
}
