import Crypto
import NIOHTTP1

/// Objects that come in parts.
extension S3Call {
    private static let partsLimit = 10_000
    /// Octets of each part but the last.
    private static let leastPart: Int64 = 5 << 20
    /// Where the upload keeps what its checksum is to be.
    private static let wish = "s3-wish"

    func createUpload(_ name: ObjectName) async throws -> ObjectResponse {
        _ = try await requireBucket(name.container)
        try await swift.authorizeObject(.write, in: name.container)
        try await refuseBody()
        let attributes = try sentAttributes()
        var metadata = attributes.metadata
        var headers: HTTPHeaders = [:]
        if let text = header("x-amz-checksum-algorithm") {
            guard let algorithm = S3ChecksumAlgorithm(rawValue: text.uppercased()) else {
                throw S3Refusal.invalid("Checksum algorithm provided is unsupported.")
            }
            let kind = try checksumKind(algorithm)
            metadata[Self.wish] = S3Checksum(algorithm, "-", kind).text
            headers = ["x-amz-checksum-algorithm": algorithm.rawValue, "x-amz-checksum-type": kind.rawValue]
        } else if request.headers.contains(name: "x-amz-checksum-type") {
            throw S3Refusal.invalid(
                "The x-amz-checksum-type header can only be used with the x-amz-checksum-algorithm header.")
        }
        let id = (0..<2).map { _ in String(UInt64.random(in: 1 << 60...UInt64.max), radix: 16) }.joined()
        try await parts.begin(
            PendingUpload(
                id: id, object: name, contentType: attributes.contentType, metadata: metadata, created: now))
        var response = S3XML.document(
            "InitiateMultipartUploadResult",
            S3XML.element("Bucket", name.container.name) + S3XML.element("Key", name.name)
                + S3XML.element("UploadId", id))
        response.headers.add(contentsOf: headers)
        return response
    }

    private func checksumKind(_ algorithm: S3ChecksumAlgorithm) throws -> S3Checksum.Kind {
        let usual: S3Checksum.Kind = algorithm == .crc64nvme ? .full : .composite
        guard let text = header("x-amz-checksum-type") else { return usual }
        guard let kind = S3Checksum.Kind(rawValue: text), kind == .composite || algorithm.crc != nil,
            kind == .full || algorithm != .crc64nvme
        else {
            throw S3Refusal.invalid(
                "The \(text) checksum type cannot be used with the \(algorithm.rawValue.lowercased()) checksum algorithm."
            )
        }
        return kind
    }

    private func upload(_ name: ObjectName, _ kind: AccessKind) async throws -> PendingUpload {
        _ = try await requireBucket(name.container)
        try await swift.authorizeObject(kind, in: name.container)
        guard let id = query["uploadId"], let upload = try await parts.pendingUpload(id, of: name) else {
            throw S3Refusal.noSuchUpload
        }
        return upload
    }

    private func wish(_ upload: PendingUpload) -> S3Checksum? {
        upload.metadata[Self.wish].flatMap { S3Checksum(text: $0) }
    }

    func putPart(_ name: ObjectName) async throws -> ObjectResponse {
        let upload = try await upload(name, .write)
        guard let text = query["partNumber"], let number = Int(text), (1...Self.partsLimit).contains(number) else {
            throw S3Refusal.argument(
                "Part number must be an integer between 1 and \(Self.partsLimit), inclusive", "partNumber",
                query["partNumber"] ?? "")
        }
        let algorithm = wish(upload)?.algorithm
        let limits = try await swift.limits(try await requireBucket(name.container), of: account)
        let isCopy = request.headers.contains(name: "x-amz-copy-source")
        let (content, checksum) = isCopy ? try await copyPart(limits, algorithm) : try await receive(limits, algorithm)
        let part = StoredPart(
            number: number, size: content.size, etag: content.etag, checksum: checksum?.text ?? "", changed: now)
        try await parts.put(part, content, upload: upload.id, of: name, limits)
        if isCopy {
            var inner = S3XML.element("LastModified", S3Time.text(now))
            inner += S3XML.element("ETag", Self.quoted(content.etag)) + (checksum?.element ?? "")
            return S3XML.document("CopyPartResult", inner)
        }
        var headers: HTTPHeaders = ["ETag": Self.quoted(content.etag)]
        if let checksum { headers.add(name: checksum.algorithm.header, value: checksum.value) }
        return ObjectResponse(200, headers: headers)
    }

