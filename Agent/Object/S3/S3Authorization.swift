import Crypto
import NIOHTTP1
import ProtocolModel

/// What a signed request says of its signature: in a header, or in the query of a URL that is its own permission.
package struct S3Authorization: Hashable, Sendable {
    package var access: String
    /// `YYYYMMDD`, as the key is for.
    package var date: String
    package var region: String
    package var signedHeaders: [String]
    package var signature: String
    /// `20130524T000000Z`
    package var timestamp: String
    /// Seconds since 1970.
    package var moment: Int64
    /// Seconds after the moment in which a signed URL is good; `nil` for a header.
    package var lifetime: Int64?

    package var scope: String { "\(date)/\(region)/s3/aws4_request" }

    static let algorithm = "AWS4-HMAC-SHA256"
    /// Seconds that clocks may be apart.
    static let skew: Int64 = 15 * 60

    /// Whether a request speaks S3 and not Swift.
    package static func isMeant(_ request: ObjectRequest) -> Bool {
        if let header = request.header("authorization"), header.hasPrefix("AWS") { return true }
        return ["X-Amz-Algorithm", "X-Amz-Signature", "AWSAccessKeyId"].contains { request.query.has($0) }
    }

    /// - Throws: ``S3Refusal``.
    package init(_ request: ObjectRequest) throws {
        let header = request.header("authorization")
        if header != nil, request.query.has("X-Amz-Algorithm") {
            throw S3Refusal(
                400, "InvalidArgument",
                "Only one auth mechanism allowed; only the X-Amz-Algorithm query parameter, Signature query string "
                    + "parameter or the Authorization header should be specified")
        }
        if let header {
            try self.init(header: header, request)
        } else {
            try self.init(query: request.query)
        }
    }

    private static let unknown = S3Refusal.invalid(
        "The authorization mechanism you have provided is not supported. Please use AWS4-HMAC-SHA256.")

    private init(header: String, _ request: ObjectRequest) throws {
        guard header.hasPrefix(Self.algorithm + " ") else { throw Self.unknown }
        var parts: [String: String] = [:]
        for item in header.dropFirst(Self.algorithm.count).split(separator: ",") {
            let pair = String(item).trimmed.split(separator: "=", maxSplits: 1).map(String.init)
            if pair.count == 2 { parts[pair[0]] = pair[1] }
        }
        guard let credential = parts["Credential"], let signed = parts["SignedHeaders"],
            let signature = parts["Signature"]
        else { throw Self.malformed("The authorization header that you provided is not valid.") }
        guard let stamp = request.header("x-amz-date") ?? Self.stamp(request.header("date")) else {
            throw S3Refusal.accessDenied("AWS authentication requires a valid Date or x-amz-date header")
        }
        try self.init(credential, signed, signature, stamp)
    }

    private init(query: QueryItems) throws {
        guard query["X-Amz-Algorithm"] == Self.algorithm else { throw Self.unknown }
        let malformed = { (text: String) in S3Refusal(400, "AuthorizationQueryParametersError", text) }
        guard let credential = query["X-Amz-Credential"], let signed = query["X-Amz-SignedHeaders"],
            let signature = query["X-Amz-Signature"], let stamp = query["X-Amz-Date"],
            let expires = query["X-Amz-Expires"]
        else {
            throw malformed(
                "Query-string authentication version 4 requires the X-Amz-Algorithm, X-Amz-Credential, "
                    + "X-Amz-Signature, X-Amz-Date, X-Amz-SignedHeaders, and X-Amz-Expires parameters.")
        }
        guard let lifetime = Int64(expires), (0...604_800).contains(lifetime) else {
            throw malformed("X-Amz-Expires must be a number of seconds, a week's at most")
        }
        try self.init(credential, signed, signature, stamp)
        self.lifetime = lifetime
    }

    private init(_ credential: String, _ signed: String, _ signature: String, _ stamp: String) throws {
        let parts = credential.split(separator: "/", omittingEmptySubsequences: false).map(String.init)
        guard parts.count >= 5, parts[parts.count - 1] == "aws4_request" else {
            throw Self.malformed(
                "The Credential is mal-formed; expecting \"<YOUR-AKID>/YYYYMMDD/REGION/SERVICE/aws4_request\".")
        }
        guard parts[parts.count - 2] == "s3" else {
            throw Self.malformed("Incorrect service \"\(parts[parts.count - 2])\". This endpoint belongs to \"s3\".")
        }
        access = parts.dropLast(4).joined(separator: "/")
        (date, region) = (parts[parts.count - 4], parts[parts.count - 3])
        signedHeaders = signed.split(separator: ";").map { $0.lowercased() }
        self.signature = signature.lowercased()
        guard !access.isEmpty, access.utf8.count <= 128, signedHeaders.contains("host") else {
            throw Self.malformed("The authorization must name an access key and sign the host.")
        }
        guard let moment = Self.moment(stamp) else {
            throw S3Refusal.accessDenied("AWS authentication requires a valid Date or x-amz-date header")
        }
        guard stamp.hasPrefix(date) else { throw Self.malformed("Date in Credential scope does not match X-Amz-Date.") }
        timestamp = stamp
        self.moment = moment
        lifetime = nil
    }

    private static func malformed(_ text: String) -> S3Refusal { S3Refusal(400, "AuthorizationHeaderMalformed", text) }

    /// `20130524T000000Z` of a `Date` header.
    private static func stamp(_ date: String?) -> String? {
        guard let date else { return nil }
        guard let seconds = HTTPDate.parse(date) else { return moment(date) == nil ? nil : date }
        let text = HTTPDate.listing(seconds * 1_000_000).prefix(19)
        return text.filter { $0 != "-" && $0 != ":" } + "Z"
    }

    private static func moment(_ stamp: String) -> Int64? {
        let digits = Array(stamp)
        guard digits.count == 16, digits[8] == "T", digits[15] == "Z" else { return nil }
        func part(_ range: Range<Int>) -> String { String(digits[range]) }
        return HTTPDate.parseISO(
            "\(part(0..<4))-\(part(4..<6))-\(part(6..<8))T\(part(9..<11)):\(part(11..<13)):\(part(13..<15))Z")
    }

    /// - Parameter now: Microseconds since 1970.
    /// - Throws: ``S3Refusal`` for what was signed at another time.
    package func checkTime(_ now: Int64) throws {
        let seconds = now / 1_000_000
        guard let lifetime else {
            guard abs(seconds - moment) <= Self.skew else {
                throw S3Refusal(
                    403, "RequestTimeTooSkewed",
                    "The difference between the request time and the server's time is too large.",
                    details: [
                        ("RequestTime", timestamp), ("ServerTime", S3Time.text(now)),
                        ("MaxAllowedSkewMilliseconds", String(Self.skew * 1000))
                    ])
            }
            return
        }
        guard moment - seconds <= Self.skew else { throw S3Refusal.accessDenied("Request is not yet valid") }
        guard seconds < moment + lifetime else { throw S3Refusal.accessDenied("Request has expired") }
    }

    // MARK: The signature

    /// What the signature covers in place of the body; `nil` where a header should say and does not.
    package func payload(_ request: ObjectRequest) -> String? {
        let header = request.header("x-amz-content-sha256")
        guard lifetime != nil else { return header }
        // What is not signed says nothing.
        return signedHeaders.contains("x-amz-content-sha256")
            ? header : request.query["X-Amz-Content-Sha256"] ?? Self.unsigned
    }

    private static let unsigned = "UNSIGNED-PAYLOAD"

    /// - Parameter payload: What the request says of its body: a hash, or one of S3's words.
    package func canonicalRequest(_ request: ObjectRequest, payload: String) -> String {
        let path = PercentText.decode(request.path).map { PercentText.encode($0) } ?? request.path
        return [
            request.method, path, Self.canonicalQuery(request.rawQuery), canonicalHeaders(request.headers),
            signedHeaders.joined(separator: ";"), payload
        ].joined(separator: "\n")
    }

    private static func canonicalQuery(_ query: String) -> String {
        query.split(separator: "&").compactMap { item -> (String, String)? in
            let mark = item.firstIndex(of: "=") ?? item.endIndex
            let value = mark == item.endIndex ? "" : String(item[item.index(after: mark)...])
            guard let name = PercentText.decode(item[..<mark], plusIsSpace: true),
                let value = PercentText.decode(value, plusIsSpace: true), name != "X-Amz-Signature"
            else { return nil }
            return (PercentText.encode(name, keeping: ""), PercentText.encode(value, keeping: ""))
        }.sorted { ($0.0, $0.1) < ($1.0, $1.1) }.map { "\($0.0)=\($0.1)" }.joined(separator: "&")
    }

    private func canonicalHeaders(_ headers: HTTPHeaders) -> String {
        signedHeaders.map { name in
            let values = headers[name].map { value in
                value.split(separator: " ").joined(separator: " ")
            }
            return "\(name):\(values.joined(separator: ","))\n"
        }.joined()
    }

    package func stringToSign(_ canonical: String) -> String {
        [Self.algorithm, timestamp, scope, Array(SHA256.hash(data: Array(canonical.utf8))).hexadecimal]
            .joined(separator: "\n")
    }

    /// - Throws: ``S3Refusal`` for a wrong one, and for headers that matter and are not signed.
    package func check(_ request: ObjectRequest, payload: String, key: [UInt8]) throws {
        let loose = request.headers.map { $0.name.lowercased() }
            .filter { $0.hasPrefix("x-amz-") && !signedHeaders.contains($0) }
        let canonical = canonicalRequest(request, payload: payload), text = stringToSign(canonical)
        guard S3Signer.isRight(signature, of: text, key: key) else {
            var refusal = S3Refusal.signatureDoesNotMatch
            refusal.details = [
                ("AWSAccessKeyId", access), ("StringToSign", text), ("SignatureProvided", signature),
                ("CanonicalRequest", canonical)
            ]
            throw refusal
        }
        // Anybody on the way could have put them there. What a body's hash covers is covered.
        guard loose.allSatisfy({ lifetime != nil && $0 == "x-amz-content-sha256" || $0 == "x-amz-user-agent" }) else {
            var refusal = S3Refusal.accessDenied("There were headers present in the request which were not signed")
            refusal.details = [("HeadersNotSigned", loose.joined(separator: ", "))]
            throw refusal
        }
    }
}

