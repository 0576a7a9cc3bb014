import CoordinatorPlatform
import ProtocolModel

/// A list request as SQL over ``ImageStore``'s columns. Values only ever travel as arguments.
package struct ImageQuery {
    var condition = "1 = 1"
    var arguments: [any SQLArgument] = []
    var sort: [(column: String, ascending: Bool)] = []
    var limit = 25
    var marker: ImageID?

    private static let sortColumns = [
        "name": "name", "status": "status", "container_format": "container_format", "disk_format": "disk_format",
        "size": "size", "id": "uuid", "created_at": "created_at", "updated_at": "updated_at"
    ]
    private static let textColumns = [
        "id": "uuid", "name": "name", "status": "status", "disk_format": "disk_format",
        "container_format": "container_format", "checksum": "checksum", "os_hash_value": "sha512"
    ]
    static let limitMaximum = 1_000

    /// - Throws: ``APIError`` 400 for filters that make no sense.
    init(_ call: APICall, caller: Caller) throws {
        try addVisibility(call, caller: caller)
        for (name, value) in call.query { try addFilter(name, value) }
        if call.query("os_hidden") == nil { add("hidden = 0") }
        try addSorting(call)
        try addPaging(call)
    }

    private mutating func add(_ clause: String, _ values: [any SQLArgument] = []) {
        condition += " AND (\(clause))"
        arguments += values
    }

    /// Without a wish: one's own, public and shared ones; community images only when asked for by name.
    private mutating func addVisibility(_ call: APICall, caller: Caller) throws {
        let wanted = call.query("visibility")
        if let wanted, wanted != "all", Image.Visibility(rawValue: wanted) == nil {
            throw APIError.badRequest("Invalid visibility value: \(wanted)")
        }
        if let wanted, wanted != "all" { add("visibility = ?", [wanted]) }
        if caller.isAdmin { return }
        let community = wanted == "community" || wanted == "all" ? "'public', 'community'" : "'public'"
        if let project = caller.project {
            add("visibility IN (\(community)) OR owner = ?", [project])
        } else {
            add("visibility IN (\(community))")
        }
    }

    private mutating func addFilter(_ name: String, _ value: String) throws {
        switch name {
        case "limit", "marker", "sort", "sort_key", "sort_dir", "visibility", "member_status": return
        case "os_hidden", "protected":
            guard let flag = ["true": true, "false": false][value.lowercased()] else {
                throw APIError.badRequest(
                    "Invalid value '\(value)' for '\(name)' filter. Valid values are 'true' or 'false'.")
            }
            add("\(name == "protected" ? "protected" : "hidden") = ?", [flag])
        case "owner":
            guard let owner = ProjectID(value) else { return add("1 = 0") }
            add("owner = ?", [owner])
        case "tag": add("EXISTS (SELECT 1 FROM image_tags WHERE image = images.uuid AND tag = ?)", [value])
        case "size_min", "size_max", "min_disk", "min_ram": try addNumber(name, value)
        case "created_at", "updated_at": try addTime(name, value)
        case "changes-since":
            throw APIError.badRequest("The \"changes-since\" filter is no longer available on v2.")
        default:
            guard let column = Self.textColumns[name] else {
                return add(
                    "EXISTS (SELECT 1 FROM image_properties p WHERE p.image = images.uuid AND p.name = ? AND p.value = ?)",
                    [name, value])
            }
            try addText(column, value)
        }
    }

    private mutating func addText(_ column: String, _ value: String) throws {
        guard value.hasPrefix("in:") else { return add("\(column) = ?", [value]) }
        let values = try Self.members(of: value.dropFirst(3))
        add("\(column) IN (\(values.map { _ in "?" }.joined(separator: ", ")))", values)
    }

    /// `in:a,"b,c",d`: commas separate, double quotes protect them.
    package static func members(of text: some StringProtocol) throws -> [String] {
        var members: [String] = [""]
        var isQuoted = false
        for character in text {
            switch character {
            case "\"": isQuoted.toggle()
            case "," where !isQuoted: members.append("")
            default: members[members.count - 1].append(character)
            }
        }
        guard !isQuoted, members.count <= 1_000 else {
            throw APIError.badRequest("Invalid filter value \(text). The quote is not closed.")
        }
        return members
    }

    private mutating func addNumber(_ name: String, _ value: String) throws {
        guard let number = Int64(value), number >= 0 else {
            throw APIError.badRequest("Filter '\(name)' takes a number of 0 and up, not '\(value)'.")
        }
        switch name {
        case "size_min": add("size >= ?", [number])
        case "size_max": add("size <= ?", [number])
        default: add("\(name) = ?", [number])
        }
    }

    /// `OPERATOR:TIME` with eq, neq, gt, gte, lt, lte; a bare time means eq.
    private mutating func addTime(_ column: String, _ value: String) throws {
        let operators = ["eq": "=", "neq": "<>", "gt": ">", "gte": ">=", "lt": "<", "lte": "<="]
        let parts = value.split(separator: ":", maxSplits: 1).map(String.init)
        let named = parts.count == 2 ? operators[parts[0]] : nil
        guard let time = Timestamp.parse(named == nil ? value : parts[1]) else {
            throw APIError.badRequest("Bad \"\(column)\" query filter format. Use ISO 8601 DateTime notation.")
        }
        // What clients see are whole seconds, so that is what they compare with.
        add("\(column) / 1000000 \(named ?? "=") ?", [time / 1_000_000])
    }

    private mutating func addSorting(_ call: APICall) throws {
        var keys = call.queryAll("sort_key")
        var directions = call.queryAll("sort_dir")
        if let sort = call.query("sort") {
            guard keys.isEmpty, directions.isEmpty else {
                throw APIError.badRequest("Old and new sorting syntax cannot be combined")
            }
            for item in sort.split(separator: ",") {
                let parts = item.split(separator: ":", maxSplits: 1).map(String.init)
                keys.append(parts[0])
                directions.append(parts.count == 2 ? parts[1] : "desc")
            }
        }
        if keys.isEmpty { keys = ["created_at"] }
        if directions.isEmpty { directions = ["desc"] }
        if directions.count == 1 { directions = keys.map { _ in directions[0] } }
        guard directions.count == keys.count else {
            throw APIError.badRequest("Number of sort dirs does not match the number of sort keys")
        }
        for (key, direction) in zip(keys, directions) {
            guard let column = Self.sortColumns[key] else {
                throw APIError.badRequest(
                    "Invalid sort key: \(key). It must be one of: \(Self.sortColumns.keys.sorted().joined(separator: ", "))."
                )
            }
            guard direction == "asc" || direction == "desc" else {
                throw APIError.badRequest("Invalid sort direction: \(direction)")
            }
            sort.append((column, direction == "asc"))
        }
        // A total order, or pages could overlap.
        for column in ["created_at", "uuid"] where !sort.contains(where: { $0.column == column }) {
            sort.append((column, sort[0].ascending))
        }
    }

    private mutating func addPaging(_ call: APICall) throws {
        if let text = call.query("limit") {
            guard let value = Int(text) else { throw APIError.badRequest("limit param must be an integer") }
            guard value >= 0 else { throw APIError.badRequest("limit param must be positive") }
            limit = min(value, Self.limitMaximum)
        }
        if let text = call.query("marker") {
            guard let id = ImageID(text) else { throw APIError.badRequest("Invalid marker format") }
            marker = id
        }
    }

    var order: String {
        sort.map { "COALESCE(\($0.column), '') \($0.ascending ? "ASC" : "DESC")" }.joined(separator: ", ")
    }

    /// Narrows to what comes after the marker, column by column in the sort's order.
    mutating func skip(past image: Image, in reader: any SQLReader) throws {
        let columns = sort.map { "COALESCE(\($0.column), '')" }
        var alternatives: [String] = []
        for (index, item) in sort.enumerated() {
            let equal = columns[..<index].map { "\($0) = (SELECT \($0) FROM images WHERE uuid = ?)" }
            let beyond =
                "\(columns[index]) \(item.ascending ? ">" : "<") "
                + "(SELECT \(columns[index]) FROM images WHERE uuid = ?)"
            alternatives.append((equal + [beyond]).joined(separator: " AND "))
            arguments += Array(repeating: image.id as any SQLArgument, count: index + 1)
        }
        condition += " AND (\(alternatives.map { "(\($0))" }.joined(separator: " OR ")))"
    }
}
