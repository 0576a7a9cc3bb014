import NIOHTTP1

/// GET and HEAD of objects.
extension SwiftCall {
    func getObject(_ name: ObjectName) async throws -> ObjectResponse {
        if let page = try await webPage(name.container, object: name) { return page }
        try await authorizeObject(.read, in: name.container)
        // While it is opened, another request may replace it: then the new one is meant.
        for _ in 0..<3 {
            guard let record = try await object(name) else { throw SwiftRefusal(404) }
            do {
                return try await answer(name, record, status: 200)
            } catch StoreFailure.gone { continue }
        }
        throw SwiftRefusal(503)
    }

    private var isHead: Bool { request.method == "HEAD" }

    /// - Parameter status: 200, or an error's for a page that explains it.
    func answer(_ name: ObjectName, _ record: ObjectRecord, status: Int) async throws -> ObjectResponse {
        let raw = request.query["multipart-manifest"] == "get"
        let view = try await view(name, record, wantsBytes: !isHead, raw: raw)
        var headers = objectHeaders(view)
        if let signed, request.method == "GET" || isHead { signed.describe(&headers, object: name.name, self) }
        if status == 200, let refusal = precondition(view) {
            headers.remove(name: "content-length")
            return ObjectResponse(refusal, headers: headers)
        }
        guard status == 200, let text = request.header("range"), isRangeMeant(view),
            let ranges = RangeHeader.parse(text, size: view.size)
        else {
            return ObjectResponse(status, headers: headers, body: try await stream(view, 0..<view.size))
        }
        guard let first = ranges.first else {
            throw SwiftRefusal(416, headers: ["Content-Range": "bytes */\(view.size)", "Accept-Ranges": "bytes"])
        }
        if ranges.count > 1 { return try await multipart(view, ranges, headers) }
        headers.replaceOrAdd(name: "Content-Range", value: contentRange(first, view))
        return ObjectResponse(206, headers: headers, body: try await stream(view, first))
    }

    private func contentRange(_ range: Range<Int64>, _ view: ObjectView) -> String {
        "bytes \(range.lowerBound)-\(range.upperBound - 1)/\(view.size)"
    }

    func objectHeaders(_ view: ObjectView) -> HTTPHeaders {
        let attributes = view.record.attributes
        var headers: HTTPHeaders = [
            "Content-Type": view.contentType, "Etag": view.etag, "Accept-Ranges": "bytes",
            "Last-Modified": HTTPDate.lastModified(attributes.changed),
            "X-Timestamp": HTTPDate.timestamp(attributes.changed)
        ]
        headers.add(attributes.metadata, hiding: MetadataRules.hidden)
        // Its checksum is not that of the bytes: clients that compare are told as of any large object.
        if view.record.isComposed { headers.replaceOrAdd(name: "X-Static-Large-Object", value: "True") }
        if let expires = attributes.expires { headers.add(name: "X-Delete-At", value: String(expires)) }
        return headers
    }

    // MARK: Conditions

    /// - Returns: The status of an answer without the object; `nil` where it is to be given.
    func precondition(_ view: ObjectView) -> Int? {
        let changed = (view.record.attributes.changed + 999_999) / 1_000_000
        if let text = request.header("if-match"), !Self.matches(text, view.etag) { return 412 }
        if let text = request.header("if-unmodified-since"), !headers.contains(name: "if-match"),
            let since = HTTPDate.parse(text), changed > since
        {
            return 412
        }
        if let text = request.header("if-none-match") {
            if Self.matches(text, view.etag) { return 304 }
        } else if let text = request.header("if-modified-since"), let since = HTTPDate.parse(text), changed <= since {
            return 304
        }
        return nil
    }

    /// `If-Range`: the range is meant for the object as the client knows it, and else all of it is.
    func isRangeMeant(_ view: ObjectView) -> Bool {
        guard let text = request.header("if-range") else { return true }
        if let moment = HTTPDate.parse(text) {
            return (view.record.attributes.changed + 999_999) / 1_000_000 <= moment
        }
        return Self.matches(text, view.etag)
    }

    static func matches(_ list: String, _ etag: String) -> Bool {
        let bare = { (text: String) in text.trimmed.replacing("\"", with: "") }
        return list.split(separator: ",").contains { bare(String($0)) == "*" || bare(String($0)) == bare(etag) }
    }

    // MARK: Bytes

    func stream(_ view: ObjectView, _ range: Range<Int64>) async throws -> ObjectResponse.Body {
        let length = Int64(range.count)
        guard let body = view.body, !isHead else { return .stream(length: length) { _ in } }
        let cursor = BodyCursor(store, body.slice(range))
        // The first piece before the status is out: what cannot be read is said.
        let first = try await cursor.next()
        if let first, first.count == Int(length) { return .bytes(first) }
        return .stream(length: length) { write in
            var piece = first
            while let bytes = piece {
                try await write(bytes)
                piece = try await cursor.next()
            }
        }
    }

    private func multipart(
        _ view: ObjectView, _ ranges: [Range<Int64>], _ headers: HTTPHeaders
    ) async throws -> ObjectResponse {
        guard view.size <= SwiftLimits.manifestTotal else {
            throw SwiftRefusal(400, "The object is too large.")
        }
        var headers = headers
        let boundary = "skerry-\(String(UInt64.random(in: 0...UInt64.max), radix: 16))"
        headers.replaceOrAdd(name: "Content-Type", value: "multipart/byteranges;boundary=\(boundary)")
        let parts = ranges.map { range in
            (
                head: Array(
                    "--\(boundary)\r\nContent-Type: \(view.contentType)\r\nContent-Range: \(contentRange(range, view))\r\n\r\n"
                        .utf8), range: range
            )
        }
        let end = Array("--\(boundary)--".utf8)
        let length = parts.reduce(Int64(end.count)) { $0 + Int64($1.head.count) + Int64($1.range.count) + 2 }
        let (body, store) = (view.body, store)
        let stream = ObjectResponse.Body.stream(length: length) { write in
            for part in parts {
                try await write(part.head)
                let cursor = BodyCursor(store, body?.slice(part.range) ?? [])
                while let piece = try await cursor.next() { try await write(piece) }
                try await write(Array("\r\n".utf8))
            }
            try await write(end)
        }
        return ObjectResponse(206, headers: headers, body: stream)
    }
}
