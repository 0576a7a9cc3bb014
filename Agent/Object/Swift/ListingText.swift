/// Listings in the three forms that Swift gives them.
enum ListingFormat: Sendable {
    case plain, json, xml

    /// - Throws: ``SwiftRefusal`` with 406 where the client takes none of them.
    init(_ request: ObjectRequest) throws {
        switch request.query["format"]?.lowercased() {
        case "json": self = .json
        case "xml": self = .xml
        case "plain", .some: self = .plain
        case nil: self = try Self.accepted(request.header("accept") ?? "")
        }
    }

    private static func accepted(_ header: String) throws -> Self {
        guard !header.isEmpty else { return .plain }
        let weighed = header.split(separator: ",").map { item -> (type: String, weight: Double) in
            let parts = item.split(separator: ";").map { String($0).trimmed }
            let weight = parts.dropFirst().first { $0.hasPrefix("q=") }.flatMap { Double($0.dropFirst(2)) }
            return (parts.first?.lowercased() ?? "", weight ?? 1)
        }
        for (type, weight) in weighed.sorted(by: { $0.weight > $1.weight }) where weight > 0 {
            switch type {
            case "application/json": return .json
            case "application/xml", "text/xml": return .xml
            case "text/plain", "text/*", "*/*": return .plain
            case "application/*": return .json
            default: continue
            }
        }
        throw SwiftRefusal(406)
    }

    var contentType: String {
        switch self {
        case .plain: "text/plain; charset=utf-8"
        case .json: "application/json; charset=utf-8"
        case .xml: "application/xml; charset=utf-8"
        }
    }
}

enum ListingText {
    static func containers(_ items: [ListedContainer], account: String, _ format: ListingFormat) -> [UInt8] {
        switch format {
        case .plain: return plain(items.map(\.name))
        case .json:
            return array(
                items.map { item in
                    guard let record = item.record else { return [("subdir", .text(item.name))] }
                    return [
                        ("name", .text(item.name)), ("count", .number(record.objects)),
                        ("bytes", .number(record.bytes)), ("last_modified", .text(HTTPDate.listing(record.changed)))
                    ]
                })
        case .xml:
            return xml("account", account) { out in
                for item in items {
                    guard let record = item.record else {
                        out += "<subdir name=\"\(Markup.attribute(item.name))\" />"
                        continue
                    }
                    out += "<container><name>\(Markup.text(item.name))</name><count>\(record.objects)</count>"
                    out += "<bytes>\(record.bytes)</bytes>"
                    out += "<last_modified>\(HTTPDate.listing(record.changed))</last_modified></container>"
                }
            }
        }
    }

    static func objects(_ items: [ListedObject], container: String, _ format: ListingFormat) -> [UInt8] {
        switch format {
        case .plain: return plain(items.map(\.name))
        case .json:
            return array(
                items.map { item in
                    guard let record = item.record else { return [("subdir", .text(item.name))] }
                    return fields(item.name, record)
                })
        case .xml:
            return xml("container", container) { out in
                for item in items {
                    guard let record = item.record else {
                        let name = Markup.attribute(item.name)
                        out += "<subdir name=\"\(name)\"><name>\(Markup.text(item.name))</name></subdir>"
                        continue
                    }
                    out += "<object><name>\(Markup.text(item.name))</name><hash>\(record.etag)</hash>"
                    out += "<bytes>\(record.size)</bytes>"
                    out += "<content_type>\(Markup.text(record.contentType))</content_type>"
                    out += "<last_modified>\(HTTPDate.listing(record.changed))</last_modified></object>"
                }
            }
        }
    }

    private static func fields(_ name: String, _ record: ListedRecord) -> [(String, JSONText.Scalar)] {
        var fields: [(String, JSONText.Scalar)] = [
            ("hash", .text(record.etag)), ("last_modified", .text(HTTPDate.listing(record.changed))),
            ("bytes", .number(record.size)), ("name", .text(name)), ("content_type", .text(record.contentType))
        ]
        if let etag = record.wholeETag {
            fields.append(("slo_etag", .text("\"\(etag)\"")))
        }
        return fields
    }

    private static func plain(_ names: [String]) -> [UInt8] { Array(names.map { $0 + "\n" }.joined().utf8) }

    private static func array(_ items: [[(String, JSONText.Scalar)]]) -> [UInt8] {
        Array(("[" + items.map(JSONText.object).joined(separator: ", ") + "]").utf8)
    }

    private static func xml(_ element: String, _ name: String, _ body: (inout String) -> Void) -> [UInt8] {
        var out = "<?xml version='1.0' encoding='UTF-8'?>\n<\(element) name=\"\(Markup.attribute(name))\">"
        body(&out)
        return Array((out + "</\(element)>").utf8)
    }
}

extension ObjectRecord {
    /// What a listing shows: of a manifest, the size of the whole.
    var listedSize: Int64 { attributes.metadata[MetadataRules.sloSize].flatMap { Int64($0) } ?? content.size }
    /// It was uploaded in parts through the S3 API.
    var isComposed: Bool { etag.utf8.contains(UInt8(ascii: "-")) }
    var isStaticManifest: Bool { attributes.metadata[MetadataRules.isSLO] != nil }
}

enum JSONText {
    enum Scalar: Sendable {
        case text(String), number(Int64), flag(Bool)
        /// JSON already.
        case raw(String)
    }

    static func object(_ fields: [(String, Scalar)]) -> String {
        "{" + fields.map { "\(quoted($0.0)): \(value($0.1))" }.joined(separator: ", ") + "}"
    }

    private static func value(_ scalar: Scalar) -> String {
        switch scalar {
        case .text(let text): quoted(text)
        case .number(let number): String(number)
        case .flag(let flag): flag ? "true" : "false"
        case .raw(let json): json
        }
    }

    static func quoted(_ text: String) -> String {
        var out = "\""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\"": out += "\\\""
            case "\\": out += "\\\\"
            case "\n": out += "\\n"
            case "\r": out += "\\r"
            case "\t": out += "\\t"
            case _ where scalar.value < 0x20:
                let digits = String(scalar.value, radix: 16)
                out += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
            default: out.unicodeScalars.append(scalar)
            }
        }
        return out + "\""
    }
}

/// Text in XML and HTML.
enum Markup {
    static func text(_ text: String) -> String {
        text.replacing("&", with: "&amp;").replacing("<", with: "&lt;").replacing(">", with: "&gt;")
    }

    static func attribute(_ value: String) -> String {
        text(value).replacing("\"", with: "&quot;").replacing("\n", with: "&#10;")
    }
}
