import Crypto
import CoordinatorPlatform

/// What a signed request was, as the service that got it passes it on.
package struct EC2Request: Sendable {
    var access: String
    var signature: String
    var host = ""
    var verb = ""
    var path = ""
    var params: [String: String] = [:]
    /// Names as they came.
    var headers: [String: String] = [:]
    var bodyHash = ""

    /// - Throws: ``APIError`` 401 for what lacks the key or the signature, 400 for another shape.
    package init(_ credentials: JSON) throws(APIError) {
        guard let access = credentials["access"]?.stringValue,
            let signature = credentials["signature"]?.stringValue, !signature.isEmpty
        else { throw IdentityService.unauthorized }
        self.access = access
        self.signature = signature
        host = credentials["host"]?.stringValue ?? ""
        verb = credentials["verb"]?.stringValue ?? ""
        path = credentials["path"]?.stringValue ?? ""
        bodyHash = credentials["body_hash"]?.stringValue ?? ""
        params = try Self.texts(credentials["params"], "params")
        headers = try Self.texts(credentials["headers"], "headers")
    }

    private static func texts(_ value: JSON?, _ name: String) throws(APIError) -> [String: String] {
        guard let value, !value.isNull else { return [:] }
        guard case .object(let members) = value else { throw AuthenticationBody.missing(name, in: "credentials") }
        return members.mapValues { $0.pythonText }
    }

    /// The time that the request was signed at, as it says: microseconds since 1970. It is read where the signature of
    /// its version covers it: what stands elsewhere, anybody could have written beside an old signature.
    /// - Returns: `nil` where it says none, which its signer chose.
    /// - Throws: ``APIError`` 401 for one that cannot be read.
    package func signedAt() throws(APIError) -> Int64? {
        let signed =
            params["SignatureVersion"] == nil ? headers["X-Amz-Date"] ?? params["X-Amz-Date"] : params["Timestamp"]
        guard let text = signed, !text.isEmpty else { return nil }
        guard let time = Timestamp.parse(text) ?? Self.basic(text) else { throw IdentityService.unauthorized }
        return time
    }

    /// `20260101T120000Z`
    private static func basic(_ text: String) -> Int64? {
        let bytes = Array(text.utf8)
        guard bytes.count == 16, bytes[8] == UInt8(ascii: "T"), bytes[15] == UInt8(ascii: "Z") else { return nil }
        func part(_ range: Range<Int>) -> String { String(decoding: bytes[range], as: UTF8.self) }
        return Timestamp.parse(
            "\(part(0..<4))-\(part(4..<6))-\(part(6..<8))T\(part(9..<11)):\(part(11..<13)):\(part(13..<15))Z")
    }
}

