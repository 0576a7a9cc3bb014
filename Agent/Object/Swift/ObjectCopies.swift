import NIOHTTP1

/// COPY, and PUT with `X-Copy-From`.
extension SwiftCall {
    /// `container/object`, with a slash before it or not.
    private func path(_ text: String, _ header: String) throws -> (container: String, object: String) {
        let words = "\(header) header must be of the form <container name>/<object name>"
        guard let path = PercentText.decode(text)?.containerAndObject else { throw SwiftRefusal(412, words) }
        try SwiftLimits.check(container: path.container)
        try SwiftLimits.check(object: path.object)
        return path
    }

    private func account(_ header: String) throws -> String {
        guard let text = request.header(header) else { return target.account }
        guard let account = PercentText.decode(text), !account.isEmpty, !account.hasSlash else {
            throw SwiftRefusal(412, "\(MetadataRules.titled(header)) header must be an account name")
        }
        return account
    }

    func copyObject(_ source: ObjectName) async throws -> ObjectResponse {
        guard let text = request.header("destination") else {
            throw SwiftRefusal(412, "Destination header required")
        }
        let (container, object) = try path(text, "Destination")
        let name = ObjectName(account: try account("destination-account"), container: container, name: object)
        return try await copy(source, to: name, mayReplace: try checkCondition())
    }

    func copy(fromHeader text: String, to name: ObjectName, mayReplace: Bool) async throws -> ObjectResponse {
        guard !request.isChunked, request.contentLength ?? 0 == 0 else {
            throw SwiftRefusal(400, "Copy requests require a zero byte body")
        }
        let (container, object) = try path(text, "X-Copy-From")
        let source = ObjectName(account: try account("x-copy-from-account"), container: container, name: object)
        return try await copy(source, to: name, mayReplace: mayReplace)
    }

    private func copy(_ source: ObjectName, to name: ObjectName, mayReplace: Bool) async throws -> ObjectResponse {
        try await authorizeObject(.read, in: source.container)
        try await authorizeObject(.write, in: name.container)
        try refuseUnknown()
        guard let container = try await container(name.container) else { throw SwiftRefusal(404) }
        guard let record = try await object(source) else { throw SwiftRefusal(404) }
        let keepsManifest = request.query["multipart-manifest"] == "get"
        let view = try await view(source, record, wantsBytes: true, raw: keepsManifest)
        guard view.size <= SwiftLimits.fileSize else { throw SwiftRefusal(413, "Your request is too large.") }
        // What may be refused is, before bytes are written that nobody would take away again.
        let attributes = try copiedAttributes(record, isManifest: keepsManifest, to: name)
        let limits = try await limits(container, of: name.container.account)
        let content = try await content(of: view)
        var response = try await put(
            name, NewObject(content: content, attributes: attributes, limits: limits, mayReplace: mayReplace))
        response.headers.add(attributes.metadata, hiding: MetadataRules.hidden)
        let path = "\(source.container.name)/\(source.name)"
        response.headers.add(name: "X-Copied-From", value: PercentText.encode(path))
        response.headers.add(name: "X-Copied-From-Account", value: PercentText.encode(source.container.account))
        response.headers.add(
            name: "X-Copied-From-Last-Modified", value: HTTPDate.lastModified(record.attributes.changed))
        return response
    }

    /// Bytes that are there already get a second name; what lies in several places is put together.
    func content(of view: ObjectView) async throws -> UploadedContent {
        guard let body = view.body else { throw SwiftRefusal(409) }
        if body.pieces == ObjectBody(view.record.content).pieces {
            return .shared(view.record.content, etag: view.record.etag)
        }
        let upload = store.upload()
        do {
            let cursor = BodyCursor(store, body.pieces)
            while let bytes = try await cursor.next() { try await upload.write(bytes) }
            return try await upload.finish()
        } catch {
            await upload.discard()
            throw error
        }
    }

    /// The source's, with what the request says over them, unless it wants them fresh.
    private func copiedAttributes(
        _ source: ObjectRecord, isManifest: Bool, to name: ObjectName
    ) throws -> ObjectAttributes {
        var attributes = try attributes(of: name, sent: headers)
        attributes.contentType = try contentType(headers) ?? source.attributes.contentType
        guard !request.flag("x-fresh-metadata") else { return attributes }
        var inherited = source.attributes.metadata
        if !isManifest {
            for manifest in [MetadataRules.isSLO, MetadataRules.sloETag, MetadataRules.sloSize, "x-object-manifest"] {
                inherited[manifest] = nil
            }
        }
        attributes.metadata = inherited.merging(attributes.metadata) { $1 }
        if !headers.contains(name: "x-delete-at"), !headers.contains(name: "x-delete-after") {
            attributes.expires = source.attributes.expires
        }
        try MetadataRules.checkTotal(attributes.metadata, "x-object-meta-")
        return attributes
    }
}