    func abortUpload(_ name: ObjectName) async throws -> ObjectResponse {
        let upload = try await upload(name, .write)
        guard try await parts.abort(upload.id, of: name) else { throw S3Refusal.noSuchUpload }
        return ObjectResponse(204)
    }

    // MARK: The end

    func completeUpload(_ name: ObjectName) async throws -> ObjectResponse {
        let upload = try await upload(name, .write)
        // What is announced by a header is of the whole object and not of this document.
        let bytes = try await S3Intake(request.withoutChecksums, wrapping, signer: signer).collect(limit: 4 << 20)
        let order: XMLElement
        do throws(XMLReader.Malformed) { order = try XMLReader.read(bytes) } catch { throw S3Refusal.malformedXML }
        let there = try await parts.parts(of: upload.id, after: 0, limit: Self.partsLimit)
        let chosen = try choose(order, there)
        var completion = Completion(
            parts: chosen.map { ($0.number, $0.etag) }, etag: Self.etag(chosen),
            attributes: ObjectAttributes(
                contentType: upload.contentType, metadata: upload.metadata, expires: nil, changed: now),
            limits: try await swift.limits(try await requireBucket(name.container), of: account))
        completion.attributes.metadata[Self.wish] = nil
        if let wish = wish(upload) {
            completion.attributes.s3Checksum = try joined(chosen, wish)
        }
        let condition = try await condition(name)
        (completion.mayReplace, completion.seen) = condition
        completion.archive = try await swift.archive(of: name)
        try await parts.complete(upload.id, of: name, completion)
        var inner = S3XML.element(
            "Location", "\(request.origin)/\(name.container.name)/\(PercentText.encode(name.name))")
        inner += S3XML.element("Bucket", name.container.name) + S3XML.element("Key", name.name)
        inner += S3XML.element("ETag", Self.quoted(completion.etag))
        if let checksum = completion.attributes.s3Checksum {
            inner += checksum.element + S3XML.element("ChecksumType", checksum.kind.rawValue)
        }
        return S3XML.document("CompleteMultipartUploadResult", inner)
    }

    private func choose(_ order: XMLElement, _ there: [StoredPart]) throws -> [StoredPart] {
        guard order.name == "CompleteMultipartUpload", !order.children.isEmpty,
            order.children.count <= Self.partsLimit
        else { throw S3Refusal.malformedXML }
        let parts = Dictionary(there.map { ($0.number, $0) }, uniquingKeysWith: { $1 })
        var chosen: [StoredPart] = []
        for item in order.children {
            guard item.name == "Part", let number = item["PartNumber"].flatMap({ Int($0) }), let etag = item["ETag"]
            else {
                throw S3Refusal.malformedXML
            }
            guard (chosen.last?.number ?? 0) < number else {
                throw S3Refusal(
                    400, "InvalidPartOrder",
                    "The list of parts was not in ascending order. Parts must be ordered by part number.")
            }
            guard let part = parts[number], part.etag == etag.replacing("\"", with: "").lowercased() else {
                throw S3Refusal.invalidPart
            }
            for algorithm in S3ChecksumAlgorithm.allCases {
                guard let value = item["Checksum\(algorithm.rawValue)"] else { continue }
                guard part.s3Checksum == S3Checksum(algorithm, value) else { throw S3Refusal.invalidPart }
            }
            chosen.append(part)
        }
        for part in chosen.dropLast() where part.size < Self.leastPart {
            throw S3Refusal(
                400, "EntityTooSmall", "Your proposed upload is smaller than the minimum allowed size",
                details: [
                    ("ProposedSize", String(part.size)), ("MinSizeAllowed", String(Self.leastPart)),
                    ("PartNumber", String(part.number)), ("ETag", part.etag)
                ])
        }
        return chosen
    }

    /// MD5 of the parts' MD5s, and how many there are.
    private static func etag(_ parts: [StoredPart]) -> String {
        var hash = Insecure.MD5()
        for part in parts {
            let digits = Array(part.etag)
            hash.update(
                data: stride(from: 0, to: digits.count - 1, by: 2).compactMap {
                    UInt8(String(digits[$0...($0 + 1)]), radix: 16)
                })
        }
        return "\(Array(hash.finalize()).hexadecimal)-\(parts.count)"
    }