extension ObjectRequest {
    private static let ownFields: Set<String> = [
        "x-amz-algorithm", "x-amz-credential", "x-amz-date", "x-amz-expires", "x-amz-signedheaders", "x-amz-signature",
        "x-amz-content-sha256", "x-amz-security-token"
    ]

    /// In a signed URL, the query may hold what else are header fields.
    var withFieldsOfQuery: ObjectRequest {
        var request = self
        for (name, value) in query.items {
            let name = name.lowercased()
            guard name.hasPrefix("x-amz-"), !Self.ownFields.contains(name) else { continue }
            request.headers.replaceOrAdd(name: name, value: value)
        }
        return request
    }
}

/// The times that S3's documents show.
enum S3Time {
    /// `2014-01-15T16:41:49.390Z`, of microseconds.
    static func text(_ micros: Int64) -> String { HTTPDate.listing(micros).dropLast(3) + "Z" }
}

enum S3Signer {
    static func sign(_ text: String, key: [UInt8]) -> String {
        Array(HMAC<SHA256>.authenticationCode(for: Array(text.utf8), using: SymmetricKey(data: key))).hexadecimal
    }

    /// Takes the same time for every wrong one.
    static func isRight(_ signature: String, of text: String, key: [UInt8]) -> Bool {
        let right = Array(sign(text, key: key).utf8), given = Array(signature.utf8)
        guard right.count == given.count else { return false }
        return zip(right, given).reduce(UInt8(0)) { $0 | ($1.0 ^ $1.1) } == 0
    }
}

/// Signatures of the chunks of one body: each is of the one before it too.
package struct S3ChunkSigner: Sendable {
    private let key: [UInt8]
    private let beginning: String
    private var previous: String

    package init(_ authorization: S3Authorization, key: [UInt8]) {
        self.key = key
        beginning = "\(authorization.timestamp)\n\(authorization.scope)"
        previous = authorization.signature
    }

    private static let empty = Array(SHA256.hash(data: [UInt8]())).hexadecimal

    package mutating func isRight(_ signature: String, hash: String) -> Bool {
        let text = "\(S3Authorization.algorithm)-PAYLOAD\n\(beginning)\n\(previous)\n\(Self.empty)\n\(hash)"
        previous = signature
        return S3Signer.isRight(signature, of: text, key: key)
    }

    package func isRight(_ signature: String, ofTrailers lines: String) -> Bool {
        let hash = Array(SHA256.hash(data: Array(lines.utf8))).hexadecimal
        let text = "\(S3Authorization.algorithm)-TRAILER\n\(beginning)\n\(previous)\n\(hash)"
        return S3Signer.isRight(signature, of: text, key: key)
    }
}
