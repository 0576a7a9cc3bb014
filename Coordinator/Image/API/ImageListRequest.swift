import CoordinatorPlatform
import ProtocolModel

/// Reads what a list request asks for. Values only, no SQL.
package struct ImageListRequest {
    package var listing: ImageListing
    let query: ListQuery
    let dialect: ListDialect

    private static let control: Set<String> = [
        "limit", "marker", "sort", "sort_key", "sort_dir", "visibility", "member_status", "tag"
    ]

    private static func dialect(limitDefault: Int, limitMaximum: Int) -> ListDialect {
        .glance(
            path: "/v2/images", schema: "images", limitDefault: limitDefault, limitMaximum: limitMaximum,
            ending: ["created_at", "id"], sortKeys: ImageListing.SortField.allCases.map(\.rawValue),
            unknownMarker: { .badRequest(ImageError.noImage($0).message) })
    }

    /// - Throws: ``APIError`` 400 for what makes no sense, in the service's words.
    package init(
        _ query: [(name: String, value: String)], viewer: ImageListing.Viewer, limitDefault: Int, limitMaximum: Int
    ) throws {
        dialect = Self.dialect(limitDefault: limitDefault, limitMaximum: limitMaximum)
        self.query = try dialect.read(
            Self.pairs(query), isFilter: { _ in false }, isSort: { ImageListing.SortField(rawValue: $0) != nil })
        listing = ImageListing(viewer: viewer, limit: self.query.limit ?? limitMaximum)
        func first(_ name: String) -> String? { query.first { $0.name == name }?.value }
        listing.visibility = try Self.visibility(first("visibility"))
        listing.memberStatus = try Self.memberStatus(first("member_status"))
        listing.sort = self.query.sorts.compactMap { sort in
            ImageListing.SortField(rawValue: sort.name).map { .init($0, ascending: sort.isAscending) }
        }
        for (name, value) in query where name == "tag" { listing.filters.append(.tag(value.trimmed)) }
        for (name, value) in query where !Self.control.contains(name) {
            if let filter = try Self.filter(name, value, dialect) { listing.filters.append(filter) }
        }
        guard listing.filters.count <= ListDialect.mostFilters else {
            throw APIError.badRequest("A list takes at most \(ListDialect.mostFilters) filters.")
        }
        if first("os_hidden") == nil { listing.filters.append(.flag(.hidden, false)) }
    }

    /// What there is beside filters, with `sort=name:asc,size` written as `sort_key=name&sort_dir=asc&sort_key=size` ...
    private static func pairs(_ query: [(name: String, value: String)]) throws -> [(name: String, value: String)] {
        var pairs = query.filter { ["limit", "marker", "sort_key", "sort_dir"].contains($0.name) }.map {
            (name: $0.name, value: $0.name.hasPrefix("sort") ? $0.value.trimmed : $0.value)
        }
        guard let sort = query.first(where: { $0.name == "sort" })?.value else { return pairs }
        guard !pairs.contains(where: { $0.name.hasPrefix("sort") }) else {
            throw APIError.badRequest("Old and new sorting syntax cannot be combined")
        }
        for item in sort.split(separator: ",", omittingEmptySubsequences: false) {
            let parts = item.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false).map(\.trimmed)
            pairs.append((name: "sort_key", value: parts[0]))
            pairs.append((name: "sort_dir", value: parts.count == 2 && !parts[1].isEmpty ? parts[1] : "desc"))
        }
        return pairs
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
    private static func filter(
        _ name: String, _ value: String, _ dialect: ListDialect
    ) throws -> ImageListing.Filter? {
        if let field = ImageListing.TimeField(rawValue: name) { return try time(field, value) }
        if let field = ImageListing.NumberField(rawValue: name) {
            // Compared as text would be: what is no number matches nothing.
            return Int64(value).map { .number(field, .eq, $0) } ?? .nothing
        }
        if let range = try range(name, value) { return range }
        switch name {
        case "os_hidden": return try flag(.hidden, value.lowercased(), dialect)
        case "protected": return try flag(.protected, value, dialect)
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

    private static func flag(
        _ field: ImageListing.FlagField, _ value: String, _ dialect: ListDialect
    ) throws -> ImageListing.Filter {
        .flag(field, try dialect.readFlag(value, of: field.rawValue) ?? false)
    }

    /// `size_min` and the like.
    private static func range(_ name: String, _ value: String) throws -> ImageListing.Filter? {
        for (suffix, comparison) in [("_min", ImageListing.Comparison.gte), ("_max", .lte)] where name.hasSuffix(suffix)
        {
            guard let field = ImageListing.NumberField(rawValue: String(name.dropLast(suffix.count))) else { continue }
            guard let bound = Int64(value.trimmed) else {
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
}
