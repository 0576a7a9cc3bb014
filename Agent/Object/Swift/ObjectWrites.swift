import NIOHTTP1

/// PUT, POST and DELETE of objects.
extension SwiftCall {
    func putObject(_ name: ObjectName) async throws -> ObjectResponse {
        try await authorizeObject(.write, in: name.container)
        guard let container = try await container(name.container) else { throw SwiftRefusal(404) }
        try refuseUnknown()
        let mayReplace = try checkCondition()
        if let source = request.header("x-copy-from") {
            return try await copy(fromHeader: source, to: name, mayReplace: mayReplace)
        }
        guard request.contentLength != nil || request.isChunked else {
            throw SwiftRefusal(411, "Missing Content-Length header.")
        }
        if request.query["multipart-manifest"] == "put" {
            return try await putManifest(name, mayReplace: mayReplace)
        }
        let limits = try await limits(container, of: name.container.account)
        try await checkSize(limits)
        let attributes = try attributes(of: name, sent: headers)
        let content = try await receive(limit: SwiftLimits.fileSize)
        return try await put(
            name, NewObject(content: content, attributes: attributes, limits: limits, mayReplace: mayReplace))
    }

    /// Puts what is on the disk under its name, and the former one where the container keeps those. Where it cannot,
    /// the content is gone too.
    func put(_ name: ObjectName, _ object: NewObject) async throws -> ObjectResponse {
        var object = object
        do { object.archive = try await archive(of: name) } catch {
            await store.upload().discard(object.content)
            throw error
        }
        do { try await store.put(name, object) } catch StoreFailure.noSuchContainer where object.archive != nil {
            throw SwiftRefusal(412, "The container for versions does not exist.")
        }
        return created(object.content.etag, object.attributes)
    }

    func created(_ etag: String, _ attributes: ObjectAttributes) -> ObjectResponse {
        ObjectResponse(
            201, headers: ["Etag": etag, "Last-Modified": HTTPDate.lastModified(attributes.changed)])
    }

    /// What would be forgotten is refused.
    func refuseUnknown() throws {
        if headers.contains(name: "x-symlink-target") {
            throw SwiftRefusal(400, "Symbolic links are not supported by this object store.")
        }
    }

    /// - Returns: Whether the object may take another one's place.
    func checkCondition() throws -> Bool {
        guard let text = request.header("if-none-match") else { return true }
        guard text == "*" else { throw SwiftRefusal(400, "If-None-Match only supports *") }
        return false
    }

    /// - Parameter account: The one that is written to, which a copy names apart from the URL's.
    func limits(_ container: ContainerRecord, of account: String) async throws -> StoreLimits {
        let isReseller = authorization(for: account).standing == .reseller
        let account = isReseller ? nil : try await store.account(account)?.metadata
        return StoreLimits(
            accountBytes: account?[SwiftCall.byteQuota].flatMap { Int64($0) },
            accountObjects: account?[SwiftCall.countQuota].flatMap { Int64($0) },
            containerBytes: container.metadata["x-container-meta-quota-bytes"].flatMap { Int64($0) },
            containerObjects: container.metadata["x-container-meta-quota-count"].flatMap { Int64($0) })
    }

    /// What is announced to be too large is refused before it is sent.
    private func checkSize(_ limits: StoreLimits) async throws {
        guard let length = request.contentLength else { return }
        guard length >= 0 else { throw SwiftRefusal(400, "Invalid Content-Length") }
        guard length <= SwiftLimits.fileSize else { throw SwiftRefusal(413, "Your request is too large.") }
        if let limit = limits.containerBytes, length > limit { throw StoreFailure.containerQuota }
        if let limit = limits.accountBytes, length > limit { throw StoreFailure.accountQuota }
    }

    /// Takes the body in.
    /// - Throws: ``SwiftRefusal`` with 422 where it is not what its ETag says.
    private func receive(limit: Int64) async throws -> UploadedContent {
        let upload = store.upload()
        do {
            while let piece = try await request.body.next() {
                guard upload.size + Int64(piece.readableBytes) <= limit else {
                    throw SwiftRefusal(413, "Your request is too large.")
                }
                try await upload.write(piece.readableBytesView)
            }
            if let length = request.contentLength, length != upload.size { throw SwiftRefusal(499) }
            let content = try await upload.finish()
            if let etag = request.header("etag")?.replacing("\"", with: "").lowercased(), !etag.isEmpty,
                etag != content.etag
            {
                await upload.discard(content)
                throw SwiftRefusal(422)
            }
            return content
        } catch {
            await upload.discard()
            throw error
        }
    }

