import Crypto
import NIOHTTP1

/// A URL that is its own permission: signed with a key that the account or the container keeps, for one method, one
/// path or all paths with a beginning, and until a moment.
struct TempURL: Hashable, Sendable {
    /// Whose key it was.
    let account: String
    /// The only container that the key is for; `nil` for a key of the account.
    let container: String?
    let method: String
    let isInline: Bool
    let filename: String?
    let expires: Int64

    /// - Parameter kind: Reading, with GET and HEAD; writing, with the one method that was signed.
    func opens(_ name: ContainerName, _ kind: AccessKind) -> Bool {
        guard name.account.isSameName(as: account), container?.isSameName(as: name.name) ?? true else { return false }
        return kind == .write ? ["PUT", "POST", "DELETE"].contains(method) : ["GET", "HEAD"].contains(method)
    }

    /// - Throws: ``SwiftRefusal`` with 401 for a URL that is not good, without a word of why.
    static func check(_ call: SwiftCall) async throws -> TempURL {
        let refusal = SwiftRefusal(401, "401 Unauthorized: Temp URL invalid\n")
        let query = call.request.query, target = call.target
        guard let object = target.object, let container = target.containerName,
            let signature = query["temp_url_sig"].flatMap(Signature.init),
            let expires = moment(query["temp_url_expires"]), expires > call.now / 1_000_000,
            ["GET", "HEAD", "PUT", "POST", "DELETE"].contains(call.request.method)
        else { throw refusal }
        var path = target.path
        if let prefix = query["temp_url_prefix"] {
            guard object.beginsAsName(with: prefix) else { throw refusal }
            path = "prefix:/v1/\(target.account)/\(container.name)/\(prefix)"
        }
        if let range = query["temp_url_ip_range"] {
            guard AddressRange(range)?.contains(call.request.remoteAddress) == true else { throw refusal }
            path = "ip=\(range)\n" + path
        }
        // Who may read or write may look, too.
        let methods = call.request.method == "HEAD" ? ["HEAD", "GET", "POST", "PUT"] : [call.request.method]
        for (key, scope) in try await keys(call, container) {
            for method in methods where signature.isOf(message(method, expires, path), key: key) {
                return TempURL(
                    account: target.account, container: scope, method: call.request.method,
                    isInline: query.has("inline"), filename: query["filename"], expires: expires)
            }
        }
        throw refusal
    }

    /// The range stands before all the rest.
    private static func message(_ method: String, _ expires: Int64, _ path: String) -> String {
        guard path.hasPrefix("ip="), let end = path.firstIndex(of: "\n") else {
            return "\(method)\n\(expires)\n\(path)"
        }
        return "\(path[...end])\(method)\n\(expires)\n\(path[path.index(after: end)...])"
    }

    private static func keys(_ call: SwiftCall, _ container: ContainerName) async throws -> [(String, String?)] {
        let account = try await call.store.account(container.account)?.metadata ?? [:]
        let own = try await call.container(container)?.metadata ?? [:]
        let suffixes = ["", "-2"]
        return suffixes.compactMap { account["x-account-meta-temp-url-key\($0)"] }.map { ($0, nil) }
            + suffixes.compactMap { own["x-container-meta-temp-url-key\($0)"] }.map { ($0, container.name) }
    }

    private static func moment(_ text: String?) -> Int64? { text.flatMap { Int64($0) ?? HTTPDate.parseISO($0) } }

    /// How browsers name what they save.
    func describe(_ headers: inout HTTPHeaders, object: String, _ call: SwiftCall) {
        let name = filename ?? object.split(separator: "/").last.map(String.init) ?? object
        let safe = name.filter { $0 != "\"" && $0 != "\n" && $0 != "\r" && $0.isASCII }
        let file = "filename=\"\(safe)\"; filename*=UTF-8''\(PercentText.encode(name, keeping: ""))"
        if isInline {
            headers.replaceOrAdd(name: "Content-Disposition", value: filename == nil ? "inline" : "inline; \(file)")
        } else if filename != nil || !headers.contains(name: "content-disposition") {
            headers.replaceOrAdd(name: "Content-Disposition", value: "attachment; \(file)")
        }
        headers.replaceOrAdd(name: "Expires", value: HTTPDate.http(seconds: expires))
    }
}

/// SHA-256 or SHA-512, told by its length; SHA-1 is no longer taken.
private struct Signature {
    private let bytes: [UInt8]

    init?(_ text: String) {
        var bytes: [UInt8] = []
        var high: UInt8?
        for character in text {
            guard let digit = character.hexDigitValue.map({ UInt8($0) }) else { return nil }
            if let first = high { bytes.append(first << 4 | digit) }
            high = high == nil ? digit : nil
        }
        guard high == nil, bytes.count == 32 || bytes.count == 64 else { return nil }
        self.bytes = bytes
    }

    func isOf(_ message: String, key: String) -> Bool {
        let key = SymmetricKey(data: Array(key.utf8)), message = Array(message.utf8)
        return bytes.count == 32
            ? HMAC<SHA256>.isValidAuthenticationCode(bytes, authenticating: message, using: key)
            : HMAC<SHA512>.isValidAuthenticationCode(bytes, authenticating: message, using: key)
    }
}
