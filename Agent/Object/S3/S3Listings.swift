/// Listings of objects, in both forms.
extension S3Call {
    func listObjects(_ name: ContainerName) async throws -> ObjectResponse {
        _ = try await requireBucket(name)
        try await swift.authorizeContainer(.read, name)
        let isSecond = query["list-type"] == "2"
        if let type = query["list-type"], type != "2" {
            throw S3Refusal.argument("Invalid List Type", "list-type", type)
        }
        let most = try number("max-keys", 0...1000, or: 1000)
        var listing = ListingQuery()
        listing.prefix = query["prefix"] ?? ""
        listing.delimiter = query["delimiter"] ?? ""
        listing.limit = most + 1
        listing.marker = query[isSecond ? "start-after" : "marker"] ?? ""
        if isSecond, let token = query["continuation-token"] { listing.marker = try S3Token.decode(token) }
        let encode = try encoder()
        let found = most == 0 ? [] : try await store.objects(in: name, listing)
        let page = found.prefix(most)
        var inner = S3XML.element("Name", name.name) + S3XML.element("Prefix", encode(listing.prefix))
        inner += head(isSecond: isSecond, listing, page, isCut: found.count > most, encode)
        inner += S3XML.element("MaxKeys", String(most))
        if !listing.delimiter.isEmpty { inner += S3XML.element("Delimiter", encode(listing.delimiter)) }
        if query["encoding-type"] != nil { inner += S3XML.element("EncodingType", "url") }
        inner += S3XML.element("IsTruncated", String(found.count > most))
        let showsOwner = !isSecond || query["fetch-owner"] == "true"
        for item in page {
            guard let record = item.record else { continue }
            inner += contents(item.name, record, showsOwner: showsOwner, encode)
        }
        for item in page where item.record == nil {
            inner += "<CommonPrefixes>\(S3XML.element("Prefix", encode(item.name)))</CommonPrefixes>"
        }
        return S3XML.document("ListBucketResult", inner)
    }

    private func contents(
        _ name: String, _ record: ListedRecord, showsOwner: Bool, _ encode: (String) -> String
    ) -> String {
        var inner = S3XML.element("Key", encode(name))
        inner += S3XML.element("LastModified", S3Time.text(record.changed))
        inner += S3XML.element("ETag", "\"\(record.wholeETag ?? record.etag)\"")
        inner += S3XML.element("Size", String(record.size))
        if showsOwner { inner += owner }
        return "<Contents>\(inner)<StorageClass>STANDARD</StorageClass></Contents>"
    }

    /// Where the page begins, and the next one.
    private func head(
        isSecond: Bool, _ listing: ListingQuery, _ page: ArraySlice<ListedObject>, isCut: Bool,
        _ encode: (String) -> String
    ) -> String {
        let last = isCut ? page.last?.name : nil
        guard isSecond else {
            return S3XML.element("Marker", encode(listing.marker))
                + (last.map { S3XML.element("NextMarker", encode($0)) } ?? "")
        }
        var text = S3XML.element("KeyCount", String(page.count))
        if let token = query["continuation-token"] { text += S3XML.element("ContinuationToken", token) }
        if let after = query["start-after"] { text += S3XML.element("StartAfter", encode(after)) }
        if let last { text += S3XML.element("NextContinuationToken", S3Token.encode(last)) }
        return text
    }

    /// How names are written: as they are, or so that every name can be.
    func encoder() throws -> (String) -> String {
        guard let type = query["encoding-type"] else { return { $0 } }
        guard type == "url" else {
            throw S3Refusal.argument("Invalid Encoding Method specified in Request", "encoding-type", type)
        }
        return { PercentText.encode($0) }
    }
}
