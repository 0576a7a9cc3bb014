import FoundationEssentials

/// An object as a client sees it.
struct ObjectView {
    var record: ObjectRecord
    /// As it stands in the answer.
    var etag: String
    var size: Int64
    /// `nil` for a HEAD, which needs no bytes.
    var body: ObjectBody?
    var contentType: String

    init(_ record: ObjectRecord) {
        self.record = record
        etag = record.etag
        size = record.content.size
        body = ObjectBody(record.content)
        contentType = record.attributes.contentType
    }
}

/// One segment of a static large object, as its manifest keeps it and shows it.
struct ManifestSegment: Codable, Hashable, Sendable {
    var name: String
    var hash: String
    var bytes: Int64
    var contentType: String
    var lastModified: String
    /// `first-last`, both counted.
    var range: String?
    var isManifest: Bool?

    private enum CodingKeys: String, CodingKey {
        case name, hash, bytes, range
        case contentType = "content_type"
        case lastModified = "last_modified"
        case isManifest = "sub_slo"
    }

    var target: (container: String, object: String)? {
        name.containerAndObject
    }

    /// Of the segment's octets, those that are meant.
    var extent: Range<Int64> {
        guard let range, let parsed = RangeHeader.parse("bytes=" + range, size: bytes)?.first else { return 0..<bytes }
        return parsed
    }
}

/// How many segments are still looked at for one object. Those that give it no octets count too: manifests of manifests
/// may name very many of them.
struct SegmentBudget {
    private var left = SwiftLimits.dynamicSegments

    mutating func spend(_ count: Int) throws {
        // Nobody waits any more.
        try Task.checkCancellation()
        left -= count
        guard left >= 0 else {
            throw SwiftRefusal(409, "The object is made of more than \(SwiftLimits.dynamicSegments) others.")
        }
    }
}

/// Objects that are made of others.
extension SwiftCall {
    private static let depthLimit = 10

    /// - Parameter wantsBytes: A HEAD needs the figures alone.
    func view(_ name: ObjectName, _ record: ObjectRecord, wantsBytes: Bool, raw: Bool) async throws -> ObjectView {
        var view = ObjectView(record)
        if raw {
            if record.isStaticManifest { view.contentType = "application/json; charset=utf-8" }
            return view
        }
        if record.isStaticManifest {
            view.etag = "\"\(record.attributes.metadata[MetadataRules.sloETag] ?? record.etag)\""
            view.size = record.listedSize
            view.body = nil
            guard wantsBytes else { return view }
            var budget = SegmentBudget()
            let body = try await staticBody(record, account: name.container.account, depth: 1, &budget)
            guard body.size == view.size else { throw SwiftRefusal(409) }
            view.body = body
        } else if let manifest = record.attributes.metadata["x-object-manifest"] {
            try await dynamicBody(manifest, account: name.container.account, &view)
        }
        return view
    }

    // MARK: Static

    private func staticBody(
        _ record: ObjectRecord, account: String, depth: Int, _ budget: inout SegmentBudget
    ) async throws -> ObjectBody {
        guard depth <= Self.depthLimit else { throw SwiftRefusal(409, "Max recursion depth exceeded") }
        var body = ObjectBody()
        for segment in try await manifest(record) {
            try budget.spend(1)
            guard let target = segment.target else { throw SwiftRefusal(409) }
            let name = ObjectName(account: account, container: target.container, name: target.object)
            try await authorizeObject(.read, in: name.container)
            guard let part = try await object(name) else { throw SwiftRefusal(409) }
            if segment.isManifest == true, part.isStaticManifest {
                guard part.attributes.metadata[MetadataRules.sloETag] == segment.hash else { throw SwiftRefusal(409) }
                let inner = try await staticBody(part, account: account, depth: depth + 1, &budget)
                body.append(inner, segment.extent)
            } else {
                guard part.etag == segment.hash, part.content.size == segment.bytes else { throw SwiftRefusal(409) }
                body.append(part.content, segment.extent)
            }
        }
        return body
    }

    func manifest(_ record: ObjectRecord) async throws -> [ManifestSegment] {
        let cursor = BodyCursor(store, ObjectBody(record.content).pieces)
        var bytes: [UInt8] = []
        while let piece = try await cursor.next() { bytes += piece }
        return try JSONDecoder().decode([ManifestSegment].self, from: Data(bytes))
    }

    // MARK: Dynamic

    private func dynamicBody(_ manifest: String, account: String, _ view: inout ObjectView) async throws {
        let text = PercentText.decode(manifest) ?? manifest
        guard let source = text.containerAndObject else { return }
        let container = ContainerName(account: account, name: source.container)
        try await authorizeObject(.read, in: container)
        guard try await self.container(container) != nil else { throw SwiftRefusal(404) }
        var query = ListingQuery()
        query.prefix = source.object
        var body = ObjectBody()
        var hash = ETagHash()
        var budget = SegmentBudget()
        while true {
            let page = try await store.objects(in: container, query)
            try budget.spend(page.count)
            for item in page {
                guard let record = item.record, !record.isExpired(at: now) else { continue }
                body.append(record.content, 0..<record.content.size)
                hash.update(Array(record.etag.utf8))
            }
            guard page.count == query.limit, let last = page.last else { break }
            query.marker = last.name
        }
        view.body = body
        view.size = body.size
        view.etag = "\"\(hash.finish())\""
    }
}
