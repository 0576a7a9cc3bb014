/// Copies: of objects, and of what becomes a part of another one.
extension S3Call {
    struct Source {
        var name: ObjectName
        var record: ObjectRecord
        var view: ObjectView
    }

    /// The object that is named as the source, when its conditions hold.
    func source() async throws -> Source {
        let text = header("x-amz-copy-source") ?? ""
        let mark = text.firstIndex(of: "?") ?? text.endIndex
        guard let path = PercentText.decode(text[..<mark])?.containerAndObject else {
            throw S3Refusal.argument(
                "Copy Source must mention the source bucket and key: sourcebucket/sourcekey", "x-amz-copy-source", text)
        }
        if mark != text.endIndex {
            let version = QueryItems(text[text.index(after: mark)...])["versionId"]
            guard version == "null" else {
                throw S3Refusal.argument("Invalid version id specified", "versionId", version ?? "")
            }
        }
        let name = ObjectName(account: account, container: path.container, name: path.object)
        let record = try await requireObject(name, .read)
        let view = try await swift.view(name, record, wantsBytes: true, raw: false)
        try checkConditions(view)
        guard view.size <= SwiftLimits.fileSize else {
            throw S3Refusal.invalid(
                "The specified copy source is larger than the maximum allowable size for a copy source")
        }
        return Source(name: name, record: record, view: view)
    }

    private func checkConditions(_ view: ObjectView) throws {
        let changed = (view.record.attributes.changed + 999_999) / 1_000_000
        let condition = { [self] (name: String) in header("x-amz-copy-source-if-" + name) }
        let moment = { (name: String) in condition(name).flatMap { HTTPDate.parse($0) } }
        if let list = condition("match") {
            guard SwiftCall.matches(list, view.etag) else { throw S3Refusal.preconditionFailed }
        } else if let since = moment("unmodified-since"), changed > since {
            throw S3Refusal.preconditionFailed
        }
        if let list = condition("none-match") {
            guard !SwiftCall.matches(list, view.etag) else { throw S3Refusal.preconditionFailed }
        } else if let since = moment("modified-since"), changed <= since {
            throw S3Refusal.preconditionFailed
        }
    }

    private func directive(_ header: String) throws -> Bool {
        let text = self.header(header) ?? "COPY"
        guard text == "COPY" || text == "REPLACE" else {
            throw S3Refusal.argument("Unknown metadata directive.", header, text)
        }
        return text == "REPLACE"
    }

    func copyObject(to name: ObjectName) async throws -> ObjectResponse {
        let bucket = try await requireBucket(name.container)
        try await swift.authorizeObject(.write, in: name.container)
        try await refuseBody()
        let source = try await source()
        let replaces = try directive("x-amz-metadata-directive"), retags = try directive("x-amz-tagging-directive")
        guard replaces || retags || source.name != name else {
            throw S3Refusal.invalid(
                "This copy request is illegal because it is trying to copy an object to itself without changing the "
                    + "object's metadata, storage class, website redirect location or encryption attributes.")
        }
        let attributes = try copied(source, replaces: replaces, retags: retags)
        let condition = try await condition(name)
        let limits = try await swift.limits(bucket, of: account)
        let content = try await swift.content(of: source.view)
        var object = NewObject(
            content: content, attributes: attributes, limits: limits, mayReplace: condition.mayReplace)
        object.seen = condition.seen
        _ = try await swift.put(name, object)
        var inner = S3XML.element("LastModified", S3Time.text(now))
        inner += S3XML.element("ETag", Self.quoted(content.etag))
        if let checksum = attributes.s3Checksum { inner += checksum.element }
        return S3XML.document("CopyObjectResult", inner)
    }

    private func copied(_ source: Source, replaces: Bool, retags: Bool) throws -> ObjectAttributes {
        var attributes = try sentAttributes()
        let sentTags = attributes.metadata[MetadataRules.tags]
        if !replaces {
            let old = source.record.attributes
            attributes.metadata = old.metadata
            attributes.contentType = old.contentType
            attributes.expires = old.expires
        }
        // The bytes are no longer made of others.
        for field in [MetadataRules.isSLO, MetadataRules.sloETag, MetadataRules.sloSize, "x-object-manifest"] {
            attributes.metadata[field] = nil
        }
        attributes.s3Checksum = source.view.s3Checksum
        if let asked = header("x-amz-checksum-algorithm"), asked != attributes.s3Checksum?.algorithm.rawValue {
            throw S3Refusal.notImplemented("Another checksum for a copy")
        }
        attributes.metadata[MetadataRules.tags] =
            retags ? sentTags : source.record.attributes.metadata[MetadataRules.tags]
        return attributes
    }

    /// The octets of a source that become a part.
    func copyPart(_ limits: StoreLimits, _ algorithm: S3ChecksumAlgorithm?) async throws -> (
        UploadedContent, S3Checksum?
    ) {
        try await refuseBody()
        let source = try await source()
        guard let body = source.view.body else {
            throw S3Refusal(409, "OperationAborted", "The source cannot be read.")
        }
        var range = 0..<source.view.size
        if let text = header("x-amz-copy-source-range") {
            guard let ranges = RangeHeader.parse(text, size: source.view.size), ranges.count == 1,
                let first = ranges.first,
                text.contains("-\(first.upperBound - 1)")
            else {
                throw S3Refusal.argument(
                    "The x-amz-copy-source-range value must be of the form bytes=first-last where first and last are the "
                        + "zero-based offsets of the first and last bytes to copy", "x-amz-copy-source-range", text)
            }
            range = first
        }
        if let limit = limits.accountBytes, Int64(range.count) > limit { throw StoreFailure.accountQuota }
        if let limit = limits.containerBytes, Int64(range.count) > limit { throw StoreFailure.containerQuota }
        var hash = algorithm.map { S3ChecksumHash($0) }
        let upload = store.upload()
        do {
            let cursor = BodyCursor(store, body.slice(range))
            while let bytes = try await cursor.next() {
                hash?.update(bytes)
                try await upload.write(bytes)
            }
            return (try await upload.finish(), hash.map { S3Checksum($0.algorithm, $0.finish()) })
        } catch {
            await upload.discard()
            throw error
        }
    }
}
