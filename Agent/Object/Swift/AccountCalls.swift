import NIOHTTP1

/// What is done with accounts. An account is there as soon as somebody asks for it who may.
extension SwiftCall {
    static let byteQuota = "x-account-meta-quota-bytes"
    static let countQuota = "x-account-quota-count"

    func getAccount(isHead: Bool = false) async throws -> ObjectResponse {
        try authorizeAccount(.read)
        let format = try ListingFormat(request)
        let query = try listingQuery()
        let record = try await store.account(target.account)
        let headers = accountHeaders(record, format)
        if isHead { return ObjectResponse(204, headers: headers) }
        let items = try await store.containers(of: target.account, query)
        if items.isEmpty, format == .plain { return ObjectResponse(204, headers: headers) }
        return ObjectResponse(
            200, headers: headers, body: .bytes(ListingText.containers(items, account: target.account, format)))
    }

    private func accountHeaders(_ record: AccountRecord?, _ format: ListingFormat) -> HTTPHeaders {
        let record = record ?? AccountRecord(containers: 0, objects: 0, bytes: 0, metadata: [:], created: now)
        var headers: HTTPHeaders = ["Content-Type": format.contentType, "Accept-Ranges": "bytes"]
        for policy in ["", "Storage-Policy-Policy-0-"] {
            headers.add(name: "X-Account-\(policy)Container-Count", value: String(record.containers))
            headers.add(name: "X-Account-\(policy)Object-Count", value: String(record.objects))
            headers.add(name: "X-Account-\(policy)Bytes-Used", value: String(record.bytes))
        }
        headers.add(name: "X-Timestamp", value: HTTPDate.timestamp(record.created))
        headers.add(record.metadata, hiding: authorization.isOwner ? [] : MetadataRules.owners)
        return headers
    }

    func postAccount() async throws -> ObjectResponse {
        try authorizeAccount(.write)
        var change = try MetadataRules.changes(headers, of: "account", isOwner: authorization.isOwner)
        if headers.contains(name: "x-account-access-control") {
            throw SwiftRefusal(400, "Lists of access are kept by container: X-Account-Access-Control is not supported.")
        }
        try quotaChange(&change)
        let old = try await store.account(target.account)?.metadata ?? [:]
        try MetadataRules.checkTotal(change.applied(to: old), "x-account-meta-")
        try await store.change(account: target.account, change, at: now)
        return ObjectResponse(204)
    }

    /// Quotas are set by resellers, under their older and their newer names.
    private func quotaChange(_ change: inout MetadataChange) throws {
        for (name, kept) in [
            ("quota-bytes", SwiftCall.byteQuota), ("meta-quota-bytes", SwiftCall.byteQuota),
            ("quota-count", SwiftCall.countQuota)
        ] {
            if headers.contains(name: "x-remove-account-\(name)") { change.fields[kept] = .some(nil) }
            guard let value = request.header("x-account-\(name)") else { continue }
            change.fields[kept] = .some(value.isEmpty ? nil : value)
        }
        for (name, _) in headers where name.lowercased().hasPrefix("x-account-quota-bytes-policy-") {
            throw SwiftRefusal(400, "There is one storage policy: set X-Account-Quota-Bytes.")
        }
        for (kept, words) in [
            (SwiftCall.byteQuota, "Invalid bytes quota."), (SwiftCall.countQuota, "Invalid object count quota.")
        ] {
            guard let quota = change.fields[kept] else { continue }
            guard authorization.standing == .reseller else { throw SwiftRefusal(403) }
            if let quota, Int64(quota).map({ $0 >= 0 }) != true { throw SwiftRefusal(400, words) }
        }
    }

    /// Accounts make themselves.
    func putAccount() async throws -> ObjectResponse {
        try authorizeAccount(.write)
        guard authorization.standing == .reseller else { throw SwiftRefusal(403) }
        let isNew = try await store.account(target.account) == nil
        _ = try await postAccount()
        return ObjectResponse(isNew ? 201 : 202)
    }

    func deleteAccount() async throws -> ObjectResponse {
        try authorizeAccount(.write)
        // Not even its owner: everything in it would go.
        guard authorization.standing == .reseller else { throw SwiftRefusal(403) }
        guard try await store.remove(account: target.account) else { throw SwiftRefusal(404) }
        return ObjectResponse(204)
    }

    func listingQuery() throws -> ListingQuery {
        var query = ListingQuery()
        let items = request.query
        query.limit = SwiftLimits.listing
        if let limit = items["limit"].flatMap({ Int($0) }), limit >= 0 {
            guard limit <= SwiftLimits.listing else {
                throw SwiftRefusal(412, "Maximum limit is \(SwiftLimits.listing)")
            }
            query.limit = limit
        }
        query.prefix = items["prefix"] ?? ""
        query.delimiter = items["delimiter"] ?? ""
        query.marker = items["marker"] ?? ""
        query.endMarker = items["end_marker"] ?? ""
        query.isReversed = items["reverse"]?.isTruthy ?? false
        if let path = items["path"], target.container != nil {
            let bare = path.reversed().drop { $0 == "/" }.reversed()
            query.prefix = bare.isEmpty ? "" : String(bare) + "/"
            query.delimiter = "/"
            query.showsFolders = false
        }
        return query
    }
}