    func attributes(of name: ObjectName, sent: HTTPHeaders) throws -> ObjectAttributes {
        ObjectAttributes(
            contentType: try contentType(sent) ?? ContentTypes.guess(name.name),
            metadata: try MetadataRules.object(sent),
            expires: try expiry(), changed: now)
    }

    func contentType(_ headers: HTTPHeaders) throws -> String? {
        guard let type = headers.first(name: "content-type")?.trimmed, !type.isEmpty,
            !request.flag("x-detect-content-type")
        else { return nil }
        guard type.utf8.count <= 1024 else { throw SwiftRefusal(400, "Content-Type is too long") }
        return type
    }

    /// - Returns: Seconds since 1970; `nil` for an object that stays.
    func expiry() throws -> Int64? {
        let seconds = now / 1_000_000
        var moment: Int64?
        if let text = request.header("x-delete-after"), !text.isEmpty {
            guard let after = Int64(text) else { throw SwiftRefusal(400, "Non-integer X-Delete-After") }
            guard after >= 0 else { throw SwiftRefusal(400, "X-Delete-After in past") }
            moment = seconds.addingReportingOverflow(after).partialValue
        } else if let text = request.header("x-delete-at"), !text.isEmpty {
            guard let at = Int64(text) else { throw SwiftRefusal(400, "Non-integer X-Delete-At") }
            moment = at
        }
        guard let moment else { return nil }
        guard moment > seconds, moment < 10_000_000_000 else { throw SwiftRefusal(400, "X-Delete-At in past") }
        return moment
    }

    // MARK: POST

    /// Replaces all that the object says of itself; what makes it a manifest stays.
    func postObject(_ name: ObjectName) async throws -> ObjectResponse {
        try await authorizeObject(.write, in: name.container)
        try refuseUnknown()
        for _ in 0..<8 {
            guard let record = try await object(name) else { throw SwiftRefusal(404) }
            var attributes = try attributes(of: name, sent: headers)
            attributes.contentType = try contentType(headers) ?? record.attributes.contentType
            for kept in MetadataRules.hidden.union([MetadataRules.isSLO]) {
                attributes.metadata[kept] = record.attributes.metadata[kept]
            }
            if try await store.change(name, seen: record, to: attributes) {
                return ObjectResponse(
                    202, text: "<html><h1>Accepted</h1><p>The request is accepted for processing.</p></html>",
                    type: "text/html; charset=UTF-8")
            }
        }
        throw SwiftRefusal(409)
    }

    // MARK: DELETE

    func deleteObject(_ name: ObjectName) async throws -> ObjectResponse {
        try await authorizeObject(.write, in: name.container)
        guard try await container(name.container) != nil else { throw SwiftRefusal(404) }
        if request.query["multipart-manifest"] == "delete" { return try await deleteManifest(name) }
        if let answer = try await deleteVersion(name) { return answer }
        let removed = try await store.remove(name, seen: nil)
        guard let removed, !removed.attributes.isExpired(at: now) else { throw SwiftRefusal(404) }
        return ObjectResponse(204)
    }
}

/// What an object is, where the client does not say, by its name's end.
enum ContentTypes {
    private static let types: [String: String] = [
        "txt": "text/plain", "html": "text/html", "htm": "text/html", "css": "text/css", "csv": "text/csv",
        "js": "text/javascript", "json": "application/json", "xml": "application/xml", "pdf": "application/pdf",
        "png": "image/png", "jpg": "image/jpeg", "jpeg": "image/jpeg", "gif": "image/gif", "svg": "image/svg+xml",
        "tar": "application/x-tar", "gz": "application/gzip", "zip": "application/zip", "mp4": "video/mp4",
        "mp3": "audio/mpeg", "iso": "application/x-iso9660-image"
    ]

    static func guess(_ name: String) -> String {
        guard let dot = name.lastIndex(of: ".") else { return "application/octet-stream" }
        return types[name[name.index(after: dot)...].lowercased()] ?? "application/octet-stream"
    }
}
