import NIOHTTP1

/// What is done with containers.
extension SwiftCall {
    func getContainer(_ name: ContainerName) async throws -> ObjectResponse {
        if let page = try await webPage(name, object: nil) { return page }
        try await authorizeContainer(.read, name)
        let format = try ListingFormat(request)
        let query = try listingQuery()
        guard let record = try await container(name) else { throw SwiftRefusal(404) }
        let items = try await store.objects(in: name, query)
        let headers = containerHeaders(record, format)
        if items.isEmpty, format == .plain { return ObjectResponse(204, headers: headers) }
        return ObjectResponse(
            200, headers: headers, body: .bytes(ListingText.objects(items, container: name.name, format)))
    }

    func headContainer(_ name: ContainerName) async throws -> ObjectResponse {
        try await authorizeContainer(.read, name)
        let format = try ListingFormat(request)
        guard let record = try await container(name) else { throw SwiftRefusal(404) }
        return ObjectResponse(204, headers: containerHeaders(record, format))
    }

    private func containerHeaders(_ record: ContainerRecord, _ format: ListingFormat) -> HTTPHeaders {
        var headers: HTTPHeaders = [
            "Content-Type": format.contentType, "Accept-Ranges": "bytes",
            "X-Container-Object-Count": String(record.objects), "X-Container-Bytes-Used": String(record.bytes),
            "X-Timestamp": HTTPDate.timestamp(record.created), "X-Storage-Policy": "Policy-0",
            "Last-Modified": HTTPDate.lastModified(record.changed)
        ]
        headers.add(record.metadata, hiding: authorization.isOwner ? [] : MetadataRules.owners)
        return headers
    }

    func putContainer(_ name: ContainerName) async throws -> ObjectResponse {
        try await authorizeContainer(.write, name)
        if let policy = request.header("x-storage-policy"), policy.lowercased() != "policy-0" {
            throw SwiftRefusal(400, "Invalid X-Storage-Policy '\(policy)'")
        }
        let change = try await containerChange(name)
        let isNew = try await store.put(container: name, change, at: now)
        return ObjectResponse(isNew ? 201 : 202)
    }

    func postContainer(_ name: ContainerName) async throws -> ObjectResponse {
        try await authorizeContainer(.write, name)
        guard try await container(name) != nil else { throw SwiftRefusal(404) }
        try await store.change(container: name, try await containerChange(name), at: now)
        return ObjectResponse(204)
    }

    func deleteContainer(_ name: ContainerName) async throws -> ObjectResponse {
        try await authorizeContainer(.write, name)
        try await store.remove(container: name)
        return ObjectResponse(204)
    }

    private func containerChange(_ name: ContainerName) async throws -> MetadataChange {
        for refused in ["x-container-sync-to", "x-container-sync-key", "x-versions-enabled"]
        where headers.contains(name: refused) {
            throw SwiftRefusal(400, "\(MetadataRules.titled(refused)) is not supported by this object store.")
        }
        var change = try MetadataRules.changes(headers, of: "container", isOwner: authorization.isOwner)
        for header in ["x-container-read", "x-container-write"] {
            guard let list = request.header(header) else { continue }
            let cleaned = try AccessList.clean(header, list)
            change.fields[header] = .some(cleaned.isEmpty ? nil : cleaned)
        }
        try versionChange(&change)
        for (kind, words) in [("bytes", "Invalid bytes quota."), ("count", "Invalid count quota.")] {
            guard case .some(.some(let quota)) = change.fields["x-container-meta-quota-\(kind)"] else { continue }
            guard Int64(quota).map({ $0 >= 0 }) == true else { throw SwiftRefusal(400, words) }
        }
        let old = try await container(name)?.metadata ?? [:]
        try MetadataRules.checkTotal(change.applied(to: old), "x-container-meta-")
        return change
    }

    /// Where replaced objects go: one of the two forms, and the other one ends with it.
    private func versionChange(_ change: inout MetadataChange) throws {
        let forms = ["x-versions-location", "x-history-location"]
        if forms.allSatisfy({ request.header($0)?.isEmpty == false }) {
            throw SwiftRefusal(
                400, "Only one of X-History-Location or X-Versions-Location may be specified")
        }
        for form in forms where headers.contains(name: "x-remove-\(form.dropFirst(2))") {
            change.fields[form] = .some(nil)
        }
        for form in forms {
            guard let value = request.header(form) else { continue }
            guard !value.isEmpty else {
                change.fields[form] = .some(nil)
                continue
            }
            guard let location = PercentText.decode(value), !location.hasSlash else {
                throw SwiftRefusal(400, "Container name cannot contain slashes")
            }
            // It is shown in a header.
            guard location.utf8.allSatisfy({ $0 >= 0x20 && $0 != 0x7f }) else {
                throw SwiftRefusal(400, "Container name cannot contain control characters")
            }
            try SwiftLimits.check(container: location)
            for other in forms { change.fields[other] = .some(other == form ? location : nil) }
        }
    }
}