    private func joined(_ chosen: [StoredPart], _ wish: S3Checksum) throws -> S3Checksum? {
        if let type = header("x-amz-checksum-type"), type != wish.kind.rawValue {
            throw S3Refusal.invalid("The upload was created with the checksum type \(wish.kind.rawValue).")
        }
        let joined = S3Checksum.joined(
            chosen.map { ($0.s3Checksum?.value ?? "", $0.size) }, wish.algorithm, wish.kind)
        if let announced = header(wish.algorithm.header), announced != joined?.value {
            throw S3Refusal.badDigest
        }
        return joined
    }

    // MARK: Listings

    func listParts(_ name: ObjectName) async throws -> ObjectResponse {
        let upload = try await upload(name, .read)
        let most = try number("max-parts", 0...1000, or: 1000)
        let marker = try number("part-number-marker", 0...Int.max, or: 0)
        let found = most == 0 ? [] : try await parts.parts(of: upload.id, after: marker, limit: most + 1)
        let page = found.prefix(most)
        let wish = wish(upload), encode = try encoder()
        var inner = S3XML.element("Bucket", name.container.name) + S3XML.element("Key", encode(name.name))
        inner += S3XML.element("UploadId", upload.id)
        inner += "<Initiator>\(S3XML.element("ID", ownerID))</Initiator>\(owner)<StorageClass>STANDARD</StorageClass>"
        if let wish {
            inner += S3XML.element("ChecksumAlgorithm", wish.algorithm.rawValue)
            inner += S3XML.element("ChecksumType", wish.kind.rawValue)
        }
        inner += S3XML.element("PartNumberMarker", String(marker))
        if found.count > most, let last = page.last {
            inner += S3XML.element("NextPartNumberMarker", String(last.number))
        }
        inner += S3XML.element("MaxParts", String(most)) + S3XML.element("IsTruncated", String(found.count > most))
        for part in page {
            inner += "<Part>\(S3XML.element("PartNumber", String(part.number)))"
            inner += S3XML.element("LastModified", S3Time.text(part.changed))
            inner += S3XML.element("ETag", Self.quoted(part.etag)) + S3XML.element("Size", String(part.size))
            if let checksum = part.s3Checksum { inner += checksum.element }
            inner += "</Part>"
        }
        return S3XML.document("ListPartsResult", inner)
    }

    func listUploads(_ bucket: ContainerName) async throws -> ObjectResponse {
        _ = try await requireBucket(bucket)
        try await swift.authorizeContainer(.read, bucket)
        if query["delimiter"]?.isEmpty == false { throw S3Refusal.notImplemented("A delimiter in listings of uploads") }
        var listing = UploadsQuery()
        let most = try number("max-uploads", 0...1000, or: 1000), encode = try encoder()
        listing.prefix = query["prefix"] ?? ""
        listing.keyMarker = query["key-marker"] ?? ""
        listing.idMarker = listing.keyMarker.isEmpty ? "" : query["upload-id-marker"] ?? ""
        listing.limit = most + 1
        let found = most == 0 ? [] : try await parts.pendingUploads(in: bucket, listing)
        let page = found.prefix(most)
        var inner = S3XML.element("Bucket", bucket.name) + S3XML.element("KeyMarker", encode(listing.keyMarker))
        inner += S3XML.element("UploadIdMarker", listing.idMarker)
        if found.count > most, let last = page.last {
            inner += S3XML.element("NextKeyMarker", encode(last.object.name))
            inner += S3XML.element("NextUploadIdMarker", last.id)
        }
        inner += S3XML.element("Prefix", encode(listing.prefix)) + S3XML.element("MaxUploads", String(most))
        inner += S3XML.element("IsTruncated", String(found.count > most))
        for upload in page {
            inner +=
                "<Upload>\(S3XML.element("Key", encode(upload.object.name)))\(S3XML.element("UploadId", upload.id))"
            inner +=
                "<Initiator>\(S3XML.element("ID", ownerID))</Initiator>\(owner)<StorageClass>STANDARD</StorageClass>"
            inner += "\(S3XML.element("Initiated", S3Time.text(upload.created)))</Upload>"
        }
        return S3XML.document("ListMultipartUploadsResult", inner)
    }
}

extension StoredPart {
    fileprivate var s3Checksum: S3Checksum? { S3Checksum(text: checksum) }
}

extension ObjectRequest {
    /// For a body that is not what its headers' checksums are of.
    var withoutChecksums: ObjectRequest {
        var request = self
        for algorithm in S3ChecksumAlgorithm.allCases { request.headers.remove(name: algorithm.header) }
        return request
    }
}