/// Signatures of Amazon's interfaces, of all versions that clients still use. Pure.
package enum EC2Signature {
    /// The id of the credential that holds an access key.
    package static func credentialKey(_ access: String) -> String { hex(SHA256.hash(data: Array(access.utf8))) }

    /// Whether the secret has made the request's signature. Some clients sign without the port.
    package static func isRight(_ request: EC2Request, secret: String) -> Bool {
        if let made = make(request, secret: secret), same(made, request.signature) { return true }
        guard let colon = request.host.lastIndex(of: ":") else { return false }
        var bare = request
        bare.host = String(request.host[..<colon])
        return make(bare, secret: secret).map { same($0, request.signature) } ?? false
    }

    /// - Returns: `nil` for a request that is signed in no known way.
    package static func make(_ request: EC2Request, secret: String) -> String? {
        let key = Array(secret.utf8)
        switch request.params["SignatureVersion"] {
        case "0":
            guard let action = request.params["Action"], let time = request.params["Timestamp"] else { return nil }
            return base64(sha1(key, Array((action + time).utf8)))
        case "1":
            let names = request.params.keys.sorted { ($0.lowercased(), $0) < ($1.lowercased(), $1) }
            return base64(sha1(key, names.flatMap { Array($0.utf8) + Array((request.params[$0] ?? "").utf8) }))
        case "2":
            var params = request.params
            params["SignatureMethod"] = "HmacSHA256"
            let text = "\(request.verb)\n\(request.host)\n\(request.path)\n" + query(params)
            return base64(sha256(key, Array(text.utf8)))
        case nil: return version4(request, secret: secret)
        default: return nil
        }
    }

    // MARK: - Version 4

    private static let algorithm = "AWS4-HMAC-SHA256"

    private static func version4(_ request: EC2Request, secret: String) -> String? {
        let header = request.headers["Authorization"]
        guard header?.hasPrefix(algorithm) == true || request.params["X-Amz-Algorithm"] == algorithm else { return nil }
        func part(_ name: String) -> String? {
            guard let header else { return request.params["X-Amz-\(name)"] }
            guard let start = header.firstRange(of: "\(name)=") else { return nil }
            return String(header[start.upperBound...].prefix { $0 != "," })
        }
        guard let signed = part("SignedHeaders"), let credential = part("Credential"),
            let date = request.headers["X-Amz-Date"] ?? request.params["X-Amz-Date"]
        else { return nil }
        let scope = credential.split(separator: "/", omittingEmptySubsequences: false).dropFirst().map { String($0) }
        guard scope.count >= 3, date.hasPrefix(scope[0]) else { return nil }
        let canonical = [
            request.verb.uppercased(), request.path, request.verb.uppercased() == "POST" ? "" : query(request.params),
            canonicalHeaders(request, signed), signed, request.bodyHash
        ].joined(separator: "\n")
        let hash = hex(SHA256.hash(data: Array(canonical.utf8)))
        let text = [algorithm, date, scope.joined(separator: "/"), hash].joined(separator: "\n")
        let derived = derive(secret, date: scope[0], region: scope[1], service: scope[2])
        return hex(sha256(derived, Array(text.utf8)))
    }

    static func derive(_ secret: String, date: String, region: String, service: String) -> [UInt8] {
        [date, region, service, "aws4_request"].reduce(Array("AWS4\(secret)".utf8)) { sha256($0, Array($1.utf8)) }
    }

    private static func canonicalHeaders(_ request: EC2Request, _ signed: String) -> String {
        let headers = Dictionary(
            request.headers.map { (trimmed($0.key.lowercased()), trimmed($0.value)) },
            uniquingKeysWith: { _, last in last })
        // Versions of boto before 2.9.3 sign the host without its port.
        let agent = Array((headers["user-agent"] ?? "").utf8)
        let isOldBoto =
            agent.count >= 10 && agent.starts(with: Array("Boto/2.".utf8))
            && (48...57).contains(agent[7]) && agent[8] == UInt8(ascii: ".") && (48...50).contains(agent[9])
        let lines = signed.split(separator: ";").compactMap { name -> String? in
            guard let value = headers[String(name)] else { return nil }
            if name == "host", isOldBoto { return "\(name):\(value.prefix { $0 != ":" })" }
            return "\(name):\(value)"
        }
        return lines.joined(separator: "\n") + "\n"
    }

    private static func trimmed(_ text: String) -> String { String(text[...].trimmed) }

    // MARK: - S3

    /// Whether the secret has signed an S3 request's text: with HMAC-SHA1, or as version 4 has it.
    package static func isRight(_ signature: String, of text: [UInt8], secret: String) -> Bool {
        guard text.starts(with: Array("AWS4".utf8)) else {
            return same(base64(sha1(Array(secret.utf8), text)), signature)
        }
        let lines = text.split(separator: 10, omittingEmptySubsequences: false).map {
            String(decoding: $0, as: UTF8.self)
        }
        guard lines.count == 4, lines[0] == algorithm else { return false }
        let scope = lines[2].split(separator: "/", omittingEmptySubsequences: false).map { String($0) }
        guard scope.count == 4, scope[3] == "aws4_request", ["s3", "iam", "sts"].contains(scope[2]) else {
            return false
        }
        let derived = derive(secret, date: scope[0], region: scope[1], service: scope[2])
        return same(hex(sha256(derived, text)), signature)
    }

    // MARK: - Parts

    private static func query(_ params: [String: String]) -> String {
        params.keys.sorted { $0.unicodeScalars.lexicographicallyPrecedes($1.unicodeScalars) }
            .map { "\(PercentCoding.encode($0))=\(PercentCoding.encode(params[$0] ?? ""))" }.joined(separator: "&")
    }

    private static func sha1(_ key: [UInt8], _ text: [UInt8]) -> [UInt8] {
        Array(HMAC<Insecure.SHA1>.authenticationCode(for: text, using: SymmetricKey(data: key)))
    }

    private static func sha256(_ key: [UInt8], _ text: [UInt8]) -> [UInt8] {
        Array(HMAC<SHA256>.authenticationCode(for: text, using: SymmetricKey(data: key)))
    }

    private static func hex(_ bytes: some Sequence<UInt8>) -> String {
        bytes.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
    }

    /// With padding.
    private static func base64(_ bytes: [UInt8]) -> String {
        let text = Base64URL.encode(bytes).replacing("-", with: "+").replacing("_", with: "/")
        return text + String(repeating: "=", count: (4 - text.utf8.count % 4) % 4)
    }

    /// Takes the same time for every wrong one of the same length.
    private static func same(_ left: String, _ right: String) -> Bool {
        let left = Array(left.utf8), right = Array(right.utf8)
        guard left.count == right.count else { return false }
        return zip(left, right).reduce(UInt8(0)) { $0 | ($1.0 ^ $1.1) } == 0
    }
}
