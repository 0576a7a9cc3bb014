import CoordinatorPlatform
import ProtocolModel

/// Reads what a list request asks for. Values only, no SQL.
package struct ImageListRequest {
    package var listing: ImageListing
    /// As it came; the image is looked up by whoever may see it.
    package private(set) var marker: String?

    private static let control: Set<String> = [
        "limit", "marker", "sort", "sort_key", "sort_dir", "visibility", "member_status", "tag"
    ]

    /// Each costs a condition on every image.
    private static let mostFilters = 64

    /// - Throws: ``APIError`` 400 for what makes no sense, in the service's words.
    package init(
        _ query: [(name: String, value: String)], viewer: ImageListing.Viewer, limitDefault: Int, limitMaximum: Int
    ) throws {
        listing = ImageListing(viewer: viewer, limit: min(limitDefault, limitMaximum))
        func first(_ name: String) -> String? { query.first { $0.name == name }?.value }
        if let text = first("limit") { listing.limit = min(try Self.limit(text), limitMaximum) }
        marker = first("marker")
        listing.visibility = try Self.visibility(first("visibility"))
        listing.memberStatus = try Self.memberStatus(first("member_status"))
        listing.sort = try Self.sort(query)
        for (name, value) in query where name == "tag" { listing.filters.append(.tag(Self.trimmed(value))) }
        for (name, value) in query where !Self.control.contains(name) {
            if let filter = try Self.filter(name, value) { listing.filters.append(filter) }
        }
        guard listing.filters.count <= Self.mostFilters else {
            throw APIError.badRequest("A list takes at most \(Self.mostFilters) filters.")
        }
        if first("os_hidden") == nil { listing.filters.append(.flag(.hidden, false)) }
    }

    private static func limit(_ text: String) throws -> Int {
        guard let limit = Int(text) else { throw APIError.badRequest("limit param must be an integer") }
        guard limit >= 0 else { throw APIError.badRequest("limit param must be positive") }
        return limit
    }

    private static func visibility(_ text: String?) throws -> ImageListing.Visibility {
        guard let text, !text.isEmpty else { return .usual }
        if text == "all" { return .all }
        guard let visibility = Image.Visibility(rawValue: text) else {
            throw APIError.badRequest("Invalid visibility value: \(text)")
        }
        return .only(visibility)
    }

    private static func memberStatus(_ text: String?) throws -> String? {
        guard let text else { return ImageMember.Status.accepted.rawValue }
        if text == "all" { return nil }
        guard let status = ImageMember.Status(rawValue: text) else {
            throw APIError.badRequest("Invalid status: \(text)")
        }
        return status.rawValue
    }

    // MARK: - Filters

    /// - Returns: `nil` for what every image matches.
    private static func filter(_ name: String, _ value: String) throws -> ImageListing.Filter? {
        if let field = ImageListing.TimeField(rawValue: name) { return try time(field, value) }
        if let field = ImageListing.NumberField(rawValue: name) {
            // Compared as text would be: what is no number matches nothing.
            return Int64(value).map { .number(field, .eq, $0) } ?? .nothing
        }
        if let range = try range(name, value) { return range }
        switch name {
        case "os_hidden": return .flag(.hidden, try flag(name, value.lowercased()))
        case "protected": return .flag(.protected, try flag(name, value))
        case "name", "id", "status", "container_format", "disk_format":
            return .text(ImageListing.TextField(rawValue: name) ?? .name, anyOf: try alternatives(value))
        case "owner", "checksum", "os_hash_value":
            return .text(ImageListing.TextField(rawValue: name) ?? .owner, anyOf: [value])
        case "os_hash_algo": return value == "sha512" ? .hashed : .nothing
        case "changes-since":
            throw APIError.badRequest("The \"changes-since\" filter is no longer available on v2.")
        case "deleted": return value.lowercased() == "true" ? .nothing : nil
        default: return .property(name: name, value: value)
        }
    }

    private static func flag(_ name: String, _ value: String) throws -> Bool {
        guard let flag = ["true": true, "false": false][value] else {
            throw APIError.badRequest(
                "Invalid value '\(value)' for '\(name)' filter. Valid values are 'true' or 'false'.")
        }
        return flag
    }

    /// `size_min` and the like.
    private static func range(_ name: String, _ value: String) throws -> ImageListing.Filter? {
        for (suffix, comparison) in [("_min", ImageListing.Comparison.gte), ("_max", .lte)] where name.hasSuffix(suffix)
        {
            guard let field = ImageListing.NumberField(rawValue: String(name.dropLast(suffix.count))) else { continue }
            guard let bound = Int64(trimmed(value)) else {
                throw APIError.badRequest("Unable to filter on a range with a non-numeric value.")
            }
            return .number(field, comparison, bound)
        }
        return nil
    }

    /// `OPERATOR:VALUE`; what is a time by itself has no operator, although it has colons.
    private static func split(_ text: String) -> (name: String, value: String) {
        guard let colon = text.firstIndex(of: ":"), Timestamp.parse(text) == nil else { return ("eq", text) }
        return (String(text[..<colon]), String(text[text.index(after: colon)...]))
    }

    private static func time(_ field: ImageListing.TimeField, _ value: String) throws -> ImageListing.Filter {
        let (name, text) = split(value)
        guard let time = Timestamp.parse(text) else {
            throw APIError.badRequest(
                "Bad \"\(field.rawValue)\" query filter format. Use ISO 8601 DateTime notation.")
        }
        guard let comparison = ImageListing.Comparison(rawValue: name) else {
            throw APIError.badRequest("Unable to filter on a unknown operator.")
        }
        let second = time >= 0 ? time / 1_000_000 : (time - 999_999) / 1_000_000
        return .time(field, comparison, second: second)
    }

    private static func alternatives(_ text: String) throws -> [String] {
        let (name, value) = split(text)
        switch name {
        case "eq": return [value]
        case "in": return try members(of: value)
        default: throw APIError.badRequest("Unable to filter by unknown operator '\(name)'.")
        }
    }

    /// `a,"b,c",d`: commas separate, double quotes around a whole member protect them, `\"` is a quote within quotes.
    package static func members(of text: String) throws -> [String] {
        func wrong(_ reason: String) -> APIError { .badRequest("Invalid filter value \(text). \(reason)") }
        var members: [String] = []
        var rest = text[...]
        while true {
            if rest.first == "\"" {
                let (member, after) = try quoted(rest.dropFirst()) { wrong("The quote is not closed.") }
                members.append(member)
                rest = after
                guard rest.isEmpty || rest.first == "," else {
                    throw wrong("There is no comma after closing quotation mark.")
                }
            } else {
                let end = rest.firstIndex(of: ",") ?? rest.endIndex
                guard !rest[..<end].contains("\"") else {
                    throw wrong("There is no comma before opening quotation mark.")
                }
                members.append(String(rest[..<end]))
                rest = rest[end...]
            }
            guard members.count <= 1_000 else { throw wrong("It has more than 1000 members.") }
            guard !rest.isEmpty else { return members }
            rest = rest.dropFirst()
        }
    }

    private static func quoted(
        _ text: Substring, unclosed: () -> APIError
    ) throws -> (member: String, rest: Substring) {
        var member = ""
        var rest = text
        while let character = rest.popFirst() {
            if character == "\"" { return (member, rest) }
            if character == "\\", rest.first == "\"" {
                member.append(rest.removeFirst())
            } else {
                member.append(character)
            }
        }
        throw unclosed()
    }

    // MARK: - Order

    /// Both syntaxes: `sort_key=name&sort_dir=asc&sort_key=size`, and `sort=name:asc,size`.
    private static func sort(_ query: [(name: String, value: String)]) throws -> [ImageListing.SortKey] {
        let old = query.filter { $0.name == "sort_key" }.map { trimmed($0.value) }
        let directions = query.filter { $0.name == "sort_dir" }.map { trimmed($0.value) }
        var keys: [ImageListing.SortKey] = []
        /// Of the keys that make the order total.
        var last = false
        if let text = query.first(where: { $0.name == "sort" })?.value {
            guard old.isEmpty, directions.isEmpty else {
                throw APIError.badRequest("Old and new sorting syntax cannot be combined")
            }
            for item in text.split(separator: ",", omittingEmptySubsequences: false) {
                let parts = item.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false).map {
                    trimmed($0)
                }
                let direction = parts.count == 2 && !parts[1].isEmpty ? parts[1] : "desc"
                keys.append(.init(try field(parts[0]), ascending: try isAscending(direction)))
            }
            if keys.count == 1 { last = keys[0].ascending }
        } else {
            let fields = try old.map(field)
            let ascending = try directions.map(isAscending)
            guard ascending.count <= 1 || ascending.count == fields.count else {
                throw APIError.badRequest("Number of sort dirs does not match the number of sort keys")
            }
            if ascending.count == 1 { last = ascending[0] }
            for (index, field) in (fields.isEmpty ? [.createdAt] : fields).enumerated() {
                keys.append(.init(field, ascending: ascending.count > 1 ? ascending[index] : last))
            }
        }
        return total(keys, last: last)
    }

    /// Without repetitions, and ending in the id, which no two images share.
    private static func total(_ keys: [ImageListing.SortKey], last: Bool) -> [ImageListing.SortKey] {
        let ends: [ImageListing.SortField] = [.createdAt, .id]
        var order: [ImageListing.SortKey] = []
        for key in keys + ends.map({ .init($0, ascending: last) })
        where !order.contains(where: { $0.field == key.field || $0.field == .id }) {
            order.append(key)
        }
        return order
    }

    private static func field(_ name: String) throws -> ImageListing.SortField {
        guard let field = ImageListing.SortField(rawValue: name) else {
            throw APIError.badRequest(
                """
                Invalid sort key: \(name). It must be one of the following: name, status, container_format, disk_format, \
                size, id, created_at, updated_at.
                """)
        }
        return field
    }

    private static func isAscending(_ direction: String) throws -> Bool {
        guard direction == "asc" || direction == "desc" else {
            throw APIError.badRequest("Invalid sort direction: \(direction)")
        }
        return direction == "asc"
    }

    private static func trimmed(_ text: some StringProtocol) -> String {
        var text = Substring(text)
        while text.first?.isWhitespace == true { text.removeFirst() }
        while text.last?.isWhitespace == true { text.removeLast() }
        return String(text)
    }
}
