import NIOHTTP1

/// How many of a request's many parts went well, in the words of Swift's `bulk`.
struct BulkReport {
    let isDeletion: Bool
    var done = 0
    var notFound = 0
    /// The first of them; ``failed`` counts all.
    private(set) var errors: [(path: String, status: String)] = []
    private(set) var failed = 0
    var failure: String?

    init(isDeletion: Bool) { self.isDeletion = isDeletion }

    mutating func note(_ error: any Error, _ path: String) {
        let status: String
        switch error {
        case StoreFailure.noSuchContainer, StoreFailure.noSuchObject:
            if isDeletion {
                notFound += 1
                return
            }
            status = "404 Not Found"
        case StoreFailure.notEmpty: status = "409 Conflict"
        case StoreFailure.accountQuota, StoreFailure.containerQuota: status = "413 Request Entity Too Large"
        case StoreFailure.diskFull: status = "507 Insufficient Storage"
        case let refusal as SwiftRefusal:
            if isDeletion, refusal.status == 404 {
                notFound += 1
                return
            }
            status =
                [
                    400: "400 Bad Request", 401: "401 Unauthorized", 403: "403 Forbidden", 404: "404 Not Found",
                    409: "409 Conflict", 412: "412 Precondition Failed", 413: "413 Request Entity Too Large"
                ][refusal.status] ?? "\(refusal.status) Error"
        default: status = "500 Internal Error"
        }
        refuse(path, status)
    }

    /// Who sends the parts decides how many are wrong, and how long their names are: not what is kept of them.
    mutating func refuse(_ path: String, _ status: String) {
        failed += 1
        guard errors.count < SwiftLimits.bulkErrors else { return }
        let path = String(decoding: path.utf8.prefix(SwiftLimits.bulkErrorPath), as: UTF8.self)
        errors.append((PercentText.encode(path), status))
    }

    private var status: String {
        if let failure { return failure }
        if !errors.isEmpty { return "400 Bad Request" }
        if isDeletion { return done == 0 && notFound > 0 ? "404 Not Found" : "200 OK" }
        return done == 0 ? "400 Bad Request" : "201 Created"
    }

    func response(_ format: ListingFormat) -> ObjectResponse {
        let numbers =
            isDeletion
            ? [("Number Deleted", done), ("Number Not Found", notFound)] : [("Number Files Created", done)]
        let body: String
        switch format {
        case .json:
            let list = errors.map { "[\(JSONText.quoted($0.path)), \(JSONText.quoted($0.status))]" }
            body = JSONText.object(
                numbers.map { ($0.0, JSONText.Scalar.number(Int64($0.1))) } + [
                    ("Response Status", .text(status)), ("Response Body", .text("")),
                    ("Errors", .raw("[" + list.joined(separator: ", ") + "]"))
                ])
        case .plain, .xml:
            body =
                numbers.map { "\($0.0): \($0.1)\n" }.joined()
                + "Response Status: \(status)\nResponse Body: \nErrors:\n"
                + errors.map { "\($0.path), \($0.status)\n" }.joined()
        }
        return ObjectResponse(200, text: body, type: format == .json ? "application/json" : "text/plain")
    }
}

/// Many deletions in one request, and archives that become objects.
extension SwiftCall {
    /// - Returns: `nil` for a request that is neither.
    func bulk() async throws -> ObjectResponse? {
        if request.query.has("bulk-delete"), ["POST", "DELETE"].contains(request.method), target.container == nil {
            try requireToken()
            return try await bulkDelete()
        }
        if let format = request.query["extract-archive"], request.method == "PUT" {
            guard format == "tar" else { throw SwiftRefusal(400, "Unsupported archive format") }
            try requireToken()
            return try await extract()
        }
        return nil
    }

    /// No list lets those write who do not say who they are: nothing that they send is read.
    private func requireToken() throws {
        guard authorization.who != nil else { throw refusal() }
    }

    private func bulkDelete() async throws -> ObjectResponse {
        let bytes = try await request.body.collect(limit: SwiftLimits.bulkPathBytes)
        let lines = String(decoding: bytes, as: UTF8.self).split(whereSeparator: \.isNewline)
        guard lines.count <= SwiftLimits.bulkDeletes else {
            throw SwiftRefusal(413, "Maximum Bulk Deletes: \(SwiftLimits.bulkDeletes) per request")
        }
        var report = BulkReport(isDeletion: true)
        for line in lines {
            let text = String(line).trimmed
            guard let path = PercentText.decode(text) else {
                report.refuse(text, "412 Precondition Failed")
                continue
            }
            if let name = path.containerAndObject {
                await delete(
                    ObjectName(account: target.account, container: name.container, name: name.object), &report)
                continue
            }
            guard let first = path.pathParts().first(where: { !$0.isEmpty }) else { continue }
            let container = ContainerName(account: target.account, name: first)
            do {
                try await authorizeContainer(.write, container)
                try await store.remove(container: container)
                report.done += 1
            } catch { report.note(error, path) }
        }
        return report.response(try ListingFormat(request))
    }

    private func extract() async throws -> ObjectResponse {
        var report = BulkReport(isDeletion: false)
        var archive = TarReader(request.body)
        var made: Set<[UInt8]> = []
        do {
            while let entry = try await archive.next() {
                guard entry.isFile else { continue }
                guard report.done + report.failed < SwiftLimits.archiveFiles else {
                    report.failure = "413 Request Entity Too Large"
                    break
                }
                do { try await store(entry, &archive, &made, &report) } catch { report.note(error, entry.path) }
            }
        } catch is TarReader.Malformed {
            report.failure = "400 Bad Request"
        }
        return report.response(try ListingFormat(request))
    }

    private func store(
        _ entry: TarReader.Entry, _ archive: inout TarReader, _ made: inout Set<[UInt8]>, _ report: inout BulkReport
    ) async throws {
        let base = [target.container, target.object].compactMap(\.self).joined(separator: "/")
        let bare = entry.path.beginsAsName(with: "./") ? String(Substring(entry.path.utf8.dropFirst(2))) : entry.path
        // A file outside of any folder has no container to go to.
        guard let path = "\(base)/\(bare)".containerAndObject else { return }
        try SwiftLimits.check(container: path.container)
        try SwiftLimits.check(object: path.object)
        let name = ObjectName(account: target.account, container: path.container, name: path.object)
        let key = Array(path.container.utf8)
        if try await store.container(name.container) == nil, !made.contains(key) {
            try await authorizeContainer(.write, name.container)
            _ = try await store.put(container: name.container, MetadataChange(), at: now)
            made.insert(key)
        }
        try await authorizeObject(.write, in: name.container)
        guard entry.size <= SwiftLimits.fileSize else { throw SwiftRefusal(413) }
        let record = try await store.container(name.container)
        let limits =
            try await record.mapAsync { try await self.limits($0, of: name.container.account) } ?? StoreLimits()
        let upload = store.upload()
        do {
            while let piece = try await archive.content() { try await upload.write(piece) }
            let content = try await upload.finish()
            let attributes = ObjectAttributes(
                contentType: ContentTypes.guess(name.name), metadata: [:], expires: nil, changed: now)
            _ = try await put(name, NewObject(content: content, attributes: attributes, limits: limits))
            report.done += 1
        } catch {
            await upload.discard()
            throw error
        }
    }
}

extension Optional {
    fileprivate func mapAsync<T>(_ body: (Wrapped) async throws -> T) async rethrows -> T? {
        guard let self else { return nil }
        return try await body(self)
    }
}
