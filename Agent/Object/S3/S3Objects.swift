import NIOHTTP1

/// GET, HEAD, PUT and DELETE of objects.
extension S3Call {
    // MARK: Reading

    func getObject(_ name: ObjectName) async throws -> ObjectResponse {
        if query.has("partNumber") { throw S3Refusal.notImplemented("Reading an object by its parts") }
        // While it is opened, another request may replace it: then the new one is meant.
        for _ in 0..<3 {
            let record = try await requireObject(name, .read)
            do { return try await answer(name, record) } catch StoreFailure.gone { continue }
        }
        throw S3Refusal(503, "ServiceUnavailable", "Please try again later.")
    }

    private func answer(_ name: ObjectName, _ record: ObjectRecord) async throws -> ObjectResponse {
        let view = try await swift.view(name, record, wantsBytes: !isHead, raw: false)
        var headers = shown(view)
        switch swift.precondition(view) {
        case 304: return ObjectResponse(304, headers: headers)
        case .some: throw S3Refusal.preconditionFailed
        case nil: break
        }
        let ranges = header("range").flatMap { swift.isRangeMeant(view) ? RangeHeader.parse($0, size: view.size) : nil }
        // Several ranges at once S3 does not have: then all is given.
        if let ranges, ranges.count == 1 || ranges.isEmpty {
            guard let range = ranges.first else {
                throw S3Refusal(
                    416, "InvalidRange", "The requested range is not satisfiable",
                    details: [("ActualObjectSize", String(view.size))],
                    headers: ["Content-Range": "bytes */\(view.size)"])
            }
            headers.replaceOrAdd(
                name: "Content-Range", value: "bytes \(range.lowerBound)-\(range.upperBound - 1)/\(view.size)")
            return ObjectResponse(206, headers: headers, body: try await swift.stream(view, range))
        }
        if header("x-amz-checksum-mode")?.uppercased() == "ENABLED", let checksum = view.s3Checksum {
            Self.show(checksum, in: &headers)
        }
        return ObjectResponse(200, headers: headers, body: try await swift.stream(view, 0..<view.size))
    }

    // MARK: Writing

    func putObject(_ name: ObjectName) async throws -> ObjectResponse {
        let bucket = try await requireBucket(name.container)
        try await swift.authorizeObject(.write, in: name.container)
        var attributes = try sentAttributes()
        let condition = try await condition(name)
        let limits = try await swift.limits(bucket, of: account)
        let (content, checksum) = try await receive(limits)
        attributes.s3Checksum = checksum
        var object = NewObject(
            content: content, attributes: attributes, limits: limits, mayReplace: condition.mayReplace)
        object.seen = condition.seen
        _ = try await swift.put(name, object)
        var headers: HTTPHeaders = ["ETag": Self.quoted(content.etag)]
        if let checksum { Self.show(checksum, in: &headers) }
        return ObjectResponse(200, headers: headers)
    }

    /// What has to be there, or must not.
    func condition(_ name: ObjectName) async throws -> (mayReplace: Bool, seen: ObjectRecord?) {
        for unknown in ["if-modified-since", "if-unmodified-since"] where request.headers.contains(name: unknown) {
            throw S3Refusal.notImplemented("The header \(unknown) on requests that write")
        }
        if let text = header("if-none-match") {
            guard text == "*", !request.headers.contains(name: "if-match") else {
                throw S3Refusal.notImplemented("If-None-Match with anything but *")
            }
            guard try await swift.object(name) == nil else { throw S3Refusal.preconditionFailed }
            return (false, nil)
        }
        guard let text = header("if-match") else { return (true, nil) }
        guard let record = try await swift.object(name) else { throw S3Refusal.noSuchKey(name.name) }
        let etag = record.attributes.metadata[MetadataRules.sloETag] ?? record.etag
        guard SwiftCall.matches(text, etag) else { throw S3Refusal.preconditionFailed }
        return (true, record)
    }

    /// Takes the body in, and holds it to all that is said of it.
    func receive(
        _ limits: StoreLimits, _ algorithm: S3ChecksumAlgorithm? = nil
    ) async throws -> (UploadedContent, S3Checksum?) {
        let intake = try intake(algorithm)
        guard let length = intake.length else {
            throw S3Refusal(411, "MissingContentLength", "You must provide the Content-Length HTTP header.")
        }
        guard length <= SwiftLimits.fileSize else { throw S3Refusal.entityTooLarge }
        if let limit = limits.containerBytes, length > limit { throw StoreFailure.containerQuota }
        if let limit = limits.accountBytes, length > limit { throw StoreFailure.accountQuota }
        let upload = store.upload()
        do {
            while let piece = try await intake.next() { try await upload.write(piece) }
            return (try await upload.finish(), intake.checksum)
        } catch {
            await upload.discard()
            throw error
        }
    }

    // MARK: Removing

    /// What is not there is as good as removed.
    func deleteObject(_ name: ObjectName) async throws -> ObjectResponse {
        _ = try await requireBucket(name.container)
        try await swift.authorizeObject(.write, in: name.container)
        if request.headers.contains(name: "if-match") {
            let record = try await condition(name).seen
            guard try await store.remove(name, seen: record) != nil else { throw S3Refusal.preconditionFailed }
            return ObjectResponse(204)
        }
        try await remove(name)
        return ObjectResponse(204)
    }

    private func remove(_ name: ObjectName) async throws {
        do {
            if try await swift.deleteVersion(name) == nil { _ = try await store.remove(name, seen: nil) }
        } catch let refusal as SwiftRefusal where refusal.status == 404 {}
    }

    private static let deleteLimit = 1000

    func deleteObjects(_ bucket: ContainerName) async throws -> ObjectResponse {
        _ = try await requireBucket(bucket)
        try await swift.authorizeObject(.write, in: bucket)
        let intake = try intake()
        let bytes = try await intake.collect(limit: 8 << 20)
        guard intake.checksum != nil || header("content-md5") != nil || wrapping.hash != nil else {
            throw S3Refusal.invalid("Missing required header for this request: Content-MD5")
        }
        let order: XMLElement
        do throws(XMLReader.Malformed) { order = try XMLReader.read(bytes) } catch { throw S3Refusal.malformedXML }
        let wanted = order.all("Object")
        guard order.name == "Delete", (1...Self.deleteLimit).contains(wanted.count) else {
            throw S3Refusal.malformedXML
        }
        let isQuiet = order["Quiet"]?.lowercased() == "true"
        var inner = ""
        for item in wanted {
            guard let key = item["Key"], !key.isEmpty else { throw S3Refusal.malformedXML }
            do {
                for name in ["ETag", "LastModifiedTime", "Size"] where item[name] != nil {
                    throw S3Refusal.notImplemented("Deletion by \(name)")
                }
                if let version = item["VersionId"], version != "null" {
                    throw S3Refusal(400, "NoSuchVersion", "The specified version does not exist.")
                }
                guard key.utf8.count <= SwiftLimits.objectName else {
                    throw S3Refusal(400, "KeyTooLongError", "Your key is too long")
                }
                try await remove(ObjectName(container: bucket, name: key))
                if !isQuiet { inner += "<Deleted>\(S3XML.element("Key", key))</Deleted>" }
            } catch {
                let refusal = S3Refusal(error, bucket: bucket.name, key: key)
                inner += "<Error>\(S3XML.element("Key", key))\(S3XML.element("Code", refusal.code))"
                inner += "\(S3XML.element("Message", refusal.message))</Error>"
            }
        }
        return S3XML.document("DeleteResult", inner)
    }
}
