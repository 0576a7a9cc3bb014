/// What is done with buckets.
extension S3Call {
    func listBuckets() async throws -> ObjectResponse {
        try swift.authorizeAccount(.read)
        let most = try number("max-buckets", 1...10_000, or: 10_000)
        var listing = ListingQuery()
        listing.limit = most + 1
        listing.prefix = query["prefix"] ?? ""
        if let token = query["continuation-token"] { listing.marker = try S3Token.decode(token) }
        let all = try await store.containers(of: account, listing)
        var inner = owner + "<Buckets>"
        for bucket in all.prefix(most) {
            let name = S3XML.element("Name", bucket.name)
            inner +=
                "<Bucket>\(name)\(S3XML.element("CreationDate", S3Time.text(bucket.record?.created ?? 0)))</Bucket>"
        }
        inner += "</Buckets>"
        if all.count > most, let last = all.prefix(most).last {
            inner += S3XML.element("ContinuationToken", S3Token.encode(last.name))
        }
        return S3XML.document("ListAllMyBucketsResult", inner)
    }

    func headBucket(_ name: ContainerName) async throws -> ObjectResponse {
        _ = try await requireBucket(name)
        try await swift.authorizeContainer(.read, name)
        return ObjectResponse(200, headers: ["x-amz-bucket-region": authorization.region])
    }

    func getLocation(_ name: ContainerName) async throws -> ObjectResponse {
        _ = try await requireBucket(name)
        try await swift.authorizeContainer(.read, name)
        // The first region of all has no name there.
        let region = authorization.region == "us-east-1" ? "" : authorization.region
        let text =
            "\(S3XML.head)<LocationConstraint xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\">\(region)"
            + "</LocationConstraint>"
        return ObjectResponse(200, text: text, type: "application/xml")
    }

    func getVersioning(_ name: ContainerName) async throws -> ObjectResponse {
        _ = try await requireBucket(name)
        try await swift.authorizeContainer(.read, name)
        return S3XML.document("VersioningConfiguration", "")
    }

    func createBucket(_ name: ContainerName) async throws -> ObjectResponse {
        try await swift.authorizeContainer(.write, name)
        guard Self.isBucketName(name.name) else {
            throw S3Refusal(
                400, "InvalidBucketName", "The specified bucket is not valid.", details: [("BucketName", name.name)])
        }
        if let wish = try await document() {
            guard wish.name == "CreateBucketConfiguration",
                wish.children.allSatisfy({ $0.name == "LocationConstraint" })
            else { throw S3Refusal.malformedXML }
            if let region = wish["LocationConstraint"], !region.isEmpty, region != authorization.region {
                throw S3Refusal(
                    400, "InvalidLocationConstraint", "The specified location-constraint is not valid",
                    details: [("LocationConstraint", region)])
            }
        }
        // Two at a time: the second finds the first one's, which the change of nothing leaves as it is.
        guard try await swift.container(name) == nil,
            try await store.put(container: name, MetadataChange(), at: now)
        else {
            throw S3Refusal(
                409, "BucketAlreadyOwnedByYou",
                "Your previous request to create the named bucket succeeded and you already own it.",
                details: [("BucketName", name.name)])
        }
        return ObjectResponse(200, headers: ["Location": "/\(name.name)"])
    }

    /// Three to 63 small letters, digits, dots and hyphens, which begin and end with a letter or a digit.
    static func isBucketName(_ name: String) -> Bool {
        let bytes = Array(name.utf8)
        func isPlain(_ byte: UInt8) -> Bool { (97...122).contains(byte) || (48...57).contains(byte) }
        guard (3...63).contains(bytes.count), bytes.first.map(isPlain) == true, bytes.last.map(isPlain) == true,
            bytes.allSatisfy({ isPlain($0) || $0 == 45 || $0 == 46 }), !name.contains("..")
        else { return false }
        let numbers = name.split(separator: ".", omittingEmptySubsequences: false)
        return !(numbers.count == 4 && numbers.allSatisfy { UInt8($0) != nil })
    }

    func deleteBucket(_ name: ContainerName) async throws -> ObjectResponse {
        _ = try await requireBucket(name)
        try await swift.authorizeContainer(.write, name)
        try await store.remove(container: name)
        return ObjectResponse(204)
    }

    // MARK: Who may

    /// What the lists of the Swift API let others do shows here as far as S3 has words for it.
    func getACL(_ name: ContainerName, object: ObjectName? = nil) async throws -> ObjectResponse {
        let bucket = try await requireBucket(name)
        if let object {
            _ = try await requireObject(object, .read)
        } else {
            try await swift.authorizeContainer(.read, name)
        }
        let schema = "xmlns:xsi=\"http://www.w3.org/2001/XMLSchema-instance\""
        let user = S3XML.element("ID", ownerID) + S3XML.element("DisplayName", holder.projectName)
        var grants =
            "<Grant><Grantee \(schema) xsi:type=\"CanonicalUser\">\(user)</Grantee><Permission>FULL_CONTROL</Permission></Grant>"
        let list = AccessList(bucket.metadata["x-container-read"] ?? "")
        if list.allows(referrer: nil), object != nil || list.showsListings {
            grants +=
                "<Grant><Grantee \(schema) xsi:type=\"Group\"><URI>http://acs.amazonaws.com/groups/global/AllUsers</URI>"
                + "</Grantee><Permission>READ</Permission></Grant>"
        }
        return S3XML.document("AccessControlPolicy", "\(owner)<AccessControlList>\(grants)</AccessControlList>")
    }

    /// The one that all have: anything else would be forgotten.
    func putACL(_ name: ContainerName, object: ObjectName?) async throws -> ObjectResponse {
        if let object { _ = try await requireObject(object, .write) } else { _ = try await requireBucket(name) }
        try await swift.authorizeContainer(.write, name)
        guard header("x-amz-acl") != nil else { throw S3Refusal.notImplemented("An ACL other than private") }
        try await refuseBody()
        guard try await requireBucket(name).metadata["x-container-read"] == nil else {
            throw S3Refusal.notImplemented("Taking back what the lists of the Swift API allow")
        }
        return ObjectResponse(200)
    }
}

/// Where a listing goes on, in a form that nobody takes for a key.
enum S3Token {
    static func encode(_ name: String) -> String { Array(name.utf8).hexadecimal }

    static func decode(_ token: String) throws -> String {
        let refusal = S3Refusal.argument("The continuation token provided is incorrect", "continuation-token", token)
        let digits = Array(token)
        guard digits.count.isMultiple(of: 2), !digits.isEmpty else { throw refusal }
        var bytes: [UInt8] = []
        for index in stride(from: 0, to: digits.count, by: 2) {
            guard let byte = UInt8(String(digits[index...(index + 1)]), radix: 16) else { throw refusal }
            bytes.append(byte)
        }
        guard let name = String(validating: bytes, as: UTF8.self) else { throw refusal }
        return name
    }
}
